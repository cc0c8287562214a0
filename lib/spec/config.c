/* config.c - how a tower works: towerify.yaml; see config.h */
#include "spec/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "spec/node.h"

#define S INT64_C(1000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define TEXT_MAX 1000		/* bytes of an address or a path */

enum type {
	COUNT,
	SWITCH,			/* yes or no */
	SPAN,
	SIZE,
	ADDRESSES,		/* of mail */
	URL,
	DIRECTORY,
};

static const struct item {
	const char *name;
	enum type type;
	int64_t value, min, max;	/* the default and the bounds */
	const char *endless;	/* a word for no bound at all, or NULL */
	const char *about;
} items[TW_CONFIG_KEYS] = {
	[TW_CONFIG_JOBS] = { "jobs", COUNT, 256, 1, 100000, NULL,
	    NC_("word", "hosts at work at once") },
	[TW_CONFIG_START] = { "start", SWITCH, 0, 0, 1, NULL,
	    NC_("word", "filing a change starts a pass at once") },
	[TW_CONFIG_CONNECT_TIMEOUT] = { "connect-timeout", SPAN, 10 * S, S,
	    10 * MINUTE, NULL, NC_("word", "to reach a host") },
	[TW_CONFIG_LOGIN_TIMEOUT] = { "login-timeout", SPAN, 30 * S, S,
	    10 * MINUTE, NULL, NC_("word", "to log in, once it is reached") },
	[TW_CONFIG_SILENCE_TIMEOUT] = { "silence-timeout", SPAN, 30 * S,
	    15 * S, HOUR, NULL,
	    NC_("word", "without a word of a host, then it is called again") },
	[TW_CONFIG_RETRY_FIRST] = { "retry-first", SPAN, 5 * S, S, HOUR, NULL,
	    NC_("word", "before the second attempt to reach a host") },
	[TW_CONFIG_RETRY_MOST] = { "retry-most", SPAN, 5 * MINUTE, S, DAY,
	    NULL,
	    NC_("word", "between two attempts, which doubles up to this") },
	[TW_CONFIG_OUTPUT_LIMIT] = { "output-limit", SIZE, MIB, 4 * KIB,
	    64 * MIB, NULL,
	    NC_("word", "kept of a step's output, half from either end") },
	[TW_CONFIG_OUTPUT_TOTAL] = { "output-total", SIZE, 4 * GIB, MIB,
	    1024 * GIB, "unlimited", NC_("word", "kept of all output") },
	[TW_CONFIG_RETENTION] = { "retention", SPAN, 90 * DAY, DAY,
	    36500 * DAY, "forever", NC_("word", "how long output is kept") },
	[TW_CONFIG_MAIL] = { "mail", ADDRESSES, 0, 0, 0, NULL,
	    NC_("word", "who gets mail when a person must act") },
	[TW_CONFIG_WEBHOOK] = { "webhook", URL, 0, 0, 0, NULL,
	    NC_("word", "where events are posted to") },
	[TW_CONFIG_HOOKS] = { "hooks", DIRECTORY, 0, 0, 0, NULL,
	    NC_("word", "the directory of programs that are told of events") },
	[TW_CONFIG_HOOK_TIMEOUT] = { "hook-timeout", SPAN, 30 * S, S, HOUR,
	    NULL, NC_("word", "for each run of a hook") },
};

const char *tw_config_name(enum tw_config_key key)
{
	return items[key].name;
}

const char *tw_config_about(enum tw_config_key key)
{
	return items[key].about;
}

void tw_config_defaults(struct tw_config *out)
{
	size_t k;

	memset(out, 0, sizeof *out);
	for (k = 0; k < TW_CONFIG_KEYS; k++)
		out->number[k] = items[k].value;
}

/* --- written ------------------------------------------------------------ */

static void write_span(int64_t span, struct tw_buf *out)
{
	char rest[TW_SPAN_MAX];

	if (span % DAY == 0) {
		tw_buf_addf(out, "%" PRId64 "d", span / DAY);
		return;
	}
	tw_span_write(span, rest);
	tw_buf_adds(out, rest);
}

