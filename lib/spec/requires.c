/* requires.c - what an app needs of a host; see requires.h */
#include "spec/requires.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/json.h"
#include "spec/node.h"

#define WORD_MAX 64		/* bytes of a name, version or architecture */
#define WORDS_MAX 32
#define DIGITS_MAX 9		/* of a size */

static const char *const keys[] = {
	"os", "os_version", "arch", "memory", "disk", "systemd", "root",
	"without", NULL
};

/* As in the executor. */
const char *const tw_requires_software[] = {
	"apache2", "caddy", "haproxy", "lighttpd", "nginx", "yunohost", NULL
};

/* What Debian calls an architecture, and the kernel's word, which is the
 * fact. */
static const char *const debian_arch[][2] = {
	{ "amd64", "x86_64" },
	{ "arm64", "aarch64" },
	{ "armhf", "armv7l" },
	{ "i386", "i686" },
};

/* --- reading -------------------------------------------------------------- */

static bool is_word(const char *s)
{
	const char *p;

	for (p = s; isalnum((unsigned char)*p) || (*p && strchr("._-", *p)); p++)
		;
	return *p == '\0' && p != s && p - s <= WORD_MAX;
}

static bool is_software(const char *text)
{
	size_t i;

	for (i = 0; tw_requires_software[i]; i++)
		if (strcmp(text, tw_requires_software[i]) == 0)
			return true;
	return false;
}

static void read_word(const struct tw_yaml_node *n, const char *key,
    struct tw_diags *ds, const char **out)
{
	char near[TW_NEAREST_MAX];
	const char *text;
	struct tw_quote q;
	size_t i;

	if (!tw_node_text(n, key, &text, ds))
		return;
	if (!is_word(text)) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be letters, digits and . _ -, not %s", key,
		    tw_quote(&q, text, n->len));
		return;
	}
	*out = text;
	if (strcmp(key, "without") == 0 && !is_software(text))
		tw_diags_add(ds, n->line, n->col, tw_nearest_hint(text,
		    tw_requires_software, near), "nothing is known of hosts "
		    "without %s", tw_quote(&q, text, n->len));
	for (i = 0; i < sizeof debian_arch / sizeof *debian_arch; i++) {
		if (strcmp(key, "arch") != 0 ||
		    strcmp(text, debian_arch[i][0]) != 0)
			continue;
		snprintf(near, sizeof near,
		    tw_text("write %s, as uname -m does"),
		    debian_arch[i][1]);
		tw_diags_add(ds, n->line, n->col, near,
		    "%s is Debian's name of an architecture", text);
	}
}

/* A text, or a list of them. */
static enum tw_status read_words(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *map, const char *key, struct tw_diags *ds,
    const char *const **out, struct tw_err *err)
{
	const struct tw_yaml_node *n = tw_node_get(map, key), *item;
	bool is_list = n && n->type == TW_YAML_SEQUENCE;
	const char **v;
	size_t i = 0, count = is_list ? n->count : 1;

	if (!n || n->broken)
		return TW_OK;
	if (count == 0 || count > WORDS_MAX) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be a text, or a list of 1 to %d", key, WORDS_MAX);
		return TW_OK;
	}
	v = tw_arena_alloc(tw_yaml_arena(doc), (count + 1) * sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	if (!is_list)
		read_word(n, key, ds, &v[0]);
	for (item = is_list ? n->first : NULL; item; item = item->next)
		read_word(item, key, ds, &v[i++]);
	*out = (const char *const *)v;
	return TW_OK;
}

static void read_size(const struct tw_yaml_node *map, const char *key,
    struct tw_diags *ds, int64_t *out)
{
	static const char units[] = "KMGT";
	const struct tw_yaml_node *n = tw_node_get(map, key);
	const char *text, *unit;
	struct tw_quote q;
	size_t digits;

	if (!n || !tw_node_text(n, key, &text, ds))
		return;
	digits = strspn(text, "0123456789");
	unit = text[digits] ? strchr(units, text[digits]) : NULL;
	if (digits == 0 || digits > DIGITS_MAX || *text == '0' || !unit ||
	    text[digits + 1] != '\0') {
		tw_diags_add(ds, n->line, n->col,
		    N_("a size needs a unit: 512M, "
		    "2G"), "%s must be a whole number of K, M, G or T, not %s",
		    key, tw_quote(&q, text, n->len));
		return;
	}
	*out = strtoll(text, NULL, 10) << (10 * (unit - units));
}

