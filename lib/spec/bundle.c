/*
 * bundle.c - files of a directory as one piece of data; see bundle.h
 */
#include "spec/bundle.h"

#include <string.h>

bool tw_bundle_name_ok(const char *name)
{
	size_t n;

	for (;; name += n + 1) {
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!name[n])
			return true;
	}
}

static void add_string(struct tw_buf *b, const void *p, size_t n)
{
	tw_buf_addf(b, "%zu:", n);
	tw_buf_add(b, p ? p : "", n);
	tw_buf_addc(b, ',');
}

enum tw_status tw_bundle_add(struct tw_buf *b, const char *name,
    const void *p, size_t n, struct tw_err *err)
{
	if (!tw_bundle_name_ok(name))
		return tw_err_set(err, TW_DATA, "%s: is not inside the "
		    "directory of the app", name);
	add_string(b, name, strlen(name));
	add_string(b, p, n);
	return tw_buf_check(b, err);
}

/* The netstring at *at, which moves behind it.  False: there is none. */
static bool take_string(const char **at, const char *end, const char **p,
    size_t *n)
{
	const char *s = *at;
	size_t len = 0;

	if (s == end || *s < '0' || *s > '9')
		return false;
	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		if (len > (size_t)(end - s))
			return false;
		len = len * 10 + (size_t)(*s - '0');
	}
	if (s == end || *s++ != ':' || len >= (size_t)(end - s) ||
	    s[len] != ',')
		return false;
	*p = s;
	*n = len;
	*at = s + len + 1;
	return true;
}

bool tw_bundle_find(const void *data, size_t len, const char *name,
    const void **p, size_t *n)
{
	const char *at = data, *end, *key, *value;
	size_t want = strlen(name), key_len, value_len;

	if (!at)
		return false;
	end = at + len;
	while (take_string(&at, end, &key, &key_len) &&
	    take_string(&at, end, &value, &value_len)) {
		if (key_len != want || memcmp(key, name, want) != 0)
			continue;
		*p = value;
		*n = value_len;
		return true;
	}
	return false;
}
