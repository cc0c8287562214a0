/*
 * host_revoke.c - the verb revoke of towerify-host: the tower leaves a host
 *
 * The host takes the tower's files and key off itself and says so; that it lets
 * the tower in no more is seen by trying.  Only then it is revoked; what was not
 * seen is not said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/survey.h"
#include "host.h"
#include "ssh/pubkey.h"

#define KEYS_MAX 2

struct leave {
	struct tw_cli *cli;
	struct tower *t;
	struct tw_host host;
	char *keys[KEYS_MAX + 1];	/* NULL-ended */
	bool is_sure;			/* --yes */
	bool is_shared;
};

/* --- before ---------------------------------------------------------------- */

/* "TYPE:BASE64" of a public key file. */
static enum tw_status read_key(const char *path, char **out,
    struct tw_err *err)
{
	struct tw_buf text = { .max = TW_PUBKEY_FILE_MAX };
	struct tw_pubkey key = { 0 };
	enum tw_status st;
	char *blank;

	st = tw_io_read_file(path, &text, err);
	if (!st)
		st = tw_pubkey_read(path, tw_buf_str(&text), text.len, &key,
		    err);
	if (!st) {
		*out = key.key;
		key.key = NULL;
		blank = strchr(*out, ' ');
		if (blank)
			*blank = ':';
	} else if (st == TW_DATA) {	/* the tower's own, not an input */
		st = err->status = TW_CONFIG;
	}
	tw_pubkey_release(&key);
	tw_buf_release(&text);
	return st;
}

/* What the tower was told to log in with: the organisation's key, and the host's
 * identity where it has one. */
static enum tw_status read_keys(struct leave *l, struct tw_err *err)
{
	const struct tw_host *h = &l->host;
	char *org = tw_org_key_path(tw_store_dir(l->t->store), l->t->who.org);
	const char *paths[] = { org, h->own_config ? h->identity : NULL };
	enum tw_status st = org ? TW_OK : tw_err_nomem(err);
	char *public;
	size_t i, n = 0;

	for (i = 0; i < KEYS_MAX && !st; i++) {
		if (!paths[i])
			continue;
		if (asprintf(&public, "%s.pub", paths[i]) < 0) {
			st = tw_err_nomem(err);
			break;
		}
		st = read_key(public, &l->keys[n++], err);
		if (st && i > 0)
			tw_err_hint(err, "ssh-keygen -y -f %s >%s", paths[i],
			    public);
		free(public);
	}
	free(org);
	return st;
}

/* Other hosts whose way in is the same line. */
static enum tw_status refuse_others(struct leave *l, struct tw_err *err)
{
	const struct tw_host *h = &l->host;
	struct tw_buf names = TW_BUF_INIT;
	struct tw_host *all = NULL;
	size_t n = 0, count = 0, i;
	enum tw_status st;

	st = tw_host_select(l->t->store, &l->t->who, NULL, &all, &n, err);
	for (i = 0; i < n; i++)
		if (all[i].id != h->id && !all[i].revoked &&
		    all[i].port == h->port &&
		    strcmp(all[i].address, h->address) == 0 &&
		    strcmp(all[i].user, h->user) == 0)
			tw_buf_addf(&names, "%s%s", count++ ? ", " : "",
			    all[i].name);
	if (count) {
		st = tw_err_set(err, TW_NO, "%s: the same login leads to %s, "
		    "which the tower would lose too", h->name,
		    tw_buf_str(&names));
		tw_err_hint(err, "towerify-host revoke --yes %s", h->name);
	}
	tw_buf_release(&names);
	tw_host_list_free(all, n);
	return st;
}

/* --- there ----------------------------------------------------------------- */

/* What came of it is in asked, that it could not be tried too. */
static void ask(struct leave *l, const char *verb, bool agent,
    struct tw_survey_host *asked)
{
	struct tw_err err = { 0 };
	enum tw_status st;

