/*
 * fake.c - the transport of tests: the command runs here, on pipes; see fake.h
 *
 * A cut link leaves the command alive with its pipes closed, as sshd does.
 */
#include "ssh/fake.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh/pipes.h"

struct tw_fake_faults tw_fake_faults = { .cut_sent = -1, .cut_received = -1 };
struct tw_fake_counts tw_fake_counts;

struct tw_link {
	uv_loop_t *loop;
	const struct tw_ssh_target *target;
	const struct tw_link_events *events;
	void *arg;
	char *command;
	struct tw_pipes *pipes;
	struct tw_buf queue;		/* sent before the command runs */
	struct tw_fake_faults faults;	/* as they were at open */
	long sent, received;
	bool cut;		/* no more goes to the command */
	bool lost;		/* no more comes from the command */
	bool ended;
	uv_timer_t timer;
};

static void end(struct tw_link *l, enum tw_link_end how, const char *why)
{
	struct tw_err err;

	l->ended = true;
	uv_timer_stop(&l->timer);
	tw_err_set(&err, how == TW_LINK_PERSON || how == TW_LINK_REFUSED ?
	    TW_DENIED : TW_AGAIN, "%s", why ? why : "");
	l->events->ended(l->arg, how, why ? &err : NULL);
}

static void on_cut(uv_timer_t *t)
{
	end(t->data, TW_LINK_TEMPORARY, "connection lost: cut on request");
}

static void on_data(void *arg, int fd, const void *p, size_t n)
{
	struct tw_link *l = arg;
	long left = l->faults.cut_received - l->received;
	bool cut = l->faults.cut_received >= 0 && left <= (long)n;

	if (l->ended || l->lost)
		return;
	if (cut)
		n = (size_t)left;
	l->received += (long)n;
	tw_fake_counts.received += (long)n;
	tw_fake_counts.cuts += cut;
	/* Not at once: the receiver may close the link while it takes the last
	 * bytes. */
	if (cut) {
		l->lost = true;
		uv_timer_start(&l->timer, on_cut, 0, 0);
	}
	if (n > 0)
		l->events->data(l->arg, fd, p, n);
}

static void on_drained(void *arg)
{
	struct tw_link *l = arg;

	if (l->ended)
		return;
	if (l->cut)
		on_cut(&l->timer);
	else
		l->events->drained(l->arg);
}

static void on_done(void *arg, int status, int sig)
{
	struct tw_link *l = arg;

	(void)status;
	(void)sig;
	if (l->ended)
		return;
	if (l->cut || l->lost)
		on_cut(&l->timer);
	else
		end(l, TW_LINK_EOF, NULL);
}

static const struct tw_pipes_events pipe_events = {
	on_data, on_drained, on_done,
};

/* Passes bytes to the command, as many as the faults let through. */
static enum tw_status pass(struct tw_link *l, const void *p, size_t n,
    struct tw_err *err)
{
	long left = l->faults.cut_sent - l->sent;

	if (l->cut)
		return TW_OK;
	if (l->faults.cut_sent >= 0 && left <= (long)n) {
		n = (size_t)left;
		l->cut = true;
		tw_fake_counts.cuts++;
	}
	l->sent += (long)n;
	tw_fake_counts.sent += (long)n;
	if (n > 0)
		return tw_pipes_send(l->pipes, p, n, err);
	uv_timer_start(&l->timer, on_cut, 0, 0);
	return TW_OK;
}

/* Our environment with another HOME; the caller frees the array and its first
 * member. */
static const char **make_env(const char *home)
{
	const char **env;
	char *own;
	size_t n, i, k = 1;

	for (n = 0; environ[n]; n++)
		continue;
	env = calloc(n + 2, sizeof *env);
	own = malloc(strlen(home) + sizeof "HOME=");
	if (!env || !own) {
		free(env);
		free(own);
		return NULL;
	}
	memcpy(own, "HOME=", 5);
	memcpy(own + 5, home, strlen(home) + 1);
	env[0] = own;
	for (i = 0; i < n; i++)
		if (strncmp(environ[i], "HOME=", 5) != 0)
			env[k++] = environ[i];
	return env;
}

static enum tw_status start_command(struct tw_link *l, struct tw_err *err)
{
	const char *argv[] = { "sh", "-c", l->command, NULL };
	const char **env = make_env(l->target->address);
	struct tw_pipes_how how = { argv, env, -1, true };
	enum tw_status st;

	if (!env)
		return tw_err_nomem(err);
	st = tw_pipes_open(l->loop, &how, &pipe_events, l, &l->pipes, err);
	free((void *)(uintptr_t)env[0]);
	free(env);
	if (st == TW_OK && l->queue.len > 0)
		st = pass(l, l->queue.data, l->queue.len, err);
	tw_buf_release(&l->queue);
	return st;
}

/* Is that fault's port this link's?  0: no port is. */
static bool at_port(const struct tw_link *l, int port)
{
	return port != 0 && port == l->target->port;
}

static void on_start(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	struct tw_err err;

	if (l->faults.refuse) {
		end(l, TW_LINK_TEMPORARY, "cannot connect: refused on request");
	} else if (at_port(l, l->faults.closed_port)) {
		end(l, TW_LINK_CLOSED, "cannot connect: closed on request");
	} else if (at_port(l, l->faults.no_key_port)) {
		end(l, TW_LINK_PERSON, "another host key on request");
	} else if (l->faults.deny || at_port(l, l->faults.deny_port)) {
		end(l, TW_LINK_REFUSED, "login refused on request");
	} else if (start_command(l, &err) != TW_OK) {
		end(l, TW_LINK_TEMPORARY, err.msg);
	} else {
		l->events->opened(l->arg);
	}
}

static enum tw_status fake_open(uv_loop_t *loop,
    const struct tw_ssh_target *target, const char *command,
    const struct tw_link_events *events, void *arg, struct tw_link **out,
    struct tw_err *err)
{
	struct tw_link *l = calloc(1, sizeof *l);

	*out = NULL;
	if (!l || !(l->command = strdup(command))) {
		free(l);
		return tw_err_nomem(err);
	}
	l->loop = loop;
	l->target = target;
	l->events = events;
	l->arg = arg;
	l->faults = tw_fake_faults;
	l->queue.max = SIZE_MAX / 2;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	uv_timer_start(&l->timer, on_start, 0, 0);
	*out = l;
	return TW_OK;
}

static enum tw_status fake_send(struct tw_link *l, const void *p, size_t n,
    struct tw_err *err)
{
	if (l->ended)
		return tw_err_set(err, TW_AGAIN, "the connection has ended");
	if (n == 0)
		return TW_OK;
	if (l->pipes)
		return pass(l, p, n, err);
	return tw_buf_add(&l->queue, p, n) ? TW_OK : tw_err_nomem(err);
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void fake_close(struct tw_link *l)
{
	l->ended = true;
	tw_pipes_close(l->pipes);
	free(l->command);
	tw_buf_release(&l->queue);
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

const struct tw_transport tw_transport_fake = {
	.name = "fake",
	.open = fake_open,
	.send = fake_send,
	.close = fake_close,
};
