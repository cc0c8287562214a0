/*
 * child.c - the transport for what libssh2 can't do: an `ssh` child a link
 *
 * The child gets the pinned key in a known_hosts file of its own under an
 * alias, so that neither the user's known_hosts nor the host's address matter.
 * What it says itself comes on the same stderr as the command's; its last words
 * are believed only when the command has written nothing.  `opened` is
 * signalled when the child runs; the login is under way then.
 */
#include "ssh/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh/hostkey.h"
#include "ssh/pipes.h"
#include "ssh/sshargs.h"

#define ALIAS "towerify-pinned"
#define WORDS_MAX 4096		/* bytes kept of stderr */
#define SSH_FAILED 255		/* ssh's own exit status for its errors */

struct tw_link {
	uv_loop_t *loop;
	const struct tw_ssh_target *target;
	const struct tw_link_events *events;
	void *arg;
	char *command;
	char *known_hosts;	/* the temporary file */
	struct tw_pipes *pipes;
	struct tw_buf queue;	/* sent before the child was started */
	struct tw_buf words;	/* the end of stderr */
	uv_timer_t timer;
	uint64_t heard;		/* when a byte last came, or was taken */
	size_t unsent;		/* bytes that the child had yet to take */
	bool answered;		/* the command has written to stdout */
	bool ended;
};

static void queue_release(struct tw_link *l)
{
	if (l->queue.data)
		explicit_bzero(l->queue.data, l->queue.len);
	tw_buf_release(&l->queue);
}

static void end(struct tw_link *l, enum tw_link_end how,
    const struct tw_err *err)
{
	l->ended = true;
	uv_timer_stop(&l->timer);
	l->events->ended(l->arg, how, err);
}

static void on_timer(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	uint64_t now = uv_now(l->loop), until, look;
	int idle = tw_link_limit(TW_LINK_IDLE);
	size_t unsent = tw_pipes_unsent(l->pipes);
	struct tw_err err;

	/* Until the first byte the child connects and logs in. */
	if (!l->words.len && !l->answered)
		idle = tw_link_limit(TW_LINK_CONNECT) +
		    tw_link_limit(TW_LINK_LOGIN);
	if (unsent < l->unsent)
		l->heard = now;
	l->unsent = unsent;
	until = l->heard + (uint64_t)idle;
	look = tw_link_look(idle);
	if (now < until) {
		uv_timer_start(t, on_timer, until - now < look ? until - now :
		    look, 0);
		return;
	}
	tw_err_set(&err, TW_AGAIN, "no answer for %d s", (idle + 999) / 1000);
	end(l, TW_LINK_TEMPORARY, &err);
}

static void on_data(void *arg, int fd, const void *p, size_t n)
{
	struct tw_link *l = arg;

	if (l->ended)
		return;
	l->heard = uv_now(l->loop);
	if (fd == 1) {
		l->answered = true;
	} else {
		if (l->words.len + n > 2 * WORDS_MAX)
			tw_buf_drop(&l->words, l->words.len);
		tw_buf_add(&l->words, p, n);
	}
	l->events->data(l->arg, fd, p, n);
}

static void on_drained(void *arg)
{
	struct tw_link *l = arg;

	if (!l->ended)
		l->events->drained(l->arg);
}

static void on_done(void *arg, int status, int sig)
{
	struct tw_link *l = arg;
	enum tw_link_end how;
	struct tw_err err;

	if (l->ended)
		return;
	if (status != SSH_FAILED && sig == 0) {
		end(l, TW_LINK_EOF, NULL);
		return;
	}
	how = tw_sshargs_verdict_of(l->target, l->answered ? "" :
	    tw_buf_str(&l->words), &err);
	end(l, how, &err);
}

static const struct tw_pipes_events pipe_events = {
	on_data, on_drained, on_done,
};

static void start_argv(const struct tw_link *l, struct tw_argv *a)
{
	tw_argv_add(a, "-o");
	tw_argv_add(a, "StrictHostKeyChecking=yes");
	tw_argv_add(a, "-o");
	tw_argv_add(a, "UserKnownHostsFile=\"%s\"", l->known_hosts);
	tw_argv_add(a, "-o");
	tw_argv_add(a, "HostKeyAlias=" ALIAS);
	tw_argv_add(a, "-o");
	tw_argv_add(a, "RemoteCommand=none");
	tw_sshargs_dest(l->target, a);
	tw_argv_add(a, "%s", l->command);
}

