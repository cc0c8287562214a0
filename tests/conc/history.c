/*
 * history.c - reading what history.h describes, blank-separated words a line
 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

const char *const part_names[PART_N] = { "check", "run", "undo" };
const char *const word_names[WORD_N] = { "begin", "mid", "end", "fail" };
const char *const audit_names[AUDIT_N] = { "change.file", "change.start",
	"change.accept", "change.end", "change.cancel", "change.expire" };

struct host *hosts;
size_t nhosts;
struct act *acts;
size_t nacts;
struct change *changes;
int nchanges;

static struct program *programs;
static size_t nprograms;
static const char *reading;
static long line_no;

static _Noreturn void bad(const char *what)
{
	fprintf(stderr, "checker: %s:%ld: %s\n", reading, line_no, what);
	exit(2);
}

static void *more(void *p, size_t n, size_t size)
{
	p = realloc(p, (n + 1) * size);
	if (!p)
		bad("no memory");
	memset((char *)p + n * size, 0, size);
	return p;
}

static char *copy(const char *s)
{
	char *p = strdup(s);

	if (!p)
		bad("no memory");
	return p;
}

/* At most max words of line, which they point into. */
static int split(char *line, char **words, int max)
{
	char *word;
	int n = 0;

	while (n < max && (word = strsep(&line, " \n")))
		if (*word)
			words[n++] = word;
	return n;
}

static int find(const char *word, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(word, names[i]) == 0)
			return i;
	bad(word);
}

static void each_line(const char *path, void (*fn)(char *line))
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	reading = path;
	line_no = 0;
	if (!f)
		bad("can't be read");
	while (getline(&line, &size, f) > 0) {
		line_no++;
		if (line[0] != '\n')
			fn(line);
	}
	free(line);
	fclose(f);
}

static void read_program(char *line)
{
	char *words[STEPS_MAX + 2];
	int n = split(line, words, STEPS_MAX + 2);
	struct program *p;

	if (n < 3)
		bad("not a program");
	programs = more(programs, nprograms, sizeof *programs);
	p = &programs[nprograms++];
	p->name = copy(words[1]);
	for (p->nsteps = 0; p->nsteps < n - 2; p->nsteps++)
		p->letters[p->nsteps + 1] = copy(words[p->nsteps + 2]);
}

static void read_act(char *line)
{
	char *parts[3] = { 0 }, *head[WORDS_MAX + 4];
	struct act *a;
	int n;

	for (n = 0; n < 3; n++)
		parts[n] = strsep(&line, "|");
	n = parts[0] ? split(parts[0], head, WORDS_MAX + 4) : 0;
	if (n < 5 || !parts[2])
		bad("not an act");
	acts = more(acts, nacts, sizeof *acts);
	a = &acts[nacts++];
	a->begin = strtoll(head[0], NULL, 10);
	a->end = strtoll(head[1], NULL, 10);
	a->wall = strtoll(head[2], NULL, 10);
	if (strcmp(head[3], "killed") == 0)
		a->status = STATUS_KILLED;
	else if (strncmp(head[3], "signal-", 7) == 0)
		a->status = STATUS_SIGNAL;
	else
		a->status = (int)strtol(head[3], NULL, 10);
	for (; a->nwords < n - 4; a->nwords++)
		a->words[a->nwords] = copy(head[a->nwords + 4]);
	a->out = copy(parts[1]);
	a->err = copy(parts[2]);
}

static struct host *host_get(const char *name)
{
	for (size_t i = 0; i < nhosts; i++)
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	hosts = more(hosts, nhosts, sizeof *hosts);
	hosts[nhosts].name = copy(name);
	return &hosts[nhosts++];
}

static void read_record(char *line)
{
	struct record r = { 0 };
	struct host *h;
	char *w[9];

	if (split(line, w, 9) != 8)
		bad("not a record");
	h = host_get(w[1]);
	r.at = strtoll(w[0], NULL, 10);
	r.change = (int)strtol(w[2], NULL, 10);
	r.step = (int)strtol(w[3], NULL, 10);
	r.part = (enum part)find(w[4], part_names, PART_N);
	r.word = (enum word)find(w[5], word_names, WORD_N);
	r.is_taken = strcmp(w[6], "taken") == 0;
	r.job = copy(w[7]);
	h->records = more(h->records, h->n, sizeof r);
	h->records[h->n++] = r;
}

/* "change ID HOST STATUS UID TAG KEY RETRY_OF", "step ID K STATE UNDO TRIES",
 * "audit ACTION ID"; `-' for nothing */
static void read_said(char *line)
{
	struct change *c;
	int n, k;
	char *w[9];

	n = split(line, w, 9);
	if (n == 8 && strcmp(w[0], "change") == 0) {
		c = change_get((int)strtol(w[1], NULL, 10));
		if (c->status)
			bad("the change is there twice");
		c->tower_host = copy(w[2]);
		c->status = copy(w[3]);
		c->uid = copy(w[4]);
		c->tag = copy(w[5]);
		c->key = copy(w[6]);
		c->retry_of = (int)strtol(w[7], NULL, 10);
	} else if (n == 6 && strcmp(w[0], "step") == 0) {
		c = change_get((int)strtol(w[1], NULL, 10));
		k = (int)strtol(w[2], NULL, 10);
		if (k < 1 || k > STEPS_MAX)
			bad("not a step");
		c->steps[k].state = copy(w[3]);
		c->steps[k].undo = copy(w[4]);
		c->steps[k].tries = (int)strtol(w[5], NULL, 10);
	} else if (n == 3 && strcmp(w[0], "audit") == 0) {
		c = change_get((int)strtol(w[2], NULL, 10));
		c->audit[find(w[1], audit_names, AUDIT_N)]++;
	} else {
		bad("what is this?");
	}
}

void read_programs(const char *path)
{
	each_line(path, read_program);
}

void read_acts(const char *path)
{
	each_line(path, read_act);
}

void read_tower(const char *path)
{
	each_line(path, read_said);
}

void read_log(const char *path)
{
	each_line(path, read_record);
}

const struct program *program_find(const char *name)
{
	for (size_t i = 0; i < nprograms; i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

struct change *change_get(int id)
{
	if (id < 1 || id > 1000000)
		bad("not the number of a change");
	for (; nchanges <= id; nchanges++) {
		changes = more(changes, (size_t)nchanges, sizeof *changes);
		changes[nchanges].id = nchanges;
	}
	return &changes[id];
}

bool step_is(const struct change *c, int k, char letter)
{
	return strchr(c->program->letters[k], letter) != NULL;
}

bool act_is(const struct act *a, const char *verb)
{
	return strcmp(a->words[0], verb) == 0;
}

char *act_out(const struct act *a, int n)
{
	char *text = copy(a->out), *words[64], *word = NULL;
	int have = split(text, words, 64);

	if (n < have)
		word = copy(words[n]);
	free(text);
	return word;
}
