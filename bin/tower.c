/* tower.c - the open state, and who is calling; see tower.h */
#include "tower.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "gate.h"
#include "ssh/sshconfig.h"

enum tw_status tower_make_key(struct tw_store *s, const char *org,
    struct tw_err *err)
{
	char *path = tw_org_key_path(tw_store_dir(s), org);
	char comment[TW_ERR_MSG_MAX], host[256] = "tower", *slash;
	enum tw_status st = TW_OK;
	int i;

	if (!path)
		return tw_err_nomem(err);
	if (access(path, F_OK) == 0)
		goto out;
	/* keys/ and keys/ORG/, behind the state's own path and its slash */
	slash = strchr(path + strlen(tw_store_dir(s)) + 1, '/');
	for (i = 0; i < 2 && slash; i++) {
		*slash = '\0';
		if (!st)
			st = tw_io_make_dir(path, 0700, err);
		*slash = '/';
		slash = strchr(slash + 1, '/');
	}
	if (st)
		goto out;
	gethostname(host, sizeof host - 1);
	snprintf(comment, sizeof comment, "towerify-%s@%s", org, host);
	st = tw_sshkey_make(path, comment, err);
out:
	free(path);
	return st;
}

enum tw_status tower_open(struct tw_cli *cli, enum tw_store_mode mode,
    bool is_pass, struct tower *t, struct tw_err *err)
{
	enum tw_who_mode as = is_pass ? TW_WHO_OWNER : TW_WHO_OPERATOR;
	struct tw_caller caller = { 0 };
	enum tw_status st;
	char *dir = NULL;
	bool home = false;

	memset(t, 0, sizeof *t);
	st = tw_caller_get(&caller, err);
	if (!st)
		st = tw_state_dir(cli->state, &dir, &home, err);
	if (!st)
		st = tw_state_become(dir, err);
	if (!st) {
		gate_enter();	/* HOME is the owner's now */
		tw_config_defaults(&t->config);
		if (!config_is_anothers())
			st = config_read(cli, &t->config, err);
	}
	if (!st)
		st = tw_store_open(dir, mode, &t->store, err);
	if (!is_pass && (home || cli->state))
		as = TW_WHO_FOUNDER;
	if (!st)
		st = tw_who_get(t->store, &caller, cli->org, as, &t->who,
		    err);
	if (!st && mode == TW_STORE_CREATE)
		st = tower_make_key(t->store, t->who.org, err);
	free(dir);
	tw_caller_release(&caller);
	if (st)
		tower_close(t);
	return st;
}

void tower_close(struct tower *t)
{
	tw_who_release(&t->who);
	tw_config_release(&t->config);
	tw_store_close(t->store);
	t->store = NULL;
}

static enum tw_status open_state(struct tw_cli *cli, enum tw_cli_needs needs,
    bool is_pass, struct tw_err *err)
{
	static const enum tw_store_mode modes[] = {
		[TW_NEEDS_READ] = TW_STORE_READ,
		[TW_NEEDS_WRITE] = TW_STORE_WRITE,
		[TW_NEEDS_CREATE] = TW_STORE_CREATE,
	};
	struct tower *t = calloc(1, sizeof *t);

	if (!t)
		return tw_err_nomem(err);
	cli->context = t;
	return tower_open(cli, modes[needs], is_pass, t, err);
}

enum tw_status tower_open_state(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err)
{
	return open_state(cli, needs, false, err);
}

enum tw_status tower_open_pass(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err)
{
	return open_state(cli, needs, true, err);
}

void tower_close_state(struct tw_cli *cli)
{
	struct tower *t = cli->context;

	if (!t)
		return;
	tower_close(t);
	free(t);
	cli->context = NULL;
}

/* Is the name one of the words of TARGETS? */
static bool is_named(const char *targets, const char *name)
{
	static const char blanks[] = ", \t\n";
	size_t n = strlen(name);

	while (*(targets += strspn(targets, blanks))) {
		if (strcspn(targets, blanks) == n &&
		    memcmp(targets, name, n) == 0)
			return true;
		targets += strcspn(targets, blanks);
	}
	return false;
}

static void drop_revoked(const char *targets, struct tw_host *hosts, size_t *n)
{
	size_t i, kept = 0;

	for (i = 0; i < *n; i++) {
		if (hosts[i].revoked && !is_named(targets, hosts[i].name))
			tw_host_release(&hosts[i]);
		else
			hosts[kept++] = hosts[i];
	}
	*n = kept;
}

