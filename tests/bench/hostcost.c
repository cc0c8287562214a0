/*
 * hostcost.c - the CPU of a command and of all that comes of it
 *
 * Usage: hostcost INPUT COMMAND [ARG]...
 *
 * Runs COMMAND with INPUT as its standard input, its output discarded, and
 * waits for all its descendants, also those that have detached themselves:
 * this process is who inherits them.  Prints the wall time until COMMAND ended
 * and the CPU time of all of them, in milliseconds, then 0 and the status of
 * COMMAND: a line like stopwatch's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
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

static _Noreturn void run(const char *input, char **argv)
{
	int in = open(input, O_RDONLY), null = open("/dev/null", O_WRONLY);

	if (in < 0 || null < 0 || dup2(in, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	double began, wall = 0;
	struct rusage use;
	int status, result = 0;
	pid_t pid, gone;

	if (argc < 3) {
		fprintf(stderr, "usage: hostcost INPUT COMMAND [ARG]...\n");
		return 2;
	}
	began = now_ms();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || (pid = fork()) < 0) {
		perror("hostcost");
		return 1;
	}
	if (pid == 0)
		run(argv[1], argv + 2);
	while ((gone = wait(&status)) > 0 || errno == EINTR) {
		if (gone != pid)
			continue;
		wall = now_ms() - began;
		result = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	}
	getrusage(RUSAGE_CHILDREN, &use);
	printf("%.2f %.2f 0 %d\n", wall, ms(use.ru_utime) + ms(use.ru_stime),
	    result);
	return 0;
}
