/*
 * history.c - a tower with years behind it, and how long its statements take
 *
 *	history fill DIR PERCENT	a thousand hosts; at 100 percent 1,000,000
 *					ended changes of six steps each,
 *					10,000,000 audit records, 100,000 queued
 *	history hosts DIR N		N hosts, node0 and on, and nothing else
 *	history claim DIR		median of claiming the next change, in ms
 *	history hold DIR		holds all hosts, so that nothing is due
 *
 * DIR is a state and the caller its administrator; fill and hosts make it.
 * Rows are made through the model, so that they are what the tools make and the
 * chain verifies; to fill, the clock is turned back, and comes to the present
 * with the last of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "model/change.h"
#include "store/store_private.h"

#define HOSTS 1000
#define STEPS 6
#define ROUNDS 1000		/* one change of each host a round, all ended */
#define QUEUED 100		/* rounds that stay queued */
#define CLAIMS 201
#define SPAN ((time_t)3 * 365 * 24 * 3600)	/* that the history is long */

static struct tw_err err;
static time_t back;		/* seconds the clock is behind */

/* In place of libc's: the model's clock too. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);

	if (id == CLOCK_REALTIME)
		t->tv_sec -= back;
	return rc;
}

static void must(enum tw_status st)
{
	if (st == TW_OK)
		return;
	fprintf(stderr, "history: %s\n", err.msg);
	exit(1);
}

static struct tw_store *open_state(const char *dir, struct tw_who *who)
{
	struct tw_caller caller = { 0 };
	struct tw_store *s = NULL;

	must(tw_store_open(dir, TW_STORE_CREATE, &s, &err));
	must(tw_caller_get(&caller, &err));
	must(tw_who_get(s, &caller, NULL, TW_WHO_FOUNDER, who, &err));
	tw_caller_release(&caller);
	return s;
}

static char *copy(const char *s)
{
	char *out = strdup(s);

	if (!out)
		abort();
	return out;
}

/* --- filling ---------------------------------------------------------------- */

static struct tw_host hosts[HOSTS];
static struct tw_step steps[STEPS];

static void make_hosts(struct tw_store *s, const struct tw_who *who, long n)
{
	struct tw_host h;
	char name[32];
	long i;

	must(tw_store_begin(s, &err));
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "node%ld", i);
		h = (struct tw_host){ .name = copy(name),
		    .address = copy("198.18.0.1"), .user = copy("root"),
		    .port = 22, .transport = copy("auto"),
		    .hostkey = copy("ssh-ed25519 AAAA"),
		    .spool_id = copy("0123456789abcdef0123456789abcdef") };
		must(tw_host_add(s, who, &h, &err));
		if (i < HOSTS)
			hosts[i] = h;
		else
			tw_host_release(&h);
	}
	must(tw_store_commit(s, &err));
}

static void make_steps(void)
{
	char name[32];
	long i;

	for (i = 0; i < STEPS; i++) {
		snprintf(name, sizeof name, "step number %ld", i + 1);
		steps[i] = (struct tw_step){ .k = i + 1, .name = copy(name),
		    .kind = copy("run"), .undoable = copy("script"),
		    .timeout = 600000, .code = -1, .undo_code = -1 };
	}
}

/* Each round is of a change file of its own. */
static void file_round(struct tw_store *s, const struct tw_who *who, long round)
{
	static int64_t nums[HOSTS];
	char program[64], file[64];
	struct tw_filing f = { .title = "one of very many", .params = "{}",
	    .file = file, .program = program, .room = 4096, .steps = steps,
	    .nsteps = STEPS };
	bool again;

	f.file_len = (size_t)snprintf(file, sizeof file, "file %ld", round);
	f.program_len = (size_t)snprintf(program, sizeof program,
	    "program %ld", round);
	must(tw_change_file(s, who, &f, hosts, HOSTS, nums, &again, &err));
}

