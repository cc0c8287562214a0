/*
 * libssh2_login.c - from the handshake to the started command
 *
 * Each function is one state's work: it repeats one libssh2 call until that has
 * its answer.  A refusal is told from a broken connection by our own marks
 * (.cut, .farewell), because libssh2 gives both the same error code while it
 * waits for the answer to a key.
 */
#include "base/text.h"
#include "ssh/libssh2_link.h"

#include <string.h>

#include "ssh/hostkey.h"
#include "ssh/identity.h"
#include "ssh/sshargs.h"

static enum tw_l2_step key_changed(struct tw_link *l, const char *type,
    const struct tw_buf *shown, const char *shown_print)
{
	char print[TW_FINGERPRINT_MAX];
	struct tw_err err;

	if (tw_hostkey_fingerprint(l->target->hostkey, print, &err) != TW_OK)
		return tw_l2_end(l, TW_LINK_PERSON, &err);
	tw_err_set(&err, TW_DENIED, "HOST KEY HAS CHANGED, or somebody listens "
	    "in: pinned is %s %s, shown is %.*s %s", type, print,
	    (int)strcspn(tw_buf_str(shown), " "), tw_buf_str(shown),
	    shown_print);
	tw_sshargs_hint_changed(&err, l->target->name);
	return tw_l2_end(l, TW_LINK_PERSON, &err);
}

/* Compares the key shown, type and bytes, with the pinned one; without one
 * (learning), ends the link with what was shown. */
static enum tw_l2_step check_hostkey(struct tw_link *l)
{
	struct tw_buf pinned = TW_BUF_INIT, shown = TW_BUF_INIT;
	char print[TW_FINGERPRINT_MAX], type[TW_HOSTKEY_TYPE_MAX];
	enum tw_l2_step step = TW_L2_NEXT;
	struct tw_err err;
	const char *p;
	size_t n = 0;
	int kind;

	p = libssh2_session_hostkey(l->session, &n, &kind);
	if (!p)
		return tw_l2_broken(l, W_("no host key"));
	if (tw_hostkey_encode(p, n, &shown, print, &err) != TW_OK) {
		step = tw_l2_end(l, TW_LINK_TEMPORARY, &err);
	} else if (!l->command) {
		l->learned = shown;
		memset(&shown, 0, sizeof shown);
		step = tw_l2_end(l, TW_LINK_EOF, NULL);
	} else if (tw_hostkey_decode(l->target->hostkey, type, &pinned,
	    &err) != TW_OK) {
		step = tw_l2_end(l, tw_l2_end_of(&err), &err);
	} else if (pinned.len != n || memcmp(pinned.data, p, n) != 0) {
		step = key_changed(l, type, &shown, print);
	}
	tw_buf_release(&pinned);
	tw_buf_release(&shown);
	return step;
}

enum tw_l2_step tw_l2_handshake(struct tw_link *l)
{
	int r = libssh2_session_handshake(l->session, l->socket->fd);
	enum tw_l2_step step;
	char text[160];

	if (r == LIBSSH2_ERROR_EAGAIN)
		return TW_L2_AGAIN;
	if (r == LIBSSH2_ERROR_KEX_FAILURE ||
	    (r == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE && !l->farewell)) {
		tw_l2_session_error(l, text, sizeof text);
		return tw_l2_fail(l, TW_LINK_UNSUPPORTED, "no key exchange, "
		    "host key or cipher in common with libssh2 (%s)", text);
	}
	if (r != 0)
		return tw_l2_broken(l, W_("no SSH handshake"));
	step = check_hostkey(l);
	if (step == TW_L2_NEXT)
		l->state = TW_L2_LOGIN;
	return step;
}

/* ---- login ---- */

/* All keys are used up: why? */
static enum tw_l2_step no_key_left(struct tw_link *l)
{
	const struct tw_l2_login *in = &l->login;
	const struct tw_ssh_target *t = l->target;
	bool is_refused = in->refused > 0;
	struct tw_err err;

