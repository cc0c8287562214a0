/*
 * kind.c - any bytes as a step kind, and a change file that may use it
 *
 * The input: the kind, called `fuzzed'; the change file.
 */
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

const char *const fuzz_plants[] = { FUZZ_SPEC_PLANTS, "kind", NULL };

#define NAME "fuzzed"

static char top[256], kind_path[300];
static const struct tw_buf *kind_text;

enum tw_status __real_tw_io_read_file(const char *path, struct tw_buf *out,
    struct tw_err *err);
enum tw_status __wrap_tw_io_read_file(const char *path, struct tw_buf *out,
    struct tw_err *err);

/* The kind is never written to a disk. */
enum tw_status __wrap_tw_io_read_file(const char *path, struct tw_buf *out,
    struct tw_err *err)
{
	if (strcmp(path, kind_path) != 0)
		return __real_tw_io_read_file(path, out, err);
	tw_buf_add(out, tw_buf_str(kind_text), kind_text->len);
	return tw_buf_check(out, err);
}

static void clean_up(void)
{
	char path[320];

	unlink(kind_path);
	snprintf(path, sizeof path, "%s/lib/tools", top);
	unlink(path);
	snprintf(path, sizeof path, "%s/lib", top);
	rmdir(path);
	rmdir(top);
}

/* A directory of kinds with an empty file of that name, and a library. */
static void set_up(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[320];
	struct tw_err err;

	if (top[0])
		return;
	snprintf(top, sizeof top, "%s/towerify-fuzz.XXXXXX",
	    tmp ? tmp : "/tmp");
	HOLDS(mkdtemp(top), "%s", top);
	snprintf(path, sizeof path, "%s/lib", top);
	HOLDS(mkdir(path, 0700) == 0, "%s", path);
	snprintf(path, sizeof path, "%s/lib/tools", top);
	HOLDS(tw_io_write_file(path, "t() { :; }\n", 11, 0600, &err) == TW_OK,
	    "%s", err.msg);
	snprintf(kind_path, sizeof kind_path, "%s/" NAME, top);
	HOLDS(tw_io_write_file(kind_path, "", 0, 0600, &err) == TW_OK, "%s",
	    err.msg);
	atexit(clean_up);
}

static bool is_arg(const struct tw_kind *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->args.n; i++)
		if (strcmp(k->args.v[i].name, name) == 0)
			return true;
	return false;
}

static void check_kind(const struct tw_kind *k)
{
	static const char *const none[] = { "no-argument", NULL };
	const char *const *lists[] = { k->one_of, k->templates, k->fetch };
	size_t i, j;

	if (fuzz_planted("kind"))
		lists[0] = none;
	HOLDS(strcmp(k->name, NAME) == 0, "called '%s'", k->name);
	HOLDS(k->undo == TW_UNDO_AUTO || k->undo == TW_UNDO_NOTHING ||
	    k->undo == TW_UNDO_IMPOSSIBLE, "undo %d", (int)k->undo);
	for (i = 0; i < 3; i++)
		for (j = 0; lists[i] && lists[i][j]; j++)
			HOLDS(is_arg(k, lists[i][j]), "'%s' is no argument",
			    lists[i][j]);
	HOLDS(k->text[0] && k->text[strlen(k->text) - 1] == '\n',
	    "no newline at its end");
}

static void read_kind(struct tw_kinds *kinds)
{
	const struct tw_kind *k = NULL;
	struct tw_diags ds = { 0 }, seen;
	struct tw_err err = { 0 };
	enum tw_status st;

	st = tw_kinds_find(kinds, NAME, &ds, &k, &err);
	if (fuzz_planted("status"))
		st = TW_BUG;
	HOLDS(st == TW_OK || st == TW_NOMEM, "status %d: %s", (int)st,
	    err.msg);
	HOLDS((k == NULL) == (ds.n > 0 || st), "%s and %zu problems",
	    k ? "a kind" : "no kind", ds.n);
	seen = ds;
	seen.file = ds.n ? ds.v[0].file : NULL;
	fuzz_check_diags(&seen, tw_buf_str(kind_text), kind_text->len, true);
	if (k)
		check_kind(k);
	tw_diags_release(&ds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	const char *dirs[] = { top, NULL };
	struct tw_spec_reader reader = *fuzz_reader();
	struct tw_buf text = TW_BUF_INIT;
	struct tw_err err;
	char *kind, *change;
	size_t len;

	set_up();
	kind = fuzz_part(&in, &len);
	tw_buf_add(&text, kind, len);
	if (!len || kind[len - 1] != '\n')
		tw_buf_addc(&text, '\n');
	kind_text = &text;
	HOLDS(tw_kinds_new(dirs, &reader.kinds, &err) == TW_OK, "%s", err.msg);
	read_kind(reader.kinds);
	if (fuzz_has_part(&in)) {
		change = fuzz_part(&in, &len);
		fuzz_change_file(change, len, &reader);
		free(change);
	}
	tw_kinds_free(reader.kinds);
	tw_buf_release(&text);
	free(kind);
	return 0;
}
