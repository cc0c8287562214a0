/*
 * org.h - organisations: the tenants of a tower
 *
 * Nothing of an organisation is visible to another: what is not the caller's
 * is "not found", in the same words as what does not exist.
 */
#ifndef TW_MODEL_ORG_H
#define TW_MODEL_ORG_H

#include "model/who.h"

#define TW_ORG_DEFAULT "default"	/* made with the state */

struct tw_org {			/* strings owned */
	int64_t id;
	char *name;
	int64_t created;
	int64_t operators;	/* how many; -1: not for the caller to know */
	int64_t hosts, pending;	/* the same */
};
void tw_org_list_free(struct tw_org *o, size_t n);

/* A new organisation; admin (a login; NULL: the caller) becomes a member with
 * all six permissions there, an operator first where needed.  Audit "org.add"
 * on the tower's chain, "op.add" and "op.grant" on the new one's.  TW_DENIED:
 * the caller is no administrator of the tower; TW_NO: the name is taken;
 * TW_USAGE: it is none.  Own transaction, as all functions below that write. */
enum tw_status tw_org_add(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *admin, int64_t *id, struct tw_err *err);
/* The caller's organisations by name; an administrator of the tower gets all.
 * name NULL: every one; else that one or TW_NO.  operators is counted for those
 * who may admin there, hosts and pending for those who may view all of it and
 * for administrators of the tower. */
enum tw_status tw_org_list(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_org **out, size_t *n, struct tw_err *err);
/* Refused (TW_NO) while it has hosts or pending changes, or no other
 * organisation is left.  Members, grants, key pair and pinned jump hosts go,
 * history and audit chain stay; the name is free again.  Audit "org.remove" on
 * the tower's chain.  TW_DENIED as for add. */
enum tw_status tw_org_remove(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err);

/* Path of the organisation's private key, malloc'd: DIR/keys/ORG/id_ed25519.
 * The key is made by the tools when absent (lib/ssh does that). */
char *tw_org_key_path(const char *state_dir, const char *org);
/* Path of the file of jump hosts' keys that the organisation has pinned, in the
 * form of known_hosts, malloc'd: DIR/keys/ORG/known_hosts. */
char *tw_org_known_hosts_path(const char *state_dir, const char *org);
enum tw_status tw_org_name(struct tw_store *s, int64_t org_id, char **out,
    struct tw_err *err);

#endif
