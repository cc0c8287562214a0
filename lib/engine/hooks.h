/*
 * hooks.h - programs that are told of events (towerify-hooks(7))
 *
 * They run beside a pass: who holds the runner's lock calls tw_hooks_turn()
 * again and again, which starts what is due, looks after what runs and never
 * waits for it.  That a hook has had an event is noted when it has ended.
 */
#ifndef TW_ENGINE_HOOKS_H
#define TW_ENGINE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

#define TW_HOOKS_AT_ONCE 4	/* events that are told at the same time */
#define TW_HOOKS_SAID 1000	/* bytes of what a hook says that are kept */

struct tw_hooks_options {
	struct tw_store *store;	/* open for writing */
	int64_t org_id;		/* 0: of all organisations */
	const char *dir;	/* NULL: there are no hooks */
	int64_t timeout;	/* ms */
	const char *mail, *webhook;	/* for who wants them; or NULL */
	/* Something a person should know: hook is a name, or dir. */
	void (*complain)(void *arg, const char *hook, const char *text);
	void *arg;
};

struct tw_hooks;

/* Reads the directory: regular files that may be executed, with names of letters,
 * digits, - and _, that nobody but root and the caller can write to.  A directory
 * that is not there holds none. */
enum tw_status tw_hooks_new(const struct tw_hooks_options *o,
    struct tw_hooks **out, struct tw_err *err);
void tw_hooks_turn(struct tw_hooks *h);
/* Does one run, or is one to be told something now? */
bool tw_hooks_is_busy(struct tw_hooks *h);
/* Ends what runs: it is told again by the next pass. */
void tw_hooks_free(struct tw_hooks *h);

#endif
