/* backup.c - the tower in one file, and a tower from one; see backup.h */
#include "model/backup.h"

#include "model/model_private.h"
#include "model/org_private.h"
#include "store/backup.h"

static enum tw_status record(struct tw_store *s, const char *login,
    const char *action, const char *path, struct tw_err *err)
{
	return tw_org_record(s, TW_AUDIT_TOWER, login, action,
	    tw_audit_detail("file", path, (char *)NULL), err);
}

enum tw_status tw_backup_make(struct tw_store *s, const char *login,
    const char *path, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = record(s, login, "tower.backup", path, err);
	status = tw_tx_end(&tx, status, err);
	return status == TW_OK ? tw_store_backup(s, path, err) : status;
}

static const char epoch_sql[] = "UPDATE host SET epoch = epoch + 1";

struct settling {
	const char *login, *path;
	int64_t hosts;
};

static enum tw_status settle(struct tw_store *s, void *arg,
    struct tw_err *err)
{
	struct settling *r = arg;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, epoch_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	r->hosts = tw_store_changes(s);
	return record(s, r->login, "tower.restore", r->path, err);
}

enum tw_status tw_backup_restore(const char *dir, const char *path,
    const char *login, int64_t *hosts, struct tw_err *err)
{
	struct settling r = { login, path, 0 };
	enum tw_status status;

	status = tw_store_restore(dir, path, settle, &r, err);
	*hosts = r.hosts;
	return status;
}
