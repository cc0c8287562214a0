/*
 * secret.h - secret parameters of changes: sealed while they are needed, erased
 *            when the change ends
 *
 * A row is bound to its change's uid and its name.  The key is DIR/secret.key,
 * made with the first secret.  The transaction that ends a change erases its
 * values; the rows stay, so that a retry knows which secrets it needs.
 */
#ifndef TW_MODEL_SECRET_H
#define TW_MODEL_SECRET_H

#include "store/store.h"

struct tw_change;
struct tw_who;

struct tw_secret {
	const char *name, *value;
};

/* Values read back, in memory that is wiped by tw_secrets_release(). */
struct tw_secrets {
	struct tw_secret *v;
	size_t n;
};

/* The values of a change that has not ended; none: n is 0.  From then on the
 * process leaves no core file.  TW_CONFIG: "secrets can't be opened: …" (the
 * key is gone, is another one, or a row was changed); TW_NO: it has ended. */
enum tw_status tw_secrets_open(struct tw_store *s, const struct tw_change *c,
    struct tw_secrets *out, struct tw_err *err);
void tw_secrets_release(struct tw_secrets *v);

/* The names of the secrets of a change that the caller may see, ended or not, in
 * order; NULL-terminated, for tw_strv_free().  TW_NO: there is no such
 * change. */
enum tw_status tw_secrets_names(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, char ***out, struct tw_err *err);

#endif
