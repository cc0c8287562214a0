/* kinds.c - where the tools look for step kinds; see kinds.h */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "gate.h"

#define DIRS_MAX 16

static enum tw_status open_named(char *list, struct tw_kinds **out,
    struct tw_err *err)
{
	const char *dirs[DIRS_MAX + 1] = { NULL };
	char *dir, *rest = list;
	size_t n = 0;

	while (n < DIRS_MAX && (dir = strsep(&rest, ":")))
		if (*dir)
			dirs[n++] = dir;
	return tw_kinds_new(dirs, out, err);
}

static enum tw_status open_usual(struct tw_kinds **out, struct tw_err *err)
{
	const char *dirs[] = { "/etc/towerify/kinds", TW_KINDS_DIR, NULL };
	char *own = beside("../share/towerify/kinds");
	enum tw_status st;

	if (own)
		dirs[1] = own;
	st = tw_kinds_new(dirs, out, err);
	free(own);
	return st;
}

enum tw_status kinds_open(struct tw_kinds **out, struct tw_err *err)
{
	const char *named = getenv("TOWERIFY_KINDS");
	enum tw_status st;
	char *list;

	*out = NULL;
	if (!named || gate_is_there())
		return open_usual(out, err);
	list = strdup(named);
	if (!list)
		return tw_err_nomem(err);
	st = open_named(list, out, err);
	free(list);
	return st;
}