enum tw_status tw_requires_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds,
    struct tw_requires *out, struct tw_err *err)
{
	const struct tw_yaml_node *flag;
	enum tw_status st;

	memset(out, 0, sizeof *out);
	if (!tw_node_mapping(n, "requires", keys, ds))
		return TW_OK;
	st = read_words(doc, n, "os", ds, &out->os, err);
	if (st == TW_OK)
		st = read_words(doc, n, "os_version", ds, &out->os_version,
		    err);
	if (st == TW_OK)
		st = read_words(doc, n, "arch", ds, &out->arch, err);
	if (st == TW_OK)
		st = read_words(doc, n, "without", ds, &out->without, err);
	read_size(n, "memory", ds, &out->memory_kb);
	read_size(n, "disk", ds, &out->disk_kb);
	flag = tw_node_get(n, "systemd");
	if (flag)
		tw_node_bool(flag, "systemd", &out->systemd, ds);
	flag = tw_node_get(n, "root");
	if (flag)
		tw_node_bool(flag, "root", &out->root, ds);
	return st;
}

/* --- a host --------------------------------------------------------------- */

/* "512 MiB", "1.5 GiB": to a tenth, up or down, so that what is needed never
 * looks like the less that is there. */
static void add_size(struct tw_buf *out, int64_t kb, bool up)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	int64_t unit = 1, tenths;
	size_t u = 0;

	while (kb / unit >= 1024 && u < 3) {
		unit *= 1024;
		u++;
	}
	tenths = (kb % unit * 10 + (up ? unit - 1 : 0)) / unit;
	kb = kb / unit + tenths / 10;
	tenths %= 10;
	tw_buf_addf(out, "%" PRId64, kb);
	if (tenths)
		tw_buf_addf(out, ".%" PRId64, tenths);
	tw_buf_addf(out, " %s", units[u]);
}

static void add_words(struct tw_buf *out, const char *const *words)
{
	size_t i;

	for (i = 0; words[i]; i++)
		tw_buf_addf(out, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ",
		    words[i]);
}

/* The host being asked. */
struct asked {
	const struct tw_tree_node *facts;
	const char *host;
	struct tw_buf *misses;
	bool is_unknown;		/* of some fact */
};

/* A fact, or NULL; an empty one says nothing. */
static const char *fact(const struct asked *a, const char *name)
{
	const struct tw_tree_node *n = tw_tree_get(a->facts, name);

	return n && n->type == TW_TREE_TEXT && n->len ? n->text : NULL;
}

static void unknown(struct asked *a)
{
	a->is_unknown = true;
	tw_buf_addf(a->misses, "%s%s%s\n",
	    W_(", which is not known: run towerify-host check "), a->host,
	    W_(" first"));
}

static void check_words(struct asked *a, const char *name,
    const char *const *words)
{
	const char *has = fact(a, name);
	size_t i;

	for (i = 0; words && words[i]; i++)
		if (has && strcmp(words[i], has) == 0)
			return;
	if (!words)
		return;
	tw_buf_addf(a->misses, "%s%s", name, W_(": needs "));
	add_words(a->misses, words);
	if (!has) {
		unknown(a);
		return;
	}
	tw_buf_adds(a->misses, W_(", has "));
	tw_diag_escape(a->misses, has, strlen(has), WORD_MAX);
	tw_buf_addc(a->misses, '\n');
}

static void check_size(struct asked *a, const char *what, const char *name,
    int64_t needs)
{
	const char *text = fact(a, name);
	int64_t has;

	if (!needs)
		return;
	if (text && !tw_int_parse(text, &has))
		text = NULL;
	if (text && has >= needs)
		return;
	tw_buf_addf(a->misses, "%s%s", what, W_(": needs "));
	add_size(a->misses, needs, true);
	if (!text) {
		unknown(a);
		return;
	}
	tw_buf_adds(a->misses, W_(", has "));
	add_size(a->misses, has, false);
	tw_buf_addc(a->misses, '\n');
}

static void check_flag(struct asked *a, bool needed, const char *name,
    const char *wanted, const char *needs, const char *hasnt)
{
	const char *has = fact(a, name);

	if (!needed || (has && strcmp(has, wanted) == 0))
		return;
	tw_buf_adds(a->misses, needs);
	if (has)
		tw_buf_addf(a->misses, ", %s\n", hasnt);
	else
		unknown(a);
}

