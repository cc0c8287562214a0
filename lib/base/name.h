/*
 * name.h - the grammars of names, and the nearest known word to a wrong one
 */
#ifndef TW_BASE_NAME_H
#define TW_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define TW_NAME_MAX 128		/* bytes, without the NUL */
#define TW_PARAM_NAME_MAX 31

/* Hosts, users, operators, organisations, apps, label keys:
 * [A-Za-z0-9][A-Za-z0-9._-]*, at most TW_NAME_MAX bytes. */
bool tw_name_ok(const char *s);
/* Parameters: [a-z][a-z0-9_]*, at most TW_PARAM_NAME_MAX bytes. */
bool tw_name_param_ok(const char *s);
/* An address that may pass a shell: a name, an IPv4 or IPv6 address, with an
 * optional %zone: [A-Za-z0-9._:%-], not starting with '-'. */
bool tw_name_address_ok(const char *s);
/* A spool: an absolute path of [A-Za-z0-9._/-], without "." or ".." parts,
 * not "/", at most 255 bytes. */
bool tw_name_spool_ok(const char *s);
/* A label's value: printable ASCII without blanks, comma, quotes; 1 to 128. */
bool tw_name_label_value_ok(const char *s);

/* The one of words (NULL-terminated) nearest to s by edit distance, or NULL
 * when none is near enough to offer (more than a third of its length). */
const char *tw_name_nearest(const char *s, const char *const *words);

#endif