static enum tw_status write_known_hosts(struct tw_link *l, struct tw_err *err)
{
	struct tw_buf line = TW_BUF_INIT, blob = TW_BUF_INIT;
	char type[TW_HOSTKEY_TYPE_MAX], print[TW_FINGERPRINT_MAX];
	enum tw_status st;

	st = tw_hostkey_decode(l->target->hostkey, type, &blob, err);
	tw_buf_adds(&line, ALIAS " ");
	if (st == TW_OK)
		st = tw_hostkey_encode(blob.data, blob.len, &line, print, err);
	tw_buf_addc(&line, '\n');
	if (st == TW_OK)
		st = tw_buf_check(&line, err);
	if (st == TW_OK)
		st = tw_sshargs_temp(line.data, line.len, &l->known_hosts,
		    err);
	tw_buf_release(&line);
	tw_buf_release(&blob);
	return st;
}

/* The first turn: starts the child. */
static void on_start(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	struct tw_pipes_how how = { .io_fd = -1 };
	struct tw_argv argv = { 0 };
	enum tw_status st;
	struct tw_err err;

	st = write_known_hosts(l, &err);
	if (st == TW_OK)
		st = tw_sshargs_base(l->target, &argv, &err);
	if (st == TW_OK) {
		start_argv(l, &argv);
		if (argv.failed)
			st = tw_err_nomem(&err);
	}
	if (st == TW_OK) {
		how.argv = (const char *const *)argv.v;
		st = tw_pipes_open(l->loop, &how, &pipe_events, l, &l->pipes,
		    &err);
	}
	tw_argv_release(&argv);
	if (st == TW_OK && l->queue.len > 0)
		st = tw_pipes_send(l->pipes, l->queue.data, l->queue.len,
		    &err);
	queue_release(l);
	if (st != TW_OK) {
		end(l, st == TW_USAGE ? TW_LINK_PERSON : TW_LINK_TEMPORARY,
		    &err);
		return;
	}
	l->heard = uv_now(l->loop);
	uv_timer_start(t, on_timer, 1, 0);
	l->events->opened(l->arg);
}

static enum tw_status child_open(uv_loop_t *loop,
    const struct tw_ssh_target *target, const char *command,
    const struct tw_link_events *events, void *arg, struct tw_link **out,
    struct tw_err *err)
{
	struct tw_link *l;
	enum tw_status st;

	*out = NULL;
	if (!target->hostkey)
		return tw_err_set(err, TW_USAGE, "no host key is pinned");
	st = tw_sshargs_check(target, err);
	if (st != TW_OK)
		return st;
	l = calloc(1, sizeof *l);
	if (!l)
		return tw_err_nomem(err);
	l->command = strdup(command);
	if (!l->command) {
		free(l);
		return tw_err_nomem(err);
	}
	l->loop = loop;
	l->target = target;
	l->events = events;
	l->arg = arg;
	l->queue.max = SIZE_MAX / 2;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	uv_timer_start(&l->timer, on_start, 0, 0);
	*out = l;
	return TW_OK;
}

static enum tw_status child_send(struct tw_link *l, const void *p, size_t n,
    struct tw_err *err)
{
	if (l->ended)
		return tw_err_set(err, TW_AGAIN, "the connection has ended");
	if (n == 0)
		return TW_OK;
	if (l->pipes)
		return tw_pipes_send(l->pipes, p, n, err);
	return tw_buf_add(&l->queue, p, n) ? TW_OK : tw_err_nomem(err);
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void child_close(struct tw_link *l)
{
	l->ended = true;
	tw_pipes_close(l->pipes);
	if (l->known_hosts)
		unlink(l->known_hosts);
	free(l->known_hosts);
	free(l->command);
	queue_release(l);
	tw_buf_release(&l->words);
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

const struct tw_transport tw_transport_ssh = {
	.name = "ssh",
	.open = child_open,
	.send = child_send,
	.close = child_close,
};
