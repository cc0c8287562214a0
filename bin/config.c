/* config.c - the tower's configuration file; see config.h */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "file.h"
#include "gate.h"
#include "ssh/transport.h"

#define SYSTEM_FILE TW_CONFIG_DIR "/towerify.yaml"

static const char *named(void)
{
	return gate_is_there() ? NULL : getenv("TOWERIFY_CONFIG");
}

const char *config_path(void)
{
	const char *path = named();

	return !path ? SYSTEM_FILE : *path ? path : NULL;
}

bool config_is_anothers(void)
{
	struct stat st;

	return !named() && access(SYSTEM_FILE, R_OK) < 0 && errno == EACCES &&
	    stat(SYSTEM_FILE, &st) == 0 && st.st_uid != 0 &&
	    st.st_uid != geteuid();
}

/* What a file holds is for who may read it, not for who comes by a gate.  Who
 * wants it quiet, as cron does, gets one of them. */
static enum tw_status say_problems(const struct tw_cli *cli,
    const struct tw_diags *ds, struct tw_err *err)
{
	size_t n = ds->n + ds->more;

	if (gate_is_there())
		return tw_err_set_n(err, TW_CONFIG, n,
		    "the tower's configuration is broken: %zu problem",
		    "the tower's configuration is broken: %zu problems", n);
	if (cli->is_quiet) {
		tw_diags_check(ds, TW_CONFIG, err);
		tw_err_hint(err, "towerify-op config    # tells all of them");
		return err->status;
	}
	change_file_problems(cli, ds, err);
	return err->status = TW_CONFIG;
}

enum tw_status config_read(const struct tw_cli *cli, struct tw_config *out,
    struct tw_err *err)
{
	struct tw_buf text = { .max = TW_YAML_BYTES_MAX + 1 };
	struct tw_diags ds = { .file = config_path() };
	enum tw_status st;

	tw_config_defaults(out);
	if (!ds.file || (!named() && access(ds.file, F_OK) < 0 &&
	    (errno == ENOENT || errno == ENOTDIR)))
		return TW_OK;
	st = tw_io_read_file(ds.file, &text, err);
	if (!st)
		st = tw_config_parse(tw_buf_str(&text), text.len, &ds, out,
		    err);
	if (st == TW_DATA)
		st = ds.n ? say_problems(cli, &ds, err) :
		    (err->status = TW_CONFIG);
	if (!st) {
		tw_link_set_limit(TW_LINK_CONNECT,
		    (int)out->number[TW_CONFIG_CONNECT_TIMEOUT]);
		tw_link_set_limit(TW_LINK_LOGIN,
		    (int)out->number[TW_CONFIG_LOGIN_TIMEOUT]);
		tw_link_set_limit(TW_LINK_IDLE,
		    (int)out->number[TW_CONFIG_SILENCE_TIMEOUT]);
	}
	tw_diags_release(&ds);
	tw_buf_release(&text);
	return st;
}

enum tw_status config_hooks(const struct tw_config *c, char **out,
    struct tw_err *err)
{
	const char *path = config_path(), *slash;
	char *real;
	int n;

	*out = NULL;
	if (c->text[TW_CONFIG_HOOKS]) {
		*out = strdup(c->text[TW_CONFIG_HOOKS]);
		return *out ? TW_OK : tw_err_nomem(err);
	}
	if (!path)
		return TW_OK;
	slash = strrchr(path, '/');
	n = asprintf(out, "%.*shooks.d", slash ? (int)(slash - path + 1) : 0,
	    path);
	real = n >= 0 ? realpath(*out, NULL) : NULL;
	if (real) {		/* hooks are run in another directory */
		free(*out);
		*out = real;
	}
	if (n >= 0)
		return TW_OK;
	*out = NULL;
	return tw_err_nomem(err);
}
