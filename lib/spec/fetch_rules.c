/* fetch_rules.c - what a tower may download; see fetch_rules.h */
#include "spec/fetch_rules.h"

#include <string.h>

#include "spec/arena.h"
#include "spec/node.h"

#define ADDRESS_MAX 1000	/* bytes of an address in the list */

static const char *const keys[] = {
	"towerify-fetch", "allow", "timeout", NULL
};

/* "https://HOST/…": the host must end before the end of the text. */
static bool is_beginning(const char *s)
{
	const char *host = strncmp(s, "https://", 8) == 0 ? s + 8 :
	    strncmp(s, "http://", 7) == 0 ? s + 7 : "/";
	size_t n = strcspn(host, "/");

	return n > 0 && host[n] == '/' && !memchr(host, '@', n) &&
	    !s[strcspn(s, " \t?#")];
}

static void read_version(const struct tw_yaml_node *root, struct tw_diags *ds)
{
	const struct tw_yaml_node *n = tw_node_get(root, keys[0]);
	struct tw_quote q;
	int64_t v;

	if (!n)
		tw_diags_add(ds, root->line, root->col,
		    N_("begin the file with `towerify-fetch: 1`"),
		    "the version is missing");
	else if (tw_node_int(n, keys[0], 0, INT64_MAX, &v, ds) && v != 1)
		tw_diags_add(ds, n->line, n->col,
		    N_("this version reads `towerify-fetch: 1`"),
		    "version %s of the file is not known here",
		    tw_quote(&q, n->text, n->len));
}

static enum tw_status read_allow(struct tw_fetch_rules *r,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_err *err)
{
	const struct tw_yaml_node *item;
	struct tw_quote q;
	const char **v;
	size_t i = 0;

	if (!tw_node_sequence(n, "allow", ds))
		return TW_OK;
	if (n->count > TW_FETCH_ALLOW_MAX) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "allow has more than %d addresses", TW_FETCH_ALLOW_MAX);
		return TW_OK;
	}
	v = tw_arena_alloc(tw_yaml_arena(r->doc), (n->count + 1) * sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	for (item = n->first; item; item = item->next) {
		if (!tw_node_line(item, W_("an address"), ADDRESS_MAX, &v[i],
		    ds))
			continue;
		if (!is_beginning(v[i]))
			tw_diags_add(ds, item->line, item->col,
			    N_("such as https://example.org/pool/"),
			    "an address "
			    "must be https://HOST/PATH or http://HOST/PATH, "
			    "not %s", tw_quote(&q, v[i], item->len));
		i++;
	}
	v[i] = NULL;
	r->allow = v;
	return TW_OK;
}

enum tw_status tw_fetch_rules_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_fetch_rules *out, struct tw_err *err)
{
	const struct tw_yaml_node *root, *n;
	enum tw_status st;

	memset(out, 0, sizeof *out);
	st = tw_yaml_parse(text, len, NULL, ds, &out->doc, err);
	if (st)
		return st;
	root = tw_yaml_root(out->doc);
	if (tw_node_mapping(root, W_("the file"), keys, ds)) {
		read_version(root, ds);
		n = tw_node_get(root, "allow");
		if (n)
			st = read_allow(out, n, ds, err);
		n = tw_node_get(root, "timeout");
		if (n)
			tw_node_span(n, "timeout", TW_FETCH_TIMEOUT_MIN,
			    TW_FETCH_TIMEOUT_MAX, &out->timeout, ds);
	}
	if (st == TW_OK)
		st = tw_diags_check(ds, TW_DATA, err);
	if (st)
		tw_fetch_rules_release(out);
	return st;
}

void tw_fetch_rules_release(struct tw_fetch_rules *r)
{
	tw_yaml_free(r->doc);
	memset(r, 0, sizeof *r);
}
