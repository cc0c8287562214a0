/*
 * people.c - what was filed, by the word of those who did: who has which
 *            number, whose turn it is, what must not be there
 */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000000		/* in nanoseconds */
#define CLOCK_SLACK (5 * MS)	/* between the clock of day and that of stamps */

/* "add TAG PROGRAM HOST,... KEY NOT_BEFORE NOT_AFTER HOW" */
enum { VERB, TAG, PROGRAM, HOSTS, KEY, NOT_BEFORE, NOT_AFTER, HOW, ADD_WORDS };
/* "retry TAG ID", "cancel ID" */
enum { RETRIED = 2, CANCELLED = 1 };

static bool is_none(const char *word)
{
	return strcmp(word, "-") == 0;
}

static bool is_refusal(int status)
{
	return status == 2 || status == 65 || status == 75 || status == 77;
}

/* --- exit statuses ------------------------------------------------------------ */

/* The last column: what a refusal by 1 or 2 says. */
static const struct {
	const char *verb, *statuses, *refusal;
} expected[] = {
	{ "add", " 0 75 killed ", " in the past" },
	{ "retry", " 0 75 ", " has not ended" },
	{ "cancel", " 0 75 ", "has ended or is being undone" },
	{ "hold", " 0 75 ", NULL },
	{ "release", " 0 75 ", " is not held" },
	{ "set", " 0 75 ", NULL },
	{ "op", " 0 75 ", NULL },
	{ "why", " 0 75 ", NULL },
	{ "look", " 0 75 ", NULL },
	{ "run", " 0 3 4 5 75 killed ", NULL },
};

static void check_status(const struct act *a)
{
	const char *list = "", *refusal = NULL;
	char word[16];

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (act_is(a, expected[i].verb)) {
			list = expected[i].statuses;
			refusal = expected[i].refusal;
		}
	if (act_is(a, "add") && a->nwords == ADD_WORDS &&
	    (strcmp(a->words[HOW], "run") == 0 ||
	    strcmp(a->words[HOW], "wait") == 0))
		list = " 0 1 3 4 5 75 ";
	if (a->status == STATUS_KILLED)
		snprintf(word, sizeof word, " killed ");
	else
		snprintf(word, sizeof word, " %d ", a->status);
	if (!strstr(list, word) && !((a->status == 1 || a->status == 2) &&
	    refusal && strstr(a->err, refusal)))
		broken(0, "%s %s: status%s: %s", a->words[0],
		    a->nwords > 1 ? a->words[1] : "", word, a->err);
	if (strstr(a->err, "locked") || strstr(a->err, "malformed") ||
	    (a->status == 75 && !act_is(a, "run") && !a->err[2]))
		broken(0, "%s: status%s: '%s'", a->words[0], word, a->err);
	if (act_is(a, "why") && a->status == 0 && strspn(a->out, " ") ==
	    strlen(a->out))
		broken(5, "why %s has no answer", a->words[1]);
}

/* --- filing -------------------------------------------------------------------- */

/* Of the same filing: the same key, else the same reason. */
static bool is_same_filing(const struct act *a, const struct act *b)
{
	if (!act_is(b, "add"))
		return a == b;
	if (is_none(a->words[KEY]))
		return strcmp(a->words[TAG], b->words[TAG]) == 0;
	return strcmp(a->words[KEY], b->words[KEY]) == 0;
}

static int64_t instant(const struct act *a, const char *wall_ms)
{
	return a->begin + (strtoll(wall_ms, NULL, 10) - a->wall) * MS;
}

