/*
 * contact.h - one contact with one host: log in, send a request, hear the
 *             executor's answer
 *
 * A contact joins a link (bytes) with the journal decoder (words).  It knows
 * the protocol of towerify-executor(7) but no state: the runner, `host check`
 * and `queue plan` stand on it.  All on the thread of one libuv loop.
 */
#ifndef TW_ENGINE_CONTACT_H
#define TW_ENGINE_CONTACT_H

#include "engine/journal.h"
#include "engine/reach.h"
#include "engine/wire.h"

#define TW_CONTACT_NOISE_MAX (64 * 1024)	/* bytes before the hello */

enum tw_contact_end {
	TW_CONTACT_OVER,	/* the executor said all it had to say */
	TW_CONTACT_TEMPORARY,	/* try again later */
	TW_CONTACT_PERSON,	/* a person must act: hold the host */
};

enum tw_contact_refusal {	/* what is known of why it ended */
	TW_REFUSAL_NONE,
	TW_REFUSAL_LOGIN,	/* the host refused this login */
	TW_REFUSAL_PORT,	/* nothing listens at its port */
	TW_REFUSAL_SUDO,	/* this login may not become root */
};

struct tw_hello {		/* "" where the host did not say */
	char boot[64], spool[64], machine[64];
	bool has_fence;		/* it came to look for one */
	int64_t fence_epoch, fence_seq;
};

struct tw_contact;

struct tw_contact_calls {
	/* Logged in; the request may be sent now or later. */
	void (*opened)(void *arg);
	void (*hello)(void *arg, const struct tw_hello *h);
	/* accepted, stream, refused, done, fact, plan, over and what it said */
	void (*control)(void *arg, const char *word, const char *rest);
	void (*event)(void *arg, const struct tw_event *ev);
	void (*output)(void *arg, const char *p, size_t n);
	void (*cut)(void *arg, int64_t bytes);
	/* Once, last; err is NULL with TW_CONTACT_OVER.  Its message bears no
	 * host name. */
	void (*ended)(void *arg, enum tw_contact_end end,
	    const struct tw_err *err);
};

/* Starts; reach must outlive the contact.  transport: NULL, or one to use
 * whatever the reach says (tests). */
enum tw_status tw_contact_open(uv_loop_t *loop, const struct tw_reach *reach,
    const struct tw_transport *transport, const struct tw_contact_calls *calls,
    void *arg, struct tw_contact **out, struct tw_err *err);
/* next: the first event expected. */
enum tw_status tw_contact_send(struct tw_contact *c,
    const struct tw_request *r, int64_t next, struct tw_err *err);
/* Where in the host's stream all was delivered up to. */
void tw_contact_position(const struct tw_contact *c, int64_t *life,
    int64_t *offset, int64_t *next);
/* When a byte came last, or it was opened: tw_clock_mono(). */
int64_t tw_contact_heard(const struct tw_contact *c);
/* The transport that speaks to it ("libssh2", "ssh"). */
const char *tw_contact_transport(const struct tw_contact *c);
/* Once it has ended: was it the host itself that would not have us? */
enum tw_contact_refusal tw_contact_refusal(const struct tw_contact *c);
/* No more calls; frees c.  NULL is fine. */
void tw_contact_close(struct tw_contact *c);

/* A key of a "refused WORD TEXT" that only a person can mend. */
bool tw_refusal_is_persons(const char *word);

#endif
