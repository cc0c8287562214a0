/*
 * yunohost_manifest.c - YunoHost's catalogue of apps: manifests; see
 * yunohost.h
 *
 * Keys and types are those of packaging format 2 (YunoHost's documentation,
 * "Manifest", and schemas/manifest.v2.schema.json of github.com/YunoHost/apps).
 */
#include "spec/yunohost_private.h"

#include <string.h>

/* Bytes of "50M", "1.5G" as YunoHost's human_to_binary() reads them: powers of
 * 1,024 and one letter.  -1 for anything else, such as "?". */
static int64_t size_of(const char *s)
{
	static const char suffixes[] = "KMGTP";
	int64_t whole = 0, part = 0, unit = 1;
	const char *start = s;
	size_t i, power;
	int places = 0;

	for (; *s >= '0' && *s <= '9' && whole < 1000000; s++)
		whole = whole * 10 + (*s - '0');
	if (s == start)
		return -1;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9' && places < 3; s++, places++)
			part = part * 10 + (*s - '0');
	for (; places < 3; places++)
		part *= 10;
	power = strcspn(suffixes, s);
	if (strlen(s) != 1 || suffixes[power] == '\0')
		return -1;
	for (i = 0; i <= power; i++)
		unit *= 1024;
	if (whole > INT64_MAX / unit - 1)
		return -1;
	return whole * unit + part * unit / 1000;
}

static void read_size(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, int64_t *out)
{
	const char *s;

	if (tw_tree_text(table, key, &s, r->ds) && *s)
		*out = size_of(s);
}

/* A list, or one word; "all" is no restriction. */
static void read_architectures(struct tw_yunohost_read *r,
    const struct tw_tree_node *integration, struct tw_yunohost_app *a)
{
	static const char key[] = "architectures";
	const struct tw_tree_node *n = tw_tree_get(integration, key);
	const char *word = NULL;
	const char **v;

	if (!n || n->type == TW_TREE_LIST) {
		tw_yunohost_words(r, integration, key, &a->architectures);
		return;
	}
	tw_yunohost_line(r, integration, key, TW_YUNOHOST_WORD_MAX, &word);
	if (!word || strcmp(word, "all") == 0)
		return;
	v = tw_arena_alloc(r->arena, sizeof *v);
	if (!v) {
		r->nomem = true;
		return;
	}
	*v = word;
	a->architectures = (struct tw_yunohost_words){ v, 1 };
}

static void read_integration(struct tw_yunohost_read *r,
    const struct tw_tree_node *manifest, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *n, *ram;

	if (!tw_tree_table(manifest, "integration", &n, r->ds))
		return;
	tw_yunohost_line(r, n, "yunohost", TW_YUNOHOST_WORD_MAX,
	    &a->yunohost);
	tw_tree_boolean(n, "multi_instance", &a->multi_instance, r->ds);
	read_architectures(r, n, a);
	read_size(r, n, "disk", &a->disk);
	if (!tw_tree_table(n, "ram", &ram, r->ds))
		return;
	read_size(r, ram, "build", &a->ram_build);
	read_size(r, ram, "runtime", &a->ram_runtime);
	tw_tree_boolean(ram, "include_swap", &a->ram_swap, r->ds);
}

static void read_id(struct tw_yunohost_read *r, const struct tw_tree_node *n,
    struct tw_yunohost_app *a)
{
	const struct tw_tree_node *at = tw_tree_get(n, "id");
	const char *id;

	if (!tw_tree_text(n, "id", &id, r->ds)) {
		if (!a->id && !at)
			tw_tree_bad(r->ds, n, NULL, "has no id");
		return;
	}
	if (!tw_yunohost_id_ok(id))
		tw_tree_bad(r->ds, at, NULL, "is no name of an app");
	else if (a->id && strcmp(a->id, id) != 0)
		tw_tree_bad(r->ds, at, NULL, "is another app's: the "
		    "catalogue has this manifest for %s", a->id);
	else if (!a->id)
		a->id = a->name = tw_yunohost_copy(r, id);
}

void tw_yunohost_about(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *resources;
	int64_t format = 2;

	a->has_manifest = true;
	read_id(r, n, a);
	tw_yunohost_line(r, n, "name", TW_YUNOHOST_NAME_MAX, &a->name);
	tw_yunohost_line(r, n, "version", TW_YUNOHOST_NAME_MAX, &a->version);
	tw_yunohost_translated(r, n, "description", &a->description);
	tw_tree_integer(n, "packaging_format", &format, r->ds);
	if (format != 2)
		return;
	read_integration(r, n, a);
	if (tw_tree_table(n, "resources", &resources, r->ds))
		a->has_data_dir = tw_tree_get(resources, "data_dir") != NULL;
}
