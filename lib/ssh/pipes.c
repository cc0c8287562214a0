/*
 * pipes.c - a child process with its standard streams on a loop; see pipes.h
 *
 * The memory is held until every handle is closed: `handles` counts them.  The
 * process handle is closed by the exit callback only, so that the child is
 * always reaped.
 */
#include "ssh/pipes.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* libuv reads a stream at most 32 times a turn, each time into this. */
#define READ_SIZE 8192

struct tw_pipes {
	uv_process_t process;
	uv_pipe_t in;		/* we write */
	uv_pipe_t out[2];	/* we read: the child's fds 1 and 2 */
	const struct tw_pipes_events *events;
	void *arg;
	int handles;		/* not yet closed */
	int open_outputs;
	size_t unsent;		/* writes under way */
	bool piped;		/* in and out[0] are in use */
	bool spare;
	bool exited;
	bool finishing;
	bool closed;
	bool done;
	int status;
	int signal;
	char buf[READ_SIZE];
};

struct sending {
	uv_write_t req;
	struct tw_pipes *p;
	size_t len;
	char data[];
};

static void sending_free(struct sending *s)
{
	explicit_bzero(s->data, s->len);
	free(s);
}

static void on_closed(uv_handle_t *h)
{
	struct tw_pipes *p = h->data;

	if (--p->handles == 0 && p->closed)
		free(p);
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, on_closed);
}

static void check_done(struct tw_pipes *p)
{
	if (p->closed || p->done || !p->exited || p->open_outputs > 0)
		return;
	p->done = true;
	p->events->done(p->arg, p->status, p->signal);
}

static void on_exited(uv_process_t *process, int64_t status, int sig)
{
	struct tw_pipes *p = process->data;

	p->exited = true;
	p->status = (int)status;
	p->signal = sig;
	close_handle((uv_handle_t *)process);
	check_done(p);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct tw_pipes *p = h->data;

	(void)hint;
	*buf = uv_buf_init(p->buf, sizeof p->buf);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct tw_pipes *p = s->data;

	if (p->closed || n == 0)
		return;
	if (n > 0) {
		p->events->data(p->arg, s == (uv_stream_t *)&p->out[0] ? 1 : 2,
		    buf->base, (size_t)n);
		return;
	}
	close_handle((uv_handle_t *)s);
	p->open_outputs--;
	check_done(p);
}

static void on_sent(uv_write_t *req, int status)
{
	struct sending *s = (struct sending *)req;
	struct tw_pipes *p = s->p;

	sending_free(s);
	p->unsent--;
	if (p->closed || p->unsent > 0)
		return;
	if (p->finishing)
		close_handle((uv_handle_t *)&p->in);
	if (status == 0 && p->events->drained)
		p->events->drained(p->arg);
}

static void add_pipe(uv_loop_t *loop, struct tw_pipes *p, uv_pipe_t *pipe)
{
	uv_pipe_init(loop, pipe, 0);
	pipe->data = p;
	p->handles++;
}

/* A child that closed its stdin must not kill us. */
static void ignore_sigpipe(void)
{
	struct sigaction sa;

	if (sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL) {
		sa.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &sa, NULL);
	}
}

static void set_stdio(struct tw_pipes *p, int io_fd, uv_stdio_container_t c[3])
{
	const int readable = UV_CREATE_PIPE | UV_READABLE_PIPE;
	const int writable = UV_CREATE_PIPE | UV_WRITABLE_PIPE;

	if (p->piped) {
		c[0].flags = (uv_stdio_flags)readable;
		c[0].data.stream = (uv_stream_t *)&p->in;
		c[1].flags = (uv_stdio_flags)writable;
		c[1].data.stream = (uv_stream_t *)&p->out[0];
	} else {
		c[0].flags = c[1].flags = UV_INHERIT_FD;
		c[0].data.fd = c[1].data.fd = io_fd;
	}
	c[2].flags = (uv_stdio_flags)writable;
	c[2].data.stream = (uv_stream_t *)&p->out[1];
}

static enum tw_status spawn(uv_loop_t *loop, struct tw_pipes *p,
    const struct tw_pipes_how *how, struct tw_err *err)
{
	uv_stdio_container_t stdio[3];
	uv_process_options_t o;
	int r;

	memset(&o, 0, sizeof o);
	set_stdio(p, how->io_fd, stdio);
	o.exit_cb = on_exited;
	o.file = how->argv[0];
	o.args = (char **)(void *)how->argv;
	o.env = (char **)(void *)how->env;
	o.flags = UV_PROCESS_DETACHED;
	o.stdio = stdio;
	o.stdio_count = 3;
	ignore_sigpipe();
	p->process.data = p;
	r = uv_spawn(loop, &p->process, &o);
	p->handles++;
	if (r != 0) {
		close_handle((uv_handle_t *)&p->process);
		p->exited = true;
		return tw_err_set(err, r == UV_ENOENT || r == UV_EACCES ?
		    TW_CONFIG : TW_AGAIN, "cannot run %s: %s", how->argv[0],
		    uv_strerror(r));
	}
	return TW_OK;
}

static void start_reading(struct tw_pipes *p, uv_pipe_t *pipe)
{
	p->open_outputs++;
	if (uv_read_start((uv_stream_t *)pipe, on_alloc, on_read) != 0) {
		close_handle((uv_handle_t *)pipe);
		p->open_outputs--;
	}
}

