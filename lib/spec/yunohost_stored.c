/* yunohost_stored.c - an app as the state keeps it; see yunohost_compile.h */
#include <string.h>

#include "spec/json.h"
#include "spec/yunohost_compile.h"
#include "spec/yunohost_private.h"

static void read_question(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a)
{
	struct tw_yunohost_question *q = &a->questions[a->nquestions];
	const char *id;

	if (n->type != TW_TREE_TABLE || !tw_tree_text(n, "id", &id, r->ds) ||
	    !tw_yunohost_question_ok(id)) {
		tw_tree_bad(r->ds, n, NULL, "is no question");
		return;
	}
	tw_yunohost_question(r, n, id, q);
	tw_tree_boolean(n, "conditional", &q->conditional, r->ds);
	a->nquestions++;
}

static void read_questions(struct tw_yunohost_read *r,
    const struct tw_tree_node *root, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *list, *n;

	if (!tw_tree_list(root, "questions", &list, r->ds))
		return;
	a->has_questions = true;
	if (list->count > TW_YUNOHOST_QUESTIONS_MAX) {
		tw_tree_bad(r->ds, list, NULL, "has too many items");
		return;
	}
	a->questions = tw_arena_alloc(r->arena,
	    (list->count + 1) * sizeof *a->questions);
	if (!a->questions) {
		r->nomem = true;
		return;
	}
	for (n = list->first; n; n = n->next)
		read_question(r, n, a);
}

static void read_archs(struct tw_yunohost_read *r, const char *archs,
    struct tw_yunohost_words *out)
{
	char *copy = (char *)tw_yunohost_copy(r, archs), *word, *save = NULL;
	const char **v;

	v = tw_arena_alloc(r->arena, TW_YUNOHOST_LIST_MAX * sizeof *v);
	if (!copy || !v) {
		r->nomem = true;
		return;
	}
	out->v = v;
	for (word = strtok_r(copy, ",", &save);
	    word && out->n < TW_YUNOHOST_LIST_MAX;
	    word = strtok_r(NULL, ",", &save))
		v[out->n++] = word;
}

static const char *copy_of(struct tw_yunohost_read *r, const char *s)
{
	return s ? tw_yunohost_copy(r, s) : NULL;
}

static void read_row(struct tw_yunohost_read *r,
    const struct tw_yunohost_row *row, const struct tw_tree_node *root,
    struct tw_yunohost_app *a)
{
	a->id = copy_of(r, row->id);
	a->name = row->name ? copy_of(r, row->name) : a->id;
	a->version = copy_of(r, row->version);
	a->description = copy_of(r, row->description);
	a->state = copy_of(r, row->state);
	a->level = row->level;
	if (row->archs)
		read_archs(r, row->archs, &a->architectures);
	if (!root)
		return;
	tw_yunohost_line(r, root, "url", TW_YUNOHOST_URL_MAX, &a->url);
	tw_yunohost_line(r, root, "branch", TW_YUNOHOST_NAME_MAX, &a->branch);
	tw_tree_integer(root, "disk", &a->disk, r->ds);
	tw_tree_integer(root, "ram_build", &a->ram_build, r->ds);
	tw_tree_integer(root, "ram_runtime", &a->ram_runtime, r->ds);
	tw_tree_boolean(root, "ram_swap", &a->ram_swap, r->ds);
	tw_tree_boolean(root, "multi_instance", &a->multi_instance, r->ds);
	tw_tree_boolean(root, "has_data_dir", &a->has_data_dir, r->ds);
	read_questions(r, root, a);
}

static enum tw_status read_detail(const char *detail, struct tw_diags *ds,
    struct tw_tree *t, struct tw_err *err)
{
	enum tw_status st;

	if (!detail)
		return TW_OK;
	st = tw_json_parse(detail, strlen(detail), ds, t, err);
	if (st == TW_OK && t->root->type != TW_TREE_TABLE)
		tw_diags_add(ds, 0, 0, NULL, "is no object");
	return st;
}

enum tw_status tw_yunohost_stored(const struct tw_yunohost_row *row,
    struct tw_yunohost_catalog **out, struct tw_err *err)
{
	struct tw_yunohost_catalog *c = tw_yunohost_new(1);
	struct tw_diags ds = { .file = row->id };
	struct tw_yunohost_read r = { .ds = &ds };
	struct tw_tree t = { 0 };
	enum tw_status st;

	*out = NULL;
	if (!c)
		return tw_err_nomem(err);
	r.arena = &c->arena;
	c->n = 1;
	tw_yunohost_app_init(&c->apps[0]);
	st = read_detail(row->detail, &ds, &t, err);
	if (st == TW_OK) {
		read_row(&r, row, ds.n ? NULL : t.root, &c->apps[0]);
		st = tw_yunohost_done(&r, c, out, err);
	} else {
		tw_yunohost_free(c);
	}
	if (st == TW_DATA)
		st = tw_err_set(err, TW_CONFIG, "what the state has of app %s "
		    "can't be read: %s", row->id, ds.n ? ds.v[0].msg : "?");
	tw_tree_release(&t);
	tw_diags_release(&ds);
	return st;
}
