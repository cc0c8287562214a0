/*
 * ends.c - what the tower says of each change, compared with its host's records
 */
#include "judge.h"

#include <string.h>

static bool is(const char *have, const char *word)
{
	return have && strcmp(have, word) == 0;
}

/* What follows from the records: one of these, blanks around each. */
static const char *possible_ends(const struct change *c)
{
	if (!c->seen_on && c->was_cancelled)
		return " cancelled ";
	if (!c->seen_on && c->was_asked)
		return " cancelled rolled-back ";
	if (!c->seen_on)
		return c->may_expire ? " cancelled " : " ";
	if (!c->last_undo && is_complete(c))
		/* or it came too late for its steps, which have no undo */
		return c->was_asked ? " succeeded rolled-back " :
		    " succeeded ";
	for (int k = 1; k <= c->program->nsteps; k++)
		if (c->at[k].undo_failed)
			return " failed ";
	return " rolled-back ";
}

static bool has_undo(const struct change *c)
{
	for (int k = 1; k <= c->program->nsteps; k++)
		if (!step_is(c, k, 'n'))
			return true;
	return false;
}

static void check_end(const struct change *c)
{
	const char *ends = possible_ends(c);
	char word[32];

	snprintf(word, sizeof word, " %s ", c->status);
	if (!strstr(" succeeded rolled-back failed cancelled ", word))
		broken(5, "change %d has no end: it is %s", c->id, c->status);
	else if (!strstr(ends, word))
		broken(5, "change %d is %s, by its host's records:%s", c->id,
		    c->status, ends);
	else if (is(c->status, "rolled-back") && c->seen_on && !c->last_undo &&
	    is_complete(c) && has_undo(c))
		broken(5, "change %d is rolled-back, but nothing was undone",
		    c->id);
	if (c->seen_on && !is(c->uid, c->job))
		broken(5, "change %d is %s, but ran as %s", c->id, c->uid,
		    c->job);
}

/* A cancel may end a step before its first record and after its last. */
static bool step_agrees(const struct change *c, int k)
{
	const struct progress *p = &c->at[k];
	const char *state = c->steps[k].state;

	if (is(state, "done"))
		return p->has_run;
	if (is(state, "unchanged"))
		return p->holds && !p->attempts;
	if (is(state, "failed"))
		return p->has_failed;
	if (is(state, "timed-out"))
		return p->runs && step_is(c, k, 't');
	if (is(state, "interrupted"))
		return c->was_asked;
	return is(state, "waiting") && !p->attempts && !p->holds;
}

static bool undo_agrees(const struct change *c, int k)
{
	const struct progress *p = &c->at[k];
	const char *undo = c->steps[k].undo;

	if (is(undo, "done"))
		return (p->is_undone && !p->undo_failed) ||
		    step_is(c, k, 'n');
	if (is(undo, "failed"))
		return p->undo_failed;
	return is(undo, "-") && !p->is_undone;
}

static void check_steps(const struct change *c)
{
	for (int k = 1; k <= c->program->nsteps; k++) {
		const struct tower_step *t = &c->steps[k];
		int tries = c->at[k].attempts;

		if (!step_agrees(c, k))
			broken(5, "change %d: step %d is %s, its host's "
			    "records say otherwise", c->id, k,
			    t->state ? t->state : "nothing");
		if (!undo_agrees(c, k))
			broken(5, "change %d: the undo of step %d is %s, its "
			    "host's records say otherwise", c->id, k,
			    t->undo ? t->undo : "nothing");
		if (t->tries != tries && !(c->was_asked &&
		    t->tries == tries + 1))
			broken(5, "change %d: %d tries of step %d, its host's "
			    "records say %d", c->id, t->tries, k, tries);
	}
}

static void want(const struct change *c, enum audit a, int least, int most)
{
	if (c->audit[a] < least || c->audit[a] > most)
		broken(7, "change %d, %s: %d %s records", c->id, c->status,
		    c->audit[a], audit_names[a]);
}

static void check_audit(const struct change *c)
{
	bool has_run = c->seen_on != NULL, is_cancelled = is(c->status,
	    "cancelled");

	want(c, AUDIT_FILE, 1, 1);
	want(c, AUDIT_START, has_run, !is_cancelled || c->was_asked);
	want(c, AUDIT_ACCEPT, has_run, !is_cancelled || c->was_asked);
	want(c, AUDIT_END, has_run, !is_cancelled || c->was_asked);
	want(c, AUDIT_CANCEL, c->was_cancelled || c->was_asked,
	    c->was_cancelled || c->was_asked);
	want(c, AUDIT_EXPIRE, is_cancelled && !c->was_cancelled &&
	    !c->was_asked, c->may_expire);
}

void judge_ends(void)
{
	for (int id = 1; id < nchanges; id++) {
		const struct change *c = &changes[id];

		if (!c->status || !c->program)
			continue;
		check_end(c);
		check_steps(c);
		check_audit(c);
	}
}
