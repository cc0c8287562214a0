/* test_sshargs.c - what ssh is told where nothing of the user's ~/.ssh counts */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/sshargs.h"

static const char *const ids[] = { "/keys/id", NULL };

static struct tw_ssh_target target(void)
{
	return (struct tw_ssh_target) {
		.name = "web", .address = "192.0.2.7", .port = 2222,
		.user = "deploy", .identities = ids, .hostkey = "x",
	};
}

/* The words, a newline after each. */
static char *words(const struct tw_argv *a)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	ck_assert(!a->failed);
	for (i = 0; i < a->n; i++)
		tw_buf_addf(&b, "%s\n", a->v[i]);
	return tw_buf_detach(&b);
}

static char *base(const struct tw_ssh_target *t)
{
	struct tw_argv a = { 0 };
	char *text;

	ck_assert_int_eq(tw_sshargs_base(t, &a, NULL), TW_OK);
	tw_sshargs_dest(t, &a);
	text = words(&a);
	tw_argv_release(&a);
	return text;
}

static char *proxy(const struct tw_ssh_target *t)
{
	struct tw_argv a = { 0 };
	char *text;

	ck_assert_int_eq(tw_sshargs_proxy(t, &a, NULL), TW_OK);
	text = words(&a);
	tw_argv_release(&a);
	return text;
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "no %s in:\n%s", part, text);
}

static void lacks(const char *text, const char *part)
{
	ck_assert_msg(!strstr(text, part), "%s in:\n%s", part, text);
}

static int count(const char *text, const char *part)
{
	int n = 0;

	while ((text = strstr(text, part))) {
		text++;
		n++;
	}
	return n;
}

START_TEST(the_users_configuration_counts)
{
	struct tw_ssh_target t = target();
	char *text;

	t.via = "jump";
	t.config_alias = "front";
	text = base(&t);
	lacks(text, "none\n-o\nIdentityFile");
	lacks(text, "-F\n");
	lacks(text, "KnownHostsFile=\"");
	has(text, "--\nfront\n");
	free(text);
	text = proxy(&t);
	lacks(text, "-F\n");
	lacks(text, "StrictHostKeyChecking");
	free(text);
}
END_TEST

/* Both for a host and for a jump host. */
START_TEST(nothing_of_it_does)
{
	struct tw_ssh_target t = target();
	char *text;

	t.known_hosts = "/keys/known_hosts";
	if (_i)
		t.via = "jump";
	text = _i ? proxy(&t) : base(&t);
	has(text, "ssh\n-T\n-F\nnone\n-o\nIdentityFile=none\n-o\n"
	    "IdentitiesOnly=yes\n-o\nIdentityAgent=none\n");
	has(text, "-i\n/keys/id\n");
	ck_assert_int_eq(count(text, "-i\n"), 1);
	if (!_i)
		has(text, "--\n192.0.2.7\n");
	free(text);
}
END_TEST

START_TEST(each_jump_host_shows_a_known_key)
{
	struct tw_ssh_target t = target();
	char *text;

	t.via = "one,two";
	t.known_hosts = "/keys/known_hosts";
	t.pin_jumps = _i;
	text = proxy(&t);
	has(text, "UserKnownHostsFile=\"/keys/known_hosts\"\n");
	ck_assert_int_eq(count(text, "UserKnownHostsFile=\"/keys/known_hosts\""),
	    2);
	ck_assert_int_eq(count(text, "GlobalKnownHostsFile=/dev/null"), 2);
	ck_assert_int_eq(count(text, "IdentityFile=none"), 2);
	ck_assert_int_eq(count(text, "StrictHostKeyChecking="), 2);
	ck_assert_int_eq(count(text, _i ? "StrictHostKeyChecking=accept-new" :
	    "StrictHostKeyChecking=yes"), 2);
	free(text);
	/* The host's own key is its caller's business. */
	t.via = NULL;
	text = base(&t);
	lacks(text, "StrictHostKeyChecking");
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sshargs");
	TCase *t = tcase_create("sshargs");
	SRunner *sr;
	int failed;

	tcase_add_test(t, the_users_configuration_counts);
	tcase_add_loop_test(t, nothing_of_it_does, 0, 2);
	tcase_add_loop_test(t, each_jump_host_shows_a_known_key, 0, 2);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
