/* test_offer.c - lib/out/offer.c with readers who don't read */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "out/offer.h"

static char big[256 << 10];

START_TEST(what_is_read_arrives)
{
	char got[8] = "";
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert(tw_offer_is_possible(p[1]));
	ck_assert(tw_offer_is_welcome(p[1]));
	tw_offer(p[1], "hello", 5);
	ck_assert_int_eq(read(p[0], got, sizeof got), 5);
	ck_assert_str_eq(got, "hello");
}
END_TEST

START_TEST(a_full_pipe_gets_what_it_takes)
{
	int64_t begun = tw_clock_mono();
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	tw_offer(p[1], big, sizeof big);
	ck_assert(!tw_offer_is_welcome(p[1]));
	tw_offer(p[1], "more", 4);
	ck_assert_int_lt(tw_clock_mono() - begun, 5000);
	ck_assert_int_eq(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

/* A terminal says that it has room when it has a little: the write stands
 * still, and only the timer ends it. */
START_TEST(a_terminal_that_is_not_read_is_left)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, i;
	int64_t begun = tw_clock_mono();
	sigset_t set;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(slave, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < 10; i++)
		tw_offer(slave, big, sizeof big);
	ck_assert_int_lt(tw_clock_mono() - begun, 10000);
}
END_TEST

START_TEST(a_closed_one_is_no_harm)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(p), 0);
	close(p[0]);
	tw_offer(p[1], "x", 1);
	close(p[1]);
	ck_assert(!tw_offer_is_possible(p[1]));
	tw_offer(p[1], "x", 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("offer");
	SRunner *r = srunner_create(s);
	TCase *t = tcase_create("offer");
	int failed;

	memset(big, '.', sizeof big);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, what_is_read_arrives);
	tcase_add_test(t, a_full_pipe_gets_what_it_takes);
	tcase_add_test(t, a_terminal_that_is_not_read_is_left);
	tcase_add_test(t, a_closed_one_is_no_harm);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
