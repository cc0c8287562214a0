/*
 * visit_secret.c - the runner and a change's secrets: opened when its turn has
 *                  come, sent with each request, masked in all a host says
 *
 * A secret that can't be opened is the tower's own fault: nothing is sent, no
 * host is held and no change ended for it.  Without its secrets a change can't
 * even be followed, because nothing could be masked.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/runner_private.h"
#include "spec/program.h"

enum tw_status visit_load_secrets(struct visit *v, struct tw_err *err)
{
	const char **values = NULL;
	enum tw_status st;
	size_t i, n;

	st = tw_secrets_open(v->runner->o.store, &v->change, &v->secrets, err);
	n = v->secrets.n;
	if (st || n == 0)
		return st;
	values = calloc(n, sizeof *values);
	if (!values)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		values[i] = v->secrets.v[i].value;
	st = tw_mask_forms_new(values, n, &v->forms, err);
	free(values);
	if (!st)
		st = tw_mask_new(v->forms, visit_keep_output, v, &v->mask, err);
	return st;
}

enum tw_status visit_secrets_text(const struct visit *v, struct tw_buf *out,
    struct tw_err *err)
{
	struct tw_secret_value *values;
	size_t i, n = v->secrets.n;
	enum tw_status st;

	if (n == 0)
		return TW_OK;
	values = calloc(n, sizeof *values);
	if (!values)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		values[i] = (struct tw_secret_value){ v->secrets.v[i].name,
		    v->secrets.v[i].value };
	st = tw_secrets_text(values, n, out, err);
	free(values);
	return st;
}

void visit_drop_secrets(struct visit *v)
{
	tw_mask_free(v->mask);
	v->mask = NULL;
	tw_mask_forms_free(v->forms);
	v->forms = NULL;
	tw_secrets_release(&v->secrets);
}

void visit_mask_begin(struct visit *v)
{
	int64_t k = v->change.cur_step;

	if (!v->mask)
		return;
	tw_mask_end(v->mask, true);
	/* what is heard first may be the rest of what was cut */
	if (k > 0 && k <= v->change.nsteps && v->live[k].cut > 0)
		tw_mask_after_cut(v->mask);
}

/*
 * n bytes of the stream that are no output: an event between two phases of a
 * step.  The host's filter may still be copying what the first has printed, so
 * that a secret goes on behind it.  What is held may then reach back over it:
 * `since` bytes of output came after it, and it took `gap` bytes.
 */
static void step_over(struct visit *v, int64_t n)
{
	bool is_within = (int64_t)tw_mask_back(v->mask) > v->since;

	/* over one such place only */
	if (is_within && v->since > 0)
		tw_mask_end(v->mask, true);
	if (!is_within || v->since > 0)
		v->gap = 0;
	v->gap += n;
	v->since = 0;
}

void visit_mask_output(struct visit *v, const char *p, size_t n)
{
	int64_t life, offset, next, grown;

	tw_contact_position(v->contact, &life, &offset, &next);
	grown = offset - v->heard;
	/* events that are known already: the position had stayed behind them */
	if (grown > (int64_t)n)
		step_over(v, grown - (int64_t)n);
	else if (grown < (int64_t)n)
		tw_mask_end(v->mask, true);
	v->since += (int64_t)n;
	tw_mask_feed(v->mask, p, n);
	/* no part of the host's stream: not to be read again */
	if (grown == 0)
		tw_mask_end(v->mask, true);
}

/* What wrote the output before this may have been stopped in mid-word. */
static bool is_torn(const struct tw_event *ev)
{
	return ev->word == TW_EV_LIFE || ev->state == TW_STEP_INTERRUPTED ||
	    ev->state == TW_STEP_TIMED_OUT;
}

void visit_mask_event(struct visit *v, const struct tw_event *ev)
{
	int64_t life, offset, next;

	tw_contact_position(v->contact, &life, &offset, &next);
	if ((ev->word == TW_EV_RUN || ev->word == TW_EV_TRY) && !is_torn(ev))
		step_over(v, offset - v->heard);
	else
		tw_mask_end(v->mask, is_torn(ev));
}

int64_t visit_mask_back(const struct visit *v)
{
	int64_t back = (int64_t)tw_mask_back(v->mask);

	return back > v->since ? back + v->gap : back;
}
