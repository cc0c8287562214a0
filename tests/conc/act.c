/*
 * act.c - runs a tool as somebody would, and records when and how it ended
 *
 * act [-k MS] LOG WORD... -- COMMAND...
 *
 * Appends to LOG, in one write, when COMMAND has ended:
 *
 *   STAMP STAMP WALL STATUS WORD... | STDOUT | STDERR
 *
 * the stamps in nanoseconds since boot before and after it, WALL the time of day
 * at the first in milliseconds, STATUS its exit status or `killed'; what it wrote
 * has blanks for newlines, and is cut.  -k: SIGKILL after so long, where it still
 * runs.  Prints what COMMAND printed, and exits with its status; 137: killed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAID_MAX 16384

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(70);
}

static int64_t stamp(clockid_t clock, int64_t unit)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec) / unit;
}

/* A file without a name: what the tool leaves running keeps nobody waiting. */
static int scratch(void)
{
	int fd = memfd_create("said", MFD_CLOEXEC);

	if (fd < 0)
		die("act: memfd");
	return fd;
}

static void read_said(int fd, char said[SAID_MAX])
{
	ssize_t n = pread(fd, said, SAID_MAX - 1, 0);

	said[n > 0 ? n : 0] = '\0';
}

static void flatten(char *said)
{
	for (char *p = said; *p; p++)
		if (*p == '\n' || *p == '|')
			*p = ' ';
}

static void print(const char *said)
{
	if (fputs(said, stdout) == EOF || fflush(stdout) == EOF)
		die("act: stdout");
}

static pid_t start(char **argv, int out, int err)
{
	pid_t pid = fork();

	if (pid < 0)
		die("act: fork");
	if (pid > 0)
		return pid;
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		die("act: dup2");
	execvp(argv[0], argv);
	die(argv[0]);
}

/* No other process can get its number before it is waited for. */
static void kill_late(pid_t pid, int ms)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0),
	    .events = POLLIN };

	if (p.fd < 0)
		die("act: pidfd");
	if (poll(&p, 1, ms) == 0)
		kill(pid, SIGKILL);
	close(p.fd);
}

static void record(const char *path, const char *line, size_t n)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, line, n) != (ssize_t)n)
		die(path);
}

int main(int argc, char **argv)
{
	static char out[SAID_MAX], err[SAID_MAX], line[3 * SAID_MAX];
	int limit = -1, i = 1, status, fds[2] = { scratch(), scratch() };
	int64_t begin, wall;
	const char *path;
	char word[16];
	size_t n;
	pid_t pid;

	if (argc > 3 && strcmp(argv[1], "-k") == 0) {
		limit = (int)strtol(argv[2], NULL, 10);
		i = 3;
	}
	path = argv[i++];
	for (n = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		n += (size_t)snprintf(line + n, sizeof line - n, " %s",
		    argv[i]);
	if (i + 1 >= argc || n > SAID_MAX / 2) {
		fprintf(stderr,
		    "usage: act [-k MS] LOG WORD... -- COMMAND...\n");
		return 2;
	}
	memcpy(err, line, n + 1);	/* until the tool's is read */
	wall = stamp(CLOCK_REALTIME, 1000000);
	begin = stamp(CLOCK_BOOTTIME, 1);
	pid = start(argv + i + 1, fds[0], fds[1]);
	if (limit >= 0)
		kill_late(pid, limit);
	while (waitpid(pid, &status, 0) < 0)
		;
	if (WIFEXITED(status))
		snprintf(word, sizeof word, "%d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGKILL)
		snprintf(word, sizeof word, "killed");
	else
		snprintf(word, sizeof word, "signal-%d", WTERMSIG(status));
	n = (size_t)snprintf(line, sizeof line, "%lld %lld %lld %s%s",
	    (long long)begin, (long long)stamp(CLOCK_BOOTTIME, 1),
	    (long long)wall, word, err);
	read_said(fds[0], out);
	read_said(fds[1], err);
	print(out);
	flatten(out);
	flatten(err);
	n += (size_t)snprintf(line + n, sizeof line - n, " | %s | %s\n", out,
	    err);
	record(path, line, n);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 137;
}
