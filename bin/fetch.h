/*
 * fetch.h - what the tools download, by the tower's rules
 */
#ifndef TW_BIN_FETCH_H
#define TW_BIN_FETCH_H

#include "base/buf.h"
#include "cli.h"
#include "model/host.h"
#include "spec/change_spec.h"

#define FETCH_RULES "fetch.yaml"	/* in the state's directory */

/* The hosts of a change that is to be filed or planned.  Only who may change
 * them all makes the tower go anywhere. */
struct fetch_for {
	const struct tw_host *hosts;	/* NULL: that was asked already */
	size_t n;
};

/* Downloads, through the cache of the open state, what steps of the change
 * want.  TW_DENIED: the caller may not change a host, or the tower may not go
 * there; otherwise as tw_fetch_cached(); TW_CONFIG also: the rules are wrong,
 * which was printed, and err is empty. */
enum tw_status fetch_for_change(struct tw_cli *cli,
    const struct fetch_for *to, struct tw_change_spec *spec,
    struct tw_err *err);

/* Appends what is at url, as tw_fetch_read() does. */
enum tw_status fetch_url(struct tw_cli *cli, const char *url, size_t max,
    struct tw_buf *out, struct tw_err *err);

#endif
