/*
 * backup.h - the whole state directory in one file, and back
 *
 * A backup is an SQLite file: the state's tables as they stand, and a table
 * `kept' with the other files of the directory (keys).  Its application_id is
 * another one than the state's, so that it can't be taken for a state: one
 * that was put back must know it.
 */
#ifndef TW_STORE_BACKUP_H
#define TW_STORE_BACKUP_H

#include "store/store.h"

#define TW_BACKUP_FILE_MAX ((size_t)1 << 20)	/* bytes of a file kept */

/* Below the state directory, for backups that don't stay; in none of them. */
#define TW_BACKUP_DIR "backup"

/* Writes the backup to path, which must not exist, with mode 0600: under
 * another name beside it first, checked (integrity, references), synced and
 * renamed.  Others may read and write meanwhile: pages are copied in pieces, and
 * in one go, with the state locked, only when others write so often that the
 * pieces never fit.  Files that go meanwhile are passed over.  TW_NO: path
 * exists, or is in the state directory; TW_AGAIN: busy; TW_CONFIG: disk,
 * directory, the state is damaged, or beside it is what can't be kept: a
 * symbolic link, a device, a directory too deep down.  Nothing is left at path
 * then. */
enum tw_status tw_store_backup(struct tw_store *s, const char *path,
    struct tw_err *err);

/* Makes a state from a backup in dir, which holds none; the directory is made
 * where it is missing.  settle is called with the new state, a transaction open,
 * before it is in place.  Other files of the directory that are in the way are
 * fine when they hold the same.  TW_NO: there is a state already, or another
 * file; TW_CONFIG: path is no backup, is damaged, newer than this program, holds
 * names that can't be.  dir holds no state then. */
enum tw_status tw_store_restore(const char *dir, const char *path,
    enum tw_status (*settle)(struct tw_store *s, void *arg,
    struct tw_err *err), void *arg, struct tw_err *err);

#endif