static void carry_out(struct tw_store *s, int64_t host_id)
{
	static char hash[TW_SHA256_HEX];
	static const char text[] = "a line of output\nanother line of it\n";
	int64_t now = tw_clock_now(), gone;
	struct tw_change c;
	struct tw_step st;
	int64_t k;

	if (!hash[0])
		tw_sha256_hex(text, sizeof text - 1, hash);
	must(tw_change_claim(s, host_id, now, &c, &gone, &err));
	must(tw_change_accepted(s, &c, now, &err));
	for (k = 0; k < STEPS; k++) {
		st = steps[k];
		st.state = (char *)"done";
		st.decided = (char *)"run";
		st.code = 0;
		st.attempts = 1;
		st.started = st.ended = now;
		if (k == 0)
			must(tw_output_add(s, &c, 1, false, now, 0, text,
			    sizeof text - 1, &err));
		memcpy(st.out_hash, hash, sizeof hash);
		must(tw_step_save(s, &c, &st, true, &err));
	}
	must(tw_change_end(s, &c, TW_CHANGE_SUCCEEDED, NULL, now, NULL, &err));
	tw_change_release(&c);
}

static void fill(struct tw_store *s, const struct tw_who *who, long percent)
{
	long ended = ROUNDS * percent / 100, all, i, h;

	all = ended + QUEUED * percent / 100;
	must(tw_store_exec(s, "PRAGMA synchronous = OFF;"
	    "PRAGMA cache_size = -400000", &err));
	make_hosts(s, who, HOSTS);
	make_steps();
	for (i = 0; i < all; i++) {
		back = SPAN - SPAN / all * i;
		must(tw_store_begin(s, &err));
		file_round(s, who, i);
		for (h = 0; i < ended && h < HOSTS; h++)
			carry_out(s, hosts[h].id);
		must(tw_store_commit(s, &err));
	}
}

/* --- claiming ----------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void claim(struct tw_store *s)
{
	struct timespec a, b;
	double ms[CLAIMS];
	int64_t *due, wake, gone, now = tw_clock_now();
	struct tw_change c;
	size_t i, n;

	must(tw_queue_due(s, now, 0, NULL, &due, &n, &wake, &err));
	for (i = 0; i < n && i < CLAIMS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		must(tw_change_claim(s, due[i], now, &c, &gone, &err));
		clock_gettime(CLOCK_MONOTONIC, &b);
		tw_change_release(&c);
		ms[i] = (double)(b.tv_sec - a.tv_sec) * 1e3 +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	}
	free(due);
	if (i == 0) {
		fprintf(stderr, "history: nothing is due\n");
		exit(1);
	}
	qsort(ms, i, sizeof *ms, by_value);
	printf("%.3f\n", ms[i / 2]);
}

/* --- nothing due ---------------------------------------------------------------- */

static void hold(struct tw_store *s)
{
	must(tw_store_begin(s, &err));
	must(tw_store_exec(s, "UPDATE host SET held_reason = 'a test',"
	    " held_since = 1, held_by = 'tower'", &err));
	must(tw_store_commit(s, &err));
}

/* 1 to max. */
static long parse_count(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > max) {
		fprintf(stderr, "history: '%s' is not a number from 1 to "
		    "%ld\n", text, max);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct tw_who who = { 0 };
	struct tw_store *s;
	long n = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: history fill|hosts|claim|hold DIR "
		    "[PERCENT|N]\n");
		return 2;
	}
	if (argc > 3)
		n = parse_count(argv[3], strcmp(argv[1], "fill") == 0 ? 1000 :
		    1000000);
	if (strcmp(argv[1], "fill") == 0)
		back = SPAN;
	s = open_state(argv[2], &who);
	if (strcmp(argv[1], "fill") == 0 && n)
		fill(s, &who, n);
	else if (strcmp(argv[1], "hosts") == 0 && n)
		make_hosts(s, &who, n);
	else if (strcmp(argv[1], "claim") == 0)
		claim(s);
	else if (strcmp(argv[1], "hold") == 0)
		hold(s);
	tw_who_release(&who);
	tw_store_close(s);
	return 0;
}
