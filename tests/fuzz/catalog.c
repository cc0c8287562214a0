/*
 * catalog.c - any bytes as apps.json
 */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

#include "spec/yunohost.h"
#include "spec/yunohost_compile.h"

const char *const fuzz_plants[] = { "status", "sorted", "level", "line", NULL };

static void check_line(const char *what, const char *s)
{
	if (!s)
		return;
	if (fuzz_planted("line"))
		s = "a\nb";
	fuzz_is_plain(what, s, strlen(s), "");
}

static void check_app(const struct tw_yunohost_catalog *c, size_t i)
{
	const struct tw_yunohost_app *a = &c->apps[i];
	int least = fuzz_planted("level") ? 11 : -1;
	struct tw_err err;

	HOLDS(tw_yunohost_id_ok(a->id), "id '%s'", a->id);
	HOLDS(!i || (strcmp(a[-1].id, a->id) < 0 && !fuzz_planted("sorted")),
	    "'%s' is not in order", a->id);
	HOLDS(tw_yunohost_find(c, a->id) == a, "'%s' is not found", a->id);
	HOLDS(a->level >= least && a->level <= 10, "level %d", a->level);
	HOLDS(a->disk >= -1 && a->ram_build >= -1 && a->ram_runtime >= -1,
	    "a negative size");
	HOLDS(a->name && a->url, "no name, or no url");
	check_line("name", a->name);
	check_line("version", a->version);
	check_line("state", a->state);
	check_line("category", a->category);
	check_line("url", a->url);
	check_line("branch", a->branch);
	check_line("revision", a->revision);
	HOLDS(!a->has_questions && !a->nquestions, "questions of apps.json");
	HOLDS(tw_yunohost_install_check(a, &err) == TW_NO,
	    "to be installed without its questions");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tw_diags ds = { .file = "f" };
	struct tw_yunohost_catalog *c = NULL;
	struct tw_err err = { 0 };
	char *text = malloc(size ? size : 1);
	enum tw_status st;
	size_t i;

	HOLDS(text, "no memory");
	if (size)
		memcpy(text, data, size);
	st = tw_yunohost_json(text, size, &ds, &c, &err);
	fuzz_check_status(st, TW_DATA, &ds, c, &err);
	fuzz_check_diags(&ds, text, size, true);
	if (c) {
		HOLDS(c->n <= TW_YUNOHOST_APPS_MAX, "%zu apps", c->n);
		for (i = 0; i < c->n; i++)
			check_app(c, i);
	}
	tw_yunohost_free(c);
	tw_diags_release(&ds);
	free(text);
	return 0;
}
