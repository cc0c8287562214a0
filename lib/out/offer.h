/*
 * offer.h - writing to whom one must not wait for
 *
 * Who reads what a tool says behind a gate is its caller, and may never read.
 */
#ifndef TW_OUT_OFFER_H
#define TW_OUT_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#define TW_OFFER_MS 100		/* for the rest of what was begun */

/* False for a file of a file system in user space: writing to it, even asking
 * about it, lasts as long as its owner likes. */
bool tw_offer_is_possible(int fd);

/* Can fd take something at once? */
bool tw_offer_is_welcome(int fd);

/* Writes what fd takes, and drops it all when it takes nothing at once.  Never
 * lasts longer than TW_OFFER_MS and a little.  The process's SIGALRM and
 * ITIMER_REAL are used for it. */
void tw_offer(int fd, const void *p, size_t n);

#endif
