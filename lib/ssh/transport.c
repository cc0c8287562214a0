/*
 * transport.c - which transports there are, and their time limits
 *
 * The fake of tests is not listed here, so that no tool can name it.
 */
#include "ssh/transport.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct tw_transport *const transports[] = {
	&tw_transport_libssh2,
	&tw_transport_ssh,
};

const struct tw_transport *tw_transport_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof transports / sizeof transports[0]; i++)
		if (strcmp(transports[i]->name, name) == 0)
			return transports[i];
	return NULL;
}

#define LOOKS 6			/* within a limit */

static int limits[TW_LINK_WAITS] = {
	[TW_LINK_CONNECT] = TW_LINK_CONNECT_MS,
	[TW_LINK_LOGIN] = TW_LINK_LOGIN_MS,
	[TW_LINK_IDLE] = TW_LINK_IDLE_MS,
};

void tw_link_set_limit(enum tw_link_wait wait, int ms)
{
	limits[wait] = ms;
}

int tw_link_limit(enum tw_link_wait wait)
{
	const char *s = getenv("TOWERIFY_LINK_TIMEOUT_MS");
	int ms = limits[wait];
	char *end;
	long v;

	if (!s || !*s)
		return ms;
	errno = 0;
	v = strtol(s, &end, 10);
	if (errno || *end || v <= 0 || v >= ms)
		return ms;
	return (int)v;
}

uint64_t tw_link_look(int limit_ms)
{
	return (uint64_t)(limit_ms / LOOKS + 1);
}