/* Whether word is one of a list with blanks between. */
static bool lists(const char *list, const char *word)
{
	size_t n = strlen(word), part;

	for (; *list; list += part + (list[part] != '\0')) {
		part = strcspn(list, " ");
		if (part == n && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static void check_without(struct asked *a, const char *const *words)
{
	const struct tw_tree_node *n = tw_tree_get(a->facts, "software");
	size_t i;

	if (!words)
		return;
	/* here an empty fact says something */
	if (!n || n->type != TW_TREE_TEXT) {
		tw_buf_adds(a->misses, W_("without: needs a host without "));
		add_words(a->misses, words);
		unknown(a);
		return;
	}
	for (i = 0; words[i]; i++)
		if (lists(n->text, words[i]))
			tw_buf_addf(a->misses, "%s%s%s\n",
			    W_("without: needs a host without "), words[i],
			    W_(", has it"));
}

bool tw_requires_is_any(const struct tw_requires *r)
{
	return r->without || r->os || r->os_version || r->arch || r->memory_kb ||
	    r->disk_kb || r->systemd || r->root;
}

static void check_all(struct asked *a, const struct tw_requires *r)
{
	check_words(a, "os", r->os);
	check_words(a, "os_version", r->os_version);
	check_words(a, "arch", r->arch);
	check_size(a, "memory", "memory_kb", r->memory_kb);
	check_size(a, "disk", "disk_free_kb", r->disk_kb);
	check_flag(a, r->systemd, "systemd", "yes", W_("systemd: needs it"),
	    W_("has another init, or none"));
	check_flag(a, r->root, "uid", "0", W_("root: needs it"),
	    W_("the tower works there as somebody else"));
	check_without(a, r->without);
}

enum tw_status tw_requires_check(const struct tw_requires *r, const char *host,
    const char *facts, struct tw_buf *misses, struct tw_err *err)
{
	struct asked a = { NULL, host, misses, false };
	struct tw_diags ds = { 0 };
	struct tw_tree tree = { 0 };
	size_t before = misses->len;
	enum tw_status st = TW_OK;

	if (!tw_requires_is_any(r))
		return TW_OK;
	if (!facts || !*facts)
		facts = "{}";
	st = tw_json_parse(facts, strlen(facts), &ds, &tree, err);
	if (st == TW_DATA ||
	    (st == TW_OK && tree.root->type != TW_TREE_TABLE))
		st = tw_err_set(err, TW_BUG, "%s: its facts are no JSON object",
		    host);
	if (st == TW_OK) {
		a.facts = tree.root;
		check_all(&a, r);
		st = tw_buf_check(misses, err);
	}
	if (st == TW_OK && misses->len != before)
		st = tw_err_set(err, TW_NO, "%s: it lacks what is needed", host);
	if (st == TW_NO && a.is_unknown)
		tw_err_hint(err, "towerify-host check %s", host);
	tw_tree_release(&tree);
	tw_diags_release(&ds);
	return st;
}

/* --- for people ----------------------------------------------------------- */

static void describe_name(struct tw_buf *out, size_t start, const char *name)
{
	tw_buf_addf(out, "%s%s", out->len == start ? "" : ", ", name);
}

static void describe_words(struct tw_buf *out, size_t start, const char *name,
    const char *const *words)
{
	if (!words)
		return;
	describe_name(out, start, name);
	tw_buf_addc(out, ' ');
	add_words(out, words);
}

static void describe_size(struct tw_buf *out, size_t start, const char *name,
    int64_t kb)
{
	if (!kb)
		return;
	describe_name(out, start, name);
	tw_buf_addc(out, ' ');
	add_size(out, kb, true);
}

void tw_requires_describe(const struct tw_requires *r, struct tw_buf *out)
{
	size_t start = out->len;

	describe_words(out, start, "os", r->os);
	describe_words(out, start, "os_version", r->os_version);
	describe_words(out, start, "arch", r->arch);
	describe_size(out, start, "memory", r->memory_kb);
	describe_size(out, start, "disk", r->disk_kb);
	if (r->systemd)
		describe_name(out, start, "systemd");
	if (r->root)
		describe_name(out, start, "root");
	describe_words(out, start, "without", r->without);
}
