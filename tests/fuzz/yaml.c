/*
 * yaml.c - any bytes as YAML: positions, limits, text
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "spec/utf8.h"
#include "spec/yaml.h"

const char *const fuzz_plants[] = { "place", "status", "depth", "order",
	NULL };

struct walk {
	const struct tw_yaml_doc *doc;
	const char *text;
	size_t len, lines, nodes;
};

static size_t lines_of(const char *s, size_t n)
{
	size_t lines = 1;

	for (; n; n--)
		lines += *s++ == '\n';
	return lines;
}

static void check_scalar(const struct walk *w, const struct tw_yaml_node *n)
{
	size_t nth, line, col, count;

	HOLDS(n->text && strlen(n->text) == n->len, "a NUL in a text");
	HOLDS(tw_utf8_ok(n->text, n->len), "a text is no UTF-8");
	count = lines_of(n->text, n->len);
	/* the last one is none where a newline ends the text, or it is empty */
	if (!n->len || n->text[n->len - 1] == '\n')
		count--;
	for (nth = 0; nth < count; nth++) {
		tw_yaml_text_pos(w->doc, n, nth, &line, &col);
		HOLDS(line >= n->line && line <= w->lines && col >= 1,
		    "text line %zu at %zu:%zu of %zu", nth, line, col,
		    w->lines);
	}
}

static void check_node(struct walk *w, const struct tw_yaml_node *n,
    size_t depth)
{
	const struct tw_yaml_node *c, *d;
	size_t count = 0;

	if (fuzz_planted("depth"))
		depth += TW_YAML_DEPTH_MAX;
	HOLDS(depth <= TW_YAML_DEPTH_MAX, "%zu levels", depth);
	w->nodes++;
	HOLDS(n->line >= 1 && n->line <= w->lines && n->col >= 1,
	    "a node at %zu:%zu", n->line, n->col);
	if (n->type == TW_YAML_SCALAR) {
		HOLDS(!n->first && !n->count, "a scalar with items");
		check_scalar(w, n);
		return;
	}
	for (c = n->first; c; c = c->next, count++) {
		HOLDS((c->key != NULL) == (n->type == TW_YAML_MAPPING),
		    "a key out of place");
		HOLDS(c->line > n->line || (c->line == n->line &&
		    c->col >= n->col + (fuzz_planted("order") ? 1000 : 0)) ||
		    c->broken || c->type != TW_YAML_SCALAR || c->len == 0,
		    "an item at %zu:%zu before its list at %zu:%zu", c->line,
		    c->col, n->line, n->col);
		if (c->key) {
			w->nodes++;
			check_scalar(w, c->key);
			for (d = n->first; d != c && count < 100; d = d->next)
				HOLDS(strcmp(d->key->text, c->key->text) != 0 ||
				    c->broken || d->broken ||
				    c->key->broken || d->key->broken,
				    "'%s' is there twice", c->key->text);
		}
		check_node(w, c, depth + 1);
	}
	HOLDS(count == n->count, "%zu items, not %zu", count, n->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const commands[] = { "run", "check", NULL };
	struct tw_diags ds = { .file = "f" };
	struct tw_yaml_doc *doc = NULL;
	struct tw_err err = { 0 };
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct walk w = { NULL, NULL, 0, 0, 0 };
	enum tw_status st;
	char *text;
	size_t len;

	text = malloc(size ? size : 1);
	HOLDS(text, "no memory");
	len = size;
	if (len)
		memcpy(text, in.at, len);
	st = tw_yaml_parse(text, len, commands, &ds, &doc, &err);
	fuzz_check_diags(&ds, text, len, true);
	if (fuzz_planted("status"))
		doc = NULL;
	HOLDS(st == TW_OK || st == TW_DATA, "status %d", (int)st);
	HOLDS((st == TW_OK) == (doc != NULL), "status %d", (int)st);
	HOLDS(st == TW_OK || ds.n, "refused without a word");
	if (doc && !ds.n) {
		w.doc = doc;
		w.lines = lines_of(text, len);
		check_node(&w, tw_yaml_root(doc), 1);
		HOLDS(w.nodes <= TW_YAML_NODES_MAX, "%zu nodes", w.nodes);
	}
	tw_yaml_free(doc);
	tw_diags_release(&ds);
	free(text);
	return 0;
}
