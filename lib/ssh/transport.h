/*
 * transport.h - one connection to one host, running one command
 *
 * A link is one SSH connection with one channel that runs one command; what it
 * writes arrives as bytes, what it is sent is queued.  A link belongs to one
 * libuv loop and all calls and callbacks happen on the loop's thread.  The
 * transport knows nothing of changes; a link's end is never a verdict.
 *
 * A process that opens a link through a child (ssh, fake, via, proxy_command)
 * ignores SIGPIPE from then on, and must leave SIGCHLD to libuv.
 *
 * Implementations: tw_transport_libssh2 (non-blocking, one process for
 * hundreds of hosts), tw_transport_ssh (an `ssh` child, for what libssh2
 * can't do), tw_transport_fake (tests: the command by a local sh on a pipe,
 * cut after so many bytes on request).
 */
#ifndef TW_SSH_TRANSPORT_H
#define TW_SSH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

/* How to reach a host.  Strings belong to the caller and must live as long as
 * the link. */
struct tw_ssh_target {
	const char *name;	/* the host's name, for messages */
	const char *address;	/* name or address to connect to */
	int port;
	const char *user;
	const char *via;	/* ProxyJump: [user@]host[:port],…; or NULL */
	const char *proxy_command;	/* ProxyCommand of ~/.ssh/config, or
					   NULL; run by sh as it stands, its %h
					   %p %r expanded by
					   tw_sshconfig_get(); via wins */
	const char *const *identities;	/* private key files, tried in order;
					   NULL-terminated */
	const char *known_hosts;	/* NULL: ssh's configuration, key files
					   and known_hosts of the user count.
					   Else nothing of them does:
					   identities alone log in, also to
					   jump hosts, which show the keys that
					   this file has; no proxy_command and
					   use_agent then */
	bool pin_jumps;		/* jump hosts that are not in known_hosts are
				   added to it */
	bool use_agent;		/* try the agent too (a terminal only) */
	const char *hostkey;	/* pinned: "TYPE BASE64"; required */
	const char *config_alias;	/* name to give to `ssh` so that
					   ~/.ssh/config applies; or NULL */
};

/* Why a link ended. */
enum tw_link_end {
	TW_LINK_EOF,		/* the command closed its output */
	TW_LINK_TEMPORARY,	/* DNS, time-out, dropped: retry */
	TW_LINK_CLOSED,		/* the same, and known: nothing listens at the
				   host's port (not known through others) */
	TW_LINK_PERSON,		/* host key changed, no key to use: hold */
	TW_LINK_REFUSED,	/* the same, and known: the host itself refuses
				   this login */
	TW_LINK_UNSUPPORTED,	/* this transport can't speak to it */
};

struct tw_link;

struct tw_link_events {
	/* Logged in, command started (the ssh transport: child started). */
	void (*opened)(void *arg);
	/* Bytes of the command's stdout (fd 1) or stderr (fd 2). */
	void (*data)(void *arg, int fd, const void *p, size_t n);
	/* All that was given to send() has left. */
	void (*drained)(void *arg);
	/* Called once, last; the link may only be closed after, or from within.
	 * err is NULL with TW_LINK_EOF, else says why ("cannot connect to
	 * 192.0.2.7 port 22: Connection refused": without the host's name); its
	 * status is TW_AGAIN for the temporary ones, TW_DENIED for a person's,
	 * TW_CONFIG for TW_LINK_UNSUPPORTED. */
	void (*ended)(void *arg, enum tw_link_end end,
	    const struct tw_err *err);
};

struct tw_transport {
	const char *name;	/* "libssh2", "ssh", "fake" */
	/* Starts to connect; the result comes by the events, never from within
	 * this call.  command is copied.  TW_USAGE when the target's parts do
	 * not keep to their grammars (base/name.h). */
	enum tw_status (*open)(uv_loop_t *loop,
	    const struct tw_ssh_target *target, const char *command,
	    const struct tw_link_events *events, void *arg,
	    struct tw_link **out, struct tw_err *err);
	/* Queues a copy of n bytes for the command's stdin, overwritten when
	 * they have left; may be called before opened.  TW_AGAIN after
	 * ended. */
	enum tw_status (*send)(struct tw_link *link, const void *p, size_t n,
	    struct tw_err *err);
	/* Drops the connection at once and frees the link (memory is freed
	 * when the loop has closed its handles): no more events. */
	void (*close)(struct tw_link *link);
};

extern const struct tw_transport tw_transport_libssh2;
extern const struct tw_transport tw_transport_ssh;

/* What a link waits for, and how long unless told otherwise, milliseconds: to
 * connect; for handshake and login together; after that, while no byte comes
 * (the host beats every 10 s) and none of those sent is seen to be taken. */
enum tw_link_wait { TW_LINK_CONNECT, TW_LINK_LOGIN, TW_LINK_IDLE,
	TW_LINK_WAITS };
#define TW_LINK_CONNECT_MS 10000
#define TW_LINK_LOGIN_MS 30000
#define TW_LINK_IDLE_MS 30000

/* Sets a limit for all links of the process that are opened from now on. */
void tw_link_set_limit(enum tw_link_wait wait, int ms);

/* The name of the transport ("libssh2", "ssh") → it, or NULL. */
const struct tw_transport *tw_transport_find(const char *name);

/* The limit in milliseconds.  The environment may shorten it, for tests:
 * TOWERIFY_LINK_TIMEOUT_MS is for all three. */
int tw_link_limit(enum tw_link_wait wait);

/* How often to look, within such a limit, whether bytes are taken. */
uint64_t tw_link_look(int limit_ms);

#endif