enum tw_status tw_pipes_open(uv_loop_t *loop, const struct tw_pipes_how *how,
    const struct tw_pipes_events *events, void *arg, struct tw_pipes **out,
    struct tw_err *err)
{
	struct tw_pipes *p;
	enum tw_status st;

	*out = NULL;
	p = calloc(1, sizeof *p);
	if (!p)
		return tw_err_nomem(err);
	p->events = events;
	p->arg = arg;
	p->piped = how->io_fd < 0;
	p->spare = how->spare;
	add_pipe(loop, p, &p->out[1]);
	if (p->piped) {
		add_pipe(loop, p, &p->in);
		add_pipe(loop, p, &p->out[0]);
	}
	st = spawn(loop, p, how, err);
	if (st != TW_OK) {
		tw_pipes_close(p);
		return st;
	}
	if (p->piped)
		start_reading(p, &p->out[0]);
	start_reading(p, &p->out[1]);
	*out = p;
	return TW_OK;
}

enum tw_status tw_pipes_send(struct tw_pipes *p, const void *data, size_t n,
    struct tw_err *err)
{
	struct sending *s;
	uv_buf_t buf;
	int r;

	if (!p->piped || p->closed || p->finishing ||
	    uv_is_closing((uv_handle_t *)&p->in))
		return tw_err_set(err, TW_AGAIN, "the connection has ended");
	if (n > UINT32_MAX)
		return tw_err_set(err, TW_DATA, "more than 4 GiB at once");
	s = malloc(sizeof *s + n);
	if (!s)
		return tw_err_nomem(err);
	s->p = p;
	s->len = n;
	if (n)
		memcpy(s->data, data, n);
	buf = uv_buf_init(s->data, (unsigned)n);
	r = uv_write(&s->req, (uv_stream_t *)&p->in, &buf, 1, on_sent);
	if (r != 0) {
		sending_free(s);
		return tw_err_set(err, TW_AGAIN, "cannot write: %s",
		    uv_strerror(r));
	}
	p->unsent++;
	return TW_OK;
}

size_t tw_pipes_unsent(const struct tw_pipes *p)
{
	return p->piped ? uv_stream_get_write_queue_size(
	    (const uv_stream_t *)&p->in) : 0;
}

void tw_pipes_finish(struct tw_pipes *p)
{
	p->finishing = true;
	if (p->piped && p->unsent == 0)
		close_handle((uv_handle_t *)&p->in);
}

void tw_pipes_close(struct tw_pipes *p)
{
	if (!p)
		return;
	p->closed = true;
	close_handle((uv_handle_t *)&p->out[1]);
	if (p->piped) {
		close_handle((uv_handle_t *)&p->in);
		close_handle((uv_handle_t *)&p->out[0]);
	}
	if (!p->exited && p->spare)
		close_handle((uv_handle_t *)&p->process);
	else if (!p->exited)
		kill(-p->process.pid, SIGKILL);
	if (p->handles == 0)
		free(p);
}

/* ---- to the end, on a loop of its own ---- */

struct run {
	struct tw_buf *out[2];
	struct tw_pipes *p;
	uv_timer_t timer;
	int status;
	bool late;
};

static void run_data(void *arg, int fd, const void *data, size_t n)
{
	struct run *r = arg;
	struct tw_buf *b = r->out[fd - 1];
	size_t max;

	if (!b)
		return;
	max = b->max ? b->max : TW_BUF_MAX_DEFAULT;
	if (n > max - b->len)
		n = max - b->len;
	tw_buf_add(b, data, n);
}

static void run_done(void *arg, int status, int sig)
{
	struct run *r = arg;

	r->status = sig ? 128 + sig : status;
	tw_pipes_close(r->p);
	uv_close((uv_handle_t *)&r->timer, NULL);
}

static void run_late(uv_timer_t *t)
{
	struct run *r = t->data;

	r->late = true;
	tw_pipes_close(r->p);
	uv_close((uv_handle_t *)t, NULL);
}

enum tw_status tw_pipes_run(const char *const *argv, int limit_ms,
    struct tw_buf *out, struct tw_buf *errout, int *status,
    struct tw_err *err)
{
	static const struct tw_pipes_events events =
	    { run_data, NULL, run_done };
	const struct tw_pipes_how how = { argv, NULL, -1, false };
	struct run r = { .out = { out, errout } };
	enum tw_status st;
	uv_loop_t loop;
	int e;

	e = uv_loop_init(&loop);
	if (e != 0)
		return tw_err_set(err, TW_AGAIN, "cannot make an event loop: "
		    "%s", uv_strerror(e));
	uv_timer_init(&loop, &r.timer);
	r.timer.data = &r;
	st = tw_pipes_open(&loop, &how, &events, &r, &r.p, err);
	if (st == TW_OK) {
		tw_pipes_finish(r.p);
		uv_timer_start(&r.timer, run_late, (uint64_t)limit_ms, 0);
	} else {
		uv_close((uv_handle_t *)&r.timer, NULL);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	*status = r.status;
	if (st == TW_OK && r.late)
		st = tw_err_set(err, TW_AGAIN, "%s took longer than %d s",
		    argv[0], limit_ms / 1000);
	if (st == TW_OK && out)
		st = tw_buf_check(out, err);
	return st;
}
