/*
 * targets.c - TARGETS: written again they are the same; all ways to ask which
 * hosts they select agree
 */
#include "base/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/targets_private.h"
#include "fuzz.h"

#define NAMES_MAX 3000		/* a word may expand to far more */
#define COUNT(a) (sizeof (a) / sizeof (a)[0])

const char *const fuzz_plants[] = { "status", "written", "has", "twice",
	"name", NULL };

static const char *const web[] = { "role=web", "site=a", NULL };
static const char *const db[] = { "role=db", "site=b", "role=web2", NULL };

static const struct tw_target_item items[] = {
	{ "web1", web }, { "web2", web }, { "web3", NULL }, { "web10", web },
	{ "web01", NULL }, { "web02", NULL }, { "db1", db }, { "db-2.x", db },
	{ "a", NULL }, { "1", NULL }, { "11", NULL }, { "111", db },
	{ "b_c", web }, { "node1-2", NULL }, { "node12-003", NULL },
};

static void check_eval(const struct tw_targets *t)
{
	bool chosen[COUNT(items)] = { false }, has;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t *v, n, i;

	st = tw_targets_eval(t, items, COUNT(items), &v, &n, &err);
	HOLDS(st == TW_OK || st == TW_NO, "status %d: %s", (int)st, err.msg);
	HOLDS(st == TW_OK || (!v && !n && err.msg[0]), "a result with %d",
	    (int)st);
	for (i = 0; i < n; i++) {
		HOLDS(v[i] < COUNT(items), "host %zu", v[i]);
		HOLDS(!chosen[v[i]] && !fuzz_planted("twice"),
		    "host %zu twice", v[i]);
		chosen[v[i]] = true;
	}
	for (i = 0; i < COUNT(items) && st == TW_OK; i++) {
		has = tw_targets_has(t, &items[i]) ^ fuzz_planted("has");
		HOLDS(has == chosen[i], "%s: %s selected, %s asked for",
		    items[i].name, chosen[i] ? "is" : "is not",
		    has ? "is" : "is not");
	}
	free(v);
}

static void check_names(const struct tw_targets *t)
{
	struct tw_err err = { 0 };
	char name[TW_NAME_MAX + 1];
	struct tw_target_item item = { NULL, NULL };
	char **v;
	size_t i;

	if (tw_targets_names(t, &v, &err)) {
		HOLDS(err.status == TW_USAGE && !v, "names: %s", err.msg);
		return;
	}
	for (i = 0; v[i]; i++) {
		if (fuzz_planted("name"))
			v[i][0] = '-';
		HOLDS(tw_name_ok(v[i]), "'%s' is no name", v[i]);
		item.name = v[i];
		HOLDS(tw_targets_has(t, &item), "'%s' is not selected", v[i]);
	}
	HOLDS(i <= t->count, "%zu names of %zu", i, t->count);
	if (tw_targets_is_name(t, name))
		HOLDS(i == 1 && strcmp(v[0], name) == 0, "'%s' and '%s'",
		    name, i ? v[0] : "");
	tw_strv_free(v);
}

static void check_written(const struct tw_targets *t)
{
	struct tw_buf one = TW_BUF_INIT, two = TW_BUF_INIT;
	struct tw_err err = { 0 };
	struct tw_targets *again;

	tw_targets_write(t, &one);
	if (fuzz_planted("written"))
		tw_buf_adds(&one, ",]");
	HOLDS(tw_targets_parse(tw_buf_str(&one), &again, &err) == TW_OK,
	    "written as %s: %s", tw_buf_str(&one), err.msg);
	HOLDS(again->count == t->count && again->nwords == t->nwords,
	    "written as %s: something else", tw_buf_str(&one));
	tw_targets_write(again, &two);
	HOLDS(strcmp(one.data, two.data) == 0, "%s, then %s", one.data,
	    two.data);
	tw_targets_free(again);
	tw_buf_release(&one);
	tw_buf_release(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct tw_err err = { 0 };
	struct tw_targets *t;
	enum tw_status st;
	size_t len;
	char *text = fuzz_part(&in, &len);

	st = tw_targets_parse(text, &t, &err);
	if (fuzz_planted("status"))
		st = TW_BUG;
	HOLDS(st == TW_OK || st == TW_USAGE, "status %d: %s", (int)st,
	    err.msg);
	HOLDS((st == TW_OK) == (t != NULL), "status %d", (int)st);
	if (t) {
		HOLDS(t->count <= TW_TARGETS_MAX, "%zu names", t->count);
		check_written(t);
		if (t->count <= NAMES_MAX) {
			check_eval(t);
			check_names(t);
		}
	}
	tw_targets_free(t);
	free(text);
	return 0;
}
