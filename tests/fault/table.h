/*
 * table.h - the verbs that the drivers of tests/fault try, read from a file
 *
 * A line: NAME|FLAGS|COMMAND|FINISH, the command's words with single blanks
 * between; # begins a comment line.  FINISH, where it is not empty, is what
 * completes what the command left half done, instead of the command.  FLAGS,
 * with commas or none:
 *
 *   pass    several commits and a host: a state between is fine as long as it
 *           is sound, and running it again (a few times) comes to the end
 *   again   running it again after it was done succeeds and changes nothing
 *   empty   begins without a state
 *   read    changes nothing; with exit status 0 it has said all
 *   child   its hosts are reached by the ssh child
 *   keyless begins without secret.key, and without what it has sealed
 */
#ifndef FAULT_TABLE_H
#define FAULT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_WORDS 24

struct table_verb {
	char *name;
	bool is_pass, is_again, is_empty, is_read, is_child, is_keyless;
	char *words[TABLE_WORDS + 1];	/* NULL-terminated */
	char *finish[TABLE_WORDS + 1];
};

/* Reads the file; only the verbs named only (NULL: all). */
struct table_verb *table_read(const char *path, const char *only, size_t *n);

/* Numbers from seed, the same each time. */
unsigned long table_random(unsigned long *seed);

/* Which of 1 to count are to be tried, in ascending order: all, or with a
 * sample about that many: the first and last ones, and some between; with a
 * sample of 1 any one.  Caller frees. */
long *table_choose(long count, long sample, unsigned long *seed, size_t *n);

#endif
