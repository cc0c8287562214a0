/*
 * version.h - the order of version numbers
 */
#ifndef TW_BASE_VERSION_H
#define TW_BASE_VERSION_H

/* Less than, equal to or greater than 0, in the order of Debian's packages (`dpkg
 * --compare-versions'): an epoch before ":", then the version proper, then what
 * follows the last "-"; runs of digits count as numbers, letters come before
 * other characters, and "~" before everything, the end included.  Any text has
 * its place. */
int tw_version_cmp(const char *a, const char *b);

#endif
