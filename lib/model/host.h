/*
 * host.h - hosts: what the tower knows of a machine, and whether it is held
 */
#ifndef TW_MODEL_HOST_H
#define TW_MODEL_HOST_H

#include "base/targets.h"
#include "model/grant.h"
#include "model/org.h"

struct tw_host {		/* strings owned; NULL where none */
	int64_t id, org_id;
	char *name, *address, *user, *via, *identity, *spool;
	char *transport, *transport_used, *sshconfig, *hostkey, *spool_id;
	char *queue_id;
	int port;
	bool sudo, port_given, user_given, unhold;
	bool own_config;	/* the owner's ~/.ssh counts; else identity and
				   sshconfig are NULL */
	int64_t epoch, acked_seq, fence_epoch, fence_seq;
	char *held_reason, *held_by;
	int64_t held_since;
	int failures;
	int64_t next_attempt, last_error_at, last_seen, facts_at, created;
	char *last_error, *facts;	/* facts: a JSON object of strings */
	bool leaving;		/* it has said that the tower's key and files
				   are off; that it lets in no more was not
				   seen yet */
	int64_t revoked;	/* when; 0: it is not */
	char *revoked_by;
	char **labels;		/* "key=value", sorted, NULL-terminated */
	/* filled by list and show */
	int64_t queued;		/* changes waiting */
	int64_t running;	/* number (num) of the running change, or 0 */
};
void tw_host_release(struct tw_host *h);

/* What the caller may not see is not there; what may be seen but not touched
 * is TW_DENIED ("alice may not host web1").  Acts need the permission `host' on
 * the host, and name the grant in their audit detail; looks need `view', and
 * are TW_DENIED ("alice may not view anything in organisation 'default'") to
 * whom nothing is visible at all. */

/* Inserts h (name, address, port, user, …, hostkey, labels) with a fresh
 * queue id; audit "host.add".  TW_NO when the name is taken, but by a host that
 * is revoked: that one comes back, with its changes and instances, as h says.  Own
 * transaction, as all functions below. */
enum tw_status tw_host_add(struct tw_store *s, const struct tw_who *who,
    struct tw_host *h, struct tw_err *err);
/* TW_NO: "no host 'x'" (with the nearest name as the hint). */
enum tw_status tw_host_get(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_host *out, struct tw_err *err);
/* By id, without a tenant's limit: for the runner alone. */
enum tw_status tw_host_load(struct tw_store *s, int64_t id,
    struct tw_host *out, struct tw_err *err);
/* Stores every settable field and the labels of h (h->id says which), and ends
 * the wait for the next attempt; permitted with the labels as they were and as
 * they become.  Forgets the fence where h has 0 and was had not, or the spool is
 * another.  A running change that is in doubt is not sent to another spool.
 * Audit "host.set" with what (a JSON object of the keys changed, old and new) as
 * its detail.  was: as the caller has read it, or NULL; TW_AGAIN: somebody has
 * changed one of these fields since, nothing was stored. */
enum tw_status tw_host_save(struct tw_store *s, const struct tw_who *who,
    const struct tw_host *was, const struct tw_host *h, const char *detail,
    struct tw_err *err);
/* Are the settable fields and the labels of both the same? */
bool tw_host_is_same(const struct tw_host *a, const struct tw_host *b);
/* TW_NO while changes run; queued ones become cancelled, each with its audit
 * row ("host removed"). */
enum tw_status tw_host_remove(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err);

/* Leaving a host, for who then takes the tower's key off it.  TW_NO: it is
 * revoked, a change runs, or is queued and !may_cancel.  Holds it, so that none
 * starts; who gives up releases it.  *is_shared: its spool is that of another
 * host of this state. */
enum tw_status tw_host_revoke_begin(struct tw_store *s,
    const struct tw_who *who, const char *name, bool may_cancel,
    bool *is_shared, struct tw_err *err);
/* It has said that key and files are off. */
enum tw_status tw_host_leaving(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err);
/* It lets the tower in no more.  What is queued is cancelled, each with its
 * audit row ("host revoked"); audit "host.revoke" with how many lines of keys
 * and what of the spool was taken (NULL: nobody knows).  From then on there is
 * no contact with it, and whatever needs one is TW_NO: "web1 is revoked". */