	/* the tower's trouble, not this host's: nothing to hold it for */
	if (in->failed)
		return tw_l2_fail(l, TW_LINK_TEMPORARY, "login as %s is not "
		    "possible: the key %s could not be read", t->user,
		    in->failed);
	if (in->elsewhere)
		return tw_l2_fail(l, TW_LINK_UNSUPPORTED, "login as %s needs "
		    "an RSA key, a certificate or a security key, which "
		    "libssh2 can't use", t->user);
	if (is_refused)
		tw_err_set_n(&err, TW_DENIED, (unsigned long)in->refused,
		    "login as %s refused (%d key tried)",
		    "login as %s refused (%d keys tried)", t->user,
		    in->refused);
	else if (in->unusable)
		tw_err_set(&err, TW_DENIED, "login as %s is not possible: "
		    "the key %s is missing, unreadable or has a passphrase",
		    t->user, in->unusable);
	else
		tw_err_set(&err, TW_DENIED, "login as %s is not possible: "
		    "there is no key to log in with", t->user);
	tw_err_hint(&err, "put the key that `towerify-host key` prints into "
	    "the authorized_keys of %s on %s", t->user, t->name);
	return tw_l2_end(l, is_refused ? TW_LINK_REFUSED : TW_LINK_PERSON,
	    &err);
}

/* Whether the host itself said no.  libssh2 has the same code for that and for
 * a packet that came spoilt while it waited; only its text differs. */
