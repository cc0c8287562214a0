/*
 * host_provision.c - the verb of towerify-host that turns a server into a
 *                    YunoHost host
 *
 * It files a change of a file that comes with the tools.  What this adds to
 * `towerify-queue add' of it: the tower's own key as a parameter, so that the
 * tower gets in again, and the question whether to do what has no way back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "file.h"
#include "filing.h"
#include "gate.h"
#include "host.h"
#include "ssh/pubkey.h"

#define FILE_NAME "yunohost-host.yaml"

static enum tw_status read_public(const char *private, struct tw_buf *out,
    struct tw_err *err)
{
	enum tw_status st;
	char *path;

	if (asprintf(&path, "%s.pub", private) < 0)
		return tw_err_nomem(err);
	out->max = TW_PUBKEY_FILE_MAX;
	st = tw_io_read_file(path, out, err);
	if (st == TW_DATA && err)	/* the state's own file, not an input */
		st = err->status = TW_CONFIG;
	free(path);
	return st;
}

enum tw_status host_public_key(struct tower *t, struct tw_buf *out,
    struct tw_err *err)
{
	char *path = tw_org_key_path(tw_store_dir(t->store), t->who.org);
	enum tw_status st;

	st = path ? read_public(path, out, err) : tw_err_nomem(err);
	free(path);
	return st;
}

/* One line, "TYPE BASE64 COMMENT", of the key that logs in to the host: the
 * organisation's, which is tried first, unless another one was given. */
static enum tw_status login_key(struct tower *t, const struct tw_host *h,
    struct tw_buf *out, struct tw_err *err)
{
	bool is_own = h->own_config && h->identity;
	struct tw_buf text = TW_BUF_INIT;
	struct tw_pubkey key = { 0 };
	enum tw_status st;

	st = is_own ? read_public(h->identity, &text, err) :
	    host_public_key(t, &text, err);
	if (!st)
		st = tw_pubkey_read(W_("the tower's key"), tw_buf_str(&text),
		    text.len, &key, err);
	if (st && is_own)
		tw_err_hint(err, "the public part of %s must lie beside it, as "
		    "ssh-keygen puts it there", h->identity);
	if (!st)
		tw_buf_addf(out, "%s%s%s", key.key, key.comment ? " " : "",
		    key.comment ? key.comment : "");
	tw_pubkey_release(&key);
	tw_buf_release(&text);
	return st ? st : tw_buf_check(out, err);
}

static enum tw_status read_file(struct tw_cli *cli, struct tower *t,
    const struct tw_host *h, struct change_file *file, struct tw_err *err)
{
	static const char name[] = "tower_key";
	const char *dir = gate_is_there() ? NULL : getenv("TOWERIFY_CATALOG");
	struct tw_buf key = TW_BUF_INIT;
	struct tw_param_given given;
	enum tw_status st;
	char *path = NULL;

	st = login_key(t, h, &key, err);
	if (!st && asprintf(&path, "%s/" FILE_NAME, dir && *dir ? dir :
	    TW_CATALOG_DIR) < 0) {
		path = NULL;
		st = tw_err_nomem(err);
	}
	given = (struct tw_param_given){ name, sizeof name - 1,
	    tw_buf_str(&key), key.len, false };
	if (!st)
		st = change_file_own(cli, path, &given, 1, file, err);
	free(path);
	tw_buf_release(&key);
	return st;
}

/* What has no way back is said, and asked about where nothing was said of it. */
static enum tw_status confirm(struct tw_cli *cli, const struct tw_host *h,
    const struct change_file *file, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT, login = TW_BUF_INIT;
	enum tw_status st;

	if (tw_cli_flag(cli, "yes")) {
		change_file_say(cli, file);
		return TW_OK;
	}
	tw_successor_describe(&file->successor, &login);
	tw_buf_addf(&text, tw_text("%s: there is no way back from\n%sand the "
	    "tower logs in as %s from then on.\nGo on?"), h->name,
	    tw_buf_str(&file->without_undo), tw_buf_str(&login));
	text.failed |= login.failed;
	tw_buf_release(&login);
	st = tw_buf_check(&text, err);
	if (!st)
		st = tw_cli_confirm(cli, tw_buf_str(&text), err);
	if (st == TW_USAGE) {
		change_file_say(cli, file);
		tw_err_set(err, TW_USAGE, "%s: there is no terminal to ask on "
		    "whether to do what can't be undone", h->name);
		tw_err_hint(err, "--yes");
	}
	tw_buf_release(&text);
	return st;
}

static enum tw_status get_host(struct tower *t, const char *name,
    struct tw_host *h, struct tw_err *err)
{
	enum tw_status st;

	st = tw_host_get(t->store, &t->who, name, h, err);
	if (!st)
		st = tw_host_permit(t->store, &t->who, TW_MAY_CHANGE, h, 1,
		    NULL, err);
	if (!st)
		st = tw_host_permit(t->store, &t->who, TW_MAY_HOST, h, 1,
		    NULL, err);
	return st;
}

int host_provision(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct change_file file = { 0 };
	struct tw_filing f = { 0 };
	struct tw_host h = { 0 };
	struct tw_err err = { 0 };
	char times[FILING_TIMES];
	bool again = false;
	enum tw_status st;

	(void)argc;
	st = filing_read(cli, &f, times, &err);
	if (!st)
		st = get_host(t, argv[0], &h, &err);
	if (!st)
		st = read_file(cli, t, &h, &file, &err);
	if (!st) {
		change_file_filing(&file, &f);
		st = filing_again(cli, t, &f, &h, 1, &again, &err);
	}
	if (!st && !again)
		st = change_file_requires(cli, &file, &h, 1, &err);
	if (!st && !again)
		st = tw_successor_check(&file.successor, &h, &err);
	if (!st && !again)
		st = confirm(cli, &h, &file, &err);
	if (!st && !again)
		st = filing_all(cli, t, &f, &h, 1, &err);
	change_file_release(&file);
	tw_host_release(&h);
	return filing_finish(cli, st, &err);
}
