/*
 * test_reach.c - whose keys and configuration count on the way to a host
 *
 * An `ssh` of the tests' own stands first in PATH: it answers -G, and leaves a
 * mark that it was asked.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/reach.h"
#include "model/fixture.h"

static char asked[300], identity[300], organisations[400];

static void begin(void)
{
	char dir[300], path[320], *all;
	FILE *f;

	setup();
	snprintf(dir, sizeof dir, "%s/bin", fix_root);
	snprintf(path, sizeof path, "%s/ssh", dir);
	snprintf(asked, sizeof asked, "%s/asked", fix_root);
	snprintf(identity, sizeof identity, "%s/id", fix_root);
	snprintf(organisations, sizeof organisations,
	    "%s/keys/default/id_ed25519", fix_dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "#!/bin/sh\n: >'%s'\necho hostname 192.0.2.9\n"
	    "echo user other\necho port 2222\necho proxycommand nc %%h\n"
	    "echo identityfile '%s'\n", asked, identity);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0700), 0);
	f = fopen(identity, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_gt(asprintf(&all, "%s:%s", dir, getenv("PATH")), 0);
	setenv("PATH", all, 1);
	free(all);
}

static struct tw_host host(bool own_config)
{
	return (struct tw_host) { .org_id = alice.org_id, .name = (char *)"web",
	    .address = (char *)"front", .port = 22, .user = (char *)"deploy",
	    .hostkey = (char *)"k", .transport = (char *)"auto",
	    .own_config = own_config };
}

static bool was_asked(void)
{
	return unlink(asked) == 0;
}

START_TEST(the_owners_configuration_counts)
{
	struct tw_host h = host(true);
	struct tw_reach r;

	OK(tw_reach_make(store, &h, true, &r, &err));
	ck_assert(was_asked());
	ck_assert_str_eq(r.target.address, "192.0.2.9");
	ck_assert_int_eq(r.target.port, 2222);
	ck_assert_str_eq(r.target.user, "other");
	ck_assert_str_eq(r.target.proxy_command, "nc 192.0.2.9");
	ck_assert_str_eq(r.target.identities[0], organisations);
	ck_assert_str_eq(r.target.identities[1], identity);
	ck_assert_ptr_null(r.target.identities[2]);
	ck_assert_str_eq(r.target.config_alias, "front");
	ck_assert_ptr_null(r.target.known_hosts);
	ck_assert(r.target.use_agent);
	tw_reach_release(&r);
}
END_TEST

/* Not even when some of it were in the row. */
START_TEST(the_owners_configuration_does_not_count)
{
	struct tw_host h = host(false);
	char want[400];
	struct tw_reach r;

	h.sshconfig = (char *)"{\"hostname\":\"192.0.2.9\",\"port\":2222,"
	    "\"user\":\"other\",\"proxycommand\":\"nc\",\"proxyjump\":\"j\","
	    "\"certificate\":true,\"identities\":[\"/k\"]}";
	h.identity = identity;
	OK(tw_reach_make(store, &h, true, &r, &err));
	ck_assert(!was_asked());
	ck_assert_str_eq(r.target.address, "front");
	ck_assert_int_eq(r.target.port, 22);
	ck_assert_str_eq(r.target.user, "deploy");
	ck_assert_ptr_null(r.target.proxy_command);
	ck_assert_ptr_null(r.target.via);
	ck_assert_str_eq(r.target.identities[0], organisations);
	ck_assert_ptr_null(r.target.identities[1]);
	ck_assert_ptr_null(r.target.config_alias);
	snprintf(want, sizeof want, "%s/keys/default/known_hosts", fix_dir);
	ck_assert_str_eq(r.target.known_hosts, want);
	ck_assert(!r.target.pin_jumps);
	ck_assert(!r.target.use_agent);
	ck_assert_str_eq(r.transport->name, "libssh2");
	tw_reach_release(&r);
}
END_TEST

/* Where ssh's configuration counts it is asked about the successor, and says
 * nothing of what the successor is. */
START_TEST(a_successor_has_its_own_user_and_port)
{
	const struct tw_successor s = { .user = (char *)"admin",
	    .port = _i ? 0 : 222, .has_sudo = true, .sudo = true };
	struct tw_host h = host(_i);
	struct tw_reach r;

	h.port = 2022;
	h.sshconfig = _i ? (char *)"{\"proxycommand\":\"old\"}" : NULL;
	OK(tw_reach_make_as(store, &h, &s, false, &r, &err));
	ck_assert_int_eq(was_asked(), _i);
	ck_assert_str_eq(r.target.user, "admin");
	ck_assert_int_eq(r.target.port, _i ? 2222 : 222);
	ck_assert(r.sudo);
	if (_i)
		ck_assert_str_eq(r.target.proxy_command, "nc 192.0.2.9");
	ck_assert_str_eq(r.target.hostkey, "k");
	ck_assert_str_eq(r.target.identities[0], organisations);
	ck_assert_str_eq(h.user, "deploy");
	tw_reach_release(&r);
}
END_TEST

START_TEST(user_and_port_come_from_what_counts)
{
	struct tw_host h = host(_i);

	h.user = NULL;
	h.sshconfig = (char *)"{\"port\":2222,\"user\":\"other\"}";
	OK(tw_reach_defaults(&h, &err));
	ck_assert_int_eq(h.port, _i ? 2222 : 22);
	ck_assert_int_eq(strcmp(h.user, "other") == 0, _i);
	free(h.user);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reach");
	TCase *tc = tcase_create("reach");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, the_owners_configuration_counts);
	tcase_add_test(tc, the_owners_configuration_does_not_count);
	tcase_add_loop_test(tc, a_successor_has_its_own_user_and_port, 0, 2);
	tcase_add_loop_test(tc, user_and_port_come_from_what_counts, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