static const struct {
	char letter;
	int64_t bytes;
} units[] = { { 'G', GIB }, { 'M', MIB }, { 'K', KIB } };

static void write_size(int64_t bytes, struct tw_buf *out)
{
	size_t i;

	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (bytes % units[i].bytes == 0) {
			tw_buf_addf(out, "%" PRId64 "%c",
			    bytes / units[i].bytes, units[i].letter);
			return;
		}
	tw_buf_addf(out, "%" PRId64, bytes);
}

static void write_number(const struct item *it, int64_t v, struct tw_buf *out)
{
	switch (it->type) {
	case SPAN:
		write_span(v, out);
		break;
	case SIZE:
		write_size(v, out);
		break;
	case SWITCH:
		tw_buf_adds(out, v ? "yes" : "no");
		break;
	default:
		tw_buf_addf(out, "%" PRId64, v);
		break;
	}
}

void tw_config_write(const struct tw_config *c, enum tw_config_key key,
    struct tw_buf *out)
{
	const struct item *it = &items[key];

	if (it->type >= ADDRESSES)
		tw_buf_adds(out, c->text[key] ? c->text[key] : "");
	else if (it->endless && c->number[key] == TW_CONFIG_ENDLESS)
		tw_buf_adds(out, it->endless);
	else
		write_number(it, c->number[key], out);
}

/* --- read --------------------------------------------------------------- */

static bool is_word(const struct tw_yaml_node *n, const char *word)
{
	return word && n->type == TW_YAML_SCALAR && !n->broken &&
	    strcmp(n->text, word) == 0;
}

/* "512K": bytes, or with K, M, G in 1024s.  False: it is none, or too much. */
static bool parse_size(const char *s, int64_t *out)
{
	int64_t unit = 1, v = 0;
	size_t i;

	if (!isdigit((unsigned char)*s))
		return false;
	for (; isdigit((unsigned char)*s); s++) {
		if (v > INT64_MAX / 10 - 10)
			return false;
		v = v * 10 + (*s - '0');
	}
	for (i = 0; *s && i < sizeof units / sizeof *units; i++)
		if (s[0] == units[i].letter && !s[1]) {
			unit = units[i].bytes;
			s++;
		}
	if (*s || v > INT64_MAX / unit)
		return false;
	*out = v * unit;
	return true;
}

static void read_size(const struct item *it, const struct tw_yaml_node *n,
    int64_t *out, struct tw_diags *ds)
{
	struct tw_buf least = TW_BUF_INIT, most = TW_BUF_INIT;
	const char *text;
	struct tw_quote q;
	int64_t v;

	if (!tw_node_line(n, it->name, TEXT_MAX, &text, ds))
		return;
	if (!parse_size(text, &v)) {
		tw_diags_add(ds, n->line, n->col, N_("such as 512K, 4M, 1G"),
		    "%s must be a size, not %s", it->name,
		    tw_quote(&q, n->text, n->len));
		return;
	}
	if (v >= it->min && v <= it->max) {
		*out = v;
		return;
	}
	write_size(it->min, &least);
	write_size(it->max, &most);
	tw_diags_add(ds, n->line, n->col, NULL, "%s must be %s to %s, not %s",
	    it->name, tw_buf_str(&least), tw_buf_str(&most),
	    tw_quote(&q, n->text, n->len));
	tw_buf_release(&least);
	tw_buf_release(&most);
}

static void read_number(const struct item *it, const struct tw_yaml_node *n,
    int64_t *out, struct tw_diags *ds)
{
	static const char *const words[] = { "no", "yes", NULL };
	size_t word;

	if (is_word(n, it->endless)) {
		*out = TW_CONFIG_ENDLESS;
		return;
	}
	switch (it->type) {
	case COUNT:
		tw_node_int(n, it->name, it->min, it->max, out, ds);
		break;
	case SWITCH:
		if (tw_node_enum(n, it->name, words, &word, ds))
			*out = (int64_t)word;
		break;
	case SPAN:
		tw_node_span(n, it->name, it->min, it->max, out, ds);
		break;
	default:
		read_size(it, n, out, ds);
		break;
	}
}

