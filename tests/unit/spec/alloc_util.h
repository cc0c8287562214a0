/*
 * alloc_util.h - allocations that fail
 *
 * malloc and its kin are replaced for the whole process, libraries included, so
 * the n-th one can be made to fail, once or from then on.  For one file of a
 * program.
 */
#ifndef TW_TEST_ALLOC_UTIL_H
#define TW_TEST_ALLOC_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ALLOC_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_SANITIZED 1
#endif

static size_t alloc_count, alloc_at;	/* 0: none fails */
static bool alloc_on;			/* later ones fail too */

#ifdef ALLOC_SANITIZED
#define ALLOC_LEAST 1		/* a sanitizer has its own: nothing fails */
#else
#define ALLOC_LEAST 20

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool alloc_fails(void)
{
	alloc_count++;
	if (alloc_at && (alloc_count == alloc_at || (alloc_on &&
	    alloc_count > alloc_at))) {
		errno = ENOMEM;
		return true;
	}
	return false;
}

void *malloc(size_t n)
{
	return alloc_fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return alloc_fails() ? NULL : __libc_realloc(p, n);
}
#endif

/* From now on the n-th allocation fails, with on all later ones too. */
static void alloc_fail(size_t n, bool on)
{
	alloc_on = on;
	alloc_count = 0;
	alloc_at = n;
}

/* Ends that; has one failed? */
static bool alloc_failed(void)
{
	bool failed = alloc_count >= alloc_at;

	alloc_at = 0;
	return failed;
}

#endif
