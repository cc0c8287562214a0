/*
 * shim.h - what a driver of tests/fault tells the shim, and hears from it
 *
 * Both map the file that FAULT_PLAN names; it is a struct fault_plan.  The
 * driver fills the upper half before it starts the tool; the lower half is
 * there even if the tool was killed.
 */
#ifndef FAULT_SHIM_H
#define FAULT_SHIM_H

#include <limits.h>
#include <stdint.h>

#define FAULT_PLAN_ENV "FAULT_PLAN"
#define FAULT_TRACE 12		/* return addresses that are kept */

/* What is counted, each kind on its own. */
enum fault_kind {
	FAULT_NONE,
	FAULT_OPEN,
	FAULT_READ,		/* of files and pipes */
	FAULT_WRITE,
	FAULT_SYNC,		/* fsync, fdatasync */
	FAULT_RENAME,
	FAULT_UNLINK,
	FAULT_CONNECT,
	FAULT_RECV,		/* on sockets: from the host */
	FAULT_SEND,		/* to the host */
	FAULT_FORK,		/* fork, posix_spawn */
	FAULT_MEM,		/* asked for by towerify's own code */
	FAULT_LIBMEM,		/* by libyaml, jansson, libssh2 */
	FAULT_SQLMEM,		/* by SQLite, through its hooks */
	FAULT_KINDS
};

enum fault_act {
	FAULT_FAIL,		/* the call fails with .error */
	FAULT_SHORT,		/* a write takes one byte of many */
	FAULT_KILL_BEFORE,	/* SIGKILL instead of the call */
	FAULT_KILL_AFTER,	/* SIGKILL as soon as it has returned */
};

struct fault_plan {
	char tool[32];		/* acts in a program of this name alone */
	char below[PATH_MAX];	/* what happens in this directory … */
	char log[PATH_MAX];	/* … is recorded in this file; "": not */
	int32_t kind, act, error;
	int64_t n;		/* the n-th call, from 1; 0: none */
	int32_t forever;	/* and all after it */

	int64_t calls[FAULT_KINDS];	/* that were made */
	int64_t fired;		/* that were made to fail */
	int32_t ntrace;
	uint64_t trace[FAULT_TRACE];	/* of the first that fired, relative
					   to base: for addr2line -e TOOL */
	uint64_t base;
};

/* The record: what happened to files, in order.  After the header come path
 * and to (both without NUL), then the bytes written. */
enum fault_op {
	FAULT_OP_CREATE,	/* a file under a new name */
	FAULT_OP_MKDIR,
	FAULT_OP_WRITE,
	FAULT_OP_TRUNCATE,	/* to offset */
	FAULT_OP_SYNC,		/* a file, or a directory's names */
	FAULT_OP_UNLINK,
	FAULT_OP_RENAME,
	FAULT_OP_SAID,		/* something went to the host */
};

struct fault_record {
	uint32_t op;
	uint32_t is_dir;
	uint64_t ino;		/* of the file */
	uint64_t offset;
	uint32_t len;		/* of the bytes written */
	uint32_t path_len;	/* relative to .below */
	uint32_t to_len;	/* of RENAME */
};

#endif
