/* table.c - see table.h */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

static bool has_flag(const char *flags, const char *name)
{
	const char *at = strstr(flags, name);
	size_t n = strlen(name);

	return at && (at == flags || at[-1] == ',') &&
	    (!at[n] || at[n] == ',');
}

static void split(char *command, char **words)
{
	char *save = NULL, *word;
	size_t n = 0;

	for (word = strtok_r(command, " ", &save); word && n < TABLE_WORDS;
	    word = strtok_r(NULL, " ", &save))
		words[n++] = word;
}

/* line is kept: the verb's strings are in it. */
static void parse(char *line, struct table_verb *v)
{
	char *flags, *command;

	v->name = strsep(&line, "|");
	flags = strsep(&line, "|");
	command = strsep(&line, "|");
	if (!flags || !command)
		stage_die("a line of the table: %s", v->name);
	v->is_pass = has_flag(flags, "pass");
	v->is_again = has_flag(flags, "again");
	v->is_empty = has_flag(flags, "empty");
	v->is_read = has_flag(flags, "read");
	v->is_child = has_flag(flags, "child");
	v->is_keyless = has_flag(flags, "keyless");
	split(command, v->words);
	if (line)
		split(line, v->finish);
}

struct table_verb *table_read(const char *path, const char *only, size_t *n)
{
	struct table_verb *list = NULL, v;
	char *line = NULL;
	size_t room = 0;
	ssize_t got;
	FILE *f;

	*n = 0;
	f = fopen(path, "re");
	if (!f)
		stage_die("%s", path);
	while ((got = getline(&line, &room, f)) > 0) {
		if (line[got - 1] == '\n')
			line[got - 1] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		memset(&v, 0, sizeof v);
		parse(strdup(line), &v);
		if (only && strcmp(only, v.name) != 0)
			continue;
		list = reallocarray(list, *n + 1, sizeof *list);
		list[(*n)++] = v;
	}
	free(line);
	fclose(f);
	return list;
}

unsigned long table_random(unsigned long *seed)
{
	/* Knuth's linear congruence; the high bits are the better ones */
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 33;
}

long *table_choose(long count, long sample, unsigned long *seed, size_t *n)
{
	long *list = calloc((size_t)count + 1, sizeof *list), i, at;
	bool *is_in = calloc((size_t)count + 1, sizeof *is_in);

	*n = 0;
	for (i = 1; i <= count; i++)
		is_in[i] = sample <= 0 || count <= sample;
	if (sample == 1 && count > 1) {
		at = 1 + (long)(table_random(seed) % (unsigned long)count);
		is_in[at] = true;
	} else if (sample > 1 && count > sample) {
		is_in[1] = is_in[count] = true;
		for (i = 2; i < sample; i++) {
			at = 1 + (long)(table_random(seed) %
			    (unsigned long)count);
			is_in[at] = true;
		}
	}
	for (i = 1; i <= count; i++)
		if (is_in[i])
			list[(*n)++] = i;
	free(is_in);
	return list;
}
