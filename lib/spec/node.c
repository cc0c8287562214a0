/* node.c - what a schema wants of a node of a document; see node.h */
#include "spec/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "spec/utf8.h"

#define NEAREST_LEN 64		/* longer words are not compared */

const char *tw_nearest_hint(const char *s, const char *const *words,
    char out[TW_NEAREST_MAX])
{
	const char *near = NULL;

	if (strlen(s) <= NEAREST_LEN)
		near = tw_name_nearest(s, words);
	if (!near)
		return NULL;
	snprintf(out, TW_NEAREST_MAX, tw_text("did you mean '%.200s'?"),
	    near);
	return out;
}

static const char *type_word(const struct tw_yaml_node *n)
{
	return n->type == TW_YAML_SEQUENCE ? W_("a list") :
	    n->type == TW_YAML_MAPPING ? W_("a mapping") : W_("a text");
}

static bool is_known(const char *s, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(s, *known) == 0)
			return true;
	return false;
}

static void refuse_key(const struct tw_yaml_node *key, const char *what,
    const char *const *known, struct tw_diags *ds)
{
	struct tw_buf words = TW_BUF_INIT;
	char near[TW_NEAREST_MAX];
	const char *hint;
	struct tw_quote q;
	size_t i;

	hint = tw_nearest_hint(key->text, known, near);
	if (!hint) {
		tw_buf_adds(&words, tw_text("known here: "));
		for (i = 0; known[i]; i++)
			tw_buf_addf(&words, "%s%s", i ? ", " : "", known[i]);
		hint = tw_buf_str(&words);
	}
	tw_diags_add(ds, key->line, key->col, hint, "unknown key %s in %s",
	    tw_quote(&q, key->text, key->len), what);
	tw_buf_release(&words);
}

bool tw_node_mapping(const struct tw_yaml_node *n, const char *what,
    const char *const *known, struct tw_diags *ds)
{
	const struct tw_yaml_node *v;

	if (n->broken)
		return false;
	if (n->type != TW_YAML_MAPPING) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be a mapping ('key: value'), not %s", what,
		    type_word(n));
		return false;
	}
	for (v = n->first; known && v; v = v->next)
		if (!v->key->broken && !is_known(v->key->text, known))
			refuse_key(v->key, what, known, ds);
	return true;
}

bool tw_node_sequence(const struct tw_yaml_node *n, const char *what,
    struct tw_diags *ds)
{
	if (n->broken)
		return false;
	if (n->type == TW_YAML_SEQUENCE)
		return true;
	tw_diags_add(ds, n->line, n->col, NULL,
	    "%s must be a list ('- '), not %s", what, type_word(n));
	return false;
}

const struct tw_yaml_node *tw_node_get(const struct tw_yaml_node *map,
    const char *key)
{
	const struct tw_yaml_node *v;

	for (v = map->first; v; v = v->next)
		if (!v->key->broken && strcmp(v->key->text, key) == 0)
			return v;
	return NULL;
}

/* A scalar whose text C can hold; yaml.c has complained about a NUL. */
static bool is_text(const struct tw_yaml_node *n, const char *what,
    const char *wanted, const char *hint, struct tw_diags *ds)
{
	if (n->broken)
		return false;
	if (n->type != TW_YAML_SCALAR) {
		tw_diags_add(ds, n->line, n->col, hint, "%s must be %s, not %s",
		    what, wanted, type_word(n));
		return false;
	}
	return strlen(n->text) == n->len;
}

bool tw_node_text(const struct tw_yaml_node *n, const char *what,
    const char **out, struct tw_diags *ds)
{
	if (!is_text(n, what, W_("text"), NULL, ds))
		return false;
	*out = n->text;
	return true;
}

bool tw_node_line(const struct tw_yaml_node *n, const char *what, size_t max,
    const char **out, struct tw_diags *ds)
{
	const char *p;
	uint32_t cp = 0;
	size_t len;

	if (!is_text(n, what, W_("text"), NULL, ds))
		return false;
	if (n->text[strspn(n->text, " \t\r\n")] == '\0') {
		tw_diags_add(ds, n->line, n->col, NULL, "%s is empty", what);
		return false;
	}
	if (n->len > max) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s has %zu bytes, more than %zu", what, n->len, max);
		return false;
	}
	for (p = n->text; *p; p += len) {
		len = tw_utf8_next(p, n->len - (size_t)(p - n->text), &cp);
		if (len && tw_utf8_is_plain(cp))
			continue;
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be one line without control characters", what);
		return false;
	}
	*out = n->text;
	return true;
}

