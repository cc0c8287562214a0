/*
 * stopwatch.c - times a command as a whole process, for benchmarks
 *
 * Usage: stopwatch RUNS COMMAND [ARG]...
 *
 * Runs COMMAND that often, one after the other, its output discarded, and
 * prints one line: median wall time in milliseconds, median CPU time in
 * milliseconds, the largest resident set in KiB, and the worst exit status.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int run(char **argv, double *wall, double *cpu, long *rss)
{
	struct rusage use;
	double start = now_ms();
	int status = 0, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid)
		return 1;
	*wall = now_ms() - start;
	*cpu = ms(use.ru_utime) + ms(use.ru_stime);
	if (use.ru_maxrss > *rss)
		*rss = use.ru_maxrss;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0, i, st;
	double *wall, *cpu;
	long rss = 0;
	int worst = 0;

	if (runs < 1 || runs > 100000) {
		fprintf(stderr, "usage: stopwatch RUNS COMMAND [ARG]...\n");
		return 2;
	}
	wall = calloc((size_t)runs, sizeof *wall);
	cpu = calloc((size_t)runs, sizeof *cpu);
	if (!wall || !cpu)
		return 1;
	for (i = 0; i < runs; i++) {
		st = run(argv + 2, &wall[i], &cpu[i], &rss);
		worst = st > worst ? st : worst;
	}
	qsort(wall, (size_t)runs, sizeof *wall, compare);
	qsort(cpu, (size_t)runs, sizeof *cpu, compare);
	printf("%.2f %.2f %ld %d\n", wall[runs / 2], cpu[runs / 2], rss,
	    worst);
	return 0;
}
