/* test_fake.c - the transport of tests: commands on pipes, and its faults */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "probe.h"
#include "ssh/fake.h"
#include "ssh/pipes.h"

static uv_loop_t loop;
static char dir[256];

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof dir, "%s/tw-fake-XXXXXX",
	    tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	tw_fake_faults = (struct tw_fake_faults){ .cut_sent = -1,
	    .cut_received = -1 };
	tw_fake_counts = (struct tw_fake_counts){ .cuts = 0 };
}

static void wait_for(uv_handle_t *h, void *arg)
{
	(void)arg;
	uv_ref(h);
}

static void teardown(void)
{
	char line[300];

	/* The loop does not wait for a command that was cut off; each one here
	 * ends with its input. */
	uv_walk(&loop, wait_for, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	snprintf(line, sizeof line, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(line), 0);
}

static struct probe make(void)
{
	struct probe p;

	memset(&p, 0, sizeof p);
	p.transport = &tw_transport_fake;
	p.target.name = "web1";
	p.target.address = dir;
	return p;
}

static void run(struct probe *p, const char *command, const char *input)
{
	ck_assert_int_eq(probe_open(&loop, p, command), TW_OK);
	if (input)
		ck_assert_int_eq(p->transport->send(p->link, input,
		    strlen(input), NULL), TW_OK);
	ck_assert_int_eq(p->opened + p->ended, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(p->ended, 1);
}

START_TEST(runs_the_command_at_home)
{
	struct probe p = make();

	run(&p, "echo \"$HOME\"; echo talk >&2; head -c 4", "abcd");
	ck_assert_int_eq(p.end, TW_LINK_EOF);
	ck_assert(!p.err_given);
	ck_assert_int_eq(p.opened, 1);
	ck_assert_int_eq(p.drained, 1);
	ck_assert_str_eq(tw_buf_str(&p.out[1]), "talk\n");
	ck_assert(strncmp(p.out[0].data, dir, strlen(dir)) == 0);
	ck_assert_str_eq(p.out[0].data + strlen(dir), "\nabcd");
	probe_release(&p);
}
END_TEST

/* Each cut from nothing to all of it: the command gets exactly so much, its end
 * of input after that, and the link is temporary. */
START_TEST(cuts_what_is_sent)
{
	static const char all[] = "0123456789";
	struct probe p = make();
	struct tw_buf got = TW_BUF_INIT;
	char path[300];

	tw_fake_faults.cut_sent = _i;
	snprintf(path, sizeof path, "%s/got", dir);
	run(&p, "cat >\"$HOME/tmp\"; mv \"$HOME/tmp\" \"$HOME/got\"", all);
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	ck_assert_str_eq(p.err.msg, "connection lost: cut on request");
	ck_assert_int_eq(p.err.status, TW_AGAIN);
	while (access(path, F_OK) != 0)
		usleep(1000);
	ck_assert_int_eq(tw_io_read_file(path, &got, NULL), TW_OK);
	ck_assert_uint_eq(got.len, (size_t)_i);
	ck_assert(strncmp(tw_buf_str(&got), all, (size_t)_i) == 0);
	ck_assert_int_eq(tw_fake_counts.sent, _i);
	ck_assert_int_eq(tw_fake_counts.cuts, 1);
	tw_buf_release(&got);
	probe_release(&p);
}
END_TEST

START_TEST(cuts_what_is_received)
{
	struct probe p = make();

	tw_fake_faults.cut_received = _i;
	run(&p, "printf 0123456789; exec cat", NULL);
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	ck_assert_int_eq(p.opened, 1);
	ck_assert_uint_eq(p.count[0], (size_t)_i);
	ck_assert(strncmp("0123456789", tw_buf_str(&p.out[0]),
	    (size_t)_i) == 0);
	ck_assert_int_eq(tw_fake_counts.received, _i);
	ck_assert_int_eq(tw_fake_counts.cuts, 1);
	probe_release(&p);
}
END_TEST

START_TEST(a_cut_beyond_the_end_changes_nothing)
{
	struct probe p = make();

	tw_fake_faults.cut_received = 11;
	tw_fake_faults.cut_sent = 11;
	run(&p, "printf 0123456789; head -c 10 >/dev/null", "0123456789");
	ck_assert_int_eq(p.end, TW_LINK_EOF);
	ck_assert_uint_eq(p.count[0], 10);
	ck_assert_int_eq(tw_fake_counts.sent, 10);
	ck_assert_int_eq(tw_fake_counts.received, 10);
	ck_assert_int_eq(tw_fake_counts.cuts, 0);
	probe_release(&p);
}
END_TEST

START_TEST(refuses_and_denies)
{
	struct probe p = make();
	char path[300];

	tw_fake_faults.refuse = _i == 0;
	tw_fake_faults.deny = _i == 1;
	run(&p, "touch \"$HOME/ran\"", "abc");
	ck_assert_int_eq(p.end, _i == 0 ? TW_LINK_TEMPORARY :
	    TW_LINK_REFUSED);
	ck_assert_int_eq(p.err.status, _i == 0 ? TW_AGAIN : TW_DENIED);
	ck_assert_int_eq(p.opened, 0);
	snprintf(path, sizeof path, "%s/ran", dir);
	ck_assert_int_eq(access(path, F_OK), -1);
	probe_release(&p);
}
END_TEST

START_TEST(a_child_run_to_its_end_is_bounded)
{
	const char *argv[] = { "sh", "-c", "echo hello; echo oops >&2; "
		"exit 7", NULL };
	const char *flood[] = { "sh", "-c", "head -c 100000 /dev/zero", NULL };
	const char *slow[] = { "sleep", "1000", NULL };
	const char *absent[] = { "/nonexistent/program", NULL };
	struct tw_buf out = TW_BUF_INIT, words = TW_BUF_INIT;
	struct tw_err err;
	int status;

	ck_assert_int_eq(tw_pipes_run(argv, 60000, &out, &words, &status,
	    &err), TW_OK);
	ck_assert_int_eq(status, 7);
	ck_assert_str_eq(tw_buf_str(&out), "hello\n");
	ck_assert_str_eq(tw_buf_str(&words), "oops\n");
	tw_buf_release(&out);
	out.max = 1000;
	ck_assert_int_eq(tw_pipes_run(flood, 60000, &out, NULL, &status,
	    &err), TW_OK);
	ck_assert_uint_eq(out.len, 1000);
	ck_assert_int_eq(tw_pipes_run(slow, 50, NULL, NULL, &status, &err),
	    TW_AGAIN);
	ck_assert_int_eq(tw_pipes_run(absent, 50, NULL, NULL, &status, &err),
	    TW_CONFIG);
	ck_assert_str_eq(err.msg, "cannot run /nonexistent/program: no such "
	    "file or directory");
	tw_buf_release(&out);
	tw_buf_release(&words);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fake");
	TCase *tc = tcase_create("fake");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, runs_the_command_at_home);
	tcase_add_loop_test(tc, cuts_what_is_sent, 0, 11);
	tcase_add_loop_test(tc, cuts_what_is_received, 0, 11);
	tcase_add_test(tc, a_cut_beyond_the_end_changes_nothing);
	tcase_add_loop_test(tc, refuses_and_denies, 0, 2);
	tcase_add_test(tc, a_child_run_to_its_end_is_bounded);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
