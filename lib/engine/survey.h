/*
 * survey.h - ask many hosts at once
 *
 * Facts for `host add` and `host check` (the former makes the spool), checks
 * alone for `queue plan`: these change nothing there.  Leave of a host for
 * `host revoke`.  Nothing of the state here: the caller stores what it wants.
 */
#ifndef TW_ENGINE_SURVEY_H
#define TW_ENGINE_SURVEY_H

#include "base/buf.h"
#include "engine/mask.h"
#include "model/host.h"
#include "ssh/transport.h"

#define TW_SURVEY_OUTPUT_MAX (64 * 1024)	/* bytes kept of a check */

struct tw_survey_step {		/* of a plan */
	char state[12];		/* holds, would, noundo, broken, unknown; "" : no
				 * word */
	int64_t code;
	struct tw_buf output;
};

struct tw_survey_host {
	const struct tw_host *host;
	/* what came of it */
	enum tw_status status;	/* TW_OK; TW_AGAIN: temporary; TW_NO: a person
				   must act; err says why (no host name) */
	struct tw_err err;
	char *facts;		/* a JSON object of strings, or NULL */
	char spool_id[64];	/* "-" when it has none */
	const char *transport;	/* that was used */
	bool has_answered;	/* the executor there spoke: it was logged in */
	bool was_asked;		/* the request was sent, so may have arrived */
	bool has_refused;	/* the executor did: nothing was done */
	bool is_refused;	/* the host refused the login itself */
	char taken[64];		/* revoke: lines of keys, and what became of
				 * the spool: gone, absent, shared, left; "":
				 * the host has not said that it is done */
	char stopped[256];	/* revoke: why it was not done wholly, taken is
				 * what was; "" else */
	struct tw_survey_step *steps;	/* nsteps of the options */
	size_t nsteps;
};

struct tw_survey_options {
	struct tw_store *store;	/* for the organisations' keys */
	const char *verb;	/* "init", "facts", "plan" or "revoke" */
	int jobs;		/* 0: TW_RUNNER_JOBS */
	bool agent;
	const struct tw_transport *transport;	/* tests; or NULL */
	const void *text, *blob;	/* plan: the program */
	size_t text_len, blob_len, nsteps;
	const void *secret;	/* plan: tw_secrets_text() */
	size_t secret_len;
	const char *const *keys;	/* revoke: see engine/wire.h */
	bool shared;
	const struct tw_mask_forms *forms;	/* out of all that hosts say;
						   or NULL */
	/* Called for each host as it is done; or NULL. */
	void (*done)(void *arg, struct tw_survey_host *h);
	void *arg;
};

/* Asks all; TW_OK when it could be tried, whatever came of each host. */
enum tw_status tw_survey(struct tw_survey_host *hosts, size_t n,
    const struct tw_survey_options *o, struct tw_err *err);
/* Frees what came of n hosts (not the array). */
void tw_survey_release(struct tw_survey_host *hosts, size_t n);

#endif
