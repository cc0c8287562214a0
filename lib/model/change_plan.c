/*
 * change_plan.c - asking only the checks of a change on hosts, which is an act
 *                 as well: an operator's commands run there
 */
#include "model/change_private.h"

#include <stdlib.h>

enum tw_status tw_change_plan(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err)
{
	struct tw_grant_used *used = calloc(n + 1, sizeof *used);
	char hash[TW_SHA256_HEX];
	enum tw_status status;
	struct tw_tx tx;
	size_t i;

	status = used ? tw_tx_begin(&tx, s, err) : tw_err_nomem(err);
	if (status != TW_OK) {
		free(used);
		return status;
	}
	tw_sha256_hex(f->program, f->program_len, hash);
	status = tw_host_permit(s, who, TW_MAY_CHANGE, hosts, n, used, err);
	for (i = 0; status == TW_OK && i < n; i++)
		status = tw_change_record(s, who->org_id, who->login,
		    hosts[i].name, 0, "change.plan", 0,
		    tw_audit_detail("title", f->title, "program", hash,
		    "params", f->params, "grant", used[i].text, (char *)NULL),
		    err);
	free(used);
	return tw_tx_end(&tx, status, err);
}
