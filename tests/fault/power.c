/*
 * power.c - records what a verb does to the state's files, and looks at what a
 *           power cut would have left at every point of it
 *
 *   power SCENE SHIM TABLE [OPTION=VALUE…]
 *
 *   verb=NAME   that one alone
 *   few=yes     at each point what is not synced is lost, kept, or (random)
 *               lost in part; else also each write kept alone, each lost alone
 *   random=N    images by chance at each point (4)
 *   seed=N
 *   plant=lying the disk says synced and does nothing: must be found
 *
 * replay.h says what may be lost.  Prints TAP, a line for each verb, without
 * the plan.  Of each image this must hold:
 *
 *   - it is sound: SQLite's check, foreign keys, every audit chain;
 *   - it says what the state said before, or after, nothing between;
 *   - where the verb had told of its success it says the latter, and every
 *     other file of the state is there as it was written;
 *   - where everything unsynced is lost the verb, run again, does its work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "replay.h"
#include "stage.h"
#include "table.h"

#define SHOWN_MAX 5

struct power {
	struct stage stage;
	char *image, *log, *base;
	struct tw_buf before, after, now, why;
	const struct table_verb *verb;
	uint64_t *seen;
	size_t nseen;
	unsigned long seed;
	long random;
	bool is_few, is_lying;
	long images, bad, all_images;
};

static char *below(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		stage_die("no memory");
	return path;
}

static bool is_there(const char *dir, const char *name)
{
	char *path = below(dir, name);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

/* True for the first image of its contents at this point of no return. */
static bool is_new(struct power *w, uint64_t sum)
{
	size_t i;

	for (i = 0; i < w->nseen; i++)
		if (w->seen[i] == sum)
			return false;
	w->seen = reallocarray(w->seen, w->nseen + 1, sizeof *w->seen);
	if (!w->seen)
		stage_die("no memory");
	w->seen[w->nseen++] = sum;
	return true;
}

static void check_same_file(struct power *w, const char *name)
{
	char *here = below(w->stage.state, name);
	char *there = below(w->image, name);
	struct tw_buf a = TW_BUF_INIT, b = TW_BUF_INIT;

	if (access(here, F_OK) == 0 &&
	    (tw_io_read_file(here, &a, NULL) != TW_OK ||
	    tw_io_read_file(there, &b, NULL) != TW_OK || a.len != b.len ||
	    memcmp(tw_buf_str(&a), tw_buf_str(&b), a.len) != 0))
		tw_buf_addf(&w->why, "%s is not there whole\n", name);
	tw_buf_release(&a);
	tw_buf_release(&b);
	free(here);
	free(there);
}

static void check_digest(struct power *w, bool is_end)
{
	stage_digest(w->image, &w->now);
	if (strcmp(tw_buf_str(&w->now), tw_buf_str(&w->after)) == 0)
		return;
	if (is_end) {
		tw_buf_adds(&w->why, "it was told done, and is not:\n");
		stage_diff(tw_buf_str(&w->after), tw_buf_str(&w->now),
		    &w->why);
	} else if (strcmp(tw_buf_str(&w->now), tw_buf_str(&w->before)) != 0 &&
	    !w->verb->is_empty && !w->verb->finish[0]) {
		tw_buf_adds(&w->why, "neither as before nor as after:\n");
		stage_diff(tw_buf_str(&w->before), tw_buf_str(&w->now),
		    &w->why);
	}
}

/* Does the verb work on what is left? */
static void check_rerun(struct power *w)
{
	stage_digest(w->image, &w->now);
	if (strcmp(tw_buf_str(&w->now), tw_buf_str(&w->after)) == 0)
		return;
	stage_copy(w->image, w->stage.state);
	if (stage_run(&w->stage, w->verb->words, NULL, NULL) != 0) {
		tw_buf_addf(&w->why, "run again: %s",
		    tw_buf_str(&w->stage.err));
		return;
	}
	stage_digest(w->stage.state, &w->now);
	if (strcmp(tw_buf_str(&w->now), tw_buf_str(&w->after)) != 0) {
		tw_buf_adds(&w->why, "run again, it is not done:\n");
		stage_diff(tw_buf_str(&w->after), tw_buf_str(&w->now),
		    &w->why);
	}
}

static void check_files(struct power *w)
{
	static const char *const files[] = { "secret.key",
		"keys/default/id_ed25519", "keys/default/id_ed25519.pub",
		"keys/shop/id_ed25519", "keys/shop/id_ed25519.pub" };
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++)
		check_same_file(w, files[i]);
}

