/*
 * sshconfig.c - what `ssh -G` may print: what is taken of it keeps to the
 * grammar of names
 */
#include "ssh/sshconfig.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "fuzz.h"
#include "ssh/identity.h"

const char *const fuzz_plants[] = { "status", "host", "port", "rest",
	NULL };

enum tw_identity_kind __wrap_tw_identity_inspect(const char *path);
bool __wrap_tw_identity_has_certificate(const char *path);

/* No file of this machine is looked at: what is there says the path. */
enum tw_identity_kind __wrap_tw_identity_inspect(const char *path)
{
	HOLDS(strlen(path) < 1000000, "a long path");
	return (enum tw_identity_kind)(fuzz_hash(path, strlen(path)) %
	    (TW_IDENTITY_OTHER + 1));
}

bool __wrap_tw_identity_has_certificate(const char *path)
{
	return strlen(path) % 3 == 0;
}

static void check(const struct tw_sshconfig *c)
{
	size_t n;

	if (fuzz_planted("host"))
		c->hostname[0] = '-';
	HOLDS(c->hostname && tw_name_address_ok(c->hostname), "hostname '%s'",
	    c->hostname);
	HOLDS(!c->user || tw_name_ok(c->user), "user '%s'", c->user);
	HOLDS(c->port >= 0 && c->port <= (fuzz_planted("port") ? -1 : 65535),
	    "port %d", c->port);
	HOLDS(!c->proxyjump || (*c->proxyjump &&
	    strcmp(c->proxyjump, "none") != 0), "an empty jump");
	HOLDS(!c->proxycommand || !strpbrk(c->proxycommand, "\r\n"),
	    "a command of two lines");
	for (n = 0; c->identities && c->identities[n]; n++)
		HOLDS(!strchr(c->identities[n], '\n'), "a path of two lines");
	HOLDS(n <= 64, "%zu identities", n);
}

static bool is_zero(const struct tw_sshconfig *c)
{
	return !c->hostname && !c->user && !c->port && !c->proxyjump &&
	    !c->proxycommand && !c->identities && !c->has_certificate;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct tw_err err = { 0 };
	struct tw_sshconfig c;
	enum tw_status st;
	size_t len;
	char *text = fuzz_part(&in, &len);

	st = tw_sshconfig_parse(text, &c, &err);
	if (fuzz_planted("status"))
		st = TW_BUG;
	HOLDS(st == TW_OK || st == TW_CONFIG, "status %d", (int)st);
	if (st == TW_OK)
		check(&c);
	else
		HOLDS(is_zero(&c) && err.msg[0] && !fuzz_planted("rest"),
		    "refused, and something there");
	tw_sshconfig_release(&c);
	free(text);
	return 0;
}
