/*
 * rights.c - a shared tower for benchmarks: filled, and a permission checked
 *
 *	rights grants DIR ORG N		N grants: half of operator `many', each
 *					on one host, half of a hundred others
 *	rights changes DIR ORG N	N queued changes of a thousand hosts
 *	rights check DIR ORG LOGIN HOST	median of a permission check, in ms
 *
 * DIR is a state and the caller its administrator.  Rows are made through the
 * model, so that they are what the tools make.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "model/change.h"
#include "model/grant.h"
#include "model/operator.h"

#define HOSTS 1000
#define OTHERS 100
#define CHECKS 201

static struct tw_err err;

static void must(enum tw_status st)
{
	if (st == TW_OK)
		return;
	fprintf(stderr, "rights: %s\n", err.msg);
	exit(1);
}

static struct tw_store *open_as(const char *dir, const char *org,
    const char *login, struct tw_who *who)
{
	struct tw_caller caller = { 0 };
	struct tw_store *s = NULL;

	must(tw_store_open(dir, TW_STORE_WRITE, &s, &err));
	must(tw_caller_get(&caller, &err));
	if (login) {
		free(caller.login);
		caller.login = strdup(login);
	}
	must(tw_who_get(s, &caller, org, TW_WHO_OPERATOR, who, &err));
	tw_caller_release(&caller);
	return s;
}

static void fill_grants(struct tw_store *s, const struct tw_who *who, long n)
{
	char login[32], hosts[32];
	struct tw_scope scope = { .hosts = hosts };
	int64_t num;
	bool added;
	long i;

	must(tw_store_begin(s, &err));
	for (i = 0; i < n; i++) {
		if (i % 2 == 0)
			strcpy(login, "many");
		else
			snprintf(login, sizeof login, "other%ld",
			    i / 2 % OTHERS);
		snprintf(hosts, sizeof hosts, "node%ld", i);
		if (i < 2 * OTHERS)
			must(tw_operator_add(s, who, login, &added, &err));
		must(tw_grant_add(s, who, login, TW_MAY_CHANGE, &scope, 0,
		    &num, &err));
	}
	must(tw_store_commit(s, &err));
}

static void fill_changes(struct tw_store *s, const struct tw_who *who, long n)
{
	static struct tw_host hosts[HOSTS];
	static int64_t nums[HOSTS];
	struct tw_step step = { .k = 1, .name = strdup("true"),
	    .kind = strdup("run"), .undoable = strdup("nothing"), .timeout = 1000 };
	struct tw_filing f = { .title = "one of many", .params = "{}",
	    .file = "x", .file_len = 1, .program = "s_end 0\n",
	    .program_len = 8, .room = 4096, .steps = &step, .nsteps = 1 };
	char name[32];
	bool again;
	long i;

	must(tw_store_begin(s, &err));
	for (i = 0; i < HOSTS; i++) {
		snprintf(name, sizeof name, "node%ld", i);
		hosts[i] = (struct tw_host){ .name = strdup(name),
		    .address = strdup("198.18.0.1"), .user = strdup("root"),
		    .port = 22, .transport = strdup("auto"),
		    .hostkey = strdup("ssh-ed25519 AAAA") };
		must(tw_host_add(s, who, &hosts[i], &err));
	}
	for (; n > 0; n -= HOSTS)
		must(tw_change_file(s, who, &f, hosts, HOSTS, nums, &again,
		    &err));
	must(tw_store_commit(s, &err));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void check(struct tw_store *s, const struct tw_who *who,
    const char *host)
{
	struct tw_grant_used used;
	struct timespec a, b;
	double ms[CHECKS];
	size_t i;

	for (i = 0; i < CHECKS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		must(tw_may_host(s, who, TW_MAY_CHANGE, host, NULL, NULL,
		    &used, &err));
		clock_gettime(CLOCK_MONOTONIC, &b);
		ms[i] = (double)(b.tv_sec - a.tv_sec) * 1e3 +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	}
	qsort(ms, CHECKS, sizeof *ms, by_value);
	printf("%.3f\n", ms[CHECKS / 2]);
}

int main(int argc, char **argv)
{
	struct tw_who who = { 0 };
	struct tw_store *s;

	if (argc < 5) {
		fprintf(stderr, "usage: rights grants|changes|check DIR ORG "
		    "N|LOGIN [HOST]\n");
		return 2;
	}
	s = open_as(argv[2], argv[3], argc > 5 ? argv[4] : NULL, &who);
	if (strcmp(argv[1], "grants") == 0)
		fill_grants(s, &who, strtol(argv[4], NULL, 10));
	else if (strcmp(argv[1], "changes") == 0)
		fill_changes(s, &who, strtol(argv[4], NULL, 10));
	else if (argc > 5)
		check(s, &who, argv[5]);
	tw_who_release(&who);
	tw_store_close(s);
	return 0;
}