bool tw_node_command(const struct tw_yaml_node *n, const char *what,
    const char **out, struct tw_diags *ds)
{
	char hint[TW_YAML_HINT_MAX];

	tw_yaml_command_hint(what, hint);
	if (!is_text(n, what, W_("a command"), hint, ds))
		return false;
	if (n->text[strspn(n->text, " \t\r\n")] == '\0') {
		tw_diags_add(ds, n->line, n->col, hint, "%s is empty", what);
		return false;
	}
	if (n->style == TW_YAML_PLAIN && n->lines) {
		tw_diags_add(ds, n->line, n->col, hint,
		    "%s goes over several lines, which YAML would join", what);
		return false;
	}
	*out = n->text;
	return true;
}

bool tw_int_parse(const char *s, int64_t *out)
{
	const char *d = s + (*s == '-');
	char *end;
	long long v;

	if (d[strspn(d, "0123456789")] != '\0' || *d == '\0')
		return false;
	if (*d == '0' && (d[1] != '\0' || d != s))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end != '\0')
		return false;
	*out = v;
	return true;
}

bool tw_node_int(const struct tw_yaml_node *n, const char *what, int64_t min,
    int64_t max, int64_t *out, struct tw_diags *ds)
{
	struct tw_quote q;
	int64_t v;

	if (!is_text(n, what, W_("a whole number"), NULL, ds))
		return false;
	if (!tw_int_parse(n->text, &v)) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be a whole number, not %s", what,
		    tw_quote(&q, n->text, n->len));
		return false;
	}
	if (v < min || v > max) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be %" PRId64 " to %" PRId64 ", not %" PRId64,
		    what, min, max, v);
		return false;
	}
	*out = v;
	return true;
}

bool tw_node_bool(const struct tw_yaml_node *n, const char *what, bool *out,
    struct tw_diags *ds)
{
	struct tw_quote q;

	if (!is_text(n, what, W_("true or false"), NULL, ds))
		return false;
	if (strcmp(n->text, "true") == 0) {
		*out = true;
		return true;
	}
	if (strcmp(n->text, "false") == 0) {
		*out = false;
		return true;
	}
	tw_diags_add(ds, n->line, n->col, NULL,
	    "%s must be true or false, not %s", what,
	    tw_quote(&q, n->text, n->len));
	return false;
}

void tw_span_write(int64_t span, char out[TW_SPAN_MAX])
{
	int64_t s = span / 1000;
	size_t n = 0;

	out[0] = '\0';
	if (s >= 3600)
		n += (size_t)snprintf(out + n, TW_SPAN_MAX - n, "%" PRId64 "h",
		    s / 3600);
	if (s / 60 % 60)
		n += (size_t)snprintf(out + n, TW_SPAN_MAX - n, "%" PRId64 "m",
		    s / 60 % 60);
	if (s % 60 || n == 0)
		snprintf(out + n, TW_SPAN_MAX - n, "%" PRId64 "s", s % 60);
}

bool tw_node_span(const struct tw_yaml_node *n, const char *what, int64_t min,
    int64_t max, int64_t *out, struct tw_diags *ds)
{
	char least[TW_SPAN_MAX], most[TW_SPAN_MAX];
	struct tw_quote q;
	int64_t v;

	if (!is_text(n, what, "a duration", NULL, ds))
		return false;
	if (tw_span_parse(n->text, &v, NULL) != TW_OK) {
		tw_diags_add(ds, n->line, n->col,
		    N_("a duration needs a unit: 90s, 10m, 2h"),
		    "%s must be a duration, not %s", what,
		    tw_quote(&q, n->text, n->len));
		return false;
	}
	if (v % 1000 != 0 || v < min || v > max) {
		tw_span_write(min, least);
		tw_span_write(max, most);
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%s must be whole seconds from %s to %s, not %s", what,
		    least, most, tw_quote(&q, n->text, n->len));
		return false;
	}
	*out = v;
	return true;
}

bool tw_node_enum(const struct tw_yaml_node *n, const char *what,
    const char *const *words, size_t *out, struct tw_diags *ds)
{
	struct tw_buf list = TW_BUF_INIT;
	char near[TW_NEAREST_MAX];
	struct tw_quote q;
	size_t i;

	if (!is_text(n, what, "a word", NULL, ds))
		return false;
	for (i = 0; words[i]; i++) {
		if (strcmp(n->text, words[i]) == 0) {
			*out = i;
			tw_buf_release(&list);
			return true;
		}
		tw_buf_addf(&list, "%s%s", i ? ", " : "", words[i]);
	}
	tw_diags_add(ds, n->line, n->col, tw_nearest_hint(n->text, words, near),
	    "%s must be one of %s, not %s", what, tw_buf_str(&list),
	    tw_quote(&q, n->text, n->len));
	tw_buf_release(&list);
	return false;
}
