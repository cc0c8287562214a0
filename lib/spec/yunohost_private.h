/*
 * yunohost_private.h - what the readers of YunoHost's catalogue share
 */
#ifndef TW_SPEC_YUNOHOST_PRIVATE_H
#define TW_SPEC_YUNOHOST_PRIVATE_H

#include "spec/yunohost.h"

struct tw_yunohost_read {
	struct tw_arena *arena;		/* of the catalogue */
	struct tw_diags *ds;
	bool nomem;
};

/* A catalogue with room for n apps; NULL: no memory. */
struct tw_yunohost_catalog *tw_yunohost_new(size_t n);

/* Sorts by id; two of one id are a problem. */
void tw_yunohost_sort(struct tw_yunohost_catalog *c, struct tw_diags *ds);

/* What an app that nothing is known of has. */
void tw_yunohost_app_init(struct tw_yunohost_app *a);

/* Copies what belongs to the catalogue; NULL with r->nomem: no memory. */
const char *tw_yunohost_copy(struct tw_yunohost_read *r, const char *s);

/* One line of a table, copied; *out is as it was where there is none. */
void tw_yunohost_line(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, size_t max,
    const char **out);

/* A list of words, copied. */
void tw_yunohost_words(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key,
    struct tw_yunohost_words *out);

/* A text in languages, or one text; copied, trimmed to one line. */
void tw_yunohost_translated(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, const char **out);

/* What an app's entry has in both forms: state, level, category… */
void tw_yunohost_entry(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a);

/* "url", "branch" and "revision" of a table. */
void tw_yunohost_git(struct tw_yunohost_read *r, const struct tw_tree_node *n,
    struct tw_yunohost_app *a);

/* A manifest of packaging format 2; a->id is known. */
void tw_yunohost_about(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a);

/* The table "install" of a manifest. */
void tw_yunohost_questions(struct tw_yunohost_read *r,
    const struct tw_tree_node *manifest, struct tw_yunohost_app *a);

/* One of them, in a table of its own. */
void tw_yunohost_question(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, const char *id,
    struct tw_yunohost_question *q);
bool tw_yunohost_question_ok(const char *id);

/* Whether a question that is neither asked only sometimes nor optional has no
 * answer of its own: an install needs one. */
bool tw_yunohost_is_required(const struct tw_yunohost_question *q);

/* Whether a value is one of the words that YunoHost takes for yes, or no. */
bool tw_yunohost_is_yes(const struct tw_yunohost_question *q, const char *s);
bool tw_yunohost_is_no(const struct tw_yunohost_question *q, const char *s);

/* The outcome of reading: *out keeps c, or c is freed. */
enum tw_status tw_yunohost_done(struct tw_yunohost_read *r,
    struct tw_yunohost_catalog *c, struct tw_yunohost_catalog **out,
    struct tw_err *err);

#endif
