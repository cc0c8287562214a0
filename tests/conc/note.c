/*
 * note.c - a step says on its host what it does: one record, one write
 *
 * note PART WORD, in a step of a change (tests/conc/README), appends to
 * $HOME/$TOWERIFY_HOST.log
 *
 *   STAMP HOST CHANGE STEP PART WORD LOCK JOB
 *
 * STAMP is nanoseconds since boot.  With the word `begin' it locks descriptor 9,
 * which the step's shell has opened and keeps as long as it, or any process it
 * started, lives: LOCK is `free', or `taken' when something of another step
 * still lives on this host.  JOB is the change's name there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FD 9

static const char *env(const char *name)
{
	const char *value = getenv(name);

	if (value)
		return value;
	fprintf(stderr, "note: no %s\n", name);
	exit(70);
}

/* Steps run in jobs/JOB/cwd. */
static const char *job(char *cwd, size_t size)
{
	char *slash, *name;

	if (!getcwd(cwd, size) || !(slash = strrchr(cwd, '/')))
		return "-";
	*slash = '\0';
	name = strrchr(cwd, '/');
	return name ? name + 1 : "-";
}

int main(int argc, char **argv)
{
	const char *host = env("TOWERIFY_HOST"), *lock = "-";
	char cwd[4096], path[4096], line[1024];
	struct timespec ts;
	int fd, n;

	if (argc != 3) {
		fprintf(stderr, "usage: note PART WORD\n");
		return 2;
	}
	if (strcmp(argv[2], "begin") == 0)
		lock = flock(LOCK_FD, LOCK_EX | LOCK_NB) ? "taken" : "free";
	snprintf(path, sizeof path, "%s/%s.log", env("HOME"), host);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	n = snprintf(line, sizeof line, "%lld%09ld %s %s %s %s %s %s %s\n",
	    (long long)ts.tv_sec, ts.tv_nsec, host, env("TOWERIFY_CHANGE"),
	    env("TOWERIFY_STEP"), argv[1], argv[2], lock,
	    job(cwd, sizeof cwd));
	if (fd < 0 || n >= (int)sizeof line ||
	    write(fd, line, (size_t)n) != n) {
		perror(path);
		return 70;
	}
	return 0;
}
