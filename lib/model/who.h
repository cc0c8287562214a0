/*
 * who.h - who is calling, for which organisation, and through which gate
 *
 * Every function of the model that people's acts and looks go through takes
 * the caller's struct tw_who.  Statements about what organisations own are
 * prepared by tw_tenant_stmt() alone (tenant.c), which binds the organisation.
 */
#ifndef TW_MODEL_WHO_H
#define TW_MODEL_WHO_H

#include "store/store.h"

/* How the caller reached the tool.  Behind a gate no path of the caller's is
 * opened. */
enum tw_gate {
	TW_GATE_NONE,		/* the state's owner, or root */
	TW_GATE_SUDO,		/* SUDO_UID is set */
	TW_GATE_SHELL,		/* TOWERIFY_OPERATOR is set: towerify-shell */
};

struct tw_caller {		/* release with tw_caller_release() */
	char *login;
	enum tw_gate gate;
};

/* SUDO_UID where it is set (nothing else counts then), else TOWERIFY_OPERATOR,
 * else the real uid.  SUDO_UID of the process' own real uid is no gate.
 * TW_DENIED when there is no such user, or the name can't be one. */
enum tw_status tw_caller_get(struct tw_caller *out, struct tw_err *err);
void tw_caller_release(struct tw_caller *c);

struct tw_who {			/* who acts; release with tw_who_release() */
	int64_t operator_id;	/* 0: the state's owner, who is no operator */
	char *login;
	bool is_admin;		/* of the tower */
	bool is_gated;
	int64_t org_id;		/* 0 with operator_id 0 */
	char *org;
};

enum tw_who_mode {
	TW_WHO_OPERATOR,	/* must be an operator */
	TW_WHO_FOUNDER,		/* where there is none yet the caller becomes
				 * the administrator (not behind a gate) */
	TW_WHO_OWNER,		/* the state's owner need not be one, where
				 * no organisation is named (not behind a
				 * gate): for passes of cron */
};

/* Finds operator and organisation (org NULL: the operator's only one, else
 * "default").  An administrator of the tower may name any organisation, and
 * has no permission there but `admin' unless granted.  TW_DENIED for an unknown
 * operator ("alice is not an operator of this tower"); TW_NO for an
 * organisation that does not exist or is not the operator's ("organisation 'x'
 * not found", the same words). */
enum tw_status tw_who_get(struct tw_store *s, const struct tw_caller *caller,
    const char *org, enum tw_who_mode mode, struct tw_who *out,
    struct tw_err *err);
void tw_who_release(struct tw_who *w);

#endif