enum tw_status tw_host_revoke(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *keys, const char *spool,
    struct tw_err *err);

/* Holds by a person; already held: the first reason stays, TW_OK. */
enum tw_status tw_host_hold(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *reason, struct tw_err *err);
/* TW_NO when it is not held.  Sets unhold, clears failures.  Where the host has
 * seen later numbers of this queue than the state gave out (a restored state,
 * an old copy), its epoch grows and numbers go on beyond those; what it has there
 * and the state does not know is given up, and undone where it is not
 * finished. */
enum tw_status tw_host_release_hold(struct tw_store *s,
    const struct tw_who *who, const char *name, struct tw_err *err);

/* All hosts of the organisation that the caller may see and whose names expr
 * selects (NULL: all), in the expression's order; *out is an array to free with
 * tw_host_list_free(). */
enum tw_status tw_host_select(struct tw_store *s, const struct tw_who *who,
    const char *expr, struct tw_host **out, size_t *n, struct tw_err *err);
void tw_host_list_free(struct tw_host *h, size_t n);

/* May the caller, on all of these, by their labels as stored (those of h where
 * h->id is 0: to be added)?  For what contacts hosts; acts ask again
 * themselves.  TW_DENIED names all where not: "alice may not change web1, web2".
 * TW_NO: one is not there, for the caller, or revoked.  used: n of them, or
 * NULL. */
enum tw_status tw_host_permit(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const struct tw_host *hosts, size_t n,
    struct tw_grant_used *used, struct tw_err *err);
/* The same for an app on each, apps[n] (NULL: of none): "alice may not deploy
 * wiki on web1, web2, shop on web3". */
enum tw_status tw_host_permit_apps(struct tw_store *s,
    const struct tw_who *who, enum tw_permission p, const char *const *apps,
    const struct tw_host *hosts, size_t n, struct tw_grant_used *used,
    struct tw_err *err);
/* May the caller on any host at all? */
enum tw_status tw_host_permit_any(struct tw_store *s,
    const struct tw_who *who, enum tw_permission p, struct tw_err *err);
/* Names of those of the hosts where the caller may `change', or `deploy' some
 * app, for a pass limited to them; free with tw_strv_free().  TW_DENIED: the
 * caller may neither anywhere; must_all: or there is one of them where not. */
enum tw_status tw_host_runnable(struct tw_store *s, const struct tw_who *who,
    const struct tw_host *hosts, size_t n, bool must_all, char ***names,
    struct tw_err *err);

/* What contact with the host taught us; each in a transaction of its own
 * unless one is open. */
/* Facts and, when it was not pinned yet, the spool id; audit "host.check".  A
 * person's act: needs `host'. */
enum tw_status tw_host_checked(struct tw_store *s, const struct tw_who *who,
    int64_t host_id, const char *facts, const char *spool_id,
    const char *transport_used, struct tw_err *err);
/* It answered: failures 0, last_seen, fence raised, unhold cleared if told. */
enum tw_status tw_host_answered(struct tw_store *s, int64_t host_id,
    int64_t now, int64_t fence_epoch, int64_t fence_seq, bool unheld,
    struct tw_err *err);
#define TW_HOST_DELAY_MIN 5000		/* milliseconds between two attempts, */
#define TW_HOST_DELAY_MAX 300000	/* unless told otherwise */
struct tw_host_delays {
	int64_t first, most;
};
/* A temporary failure: counts, next_attempt = now + delay with jitter (the
 * first doubling to the most; less, see tw_change_confirming()), last_error.
 * delays NULL: as above.  No audit row. */
enum tw_status tw_host_unreachable(struct tw_store *s, int64_t host_id,
    int64_t now, const char *error, const struct tw_host_delays *delays,
    struct tw_err *err);
/* The same where it was the host that would not have the login: the delay always
 * grows. */
enum tw_status tw_host_refused(struct tw_store *s, int64_t host_id,
    int64_t now, const char *error, const struct tw_host_delays *delays,
    struct tw_err *err);
/* The tower holds it; audit "host.hold" by "tower".  Already held by the tower:
 * nothing; by a person: that hold becomes the tower's, and says so. */
enum tw_status tw_host_hold_tower(struct tw_store *s, int64_t host_id,
    const char *reason, struct tw_err *err);

#endif