static enum tw_status select_hosts(struct tw_cli *cli, const char *arg,
    bool live, struct tw_host **hosts, size_t *n, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT;
	struct tower *t = cli->context;
	enum tw_status st = TW_OK;

	*hosts = NULL;
	*n = 0;
	if (arg)
		st = tw_cli_targets_text(cli, arg, &text, err);
	if (!st)
		st = tw_host_select(t->store, &t->who, arg ?
		    tw_buf_str(&text) : NULL, hosts, n, err);
	if (!st && live)
		drop_revoked(tw_buf_str(&text), *hosts, n);
	tw_buf_release(&text);
	return st;
}

enum tw_status tower_select(struct tw_cli *cli, const char *arg,
    struct tw_host **hosts, size_t *n, struct tw_err *err)
{
	return select_hosts(cli, arg, false, hosts, n, err);
}

enum tw_status tower_select_live(struct tw_cli *cli, const char *arg,
    struct tw_host **hosts, size_t *n, struct tw_err *err)
{
	return select_hosts(cli, arg, true, hosts, n, err);
}

enum tw_status tower_select_names(struct tw_cli *cli, const char *arg,
    char ***names, struct tw_err *err)
{
	struct tw_host *hosts = NULL;
	size_t n = 0, i;
	enum tw_status st;

	*names = NULL;
	if (!arg)
		return TW_OK;
	st = tower_select(cli, arg, &hosts, &n, err);
	if (st)
		return st;
	*names = calloc(n + 1, sizeof **names);
	for (i = 0; *names && i < n; i++) {
		(*names)[i] = hosts[i].name;
		hosts[i].name = NULL;
	}
	tw_host_list_free(hosts, n);
	return *names ? TW_OK : tw_err_nomem(err);
}

enum tw_status tower_number(const char *s, int64_t *out, struct tw_err *err)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 10);
	if (s[0] < '1' || s[0] > '9' || *end || errno)
		return tw_err_set(err, TW_USAGE, "'%s' is not a number", s);
	*out = n;
	return TW_OK;
}

enum tw_status tower_count(const char *name, const char *s, long min, long max,
    int *out, struct tw_err *err)
{
	int64_t n = 0;

	if (tower_number(s, &n, NULL) || n < min || n > max)
		return tw_err_set(err, TW_USAGE, "--%s must be a whole number "
		    "from %ld to %ld, not '%s'", name, min, max, s);
	*out = (int)n;
	return TW_OK;
}

enum tw_status tower_jobs(const struct tw_cli *cli, const struct tower *t,
    int *out, struct tw_err *err)
{
	const char *text = tw_cli_opt(cli, "jobs");

	*out = (int)t->config.number[TW_CONFIG_JOBS];
	return text ? tower_count("jobs", text, 1, 100000, out, err) : TW_OK;
}

enum tw_status tower_page_read(struct tw_cli *cli, struct tower_page *p,
    struct tw_err *err)
{
	const char *limit = tw_cli_opt(cli, "limit");
	const char *after = tw_cli_opt(cli, "after");
	enum tw_status st = TW_OK;

	if (limit)
		st = tower_number(limit, &p->limit, err);
	if (!st && after)
		st = tower_number(after, &p->after, err);
	return st;
}

bool tower_page_takes(struct tower_page *p, int64_t num)
{
	p->has_more = p->limit && p->n == p->limit;
	if (p->has_more)
		return false;
	p->n++;
	p->last = num;
	return true;
}

enum tw_status tower_page_end(const struct tower_page *p, enum tw_status st)
{
	return p->has_more && st == TW_NO ? TW_OK : st;
}

void tower_page_say(struct tw_cli *cli, const struct tower_page *p)
{
	if (p->has_more)
		tw_cli_say(cli, "there are more: --after %" PRId64, p->last);
}

int tower_main(int argc, char **argv, const char *name, const char *summary,
    const struct tw_verb *verbs, size_t nverbs)
{
	const struct tw_tool tool = {
		.name = name,
		.summary = summary,
		.verbs = verbs,
		.nverbs = nverbs,
		.open_state = tower_open_state,
		.close_state = tower_close_state,
	};

	return tw_cli_main(argc, argv, &tool);
}
