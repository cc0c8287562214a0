/*
 * replay.c - a target without libFuzzer: runs it over files
 *
 * TARGET FILE...               each file, or each file of a directory
 * TARGET --plants              what can be planted
 * TARGET --plant WORD FILE...
 *
 * Each file is run until that has left no more allocated than runs before it,
 * three times; if it goes on growing, memory is lost.  (The first run may fill
 * what is kept for the process's life.)  glibc's lists of freed pieces count as
 * allocated, and so are turned off.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_MALLINFO 0		/* LeakSanitizer does that */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_MALLINFO 0
#else
#define HAS_MALLINFO 1
#endif
#else
#define HAS_MALLINFO 1
#endif

#define RUNS_MAX 30		/* a leaking file is run so often */

static size_t nfiles;

static size_t allocated(void)
{
#if HAS_MALLINFO && defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

static void lose(void)
{
	static void *volatile last;

	last = malloc(24);
	HOLDS(last, "no memory");
}

static void run(const char *path)
{
	struct tw_buf b = TW_BUF_INIT;
	const uint8_t *data;
	struct tw_err err;
	size_t most = 0, now, runs = 0, calm = 0;

	if (tw_io_read_file(path, &b, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
	data = (const uint8_t *)tw_buf_str(&b);
	while (calm < 3) {
		HOLDS(runs++ < RUNS_MAX, "%s: memory is lost", path);
		LLVMFuzzerTestOneInput(data, b.len);
		if (fuzz_planted("leak"))
			lose();
		now = allocated();
		calm = now > most ? 0 : calm + 1;
		most = now > most ? now : most;
	}
	tw_buf_release(&b);
	nfiles++;
}

/* A tunable is read when a process starts: it starts once more. */
static void count_exactly(char **argv)
{
	static const char name[] = "GLIBC_TUNABLES";

	if (!HAS_MALLINFO)
		return;
	mallopt(M_MXFAST, 0);
	if (getenv(name))
		return;
	setenv(name, "glibc.malloc.tcache_count=0", 1);
	execv("/proc/self/exe", argv);
}

static int is_shown(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void run_all(const char *path)
{
	struct dirent **v;
	char name[4096];
	int n = scandir(path, &v, is_shown, alphasort), i;

	if (n < 0) {
		run(path);
		return;
	}
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s/%s", path, v[i]->d_name);
		run(name);
		free(v[i]);
	}
	free(v);
}

int main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	int i = 1;

	count_exactly(argv);
	if (argc == 2 && strcmp(argv[1], "--plants") == 0) {
		for (i = 0; fuzz_plants[i]; i++)
			puts(fuzz_plants[i]);
		if (HAS_MALLINFO && allocated())
			puts("leak");
		return 0;
	}
	if (argc > 3 && strcmp(argv[1], "--plant") == 0) {
		fuzz_plant = argv[2];
		setrlimit(RLIMIT_CORE, &none);
		i = 3;
	}
	for (; i < argc; i++)
		run_all(argv[i]);
	printf("%zu files\n", nfiles);
	return nfiles == 0;
}
