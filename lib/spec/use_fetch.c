/* use_fetch.c - what steps of kinds want downloaded; see change_spec.h */
#include <string.h>

#include "spec/change_spec.h"

static const char *arg_text(const struct tw_step_spec *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->use->args.n; i++)
		if (strcmp(s->use->args.v[i].name, name) == 0)
			return s->args[i].text;
	return "";
}

static bool wants(const struct tw_step_spec *s)
{
	return s->use && s->use->fetch && arg_text(s, s->use->fetch[0])[0];
}

static const char *hash_of(const struct tw_step_spec *s)
{
	return arg_text(s, s->use->fetch[1]);
}

bool tw_change_spec_wants_fetch(const struct tw_change_spec *s)
{
	size_t i;

	for (i = 0; i < s->nsteps; i++)
		if (wants(&s->steps[i]))
			return true;
	return false;
}

/* Bytes of all contents that are there. */
static size_t count(const struct tw_change_spec *s)
{
	const struct tw_step_spec *step;
	size_t i, k, total = 0;

	for (i = 0; i < s->nsteps; i++) {
		step = &s->steps[i];
		total += step->file.len + step->fetched_len;
		for (k = 0; step->args && k < step->use->args.n; k++)
			if (step->use->args.v[k].type == TW_PARAM_FILE)
				total += step->args[k].len;
	}
	return total;
}

/* A step before it that wants the same file, or NULL. */
static const struct tw_step_spec *find_same(const struct tw_change_spec *s,
    size_t k)
{
	size_t i;

	for (i = 0; i < k; i++)
		if (s->steps[i].fetched &&
		    strcmp(hash_of(&s->steps[i]), hash_of(&s->steps[k])) == 0)
			return &s->steps[i];
	return NULL;
}

enum tw_status tw_change_spec_fetch(struct tw_change_spec *s,
    enum tw_status (*get)(void *arg, const char *url, const char *sha256,
    size_t max, struct tw_buf *out, struct tw_err *err), void *arg,
    struct tw_err *err)
{
	const struct tw_step_spec *same;
	struct tw_step_spec *step;
	enum tw_status st = TW_OK;
	struct tw_buf b;
	size_t k, max, had;

	for (k = 0; k < s->nsteps && st == TW_OK; k++) {
		step = &s->steps[k];
		if (!wants(step))
			continue;
		had = count(s);
		max = had < TW_FILES_TOTAL_MAX ? TW_FILES_TOTAL_MAX - had : 0;
		b = (struct tw_buf){ .max = max ? max : 1 };
		same = find_same(s, k);
		if (same && same->fetched_len <= max)
			tw_buf_add(&b, same->fetched, same->fetched_len);
		else
			st = get(arg, arg_text(step, step->use->fetch[0]),
			    hash_of(step), max, &b, err);
		if (st == TW_OK)
			st = tw_buf_check(&b, err);
		if (st == TW_OK) {
			step->fetched = tw_arena_copy(tw_yaml_arena(s->doc),
			    tw_buf_str(&b), b.len);
			step->fetched_len = b.len;
			if (!step->fetched)
				st = tw_err_nomem(err);
		} else if (st != TW_NOMEM) {
			tw_err_prefix(err, "step %zu", k + 1);
		}
		tw_buf_release(&b);
	}
	return st;
}