/* NAME or NAME@HOST, as a mail program takes them without quoting. */
static bool is_address(const char *s, size_t n)
{
	const char *at = memchr(s, '@', n);
	size_t i;

	if (n == 0 || *s == '-' || at == s || at == s + n - 1)
		return false;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && &s[i] != at &&
		    !strchr("._+-", s[i]))
			return false;
	return true;
}

static bool are_addresses(const char *s)
{
	size_t n;

	for (;;) {
		s += strspn(s, " ");
		n = strcspn(s, ", ");
		if (!is_address(s, n))
			return false;
		s += n;
		s += strspn(s, " ");
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
}

static bool is_url(const char *s)
{
	const char *host = strncmp(s, "https://", 8) == 0 ? s + 8 :
	    strncmp(s, "http://", 7) == 0 ? s + 7 : "";

	return *host && *host != '/' && !s[strcspn(s, " \t")];
}

/* An address may hold what lets in: it is never quoted. */
static void read_text(const struct item *it, const struct tw_yaml_node *n,
    const char **out, struct tw_diags *ds)
{
	const char *text;

	if (!tw_node_line(n, it->name, TEXT_MAX, &text, ds))
		return;
	if (it->type == ADDRESSES && !are_addresses(text))
		tw_diags_add(ds, n->line, n->col,
		    N_("such as root, ops@example.org"),
		    "mail must be addresses with commas between them");
	else if (it->type == URL && !is_url(text))
		tw_diags_add(ds, n->line, n->col,
		    N_("such as https://example.org/towerify"),
		    "webhook must be an address of the web");
	else if (it->type == DIRECTORY && text[0] != '/')
		tw_diags_add(ds, n->line, n->col, N_("it begins with a /"),
		    "hooks must be the path of a directory");
	else
		*out = text;
}

static void read_all(struct tw_config *c, const struct tw_yaml_node *root,
    struct tw_diags *ds)
{
	const char *names[TW_CONFIG_KEYS + 1] = { NULL };
	const struct tw_yaml_node *n;
	size_t k;

	for (k = 0; k < TW_CONFIG_KEYS; k++)
		names[k] = items[k].name;
	if (!tw_node_mapping(root, W_("the file"), names, ds))
		return;
	for (k = 0; k < TW_CONFIG_KEYS; k++) {
		n = tw_node_get(root, names[k]);
		if (!n)
			continue;
		c->line[k] = n->key->line;
		if (items[k].type >= ADDRESSES)
			read_text(&items[k], n, &c->text[k], ds);
		else
			read_number(&items[k], n, &c->number[k], ds);
	}
	k = c->line[TW_CONFIG_RETRY_MOST] ? TW_CONFIG_RETRY_MOST :
	    TW_CONFIG_RETRY_FIRST;
	n = tw_node_get(root, names[k]);
	if (n && c->number[TW_CONFIG_RETRY_MOST] <
	    c->number[TW_CONFIG_RETRY_FIRST])
		tw_diags_add(ds, n->line, n->col, NULL,
		    "retry-most is less than retry-first");
}

/* Nothing but blanks and comments? */
static bool is_bare(const char *s, size_t n)
{
	bool is_comment = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '\n')
			is_comment = false;
		else if (s[i] == '#')
			is_comment = true;
		else if (!is_comment && s[i] != ' ')
			return false;
		else if ((unsigned char)s[i] < ' ' && s[i] != '\t' && s[i] != '\r')
			return false;
	}
	return true;
}

enum tw_status tw_config_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_config *out, struct tw_err *err)
{
	enum tw_status st;

	tw_config_defaults(out);
	if (is_bare(text, len))
		return TW_OK;
	st = tw_yaml_parse(text, len, NULL, ds, &out->doc, err);
	if (st == TW_OK)
		read_all(out, tw_yaml_root(out->doc), ds);
	if (st == TW_OK)
		st = tw_diags_check(ds, TW_DATA, err);
	if (st)
		tw_config_release(out);
	return st;
}

void tw_config_release(struct tw_config *c)
{
	tw_yaml_free(c->doc);
	tw_config_defaults(c);
}
