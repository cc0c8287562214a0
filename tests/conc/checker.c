/*
 * checker.c - does this history hold what the tower promises?
 *
 * checker PROGRAMS ACTS TOWER LOG...: the programs (history.h), what people did
 * (act.c), what the tower says of it, and a log of each host (note.c).  Tells
 * what is broken, a line each, and counts; exits with 1 when anything is.
 */
#include "judge.h"

#include <stdarg.h>
#include <string.h>

#define TELL_MAX 100

static int nbroken;

void broken(int invariant, const char *fmt, ...)
{
	va_list ap;

	if (nbroken++ >= TELL_MAX)
		return;
	printf("invariant %d: ", invariant);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void count_acts(void)
{
	static const char *const verbs[] = { "add", "retry", "cancel", "hold",
	    "release", "set", "op", "why", "look", "run" };
	int n, killed, busy;

	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
		n = killed = busy = 0;
		for (size_t i = 0; i < nacts; i++) {
			if (!act_is(&acts[i], verbs[v]))
				continue;
			n++;
			killed += acts[i].status == STATUS_KILLED;
			busy += acts[i].status == 75;
		}
		printf("# %s: %d, %d killed, %d told to try again\n", verbs[v],
		    n, killed, busy);
	}
}

static void count_changes(void)
{
	static const char *const ends[] = { "succeeded", "rolled-back",
	    "failed", "cancelled" };
	size_t records = 0;
	int n, asked = 0, killed = 0, ended = 0;

	for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
		n = 0;
		for (int i = 1; i < nchanges; i++)
			n += changes[i].status &&
			    strcmp(changes[i].status, ends[e]) == 0;
		printf("# changes %s: %d\n", ends[e], n);
		ended += n;
	}
	for (int i = 1; i < nchanges; i++)
		asked += changes[i].was_asked;
	for (size_t i = 0; i < nhosts; i++)
		records += hosts[i].n;
	printf("# told to stop while they ran: %d\n", asked);
	for (size_t i = 0; i < nacts; i++)
		killed += acts[i].status == STATUS_KILLED;
	printf("# figures: %zu acts, %d killed tools, %d changes, %zu records "
	    "on hosts\n", nacts, killed, ended, records);
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: checker PROGRAMS ACTS TOWER LOG...\n");
		return 2;
	}
	read_programs(argv[1]);
	read_acts(argv[2]);
	read_tower(argv[3]);
	for (int i = 4; i < argc; i++)
		read_log(argv[i]);
	judge_people();
	for (size_t i = 0; i < nhosts; i++)
		judge_host(&hosts[i]);
	judge_ends();
	count_acts();
	count_changes();
	if (nbroken)
		printf("# %d times broken\n", nbroken);
	return nbroken != 0;
}