static bool is_refusal(struct tw_link *l, int r)
{
	char text[160];

	if (r != LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
		return r == LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	tw_l2_session_error(l, text, sizeof text);
	return strncmp(text, "Waiting", 7) != 0;
}

/* What the answer to one key means; TW_L2_AGAIN here: try the next. */
static enum tw_l2_step key_answer(struct tw_link *l, int r, const char *path)
{
	l->login.trying = false;
	if (r == 0) {
		l->state = TW_L2_CHANNEL;
		return TW_L2_NEXT;
	}
	if (l->farewell && strstr(l->farewell_text, "uthentication fail"))
		return tw_l2_fail(l, TW_LINK_REFUSED, "login as %s refused: %s",
		    l->target->user, l->farewell_text);
	if (l->farewell)
		return tw_l2_broken(l, W_("no login"));
	if (is_refusal(l, r)) {
		l->login.refused++;
		return TW_L2_AGAIN;
	}
	switch (r) {
	case LIBSSH2_ERROR_FILE:
	case LIBSSH2_ERROR_METHOD_NONE:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
		l->login.elsewhere = true;
		l->login.unusable = path;
		return TW_L2_AGAIN;
	default:
		return tw_l2_broken(l, W_("no login"));
	}
}

/* Finds the next identity file libssh2 can use; NULL after the last. */
static const char *next_identity(struct tw_link *l)
{
	const char *const *ids = l->target->identities;
	struct tw_l2_login *in = &l->login;
	const char *path;

	for (; ids && (path = ids[in->next]); in->next++) {
		if (in->trying)
			return path;
		if (tw_identity_has_certificate(path))
			in->elsewhere = true;
		switch (tw_identity_inspect(path)) {
		case TW_IDENTITY_PLAIN:
			in->trying = true;
			return path;
		case TW_IDENTITY_MISSING:
		case TW_IDENTITY_ENCRYPTED:
			in->unusable = path;
			break;
		case TW_IDENTITY_FAILED:
			in->failed = path;
			break;
		default:
			in->elsewhere = true;
			break;
		}
	}
	return NULL;
}

/* TW_L2_STOP here: no file is left. */
static enum tw_l2_step try_files(struct tw_link *l)
{
	const char *user = l->target->user, *path;
	enum tw_l2_step step;
	int r;

	while ((path = next_identity(l))) {
		/* The passphrase is never NULL: libssh2 takes its length. */
		r = libssh2_userauth_publickey_fromfile_ex(l->session, user,
		    (unsigned)strlen(user), NULL, path, "");
		if (r == LIBSSH2_ERROR_EAGAIN)
			return TW_L2_AGAIN;
		l->login.next++;
		step = key_answer(l, r, path);
		if (step != TW_L2_AGAIN)
			return step;
	}
	return TW_L2_STOP;
}

static int on_sign(LIBSSH2_SESSION *session, unsigned char **sig,
    size_t *sig_len, const unsigned char *data, size_t n, void **abstract)
{
	struct tw_link *l = *abstract;
	struct tw_buf answer = TW_BUF_INIT;
	struct tw_blob rest, type, raw;
	int r = -1;

	(void)session;
	*sig = NULL;
	if (tw_agent_sign(l->login.agent, &l->login.key, data, n, &answer,
	    NULL) == TW_OK) {
		rest.p = (const uint8_t *)answer.data;
		rest.n = answer.len;
		if (tw_blob_string(&rest, &type) &&
		    tw_blob_string(&rest, &raw) && raw.n > 0)
			*sig = tw_l2_alloc(l, raw.n);
		if (*sig) {
			memcpy(*sig, raw.p, raw.n);
			*sig_len = raw.n;
			r = 0;
		}
	}
	tw_buf_release(&answer);
	return r;
}

static bool next_agent_key(struct tw_link *l)
{
	struct tw_blob rest, type;
	char name[TW_HOSTKEY_TYPE_MAX];

	while (tw_agent_next(l->login.agent, &l->login.key)) {
		rest = l->login.key;
		if (!tw_blob_string(&rest, &type) || type.n >= sizeof name)
			continue;
		memcpy(name, type.p, type.n);
		name[type.n] = '\0';
		if (tw_l2_type_ok(name))
			return true;
		l->login.elsewhere = true;
	}
	return false;
}

/* TW_L2_STOP here: the agent has no more keys. */
static enum tw_l2_step try_agent(struct tw_link *l)
{
	struct tw_l2_login *in = &l->login;
	void *self = l;
	enum tw_l2_step step;
	int r;

	if (!in->asked_agent) {
		in->asked_agent = true;
		tw_agent_open(&in->agent, NULL);
	}
	while (in->agent && (in->trying || next_agent_key(l))) {
		in->trying = true;
		r = libssh2_userauth_publickey(l->session, l->target->user,
		    in->key.p, in->key.n, on_sign, &self);
		if (r == LIBSSH2_ERROR_EAGAIN)
			return TW_L2_AGAIN;
		step = key_answer(l, r, W_("in the agent"));
		if (step != TW_L2_AGAIN)
			return step;
	}
	return TW_L2_STOP;
}

enum tw_l2_step tw_l2_login(struct tw_link *l)
{
	enum tw_l2_step step = TW_L2_STOP;

	if (!l->login.asked_agent)
		step = try_files(l);
	if (step == TW_L2_STOP && l->state == TW_L2_LOGIN &&
	    l->target->use_agent)
		step = try_agent(l);
	if (step == TW_L2_STOP && l->state == TW_L2_LOGIN)
		step = no_key_left(l);
	if (step == TW_L2_NEXT) {
		tw_agent_close(l->login.agent);
		l->login.agent = NULL;
	}
	return step;
}

/* ---- the command ---- */

enum tw_l2_step tw_l2_channel(struct tw_link *l)
{
	char text[160];

	l->channel = libssh2_channel_open_ex(l->session, "session", 7,
	    TW_L2_WINDOW, TW_L2_PACKET, NULL, 0);
	if (l->channel) {
		l->state = TW_L2_EXEC;
		return TW_L2_NEXT;
	}
	if (libssh2_session_last_errno(l->session) == LIBSSH2_ERROR_EAGAIN)
		return TW_L2_AGAIN;
	tw_l2_session_error(l, text, sizeof text);
	if (strstr(text, "prohibited"))
		return tw_l2_fail(l, TW_LINK_PERSON, "the host lets %s open "
		    "no session: %s", l->target->user, text);
	return tw_l2_broken(l, W_("no session"));
}

enum tw_l2_step tw_l2_exec(struct tw_link *l)
{
	int r = libssh2_channel_process_startup(l->channel, "exec", 4,
	    l->command, (unsigned)strlen(l->command));

	if (r == LIBSSH2_ERROR_EAGAIN)
		return TW_L2_AGAIN;
	if (r == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED && !l->farewell)
		return tw_l2_fail(l, TW_LINK_PERSON, "the host lets %s run no "
		    "command", l->target->user);
	if (r != 0)
		return tw_l2_broken(l, W_("no command started"));
	l->state = TW_L2_OPEN;
	tw_l2_watch(l);
	l->events->opened(l->arg);
	return l->closed ? TW_L2_STOP : TW_L2_NEXT;
}
