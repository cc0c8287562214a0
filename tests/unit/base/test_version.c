/* test_version.c - the order of versions, against dpkg's where that is there */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/version.h"

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_order(const char *a, const char *b, int want)
{
	ck_assert_msg(sign(tw_version_cmp(a, b)) == want, "%s, %s: %d", a, b,
	    tw_version_cmp(a, b));
	ck_assert_msg(sign(tw_version_cmp(b, a)) == -want, "%s, %s: %d", b, a,
	    tw_version_cmp(b, a));
}

START_TEST(versions_have_an_order)
{
	static const struct { const char *less, *more; } pairs[] = {
		{ "1.9", "1.10" }, { "1.0~rc1", "1.0" }, { "1.0", "1.0.1" },
		{ "1.0", "1.0a" }, { "1.0a", "1.0+b" }, { "1.0~~", "1.0~" },
		{ "2.0", "1:1.0" }, { "1.0-1", "1.0-2" },
		{ "1.0-9", "1.0-10" }, { "0.9.9", "1" }, { "", "1" },
		{ "~", "" }, { "1.2~ynh1", "1.2~ynh2" },
		{ "1.0-1-1", "1.0-1-2" },
		{ "99999999999999999998", "99999999999999999999" },
		{ "99999999999999999999", "100000000000000000000" },
	};
	size_t i;

	for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
		check_order(pairs[i].less, pairs[i].more, -1);
}
END_TEST

START_TEST(some_are_the_same)
{
	check_order("1.0", "1.0", 0);
	check_order("1.0", "0:1.0", 0);
	check_order("1.0", "1.0-0", 0);
	check_order("1.01", "1.1", 0);
	check_order("", "", 0);
}
END_TEST

/* dpkg's answer: does that hold? */
static int dpkg_says(const char *a, const char *op, const char *b)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		execlp("dpkg", "dpkg", "--compare-versions", a, op, b,
		    (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void append(char v[64], const char *part)
{
	size_t n = strlen(v);

	snprintf(v + n, 64 - n, "%s", part);
}

START_TEST(dpkg_agrees)
{
	static const char *const parts[] = { "0", "1", "9", "10", "01", "a",
		"Z", ".", "+", "~", "-", "1.2", "rc" };
	const size_t n = sizeof parts / sizeof *parts;
	unsigned seed = 7;
	char v[2][64];
	int round, i, k, order;

	if (dpkg_says("1", "lt", "2") != 0)
		return;		/* this is no Debian */
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 2; i++) {
			snprintf(v[i], sizeof v[i], "%s", round % 5 ? "1" :
			    "2:3");
			for (k = rand_r(&seed) % 6; k > 0; k--)
				append(v[i], parts[(size_t)rand_r(&seed) % n]);
			append(v[i], "0");
		}
		order = tw_version_cmp(v[0], v[1]);
		ck_assert_msg(dpkg_says(v[0], order < 0 ? "lt" : order > 0 ?
		    "gt" : "eq", v[1]) == 0, "%s, %s: %d", v[0], v[1], order);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("version");
	TCase *tc = tcase_create("order");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, versions_have_an_order);
	tcase_add_test(tc, some_are_the_same);
	tcase_add_test(tc, dpkg_agrees);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
