/* given.c - the -p options of the command line; see given.h */
#include "given.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/seal.h"
#include "gate.h"

#define VALUE_MAX ((size_t)64 << 10)	/* bytes of K@FILE */
#define INPUT_MAX ((size_t)4 << 20)	/* of standard input, shared */

static bool is_stdin(const char *arg)
{
	return strcmp(arg + strcspn(arg, "=@"), "@-") == 0;
}

static size_t count_stdin(const struct tw_cli *cli)
{
	const char *arg;
	size_t i, n = 0;

	for (i = 0; (arg = tw_cli_opt_each(cli, "param", i)); i++)
		n += is_stdin(arg);
	return n;
}

bool given_wants_stdin(const struct tw_cli *cli)
{
	return count_stdin(cli) > 0;
}

/* The next line of what is shared, without its newline. */
static enum tw_status take_line(struct given *g, struct tw_buf *value,
    struct tw_err *err)
{
	const char *p = tw_buf_str(&g->input) + g->at, *nl;
	size_t left = g->input.len - g->at, n;

	if (left == 0)
		return tw_err_set(err, TW_DATA, "standard input has no line "
		    "for it");
	nl = memchr(p, '\n', left);
	n = nl ? (size_t)(nl - p) : left;
	g->at += n + (nl != NULL);
	if (n > VALUE_MAX)
		return tw_err_set(err, TW_DATA, "its line is longer than %zu "
		    "bytes", VALUE_MAX);
	return tw_buf_add(value, p, n) ? TW_OK : tw_buf_check(value, err);
}

static enum tw_status take_file(const char *path, struct tw_buf *value,
    struct tw_err *err)
{
	enum tw_status st;

	value->max = VALUE_MAX + 1;	/* its last newline does not count */
	st = gate_read(path, value, err);
	if (!st && value->len > 0 && value->data[value->len - 1] == '\n')
		value->len--;
	if (!st && value->len > VALUE_MAX)
		st = tw_err_set(err, TW_DATA, "%s: larger than %zu bytes",
		    strcmp(path, "-") == 0 ? W_("standard input") : path,
		    VALUE_MAX);
	return st;
}

/* "K=V", or "K@FILE". */
static enum tw_status read_one(struct given *g, const char *arg,
    bool is_shared, struct tw_err *err)
{
	struct tw_param_given *p = &g->v[g->n];
	struct tw_buf *value = &g->values[g->n];
	size_t n = strcspn(arg, "=@");
	enum tw_status st;

	g->n++;
	if (arg[n] != '@')
		return tw_param_given_split(arg, p, err);
	value->is_secret = true;
	st = is_shared && is_stdin(arg) ? take_line(g, value, err) :
	    take_file(arg + n + 1, value, err);
	if (st)
		return tw_err_prefix(err, "parameter '%.*s'",
		    (int)(n < TW_NAME_MAX ? n : TW_NAME_MAX), arg);
	*p = (struct tw_param_given){ arg, n, tw_buf_str(value), value->len,
	    true };
	return TW_OK;
}

static bool is_given(const struct given *g, const struct tw_param_given *p)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->v[i].name_len == p->name_len &&
		    memcmp(g->v[i].name, p->name, p->name_len) == 0)
			return true;
	return false;
}

static void add_base(struct given *g, const struct tw_param_given *base,
    size_t nbase)
{
	size_t i;

	for (i = 0; i < nbase; i++)
		if (!is_given(g, &base[i]))
			g->v[g->n++] = base[i];
}

/* What nobody takes was meant for somebody: the end of a value, most likely. */
static enum tw_status check_rest(const struct given *g, size_t lines,
    struct tw_err *err)
{
	if (g->at == g->input.len)
		return TW_OK;
	return tw_err_set(err, TW_DATA, "standard input holds more than the "
	    "%zu lines that -p takes", lines);
}

static enum tw_status read_shared(struct given *g, struct tw_err *err)
{
	g->input.is_secret = true;
	g->input.max = INPUT_MAX;
	return gate_read("-", &g->input, err);
}

enum tw_status given_read(const struct tw_cli *cli, bool is_file_stdin,
    const struct tw_param_given *base, size_t nbase, struct given *out,
    struct tw_err *err)
{
	size_t lines = count_stdin(cli), n = 0, i;
	bool is_shared = lines + is_file_stdin > 1, has_file = false;
	enum tw_status st = TW_OK;
	const char *arg;

	memset(out, 0, sizeof *out);
	for (; (arg = tw_cli_opt_each(cli, "param", n)); n++)
		has_file |= arg[strcspn(arg, "=@")] == '@';
	out->v = calloc(n + nbase + 1, sizeof *out->v);
	out->values = calloc(n + nbase + 1, sizeof *out->values);
	if (!out->v || !out->values)
		return tw_err_nomem(err);
	if (has_file)
		tw_seal_hold();
	if (is_shared)
		st = read_shared(out, err);
	for (i = 0; i < n && !st; i++)
		st = read_one(out, tw_cli_opt_each(cli, "param", i),
		    is_shared, err);
	if (!st && is_shared && !is_file_stdin)
		st = check_rest(out, lines, err);
	if (!st)
		add_base(out, base, nbase);
	return st;
}

enum tw_status given_rest(struct given *g, struct tw_buf *out,
    struct tw_err *err)
{
	if (!g->input.is_secret)	/* nobody shares it */
		return gate_read("-", out, err);
	if (!tw_buf_add(out, tw_buf_str(&g->input) + g->at,
	    g->input.len - g->at))
		return tw_err_set(err, TW_DATA, "standard input: larger than "
		    "%zu bytes", out->max);
	g->at = g->input.len;
	return TW_OK;
}

void given_release(struct given *g)
{
	size_t i;

	for (i = 0; g->values && i < g->n; i++)
		tw_buf_release(&g->values[i]);
	tw_buf_release(&g->input);
	free(g->values);
	free(g->v);
	memset(g, 0, sizeof *g);
}
