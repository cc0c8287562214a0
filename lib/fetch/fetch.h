/*
 * fetch.h - files from the network
 *
 * What is there at an address is downloaded by a program of its own,
 * towerify-fetch, so that no tool that holds keys and secrets has libcurl in
 * it.  It speaks https and http, follows redirects one by one, and is limited
 * in size, in time and in where it may go.
 */
#ifndef TW_FETCH_FETCH_H
#define TW_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TW_FETCH_URL_MAX 4000			/* bytes */
#define TW_FETCH_TIMEOUT INT64_C(600000)	/* default, milliseconds */
#define TW_FETCH_CACHE_MAX ((uint64_t)4 << 30)	/* default, bytes */

struct tw_fetch {		/* how; all borrowed */
	const char *helper;	/* path of towerify-fetch */
	/* Where it may go: the beginnings of addresses, NULL-terminated;
	 * NULL: anywhere.  A redirect may not lead elsewhere. */
	const char *const *allow;
	bool is_public;		/* where allow is NULL: not to addresses of a
				 * private network, or of the tower itself */
	int64_t timeout;	/* ms for a whole download */
	const char *cache;	/* for tw_fetch_cached(): a directory, made when
				 * it is missing */
	uint64_t cache_max;	/* bytes; beyond, what was used longest ago
				 * goes */
	/* Told before a download begins; or NULL. */
	void (*begin)(void *arg, const char *url);
	void *arg;
};

/* Does a text look like an address that could be fetched? */
bool tw_fetch_is_url(const char *text);

/* Writes what is at url, max bytes at most, to fd; what is there after a
 * failure has no meaning.  TW_DATA: no such address, or it has not what is
 * wanted (404, too large, a bad certificate); TW_AGAIN: it can't be reached,
 * ended early, took too long, or fd can't be written; TW_DENIED: it may not go
 * there; TW_CONFIG: the helper can't be run.  Messages begin with the address. */
enum tw_status tw_fetch_to(const struct tw_fetch *f, const char *url, int fd,
    size_t max, struct tw_err *err);

/* The same, appended to out. */
enum tw_status tw_fetch_read(const struct tw_fetch *f, const char *url,
    size_t max, struct tw_buf *out, struct tw_err *err);

/* The same with its SHA-256 known (64 digits): out of the cache, where a file
 * is looked at before it is believed, else downloaded into it.  Any number of
 * processes may do so at once; one that is killed leaves nothing that another
 * would take for the file.  TW_DATA also: the file has another hash. */
enum tw_status tw_fetch_cached(const struct tw_fetch *f, const char *url,
    const char *sha256, size_t max, struct tw_buf *out, struct tw_err *err);

#endif
