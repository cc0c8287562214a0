/* yunohost_json.c - YunoHost's catalogue as apps.json; see yunohost.h */
#include "spec/json.h"
#include "spec/yunohost_private.h"

#include <string.h>

/* What apps.json has of a manifest: all but questions, resources and texts.
 * "manifest" is null or {} for an app whose repository couldn't be read. */
static void read_manifest(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *manifest;

	if (!tw_tree_table(n, "manifest", &manifest, r->ds) ||
	    manifest->count == 0)
		return;
	tw_yunohost_about(r, manifest, a);
}

static void read_app(struct tw_yunohost_read *r, const struct tw_tree_node *n,
    struct tw_yunohost_catalog *c)
{
	struct tw_yunohost_app *a = &c->apps[c->n];
	const struct tw_tree_node *git;
	const char *id;

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
	if (tw_tree_text(n, "id", &id, r->ds) && strcmp(id, a->id) != 0)
		tw_tree_bad(r->ds, tw_tree_get(n, "id"), NULL,
		    "is not the app's name");
	tw_yunohost_entry(r, n, a);
	if (tw_tree_table(n, "git", &git, r->ds))
		tw_yunohost_git(r, git, a);
	else if (!tw_tree_get(n, "git"))
		tw_tree_bad(r->ds, n, NULL, "has no git");
	read_manifest(r, n, a);
	c->n++;
}

/* Where it says which version it is, that must be 3. */
static void check_version(const struct tw_tree_node *root,
    struct tw_diags *ds)
{
	int64_t version;

	if (tw_tree_integer(root, "from_api_version", &version, ds) &&
	    version != 3)
		tw_tree_bad(ds, tw_tree_get(root, "from_api_version"),
		    N_("fetch .../default/v3/apps.json"),
		    "is not 3, the version that is understood");
}

static const struct tw_tree_node *find_apps(const struct tw_tree_node *root,
    struct tw_diags *ds)
{
	const struct tw_tree_node *apps;

	if (root->type != TW_TREE_TABLE) {
		tw_tree_bad(ds, root, NULL,
		    "a catalogue is a JSON object, not %s",
		    tw_tree_type_word(root->type));
		return NULL;
	}
	check_version(root, ds);
	if (!tw_tree_table(root, "apps", &apps, ds)) {
		if (!tw_tree_get(root, "apps"))
			tw_tree_bad(ds, root, NULL,
			    "this is no catalogue of YunoHost: no \"apps\"");
		return NULL;
	}
	if (apps->count > TW_YUNOHOST_APPS_MAX) {
		tw_tree_bad(ds, apps, NULL, "has %zu apps, more than %d",
		    apps->count, TW_YUNOHOST_APPS_MAX);
		return NULL;
	}
	if (apps->count == 0)
		tw_tree_bad(ds, apps, NULL, "is empty");
	return apps;
}

enum tw_status tw_yunohost_json(const char *text, size_t len,
    struct tw_diags *ds, struct tw_yunohost_catalog **out, struct tw_err *err)
{
	struct tw_yunohost_read r = { NULL, ds, false };
	struct tw_yunohost_catalog *c = NULL;
	const struct tw_tree_node *apps, *n;
	struct tw_tree t = { 0 };
	enum tw_status st;

	*out = NULL;
	st = tw_json_parse(text, len, ds, &t, err);
	if (st != TW_OK)
		goto out;
	apps = find_apps(t.root, ds);
	c = tw_yunohost_new(apps ? apps->count : 0);
	if (!c) {
		st = tw_err_nomem(err);
		goto out;
	}
	r.arena = &c->arena;
	for (n = apps ? apps->first : NULL; n; n = n->next)
		read_app(&r, n, c);
	if (!r.nomem)
		tw_yunohost_sort(c, ds);
	st = tw_yunohost_done(&r, c, out, err);
out:
	tw_tree_release(&t);
	return st;
}
