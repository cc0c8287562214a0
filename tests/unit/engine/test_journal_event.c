/*
 * test_journal_event.c - lib/engine/journal.c: one event line, read and
 * written
 *
 * What is not exactly an event is none: the decoder takes it for output.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/journal.h"

static const char *const good[] = {
	"1 0 life 1 3f2a-0c 1700000000",
	"2 5 start 1",
	"3 5 run 1 1",
	"4 905 try 1 1 failed run 2",
	"4 905 try 1 1 timed-out verify 0",
	"5 1 await 3 60",
	"5 99999999999999 end 12 done run 0",
	"6 1 end 3 timed-out confirm 0",
	"99999999999999 1 end 12 unchanged check 0",
	"6 1 end 3 failed prepare 1",
	"6 1 end 3 done reboot 0",
	"6 1 end 3 done file 0",
	"6 1 end 3 interrupted check 0",
	"7 1 cancel ann",
	"8 1 undo 2",
	"9 1 undone 2 done 0",
	"9 1 undone 2 impossible 0",
	"9 1 undone 2 failed 255",
	"10 1 verdict succeeded",
	"10 1 verdict rolled-back",
	"10 1 verdict failed",
};

static const char *const bad[] = {
	"", " ", "1", "1 ", "1 2", "1 2 ", "x 2 start 1", "1 x start 1",
	"-1 2 start 1", "+1 2 start 1", "1.0 2 start 1", "0x1 2 start 1",
	" 1 2 start 1", "1  2 start 1", "1 2  start 1", "1 2 start  1",
	"1 2 start 1 ", "1 2 start 1\n", "1 2 start 1\t", "1\t2 start 1",
	"1 2 start", "1 2 start ", "1 2 start x", "1 2 start 1 1",
	"1 2 start -1", "1 2 Start 1", "1 2 starts 1", "1 2 star 1",
	"100000000000000 2 start 1", "1 2 start 9999999999999999999999",
	"1 2 undo", "1 2 undo 1 1", "1 2 run 1", "1 2 run 1 1 1",
	"1 2 run 1 x", "1 2 life 1 boot", "1 2 life 1 boot 7 7",
	"1 2 life x boot 7", "1 2 life 1 boot x", "1 2 life 1  7",
	"1 2 try 1 1 failed run", "1 2 try 1 1 failed 2", "1 2 try 1 1",
	"1 2 try 1 failed run 2", "1 2 try 1 1 failed run 2 2",
	"1 2 await 1", "1 2 await 1 60 1", "1 2 await 1 x", "1 2 await x 60",
	"1 2 end 1 confirming confirm 0",
	"1 2 end 1 done", "1 2 end 1 done run", "1 2 end 1 done walk 0",
	"1 2 end 1 done run 0 0", "1 2 end 1 done run -1",
	"1 2 end 1 running run 0", "1 2 end 1 waiting run 0",
	"1 2 end 1 checking check 0", "1 2 end 1 retrying run 0",
	"1 2 end 1 good run 0", "1 2 end done run 0",
	"1 2 end 1 done averylongphasename 0",
	"1 2 end 1 averyverylongstatename run 0",
	"1 2 undone 1 done", "1 2 undone 1 0", "1 2 undone 1 done run 0",
	"1 2 undone 1 running 0", "1 2 cancel", "1 2 cancel ", "1 2 cancel a b",
	"1 2 verdict", "1 2 verdict none", "1 2 verdict ok",
	"1 2 verdict failed 1", "1 2 verdict Failed", "1 2 verdict rolled",
	"1 2 nonsense 1", "1 2 ? 1", "1 2 averyveryverylongword 1",
};

START_TEST(good_lines_are_read_and_written_back)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_event ev;

	tw_buf_addf(&b, "%s ", "");
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(tw_event_parse(good[i], &ev), "%s", good[i]);
		tw_buf_reset(&b);
		tw_buf_addf(&b, "%" PRId64 " %" PRId64 " ", ev.n, ev.t);
		tw_event_format(&ev, &b);
		if (ev.word == TW_EV_LIFE)	/* it leaves these out */
			tw_buf_addf(&b, " %s %" PRId64, ev.text, ev.epoch_s);
		ck_assert_str_eq(tw_buf_str(&b), good[i]);
	}
	tw_buf_release(&b);
}
END_TEST

