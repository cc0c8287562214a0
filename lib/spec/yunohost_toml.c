/* yunohost_toml.c - YunoHost's catalogue as a checkout; see yunohost.h */
#include "spec/toml.h"
#include "spec/yunohost_private.h"

#include <stdio.h>
#include <string.h>

#define APPS "apps.toml"

struct checkout {
	struct tw_yunohost_read r;
	const struct tw_spec_reader *reader;
	struct tw_arena *names;
	enum tw_status st;	/* what ends the reading */
	struct tw_err *err;
};

/* Reads a file; false: it is not there, or ds or c->st says more. */
static bool open_file(struct checkout *c, const char *path, size_t max,
    struct tw_buf *b)
{
	struct tw_err why = { 0 };
	enum tw_status st;

	b->max = max;
	st = c->reader->read(c->reader->arg, path, b, &why);
	if (st == TW_OK && !b->failed)
		return true;
	if (st == TW_OK)
		tw_diags_add(c->r.ds, 0, 0, NULL, "has more than %zu KiB",
		    max >> 10);
	else if (st == TW_NOMEM)
		c->st = tw_err_nomem(c->err);
	else if (st != TW_NO)
		tw_diags_add(c->r.ds, 0, 0, why.hint[0] ? why.hint : NULL,
		    "cannot be read: %s", why.msg);
	return false;
}

/* Reads a manifest's text into an app whose id is known. */
static enum tw_status read_manifest(struct tw_yunohost_read *r,
    const char *text, size_t len, struct tw_yunohost_app *a,
    struct tw_err *err)
{
	struct tw_tree t = { 0 };
	enum tw_status st;

	st = tw_toml_parse(text, len, r->ds, &t, err);
	if (st == TW_OK) {
		tw_yunohost_about(r, t.root, a);
		tw_yunohost_questions(r, t.root, a);
	}
	tw_tree_release(&t);
	return st;
}

/* The manifest at that path; false when there is none. */
static bool try_manifest(struct checkout *c, const char *path,
    struct tw_yunohost_app *a)
{
	const char *before = c->r.ds->file;
	size_t said = c->r.ds->n + c->r.ds->more;
	struct tw_buf b = TW_BUF_INIT;
	enum tw_status st;
	bool there;

	c->r.ds->file = tw_arena_copy(c->names, path, strlen(path));
	if (!c->r.ds->file)
		c->st = tw_err_nomem(c->err);
	there = c->st == TW_OK &&
	    open_file(c, path, TW_YUNOHOST_MANIFEST_MAX, &b);
	if (there) {
		st = read_manifest(&c->r, tw_buf_str(&b), b.len, a, c->err);
		if (st != TW_OK && st != TW_DATA)
			c->st = st;
	}
	tw_buf_release(&b);
	c->r.ds->file = before;
	return there || c->r.ds->n + c->r.ds->more > said;
}

static void find_manifest(struct checkout *c, struct tw_yunohost_app *a)
{
	static const char *const before[] = {
		"manifests/", "", ".apps_cache/"
	};
	static const char *const after[] = {
		".toml", "_ynh/manifest.toml", "/manifest.toml"
	};
	char path[TW_YUNOHOST_ID_MAX + 40];
	size_t i;

	for (i = 0; i < sizeof before / sizeof *before; i++) {
		snprintf(path, sizeof path, "%s%s%s", before[i], a->id,
		    after[i]);
		if (c->st != TW_OK || try_manifest(c, path, a))
			return;
	}
}

static void read_app(struct checkout *c, const struct tw_tree_node *n,
    struct tw_yunohost_catalog *catalog)
{
	struct tw_yunohost_app *a = &catalog->apps[catalog->n];
	struct tw_yunohost_read *r = &c->r;

	tw_yunohost_app_init(a);
	if (!tw_yunohost_id_ok(n->key)) {
		tw_tree_bad(r->ds, n, NULL, "is no name of an app");
		return;
	}
	if (n->type != TW_TREE_TABLE) {
		tw_tree_bad(r->ds, n, NULL, "must be a table, not %s",
		    tw_tree_type_word(n->type));
		return;
	}
	a->id = a->name = tw_yunohost_copy(r, n->key);
	if (!a->id)
		return;
	tw_yunohost_entry(r, n, a);
	tw_yunohost_git(r, n, a);
	find_manifest(c, a);
	catalog->n++;
}

static enum tw_status read_apps(struct checkout *c,
    const struct tw_tree_node *root, struct tw_yunohost_catalog **out)
{
	struct tw_yunohost_catalog *catalog;
	const struct tw_tree_node *n = root->first;

	if (root->count == 0)
		tw_tree_bad(c->r.ds, root, NULL, "there is no app");
	if (root->count > TW_YUNOHOST_APPS_MAX) {
		tw_tree_bad(c->r.ds, root, NULL, "has %zu apps, more than %d",
		    root->count, TW_YUNOHOST_APPS_MAX);
		n = NULL;
	}
	catalog = tw_yunohost_new(n ? root->count : 0);
	if (!catalog)
		return tw_err_nomem(c->err);
	c->r.arena = &catalog->arena;
	for (; n && c->st == TW_OK; n = n->next)
		read_app(c, n, catalog);
	if (c->st != TW_OK) {
		tw_yunohost_free(catalog);
		return c->st;
	}
	if (!c->r.nomem)
		tw_yunohost_sort(catalog, c->r.ds);
	return tw_yunohost_done(&c->r, catalog, out, c->err);
}

enum tw_status tw_yunohost_checkout(const struct tw_spec_reader *reader,
    struct tw_arena *names, struct tw_diags *ds,
    struct tw_yunohost_catalog **out, struct tw_err *err)
{
	struct checkout c = { { NULL, ds, false }, reader, names, TW_OK, err };
	const char *before = ds->file;
	struct tw_buf b = TW_BUF_INIT;
	struct tw_tree t = { 0 };
	enum tw_status st;

	*out = NULL;
	ds->file = APPS;
	if (open_file(&c, APPS, TW_TOML_BYTES_MAX, &b)) {
		st = tw_toml_parse(tw_buf_str(&b), b.len, ds, &t, err);
		if (st == TW_OK)
			st = read_apps(&c, t.root, out);
	} else if (c.st != TW_OK) {
		st = c.st;
	} else {
		if (ds->n == 0)
			tw_diags_add(ds, 0, 0, N_("name the directory that "
			    "holds it"), "there is no such file");
		st = tw_diags_check(ds, TW_DATA, err);
	}
	ds->file = before;
	tw_tree_release(&t);
	tw_buf_release(&b);
	return st;
}

enum tw_status tw_yunohost_manifest(const char *text, size_t len,
    struct tw_diags *ds, struct tw_yunohost_catalog **out, struct tw_err *err)
{
	struct tw_yunohost_catalog *c = tw_yunohost_new(1);
	struct tw_yunohost_read r = { NULL, ds, false };
	enum tw_status st;

	*out = NULL;
	if (!c)
		return tw_err_nomem(err);
	r.arena = &c->arena;
	c->n = 1;
	tw_yunohost_app_init(c->apps);
	c->apps->url = "";
	st = read_manifest(&r, text, len, c->apps, err);
	if (st == TW_OK)
		return tw_yunohost_done(&r, c, out, err);
	tw_yunohost_free(c);
	return st;
}
