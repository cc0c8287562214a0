/*
 * backup_private.h - what backup.c, restore.c and backup_sum.c share
 */
#ifndef TW_STORE_BACKUP_PRIVATE_H
#define TW_STORE_BACKUP_PRIVATE_H

#include "store/backup.h"
#include "store/store_private.h"

#define TW_BACKUP_APP_ID 0x746f7762	/* "towb" */
#define TW_BACKUP_DEPTH 4		/* directories in each other */

/* All pages of one open file into the other, which is empty. */
enum tw_status tw_backup_pages(struct tw_store *from, struct tw_store *to,
    struct tw_err *err);

/* Is a name at the top of the state directory no part of a backup? */
bool tw_backup_leaves_out(const char *name);

/* The SHA-256 of all bytes before, as a line behind the last page, where SQLite
 * does not look.  add: synced.  check: TW_CONFIG when it is not there or another
 * one: cut short, or damaged. */
enum tw_status tw_backup_add_sum(const char *path, struct tw_err *err);
enum tw_status tw_backup_check_sum(const char *path, struct tw_err *err);

#endif
