/*
 * fake.h - the transport of tests: the command runs here, on pipes
 *
 * It is never built into a tool.  The command is run by `sh -c` with HOME set
 * to the target's address (a directory), so that each test host has a spool of
 * its own; faults are set per process, and taken over by a link when it is
 * opened.  Closing a link closes the command's pipes and lets it live, as sshd
 * does when a connection drops; a loop does not wait for it.
 */
#ifndef TW_SSH_FAKE_H
#define TW_SSH_FAKE_H

#include "ssh/transport.h"

struct tw_fake_faults {
	long cut_sent;		/* end TEMPORARY after this many bytes were
				   passed to the command; -1: never.  What was
				   passed before reaches it. */
	long cut_received;	/* the same for bytes from the command */
	bool refuse;		/* open ends TEMPORARY at once */
	bool deny;		/* open ends REFUSED at once */
	int deny_port;		/* the same at this port alone; 0: at none */
	int closed_port;	/* open ends CLOSED at this port; 0: at none */
	int no_key_port;	/* open ends PERSON at this port; 0: at none */
};

extern struct tw_fake_faults tw_fake_faults;	/* initially no faults */

/* What has passed, by all links since the program set these to 0. */
struct tw_fake_counts {
	long sent, received;	/* bytes */
	long cuts;
};

extern struct tw_fake_counts tw_fake_counts;
extern const struct tw_transport tw_transport_fake;

#endif