	const struct tw_survey_options o = {
		.store = l->t->store,
		.verb = verb,
		.jobs = 1,
		.agent = agent,
		.keys = (const char *const *)l->keys,
		.shared = l->is_shared,
	};

	*asked = (struct tw_survey_host){ .host = &l->host };
	st = tw_survey(asked, 1, &o, &err);
	if (st) {
		asked->status = st;
		asked->err = err;
	}
}

/* That the host lets the tower in no more, or what is known. */
static enum tw_status verify(struct leave *l, struct tw_err *err)
{
	struct tw_survey_host asked;
	enum tw_status st = TW_OK;

	ask(l, "facts", false, &asked);
	if (asked.is_refused)
		goto out;
	if (asked.has_answered || asked.status == TW_OK) {
		st = tw_err_set(err, TW_NO, "%s: the tower's key is off, but "
		    "the host still lets the tower in", l->host.name);
		tw_err_hint(err, "by another key that %s trusts: if it is one "
		    "of ~/.ssh here, towerify-host set %s ssh-config=no keeps "
		    "the tower from using it; then revoke again", l->host.user,
		    l->host.name);
	} else {
		*err = asked.err;
		tw_err_prefix(err, "%s: the tower's key is off, but whether "
		    "the host refuses it could not be seen", l->host.name);
		st = asked.status;
		tw_err_hint(err, "towerify-host revoke %s tries again",
		    l->host.name);
	}
out:
	tw_survey_release(&asked, 1);
	return st;
}

/* What became of the spool. */
static const char *of_spool(const char *spool)
{
	static const struct {
		const char *word, *text;
	} what[] = {
		{ "gone", W_("its spool is gone") },
		{ "absent", W_("it had no spool") },
		{ "shared", W_("its spool stays: another queue uses it too") },
		{ "left", W_("its spool stays: other files are in it") },
	};
	size_t i;

	for (i = 0; i < sizeof what / sizeof *what; i++)
		if (strcmp(spool, what[i].word) == 0)
			return what[i].text;
	return spool;
}

/* The host could not take off all: what it did, and that it can be tried again. */
static enum tw_status say_stopped(struct leave *l, const char *why,
    const char *keys, const char *spool, struct tw_err *err)
{
	unsigned long n = strtoul(keys, NULL, 10);

	if (n == 0)
		tw_err_set(err, TW_NO, "%s: the host stopped: %s: no line "
		    "taken out of its authorized_keys, %s; the tower has not "
		    "left, and it is held", l->host.name, why,
		    of_spool(spool));
	else
		tw_err_set_n(err, TW_NO, n,
		    "%s: the host stopped: %s: %lu line taken out of its "
		    "authorized_keys, %s; the tower has not left, and it is "
		    "held",
		    "%s: the host stopped: %s: %lu lines taken out of its "
		    "authorized_keys, %s; the tower has not left, and it is "
		    "held", l->host.name, why, n, of_spool(spool));
	tw_err_hint(err, "towerify-host revoke %s tries again", l->host.name);
	return TW_NO;
}

/* The host has said what it did: "LINES SPOOL". */
static enum tw_status finish(struct leave *l, struct tw_survey_host *asked,
    struct tw_err *err)
{
	char *taken = asked->taken, *spool = strchr(taken, ' ');
	enum tw_status st;
	unsigned long n;

	if (!spool)
		return tw_err_set(err, TW_AGAIN, "%s: the host answers what is "
		    "no answer", l->host.name);
	*spool++ = '\0';
	st = tw_host_leaving(l->t->store, &l->t->who, l->host.name, err);
	if (!st && asked->stopped[0])
		st = say_stopped(l, asked->stopped, taken, spool, err);
	if (!st)
		st = verify(l, err);
	if (!st)
		st = tw_host_revoke(l->t->store, &l->t->who, l->host.name,
		    taken, spool, err);
	if (st)
		return st;
	n = strtoul(taken, NULL, 10);
	tw_cli_say_n(l->cli, n,
	    "%s is revoked: %lu line taken out of its authorized_keys, %s",
	    "%s is revoked: %lu lines taken out of its authorized_keys, %s",
	    l->host.name, n, of_spool(spool));
	return TW_OK;
}