/* Between which stamps did a filing take its place? */
static void join(struct change *c, const struct act *a)
{
	int64_t begin = INT64_MAX, end = INT64_MAX, killed = 0, hour;

	for (size_t i = 0; i < nacts; i++) {
		const struct act *b = &acts[i];

		if (!is_same_filing(a, b) || is_refusal(b->status))
			continue;
		if (b->begin < begin)
			begin = b->begin;
		if (b->status == STATUS_KILLED && b->end > killed)
			killed = b->end;
		else if (b->status != STATUS_KILLED && b->end < end)
			end = b->end;
	}
	c->join_begin = begin;
	c->join_end = end == INT64_MAX ? killed : end;
	if (act_is(a, "add") && !is_none(a->words[NOT_BEFORE])) {
		hour = instant(a, a->words[NOT_BEFORE]);
		if (c->join_begin < hour - CLOCK_SLACK)
			c->join_begin = hour - CLOCK_SLACK;
		if (c->join_end < hour + CLOCK_SLACK)
			c->join_end = hour + CLOCK_SLACK;
	}
}

static void promise(struct change *c, const struct act *a, const char *host)
{
	bool has_key = !is_none(a->words[KEY]);

	if (c->is_promised && (!has_key || strcmp(c->host, host) != 0))
		broken(6, "change %d was given out twice, %s is the second",
		    c->id, a->words[TAG]);
	c->is_promised = true;
	c->host = host;
	c->program = program_find(a->words[PROGRAM]);
	c->may_expire = !is_none(a->words[NOT_AFTER]);
	join(c, a);
	if (!c->status)
		broken(6, "change %d of %s was promised and is not there",
		    c->id, a->words[TAG]);
	else if (strcmp(c->tower_host, host) != 0 || (has_key ?
	    strcmp(c->key, a->words[KEY]) : strcmp(c->tag, a->words[TAG])))
		broken(6, "change %d of %s for %s is %s's, for %s", c->id,
		    a->words[TAG], host, c->tag, c->tower_host);
}

/* What it was told, host by host. */
static void read_promises(const struct act *a)
{
	char *list = strdup(a->words[HOSTS]), *host, *id;
	int n = 0;

	while ((host = strsep(&list, ","))) {
		id = act_out(a, n++);
		if (id && is_refusal(a->status))
			broken(6, "%s: change %s, but status %d",
			    a->words[TAG], id, a->status);
		else if (!id && a->status == 0)
			broken(6, "%s: status 0 without a number for %s",
			    a->words[TAG], host);
		else if (id)
			promise(change_get((int)strtol(id, NULL, 10)), a, host);
		free(id);
	}
}

static void read_retry(const struct act *a)
{
	struct change *c;
	char *id = act_out(a, 0);

	if (a->status != 0)
		return;
	if (!id) {
		broken(6, "%s: status 0 without a number", a->words[TAG]);
		return;
	}
	c = change_get((int)strtol(id, NULL, 10));
	free(id);
	if (c->is_promised)
		broken(6, "change %d was given out twice, %s is the second",
		    c->id, a->words[TAG]);
	c->is_promised = true;
	c->join_begin = a->begin;
	c->join_end = a->end;
	if (!c->status)
		broken(6, "change %d, a retry, was promised and is not there",
		    c->id);
	else if (c->retry_of != strtol(a->words[RETRIED], NULL, 10))
		broken(6, "change %d is a retry of %s, not of %d", c->id,
		    a->words[RETRIED], c->retry_of);
}

static void read_cancel(const struct act *a)
{
	struct change *c = change_get((int)strtol(a->words[CANCELLED], NULL,
	    10));

	if (a->status == 0 && strstr(a->err, " is cancelled"))
		c->was_cancelled = true;
	else if (a->status == 0 && strstr(a->err, " runs: "))
		c->was_asked = true;
	else if (a->status == 0)
		broken(0, "cancel %d says: %s", c->id, a->err);
}

/* A number that its filer never heard: it was killed, or refused. */
static void adopt(struct change *c)
{
	const struct act *killed = NULL, *refused = NULL;

	for (size_t i = 0; i < nacts; i++) {
		const struct act *a = &acts[i];

		if (!act_is(a, "add") || strcmp(a->words[TAG], c->tag) != 0)
			continue;
		if (a->status == STATUS_KILLED)
			killed = a;
		else
			refused = a;
	}
	if (killed && !c->retry_of) {
		c->program = program_find(killed->words[PROGRAM]);
		c->host = c->tower_host;
		join(c, killed);
	} else if (refused && !c->retry_of) {
		broken(6, "change %d is there, but %s was told %d", c->id,
		    c->tag, refused->status);
	} else {
		broken(6, "change %d of '%s' is there, but nobody filed it",
		    c->id, c->tag);
	}
}