static void look(struct power *w, struct replay *r, enum replay_keep keep,
    unsigned long i, size_t at)
{
	static const char *const names[] = { "nothing", "everything",
		"the writes", "the names", "one write", "all but one write",
		"a part" };
	bool is_end = at == replay_size(r);
	char *text, *line, *save = NULL;
	uint64_t sum;

	sum = replay_image(r, keep, i, NULL);
	if (w->bad >= SHOWN_MAX || !is_new(w, sum * 2 + is_end))
		return;
	replay_image(r, keep, i, w->image);
	w->images++;
	tw_buf_reset(&w->why);
	if (is_there(w->image, "state.db") &&
	    stage_sound(&w->stage, w->image, &w->why))
		check_digest(w, is_end);
	else if (!w->verb->is_empty || is_end)
		tw_buf_adds(&w->why, "there is no sound state\n");
	if (is_end)
		check_files(w);
	else if (keep == REPLAY_NONE && !w->why.len)
		check_rerun(w);
	if (!w->why.len)
		return;
	w->bad++;
	printf("# %s: cut after %zu of %zu, %s (%lu) of what was not synced "
	    "is kept\n", w->verb->name, at, replay_size(r), names[keep], i);
	text = strdup(tw_buf_str(&w->why));
	for (line = strtok_r(text, "\n", &save); line;
	    line = strtok_r(NULL, "\n", &save))
		printf("#   %.300s\n", line);
	free(text);
}

static void cut(struct power *w, struct replay *r, size_t at)
{
	size_t n, i;
	long k;

	replay_to(r, at);
	n = replay_pending(r);
	look(w, r, REPLAY_NONE, 0, at);
	look(w, r, REPLAY_ALL, 0, at);
	look(w, r, REPLAY_DATA, 0, at);
	look(w, r, REPLAY_NAMES, 0, at);
	for (i = 0; i < n && !w->is_few; i++) {
		look(w, r, REPLAY_ONE, i, at);
		look(w, r, REPLAY_BUT_ONE, i, at);
	}
	for (k = 0; k < w->random && n; k++)
		look(w, r, REPLAY_RANDOM, table_random(&w->seed), at);
}

/* Runs the verb under the recorder; the record is w->log. */
static void record(struct power *w)
{
	struct fault_plan plan = { .n = 0 };
	char *nothing = below(w->stage.dir, "nothing");

	stage_restore(&w->stage);
	if (w->verb->is_empty)
		stage_copy(nothing, w->stage.state);
	stage_copy(w->stage.state, w->base);
	free(nothing);
	stage_digest(w->stage.state, &w->before);
	unlink(w->log);
	snprintf(plan.log, sizeof plan.log, "%s", w->log);
	if (stage_run(&w->stage, w->verb->words, &plan, NULL) != 0)
		stage_die("%s: %s", w->verb->name,
		    tw_buf_str(&w->stage.err));
	stage_digest(w->stage.state, &w->after);
}

static bool one(struct power *w, size_t number)
{
	struct replay *r;
	char *state;
	size_t at;

	record(w);
	/* check_rerun() needs the room; check_files() what was written */
	state = below(w->stage.dir, "written");
	stage_copy(w->stage.state, state);
	r = replay_open(w->log, w->base, w->is_lying);
	w->images = w->bad = 0;
	w->nseen = 0;
	for (at = 0; at <= replay_size(r); at++) {
		if (at == replay_size(r))
			stage_copy(state, w->stage.state);
		cut(w, r, at);
	}
	printf("%sok %zu - %s: %zu operations, %ld images\n", w->bad ?
	    "not " : "", number, w->verb->name, replay_size(r), w->images);
	fflush(stdout);
	w->all_images += w->images;
	replay_free(r);
	free(state);
	return w->bad == 0;
}

static const char *option(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);
	int i;

	for (i = 4; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	const char *seed, *random, *plant;
	struct power w = { .seed = 1, .random = 4 };
	struct table_verb *verbs;
	bool is_fine = true;
	size_t n, i;

	if (argc < 4)
		stage_die("usage: power SCENE SHIM TABLE [OPTION=VALUE...]");
	seed = option(argc, argv, "seed");
	random = option(argc, argv, "random");
	plant = option(argc, argv, "plant");
	w.is_few = option(argc, argv, "few") != NULL;
	w.is_lying = plant && strcmp(plant, "lying") == 0;
	if (seed)
		w.seed = strtoul(seed, NULL, 10);
	if (random)
		w.random = atol(random);
	stage_init(&w.stage, argv[1], argv[2]);
	stage_save(&w.stage);
	w.image = below(argv[1], "image");
	w.log = below(argv[1], "record");
	w.base = below(argv[1], "base");
	verbs = table_read(argv[3], option(argc, argv, "verb"), &n);
	for (i = 0; i < n; i++) {
		w.verb = &verbs[i];
		is_fine = one(&w, i + 1) && is_fine;
	}
	printf("1..%zu\n# seed %s\n# figures: %ld losses of power\n", n,
	    seed ? seed : "1", w.all_images);
	return !is_fine;
}
