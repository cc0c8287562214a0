/* test_sshconfig.c - ssh -G understood; identities; a key pair made */
#include <check.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "ssh/identity.h"
#include "ssh/sshconfig.h"

static char dir[256];

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof dir, "%s/tw-conf-XXXXXX",
	    tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char line[300];

	snprintf(line, sizeof line, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(line), 0);
}

static const char *in_dir(const char *name)
{
	static char path[4][400];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
	return path[i];
}

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(tw_io_write_file(in_dir(name), text, strlen(text),
	    0600, NULL), TW_OK);
}

START_TEST(takes_the_plain_values)
{
	struct tw_sshconfig c;

	ck_assert_int_eq(tw_sshconfig_parse("host web\nuser adm\n"
	    "hostname 192.0.2.7\nport 2222\nproxyjump a@b:3,c\n"
	    "junk\n\nidentityfile none\ncertificatefile none\n"
	    "proxycommand none\nunknown thing\n", &c, NULL), TW_OK);
	ck_assert_str_eq(c.hostname, "192.0.2.7");
	ck_assert_str_eq(c.user, "adm");
	ck_assert_int_eq(c.port, 2222);
	ck_assert_str_eq(c.proxyjump, "a@b:3,c");
	ck_assert_ptr_null(c.proxycommand);
	ck_assert_ptr_null(c.identities);
	ck_assert(!c.has_certificate);
	tw_sshconfig_release(&c);
	ck_assert_ptr_null(c.hostname);
}
END_TEST

START_TEST(expands_the_proxy_command)
{
	struct tw_sshconfig c;

	ck_assert_int_eq(tw_sshconfig_parse("proxycommand nc -x '%n' %h %p "
	    "100%% %r\nport 22\nhost web\nhostname w.example\nuser adm\n",
	    &c, NULL), TW_OK);
	ck_assert_str_eq(c.proxycommand, "nc -x 'web' w.example 22 100% adm");
	tw_sshconfig_release(&c);
}
END_TEST

START_TEST(refuses_bad_values)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
		{ "", "ssh -G names no usable HostName" },
		{ "hostname none\n", "ssh -G names no usable HostName" },
		{ "hostname -x\n", "ssh -G names no usable HostName" },
		{ "hostname a;b\n", "ssh -G names no usable HostName" },
		{ "hostname a\nuser $(x)\n", "ssh -G names no usable User" },
		{ "hostname a\nhost -x\n", "ssh -G names no usable Host" },
		{ "hostname a\nport 0\n",
		    "ssh -G: the port is not a number in 1..65535" },
		{ "hostname a\nport 65536\n",
		    "ssh -G: the port is not a number in 1..65535" },
		{ "hostname a\nport 22x\n",
		    "ssh -G: the port is not a number in 1..65535" },
		{ "hostname a\nproxycommand nc %Z\n",
		    "the ProxyCommand of ~/.ssh/config has a token other than "
		    "%%, %h, %n, %p, %r, %u, %d, %i" },
		{ "hostname a\nproxycommand nc %\n",
		    "the ProxyCommand of ~/.ssh/config has a token other than "
		    "%%, %h, %n, %p, %r, %u, %d, %i" },
	};
	struct tw_sshconfig c;
	struct tw_err err;

	ck_assert_int_eq(tw_sshconfig_parse(bad[_i].text, &c, &err),
	    TW_CONFIG);
	ck_assert_str_eq(err.msg, bad[_i].msg);
	ck_assert_ptr_null(c.hostname);
	ck_assert_ptr_null(c.proxycommand);
}
END_TEST

START_TEST(keeps_the_identities_that_exist)
{
	struct tw_sshconfig c;
	char text[2048];

	put("one", "x");
	put("adm_two", "x");
	setenv("TW_TEST_DIR", dir, 1);
	snprintf(text, sizeof text, "user adm\nhostname h\n"
	    "identityfile %s/absent\nidentityfile %s/one\n"
	    "identityfile ${TW_TEST_DIR}/%%r_two\nidentityfile %s\n"
	    "identityfile ${TW_UNSET_X}/one\nidentityfile ${bad\n"
	    "identityfile %s/%%Q\n", dir, dir, dir, dir);
	ck_assert_int_eq(tw_sshconfig_parse(text, &c, NULL), TW_OK);
	ck_assert_str_eq(c.identities[0], in_dir("one"));
	ck_assert_str_eq(c.identities[1], in_dir("adm_two"));
	ck_assert_ptr_null(c.identities[2]);
	ck_assert(!c.has_certificate);
	tw_sshconfig_release(&c);
	put("one-cert.pub", "x");
	ck_assert_int_eq(tw_sshconfig_parse(text, &c, NULL), TW_OK);
	ck_assert(c.has_certificate);
	tw_sshconfig_release(&c);
	ck_assert_int_eq(tw_sshconfig_parse("hostname h\ncertificatefile x\n",
	    &c, NULL), TW_OK);
	ck_assert(c.has_certificate);
	tw_sshconfig_release(&c);
}
END_TEST