static void check_twins(const struct change *c)
{
	for (int i = c->id + 1; i < nchanges; i++) {
		const struct change *d = &changes[i];

		if (!d->status || d->retry_of ||
		    strcmp(c->tower_host, d->tower_host) != 0)
			continue;
		if (is_none(c->key) ? strcmp(c->tag, d->tag) == 0 :
		    strcmp(c->key, d->key) == 0)
			broken(6, "changes %d and %d are the same filing, %s",
			    c->id, d->id, c->tag);
	}
}

/* --- order ---------------------------------------------------------------------- */

/* Numbers are given in the order of filing: 2, by the acts alone. */
static int by_begin(const void *a, const void *b)
{
	const struct act *x = *(const struct act *const *)a;
	const struct act *y = *(const struct act *const *)b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int by_end(const void *a, const void *b)
{
	const struct act *x = *(const struct act *const *)a;
	const struct act *y = *(const struct act *const *)b;

	return x->end < y->end ? -1 : x->end > y->end;
}

static bool gives_new(const struct act *a)
{
	return a->status == 0 && (act_is(a, "retry") || (act_is(a, "add") &&
	    is_none(a->words[KEY])));
}

static int number(const struct act *a)
{
	char *id = act_out(a, 0);
	int n = id ? (int)strtol(id, NULL, 10) : 0;

	free(id);
	return n;
}

static void check_numbers(void)
{
	const struct act **begun = calloc(nacts + 1, sizeof *begun);
	const struct act **ended = calloc(nacts + 1, sizeof *ended);
	size_t n = 0, e = 0;
	int highest = 0;

	for (size_t i = 0; i < nacts; i++)
		if (gives_new(&acts[i])) {
			begun[n] = &acts[i];
			ended[n++] = &acts[i];
		}
	qsort(begun, n, sizeof *begun, by_begin);
	qsort(ended, n, sizeof *ended, by_end);
	for (size_t i = 0; i < n; i++) {
		for (; e < n && ended[e]->end < begun[i]->begin; e++)
			if (number(ended[e]) > highest)
				highest = number(ended[e]);
		if (number(begun[i]) < highest)
			broken(2, "change %d was filed after %d",
			    number(begun[i]), highest);
	}
	free(begun);
	free(ended);
}

/* The first release that may have undone this hold. */
static int64_t released(const struct act *hold)
{
	int64_t at = INT64_MAX;

	for (size_t i = 0; i < nacts; i++)
		if (act_is(&acts[i], "release") && acts[i].begin < at &&
		    acts[i].end > hold->begin &&
		    strcmp(acts[i].words[1], hold->words[1]) == 0)
			at = acts[i].begin;
	return at;
}

bool people_hold(const struct act *a, int64_t *from, int64_t *to)
{
	if (!act_is(a, "hold") || a->status != 0)
		return false;
	*from = a->end;
	*to = released(a);
	return *from < *to;
}

/* --- all --------------------------------------------------------------------------- */

void judge_people(void)
{
	struct change *c;

	for (size_t i = 0; i < nacts; i++) {
		check_status(&acts[i]);
		if (act_is(&acts[i], "add"))
			read_promises(&acts[i]);
		else if (act_is(&acts[i], "retry"))
			read_retry(&acts[i]);
		else if (act_is(&acts[i], "cancel"))
			read_cancel(&acts[i]);
	}
	for (int i = 1; i < nchanges; i++) {
		c = &changes[i];
		if (!c->status)
			continue;
		if (!c->is_promised)
			adopt(c);
		if (!c->retry_of) {
			check_twins(c);
		} else if (c->retry_of < i) {
			c->program = changes[c->retry_of].program;
			c->host = changes[c->retry_of].host;
		}
	}
	check_numbers();
}
