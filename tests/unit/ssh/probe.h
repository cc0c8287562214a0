/*
 * probe.h - one link under test, and what came of it
 *
 * Included by the test programs of this folder, one translation unit each.
 */
#ifndef TW_TESTS_PROBE_H
#define TW_TESTS_PROBE_H

#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "ssh/transport.h"

struct probe {
	const struct tw_transport *transport;
	struct tw_ssh_target target;
	struct tw_link *link;
	struct tw_buf out[2];		/* what came, at most 64 KiB of each */
	size_t count[2];		/* bytes that came */
	int opened, drained, ended;
	enum tw_link_end end;
	struct tw_err err;		/* status 0: it ended without one */
	bool err_given;
	/* What to do when: */
	bool close_when_opened;
	size_t close_after;		/* bytes of fd 1; 0: never */
	void (*on_first)(struct probe *p);	/* with the first byte */
	void (*on_data)(struct probe *p);
	struct probe *also_close;	/* when this one ends */
};

static void probe_close(struct probe *p)
{
	if (p->link)
		p->transport->close(p->link);
	p->link = NULL;
}

static void probe_opened(void *arg)
{
	struct probe *p = arg;

	p->opened++;
	if (p->close_when_opened)
		probe_close(p);
}

static void probe_data(void *arg, int fd, const void *data, size_t n)
{
	struct probe *p = arg;
	bool first = p->count[0] + p->count[1] == 0;

	p->count[fd - 1] += n;
	if (p->out[fd - 1].len < 65536)
		tw_buf_add(&p->out[fd - 1], data, n < 65536 ? n : 65536);
	if (p->on_data)
		p->on_data(p);
	if (first && p->on_first)
		p->on_first(p);
	if (p->close_after && p->count[0] >= p->close_after)
		probe_close(p);
}

static void probe_drained(void *arg)
{
	struct probe *p = arg;

	p->drained++;
}

static void probe_ended(void *arg, enum tw_link_end end,
    const struct tw_err *err)
{
	struct probe *p = arg;

	p->ended++;
	p->end = end;
	p->err_given = err != NULL;
	if (err)
		p->err = *err;
	probe_close(p);
	if (p->also_close)
		probe_close(p->also_close);
}

static const struct tw_link_events probe_events = {
	probe_opened, probe_data, probe_drained, probe_ended,
};

static enum tw_status probe_open(uv_loop_t *loop, struct probe *p,
    const char *command)
{
	return p->transport->open(loop, &p->target, command, &probe_events, p,
	    &p->link, &p->err);
}

static void probe_release(struct probe *p)
{
	tw_buf_release(&p->out[0]);
	tw_buf_release(&p->out[1]);
}

#endif
