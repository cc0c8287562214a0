/*
 * libssh2_link.h - what the files of the libssh2 transport share
 *
 * libssh2.c         the link: open, send, close, its timer, its way to the host
 * libssh2_login.c   from the handshake to the started command
 * libssh2_stream.c  bytes in and out once the command runs
 * libssh2_session.c the session: its memory, its socket calls
 *
 * libssh2 never meets the end or an error of the socket: our receive and send
 * callbacks report both as "would block" and note them in .cut, so that what
 * has arrived before is delivered, and so that a broken connection is never
 * taken for a refusal, for which libssh2 has the same error codes.
 */
#ifndef TW_SSH_LIBSSH2_LINK_H
#define TW_SSH_LIBSSH2_LINK_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "ssh/agent.h"
#include "ssh/dial.h"
#include "ssh/pipes.h"
#include "ssh/transport.h"

#define TW_L2_TURN ((size_t)256 << 10)	/* bytes each way a turn of the loop */
#define TW_L2_WINDOW ((uint32_t)256 << 10)	/* receive window, bytes */
#define TW_L2_PACKET ((uint32_t)32 << 10)	/* largest packet, bytes */
/* What one session may hold.  256 KiB in packets of one byte are some 2 MB. */
#define TW_L2_MEMORY_MAX ((size_t)8 << 20)

enum tw_l2_state {
	TW_L2_STARTING,		/* connecting, or starting the proxy */
	TW_L2_HANDSHAKE,
	TW_L2_LOGIN,
	TW_L2_CHANNEL,
	TW_L2_EXEC,
	TW_L2_OPEN,
	TW_L2_PROXY_LOST,	/* waits for the proxy's last words */
	TW_L2_ENDED,
};

enum tw_l2_step {		/* how a step of the state's work went */
	TW_L2_AGAIN,		/* must wait for the socket */
	TW_L2_NEXT,		/* .state has moved on */
	TW_L2_STOP,		/* ended or closed: touch nothing */
};

/* The call that said "would block" half-way through a packet, and must be
 * repeated before any other. */
enum tw_l2_pending {
	TW_L2_NONE,
	TW_L2_WRITE,
	TW_L2_READ_OUT,
	TW_L2_READ_ERR,
};

struct tw_l2_block {		/* the head of each piece of libssh2's memory */
	struct tw_l2_block *next, *prev;
	size_t size;
} __attribute__((aligned(16)));

struct tw_l2_chunk {		/* of what is to be sent */
	struct tw_l2_chunk *next;
	size_t len, sent;
	char data[];
};

struct tw_l2_socket {		/* freed by its own close callback */
	uv_poll_t poll;
	int fd;
};

struct tw_l2_login {
	size_t next;		/* identity */
	bool trying;
	int refused;		/* keys */
	bool elsewhere;		/* the ssh transport knows more keys */
	const char *unusable;	/* an identity missing or locked */
	const char *failed;	/* one that could not be read just now */
	bool asked_agent;
	struct tw_agent *agent;
	struct tw_blob key;	/* the agent's under way */
};

struct tw_link {
	uv_loop_t *loop;
	const struct tw_ssh_target *target;
	const struct tw_link_events *events;
	void *arg;
	char *command;			/* NULL: only learn the host key */
	enum tw_l2_state state;
	bool closed;
	uv_timer_t timer;
	uint64_t heard;			/* when bytes last came, uv_now() */
	uint64_t deadline;		/* of login, uv_now() */

	struct tw_dial *dial;
	struct tw_pipes *proxy;
	struct tw_buf proxy_words;	/* the end of its stderr */
	bool proxy_done;
	struct tw_l2_socket *socket;
	int watched;			/* UV_READABLE…: what uv_poll waits for */

	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	struct tw_l2_block *blocks;
	bool has_no_memory;	/* an allocation for libssh2 has failed */
	size_t memory;			/* bytes in blocks */
	size_t budget;			/* bytes still to receive this turn */
	bool hangup;			/* session is being freed: no I/O */
	bool cut;			/* the socket has ended */
	int cut_errno;			/* 0: the other side closed it */
	bool farewell;			/* SSH_MSG_DISCONNECT came */
	char farewell_text[200];

	struct tw_l2_login login;
	struct tw_buf learned;		/* "TYPE BASE64" */

	enum tw_l2_pending pending;
	bool window_full;		/* the host's, for what we send */
	struct tw_l2_chunk *head, *tail;
};

/* ---- libssh2.c ---- */

/* As tw_transport_libssh2.open; command NULL: ends TW_LINK_EOF once
 * link->learned is filled. */
enum tw_status tw_l2_open(uv_loop_t *loop, const struct tw_ssh_target *target,
    const char *command, const struct tw_link_events *events, void *arg,
    struct tw_link **out, struct tw_err *err);
/* Ends the link; returns TW_L2_STOP. */
enum tw_l2_step tw_l2_end(struct tw_link *l, enum tw_link_end end,
    const struct tw_err *err);
/* The same with a message; the status follows from end. */
enum tw_l2_step tw_l2_fail(struct tw_link *l, enum tw_link_end end,
    const char *fmt, ...) TW_PRINTF(3, 4);
/* Ends it TW_LINK_TEMPORARY: while doing `what`, libssh2 said an error or the
 * connection broke. */
enum tw_l2_step tw_l2_broken(struct tw_link *l, const char *what);

/* ---- libssh2_login.c: the steps ---- */
enum tw_l2_step tw_l2_handshake(struct tw_link *l);
enum tw_l2_step tw_l2_login(struct tw_link *l);
enum tw_l2_step tw_l2_channel(struct tw_link *l);
enum tw_l2_step tw_l2_exec(struct tw_link *l);

/* ---- libssh2_stream.c ---- */
enum tw_l2_step tw_l2_stream(struct tw_link *l);
int tw_l2_stream_wants(const struct tw_link *l);	/* UV_READABLE… */

/* ---- libssh2_session.c ---- */

/* Makes l->session for the pinned type ("": any we can check). */
enum tw_status tw_l2_session_new(struct tw_link *l, const char *type,
    struct tw_err *err);
void tw_l2_session_free(struct tw_link *l);
/* libssh2's allocator, for what it frees. */
void *tw_l2_alloc(struct tw_link *l, size_t n);
/* The last error's text, cleaned. */
void tw_l2_session_error(struct tw_link *l, char *out, size_t size);
bool tw_l2_type_ok(const char *type);

#endif
