/*
 * instance.h - apps on hosts: which, in what version, with which parameters,
 *              and whether they run
 *
 * An instance is what its changes make of it: filing one moves it, and so does
 * the one place where changes end.  version and params are always those that are
 * there; what an upgrade would bring stands in its change until it has
 * succeeded.  No two changes of an instance are under way at once.
 */
#ifndef TW_MODEL_INSTANCE_H
#define TW_MODEL_INSTANCE_H

#include "model/app.h"
#include "model/change.h"

enum tw_instance_action {
	TW_INSTANCE_DEPLOY,
	TW_INSTANCE_START,
	TW_INSTANCE_STOP,
	TW_INSTANCE_UPGRADE,
	TW_INSTANCE_UNDEPLOY,
	TW_INSTANCE_BACKUP,
	TW_INSTANCE_RESTORE,
	TW_INSTANCE_CHECK,
};
#define TW_INSTANCE_ACTIONS 8
const char *tw_instance_action_name(enum tw_instance_action a);
bool tw_instance_action_parse(const char *name, enum tw_instance_action *out);

enum tw_instance_state {
	TW_INSTANCE_GONE,	/* also: never was there */
	TW_INSTANCE_DEPLOYING,
	TW_INSTANCE_RUNNING,
	TW_INSTANCE_STOPPED,
	TW_INSTANCE_UPGRADING,
	TW_INSTANCE_UNDEPLOYING,
	TW_INSTANCE_FAILED,	/* a change of it failed: nobody knows */
};
#define TW_INSTANCE_STATES 7
const char *tw_instance_state_name(enum tw_instance_state s);
bool tw_instance_state_parse(const char *name, enum tw_instance_state *out);

/* --- the automaton, pure --------------------------------------------------- */

/* Can that be filed for an instance in that state? */
bool tw_instance_can(enum tw_instance_action a, enum tw_instance_state s);
/* Its state while the change is under way. */
enum tw_instance_state tw_instance_during(enum tw_instance_action a,
    enum tw_instance_state s);
/* Its state when the change has ended as `end' (an ended status); was: its
 * state before the change was filed. */
enum tw_instance_state tw_instance_after(enum tw_instance_action a,
    enum tw_change_status end, enum tw_instance_state was);

/* --- rows -------------------------------------------------------------------- */

struct tw_instance {		/* strings owned; NULL where none */
	int64_t id, host_id;
	char *host, *name, *app, *version;
	enum tw_app_source source;
	char *params;		/* a JSON object, without secrets */
	enum tw_instance_state state;
	char *next_version;	/* of the upgrade under way, else of the
				 * latest that failed: until one succeeds */
	int64_t latest;		/* id of its latest change */
	int64_t change;		/* its number */
	char *action;		/* what that one does */
	bool is_busy;		/* it has not ended */
	int64_t created, changed;
};
void tw_instance_release(struct tw_instance *i);
void tw_instances_free(struct tw_instance *i, size_t n);

struct tw_instance_filter {	/* zeroed: all that are not gone */
	const struct tw_host *hosts; size_t nhosts;	/* NULL: any */
	const char *name, *app;	/* or NULL */
	bool all;		/* those that are gone too */
};
/* Those on hosts that the caller may see, by host and name. */
enum tw_status tw_instance_select(struct tw_store *s,
    const struct tw_who *who, const struct tw_instance_filter *f,
    struct tw_instance **out, size_t *n, struct tw_err *err);

struct tw_instance_act {	/* what the change of a filing does */
	enum tw_instance_action action;
	const char *app, *version;	/* of an upgrade: the new one */
	enum tw_app_source source;
	const char *instance;	/* its name */
	int64_t latest;		/* its .latest when it was looked at; 0: none */
};

/* TW_NO: why that can't be filed for it now ("wiki on web1 is stopped
 * already", "change 12 of wiki on web1 has not ended").  i NULL: it is not
 * there. */
enum tw_status tw_instance_check(const struct tw_instance *i,
    enum tw_instance_action a, const char *name, const char *host,
    struct tw_err *err);

#endif