/* It refuses the login already: by an earlier revoke, or by another hand. */
static enum tw_status finish_refused(struct leave *l,
    struct tw_survey_host *asked, struct tw_err *err)
{
	enum tw_status st;

	if (!l->host.leaving && !l->is_sure) {
		*err = asked->err;
		tw_err_prefix(err, "%s: nothing was taken off",
		    l->host.name);
		err->status = st = TW_NO;
		tw_err_hint(err, "if it is to stay so: towerify-host revoke "
		    "--yes %s; the tower's files there stay", l->host.name);
		return st;
	}
	st = tw_host_revoke(l->t->store, &l->t->who, l->host.name, NULL, NULL,
	    err);
	if (!st && l->host.leaving)
		tw_cli_say(l->cli, "%s is revoked", l->host.name);
	else if (!st)
		tw_cli_say(l->cli, "%s is revoked: it refuses the login "
		    "already; the tower's files there stay", l->host.name);
	return st;
}

/* Why the host did not do it.  *is_untouched: it has done nothing of it, for
 * sure. */
static enum tw_status explain(struct leave *l, struct tw_survey_host *asked,
    bool *is_untouched, struct tw_err *err)
{
	*is_untouched = !asked->was_asked || asked->has_refused ||
	    (asked->status == TW_NO && !asked->has_answered);
	if (asked->status == TW_OK)
		return tw_err_set(err, TW_AGAIN, "%s: the host did not say "
		    "what it did", l->host.name);
	*err = asked->err;
	err->hint[0] = '\0';
	if (*is_untouched)
		tw_err_prefix(err, "%s: nothing was taken off",
		    l->host.name);
	else
		tw_err_prefix(err, "%s: whether it has left is not known, "
		    "and it is held", l->host.name);
	err->status = asked->status;
	if (!*is_untouched)
		tw_err_hint(err, "towerify-host revoke %s tries again",
		    l->host.name);
	else if (asked->err.hint[0])
		tw_err_hint(err, "%s", asked->err.hint);
	return asked->status;
}

static enum tw_status leave(struct leave *l, struct tw_err *err)
{
	bool was_held = l->host.held_reason, is_untouched = false;
	struct tw_survey_host asked;
	struct tw_err other = { 0 };
	enum tw_status st;

	st = tw_host_revoke_begin(l->t->store, &l->t->who, l->host.name,
	    l->is_sure, &l->is_shared, err);
	if (st)
		return st;
	ask(l, "revoke", isatty(STDERR_FILENO), &asked);
	if (asked.taken[0]) {
		st = finish(l, &asked, err);
	} else if (asked.is_refused) {
		st = finish_refused(l, &asked, err);
		is_untouched = st;
	} else {
		st = explain(l, &asked, &is_untouched, err);
	}
	if (st && is_untouched && !was_held && !l->host.leaving &&
	    tw_host_release_hold(l->t->store, &l->t->who, l->host.name, &other))
		tw_cli_error(l->cli, &other);
	tw_survey_release(&asked, 1);
	return st;
}

int host_revoke(struct tw_cli *cli, int argc, char **argv)
{
	struct leave l = { .cli = cli, .t = cli->context,
	    .is_sure = tw_cli_flag(cli, "yes") };
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t i;

	(void)argc;
	st = tw_host_get(l.t->store, &l.t->who, argv[0], &l.host, &err);
	if (!st)
		st = tw_host_permit(l.t->store, &l.t->who, TW_MAY_HOST,
		    &l.host, 1, NULL, &err);
	if (!st && !l.is_sure)
		st = refuse_others(&l, &err);
	if (!st)
		st = read_keys(&l, &err);
	if (!st)
		st = leave(&l, &err);
	for (i = 0; i < KEYS_MAX; i++)
		free(l.keys[i]);
	tw_host_release(&l.host);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