START_TEST(asks_ssh)
{
	struct tw_sshconfig c;
	struct tw_err err;

	put("config", "Host web\n HostName 192.0.2.9\n User adm\n Port 2200\n"
	    " ProxyCommand nc %h %p %n\nHost *\n ProxyJump gw\n");
	ck_assert_int_eq(tw_sshconfig_get("web", NULL, 0, in_dir("config"),
	    &c, &err), TW_OK);
	ck_assert_str_eq(c.hostname, "192.0.2.9");
	ck_assert_str_eq(c.user, "adm");
	ck_assert_int_eq(c.port, 2200);
	ck_assert_str_eq(c.proxycommand, "nc 192.0.2.9 2200 web");
	tw_sshconfig_release(&c);
	ck_assert_int_eq(tw_sshconfig_get("other", "me", 23, in_dir("config"),
	    &c, &err), TW_OK);
	ck_assert_str_eq(c.hostname, "other");
	ck_assert_str_eq(c.user, "me");
	ck_assert_int_eq(c.port, 23);
	ck_assert_str_eq(c.proxyjump, "gw");
	tw_sshconfig_release(&c);
}
END_TEST

START_TEST(passes_on_what_ssh_says)
{
	struct tw_sshconfig c;
	struct tw_err err;

	put("config", "Nonsense yes\n");
	ck_assert_int_eq(tw_sshconfig_get("web", NULL, 0, in_dir("config"),
	    &c, &err), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "bad configuration options"));
	ck_assert_int_eq(tw_sshconfig_get("-oX=y", NULL, 0, NULL, &c, &err),
	    TW_USAGE);
	ck_assert_int_eq(tw_sshconfig_get("web", "-x", 0, NULL, &c, &err),
	    TW_USAGE);
}
END_TEST

static void keygen(const char *options, const char *name)
{
	char line[600];

	snprintf(line, sizeof line, "ssh-keygen -q %s -f '%s'", options,
	    in_dir(name));
	ck_assert_int_eq(system(line), 0);
}

/* No descriptor left says nothing of the key. */
START_TEST(a_key_that_cannot_be_read_now_is_not_missing)
{
	struct rlimit limit, none;

	keygen("-t ecdsa -N ''", "ecdsa");
	/* the file is there, only not for us now */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(tw_identity_inspect(in_dir("ecdsa")),
	    TW_IDENTITY_FAILED);
	ck_assert_int_eq(tw_identity_inspect(in_dir("none")),
	    TW_IDENTITY_MISSING);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

START_TEST(knows_kinds_of_identities)
{
	keygen("-t ecdsa -N ''", "ecdsa");
	keygen("-t rsa -b 2048 -N ''", "rsa");
	keygen("-t rsa -b 2048 -m PEM -N ''", "rsa_pem");
	keygen("-t ed25519 -N secret", "locked");
	keygen("-t rsa -b 2048 -m PEM -N secret", "locked_pem");
	put("junk", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END");
	put("empty", "");
	ck_assert_int_eq(tw_identity_inspect(in_dir("ecdsa")),
	    TW_IDENTITY_PLAIN);
	ck_assert_int_eq(tw_identity_inspect(in_dir("rsa")), TW_IDENTITY_RSA);
	ck_assert_int_eq(tw_identity_inspect(in_dir("rsa_pem")),
	    TW_IDENTITY_RSA);
	ck_assert_int_eq(tw_identity_inspect(in_dir("locked")),
	    TW_IDENTITY_ENCRYPTED);
	ck_assert_int_eq(tw_identity_inspect(in_dir("locked_pem")),
	    TW_IDENTITY_ENCRYPTED);
	ck_assert_int_eq(tw_identity_inspect(in_dir("junk")),
	    TW_IDENTITY_OTHER);
	ck_assert_int_eq(tw_identity_inspect(in_dir("empty")),
	    TW_IDENTITY_OTHER);
	ck_assert_int_eq(tw_identity_inspect(in_dir("absent")),
	    TW_IDENTITY_MISSING);
	ck_assert_int_eq(tw_identity_inspect(dir), TW_IDENTITY_MISSING);
}
END_TEST

START_TEST(makes_a_key_pair_once)
{
	struct tw_buf pub = TW_BUF_INIT;
	struct tw_err err;
	struct stat sb;

	ck_assert_int_eq(tw_sshkey_make(in_dir("key"), "towerify org", &err),
	    TW_OK);
	ck_assert_int_eq(stat(in_dir("key"), &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 0777, 0600);
	ck_assert_int_eq(tw_identity_inspect(in_dir("key")),
	    TW_IDENTITY_PLAIN);
	ck_assert_int_eq(tw_io_read_file(in_dir("key.pub"), &pub, NULL),
	    TW_OK);
	ck_assert(strncmp(pub.data, "ssh-ed25519 ", 12) == 0);
	ck_assert_ptr_nonnull(strstr(pub.data, " towerify org\n"));
	ck_assert_int_eq(tw_sshkey_make(in_dir("key"), "x", &err), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "is already there"));
	ck_assert_int_eq(tw_sshkey_make(in_dir("no/key"), "x", &err),
	    TW_CONFIG);
	tw_buf_release(&pub);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sshconfig");
	TCase *tc = tcase_create("sshconfig");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, takes_the_plain_values);
	tcase_add_test(tc, expands_the_proxy_command);
	tcase_add_loop_test(tc, refuses_bad_values, 0, 11);
	tcase_add_test(tc, keeps_the_identities_that_exist);
	tcase_add_test(tc, asks_ssh);
	tcase_add_test(tc, passes_on_what_ssh_says);
	tcase_add_test(tc,
	    a_key_that_cannot_be_read_now_is_not_missing);
	tcase_add_test(tc, knows_kinds_of_identities);
	tcase_add_test(tc, makes_a_key_pair_once);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
