/* audit.h - verbs of towerify-audit that have a file of their own */
#ifndef TW_BIN_AUDIT_H
#define TW_BIN_AUDIT_H

#include "model/history.h"
#include "tower.h"

/* A time, or a span back from now ("2h"). */
enum tw_status audit_time(const char *s, int64_t *out, struct tw_err *err);
/* Names for --host: records name hosts that may be gone, so names and ranges
 * count as they are, patterns and labels mean the hosts there are.  NULL for
 * expr NULL; for tw_strv_free(). */
enum tw_status audit_hosts(struct tw_cli *cli, const char *expr, char ***out,
    struct tw_err *err);
/* --since, --until and --host into f; *hosts is for tw_strv_free(). */
enum tw_status audit_filter(struct tw_cli *cli, struct tw_history_filter *f,
    char ***hosts, struct tw_err *err);

int audit_stats(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column audit_stats_columns[];
int audit_metrics(struct tw_cli *cli, int argc, char **argv);
int audit_timeline(struct tw_cli *cli, int argc, char **argv);

#endif
