/*
 * wire.h - what the tower sends to a host: a constant command, the executor,
 *          one request line, the program, its secrets (towerify-executor(7))
 */
#ifndef TW_ENGINE_WIRE_H
#define TW_ENGINE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The command line of every session: reads the executor from stdin, checks
 * its length and runs it.  It holds nothing of the request. */
extern const char tw_wire_command[];
/* The same as root, by `sudo -n`. */
extern const char tw_wire_command_sudo[];

/* share/host/executor.sh without comments and indentation. */
extern const char tw_executor_text[];
extern const size_t tw_executor_text_len;

struct tw_request {
	const char *verb;	/* init, facts, start, resume, confirm, plan,
				   revoke */
	const char *nonce;	/* 32 hex digits */
	const char *spool;	/* NULL: the default place */
	const char *spool_id;	/* pinned; NULL: none */
	const char *queue_id;	/* 32 hex digits; NULL: none */
	int64_t epoch, ack;	/* stored up to seq `ack` */
	int64_t fence_epoch, fence_seq;	/* the highest seen there */
	bool unhold;
	const char *job;	/* start, resume, confirm: the change's uid */
	int64_t step;		/* confirm: which one */
	int64_t seq, life, offset;
	int64_t events;		/* of its journal are known here */
	const char *cancel;	/* a login, or NULL */
	const char *tower, *host;	/* names; NULL: not said */
	int64_t change;		/* number people see */
	int64_t room;		/* bytes to reserve for the journal */
	int64_t steps;		/* how many the program has */
	int64_t cap;		/* bytes of a step's output kept at either end;
				   0: as the executor has it */
	const void *text;	/* start, plan: the program */
	size_t text_len;
	const void *blob;
	size_t blob_len;
	const void *secret;	/* start, resume, confirm, plan:
				   tw_secrets_text() */
	size_t secret_len;	/* 0: none */
	const char *const *keys;	/* revoke: "TYPE:BASE64", NULL-ended */
	bool shared;		/* revoke: the spool is another queue's too */
};

/* Appends all of it to out: executor, request line, program, secrets.  out is
 * grown once, so that no copy of a secret stays behind; whoever releases it
 * wipes it then. */
enum tw_status tw_wire_request(const struct tw_request *r, struct tw_buf *out,
    struct tw_err *err);

#endif
