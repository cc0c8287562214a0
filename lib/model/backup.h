/*
 * backup.h - the tower in one file, and a tower from one
 *
 * What a restored tower may not do is repeat what hosts have done since the
 * backup was made.  They know: a change that they have carried out has its
 * verdict there, and whatever else the state would start bears a number that
 * they have seen, so that it is refused and the host is held, by name, until a
 * person has looked (tw_host_release_hold()).  The epoch of every host grows,
 * which shuts the tower out that is replaced, should it still be alive.
 */
#ifndef TW_MODEL_BACKUP_H
#define TW_MODEL_BACKUP_H

#include "model/who.h"

/* Records "tower.backup" on the tower's chain, then writes the backup, which
 * must not exist: see tw_store_backup().  Rights are the caller's business: the
 * file holds every key. */
enum tw_status tw_backup_make(struct tw_store *s, const char *login,
    const char *path, struct tw_err *err);

/* A state in dir, which holds none, from a backup: see tw_store_restore().
 * Records "tower.restore" on the tower's chain.  *hosts is how many there
 * are. */
enum tw_status tw_backup_restore(const char *dir, const char *path,
    const char *login, int64_t *hosts, struct tw_err *err);

#endif
