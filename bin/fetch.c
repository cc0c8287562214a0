/* fetch.c - what the tools download, by the tower's rules; see fetch.h */
#include "fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "beside.h"
#include "fetch/fetch.h"
#include "file.h"
#include "gate.h"
#include "spec/fetch_rules.h"
#include "tower.h"

#define HELPER "towerify-fetch"
#define RULES_MAX ((size_t)1 << 20)	/* bytes of fetch.yaml */

struct fetching {		/* release with fetching_release() */
	struct tw_fetch how;
	struct tw_fetch_rules rules;
	char *cache;
	char *beside;		/* the helper of a build; NULL: the one that is
				 * installed */
};

static void fetching_release(struct fetching *f)
{
	tw_fetch_rules_release(&f->rules);
	free(f->cache);
	free(f->beside);
}

static enum tw_status read_rules(const struct tw_cli *cli, const char *dir,
    struct tw_fetch_rules *out, struct tw_err *err)
{
	struct tw_buf path = TW_BUF_INIT, text = { .max = RULES_MAX };
	struct tw_diags ds = { 0 };
	enum tw_status st;

	tw_buf_addf(&path, "%s/" FETCH_RULES, dir);
	st = tw_buf_check(&path, err);
	if (!st && access(path.data, F_OK) < 0 && errno == ENOENT)
		goto out;
	if (!st)
		st = tw_io_read_file(path.data, &text, err);
	ds.file = tw_buf_str(&path);
	if (!st)
		st = tw_fetch_rules_parse(tw_buf_str(&text), text.len, &ds,
		    out, err);
	if (st)
		change_file_problems(cli, &ds, err);
	if (st == TW_DATA)	/* the state's, not an input file */
		st = err->status = TW_CONFIG;
out:
	tw_diags_release(&ds);
	tw_buf_release(&text);
	tw_buf_release(&path);
	return st;
}

static void say_begin(void *arg, const char *url)
{
	struct tw_cli *cli = arg;

	if (isatty(STDERR_FILENO))
		tw_cli_say(cli, "fetching %s", url);
}

static enum tw_status fetching_init(struct tw_cli *cli, struct fetching *f,
    struct tw_err *err)
{
	const struct tower *t = cli->context;
	const char *dir = tw_store_dir(t->store);
	enum tw_status st;

	memset(f, 0, sizeof *f);
	st = read_rules(cli, dir, &f->rules, err);
	if (st)
		return st;
	if (asprintf(&f->cache, "%s/cache", dir) < 0) {
		f->cache = NULL;
		return tw_err_nomem(err);
	}
	f->beside = beside(HELPER);
	f->how = (struct tw_fetch){
		.helper = f->beside ? f->beside : TW_LIBEXEC_DIR "/" HELPER,
		.allow = f->rules.allow,
		.is_public = gate_is_there(),
		.timeout = f->rules.timeout ? f->rules.timeout :
		    TW_FETCH_TIMEOUT,
		.cache = f->cache,
		.cache_max = TW_FETCH_CACHE_MAX,
		.begin = say_begin,
		.arg = cli,
	};
	return TW_OK;
}

static enum tw_status get(void *arg, const char *url, const char *sha256,
    size_t max, struct tw_buf *out, struct tw_err *err)
{
	return tw_fetch_cached(arg, url, sha256, max, out, err);
}

enum tw_status fetch_for_change(struct tw_cli *cli,
    const struct fetch_for *to, struct tw_change_spec *spec,
    struct tw_err *err)
{
	const struct tower *t = cli->context;
	struct fetching f = { .cache = NULL };
	enum tw_status st = TW_OK;

	if (!tw_change_spec_wants_fetch(spec))
		return TW_OK;
	if (to->hosts)
		st = tw_host_permit(t->store, &t->who, TW_MAY_CHANGE,
		    to->hosts, to->n, NULL, err);
	if (!st)
		st = fetching_init(cli, &f, err);
	if (!st)
		st = tw_change_spec_fetch(spec, get, &f.how, err);
	fetching_release(&f);
	return st;
}

enum tw_status fetch_url(struct tw_cli *cli, const char *url, size_t max,
    struct tw_buf *out, struct tw_err *err)
{
	struct fetching f;
	enum tw_status st;

	st = fetching_init(cli, &f, err);
	if (!st)
		st = tw_fetch_read(&f.how, url, max, out, err);
	fetching_release(&f);
	return st;
}