START_TEST(the_fields_are_where_they_belong)
{
	struct tw_event ev;

	ck_assert(tw_event_parse("7 812 try 3 2 timed-out verify 9", &ev));
	ck_assert_int_eq(ev.n, 7);
	ck_assert_int_eq(ev.t, 812);
	ck_assert_int_eq(ev.word, TW_EV_TRY);
	ck_assert_int_eq(ev.k, 3);
	ck_assert_int_eq(ev.attempt, 2);
	ck_assert_int_eq(ev.state, TW_STEP_TIMED_OUT);
	ck_assert_str_eq(ev.phase, "verify");
	ck_assert_int_eq(ev.code, 9);
	ck_assert(tw_event_parse("1 2 life 3 b-o-o-t 1700000000", &ev));
	ck_assert_int_eq(ev.word, TW_EV_LIFE);
	ck_assert_int_eq(ev.life, 3);
	ck_assert_str_eq(ev.text, "b-o-o-t");
	ck_assert_int_eq(ev.epoch_s, 1700000000);
	ck_assert_int_eq(ev.k, 0);
	ck_assert(tw_event_parse("1 2 verdict rolled-back", &ev));
	ck_assert_int_eq(ev.verdict, TW_VERDICT_ROLLED_BACK);
}
END_TEST

START_TEST(bad_lines_are_refused)
{
	struct tw_event ev;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!tw_event_parse(bad[i], &ev), "%s", bad[i]);
}
END_TEST

/* Every beginning of a good line, and it with any byte changed to a blank,
 * a NUL or a byte that is no text, is bad or another line, never a crash. */
START_TEST(cut_lines_are_refused_unless_a_number_was_cut)
{
	char line[300];
	struct tw_event ev;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		size_t len = strlen(good[i]);
		bool digits = true;

		for (size_t n = len - 1; n > 0; n--) {
			memcpy(line, good[i], n);
			line[n] = '\0';
			digits = digits && good[i][n] >= '0' &&
			    good[i][n] <= '9' && good[i][n - 1] != ' ';
			if (strstr(good[i], "cancel") && n > 11)
				continue;	/* a shorter name */
			ck_assert_msg(tw_event_parse(line, &ev) == digits,
			    "%s", line);
		}
		for (size_t n = 0; n < len; n++) {
			memcpy(line, good[i], len + 1);
			line[n] = '\377';
			ck_assert_msg(!tw_event_parse(line, &ev) ||
			    ev.word == TW_EV_LIFE || ev.word == TW_EV_CANCEL,
			    "%s", line);
		}
	}
}
END_TEST

START_TEST(long_lines_and_words_are_refused)
{
	char line[400] = "1 2 cancel ";
	struct tw_event ev;
	size_t at = strlen(line);

	for (size_t n = 1; n < 300; n++) {
		memset(line + at, 'a', n);
		line[at + n] = '\0';
		ck_assert_int_eq(tw_event_parse(line, &ev),
		    n < TW_EVENT_TEXT_MAX);
	}
}
END_TEST

START_TEST(names_are_those_of_the_protocol)
{
	enum tw_verdict v = TW_VERDICT_NONE;

	ck_assert_str_eq(tw_event_word_name(TW_EV_LIFE), "life");
	ck_assert_str_eq(tw_event_word_name(TW_EV_VERDICT), "verdict");
	ck_assert_str_eq(tw_event_word_name(TW_EV_WORDS), "?");
	ck_assert_str_eq(tw_step_state_name(TW_STEP_WAITING), "waiting");
	ck_assert_str_eq(tw_step_state_name(TW_STEP_TIMED_OUT), "timed-out");
	ck_assert_str_eq(tw_step_state_name(TW_STEP_IMPOSSIBLE), "impossible");
	ck_assert_str_eq(tw_step_state_name((enum tw_step_state)99), "?");
	ck_assert_str_eq(tw_verdict_name(TW_VERDICT_ROLLED_BACK),
	    "rolled-back");
	ck_assert_str_eq(tw_verdict_name((enum tw_verdict)99), "?");
	ck_assert(tw_verdict_parse("failed", &v));
	ck_assert_int_eq(v, TW_VERDICT_FAILED);
	ck_assert(!tw_verdict_parse("none", &v));
	ck_assert(!tw_verdict_parse("", &v));
	ck_assert_int_eq(v, TW_VERDICT_FAILED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("journal event");
	TCase *tc = tcase_create("event");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, good_lines_are_read_and_written_back);
	tcase_add_test(tc, the_fields_are_where_they_belong);
	tcase_add_test(tc, bad_lines_are_refused);
	tcase_add_test(tc, cut_lines_are_refused_unless_a_number_was_cut);
	tcase_add_test(tc, long_lines_and_words_are_refused);
	tcase_add_test(tc, names_are_those_of_the_protocol);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
