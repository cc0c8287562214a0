/*
 * test_journal.c - lib/engine/journal.c: a host's bytes into events and output
 *
 * A host is simulated as the stream files of its executors' lives; what a
 * follower sends of them is fed to the decoder in every split, and taken up
 * again from every position.  Every call is logged and compared, and checked
 * against the bytes of the file that it claims to stand for.
 */
#include "record.h"

/* --- a stream with everything in it --- */

#define ZEROS "0000000000000000000000000"
#define LONG_STREAM AT "stream 1 " ZEROS ZEROS "\n"	/* too long */

static void host_fill(struct host *h)
{
	struct tw_buf *f = &h->file[1];

	memset(h, 0, sizeof *h);
	h->lives = 3;
	SAY(f, AT "1 10 life 1 4e0a-b007 1700000000 .\n");
	SAY(f, AT "2 10 start 1 .\n");
	SAY(f, "one\ntwo\n\n\nno newline after this");
	SAY(f, AT "3 11 run 1 1 .\n");
	SAY(f, "nul \0\0 high \377\376\200 return \r\n");
	SAY(f, "\n@");
	SAY(f, "\n@" NONCE);
	SAY(f, "\n@" NONCE "\n");
	SAY(f, AT "\n");		/* no word */
	SAY(f, AT " 4 5 start 1 .\n");	/* a blank too many */
	SAY(f, AT "aWordThatIsFarTooLong x\n");
	SAY(f, AT "accepted\n" AT "refused lost x\n");	/* not amid it */
	SAY(f, AT "\0" "4 12 start 1 .\n");
	SAY(f, AT "4 12 st\0art 1 .\n" AT "4 12 run 1 1 .\0\n");
	SAY(f, OTHER "4 12 start 2 .\n");
	SAY(f, AT "5 12 start 2 .\n");	/* a number to come */
	SAY(f, AT "1 10 life 1 4e0a-b007 1700000000 .\n");	/* gone by */
	SAY(f, AT "3 99 verdict succeeded .\n");		/* another */
	SAY(f, AT "4 12 start .\n");
	SAY(f, AT "4 12 run 1 1  .\n");
	SAY(f, AT "4 -12 run 1 1 .\n");
	SAY(f, AT "4 12 run 1 1\n" AT "4 12 run 1 1 \n");	/* no mark */
	SAY(f, AT "4 12 run 1 10.\n" AT "4 12 run 1 1 . \n");
	SAY(f, AT "4 12 run 1 1 ..\n" AT "4 12 run 1 1 . .\n");
	SAY(f, AT "4 .\n" AT "4 12 .\n" AT "3 99 verdict succeeded\n");
	SAY(f, "x@" NONCE " 4 12 run 1 1 .\n");	/* no newline of its own */
	SAY(f, "\n" AT "4 12 try 1 1 timed-out run 0 .\n");
	SAY(f, AT "cut 123456 .\n");
	SAY(f, AT "cut\n" AT "cut .\n" AT "cut  .\n" AT "cut x .\n");
	SAY(f, AT "cut 1 2 .\n" AT "cut -1 .\n" AT "cut 123\n");
	SAY(f, AT "stream\n" AT "stream 1\n" AT "stream 1 x\n" LONG_STREAM);
	SAY(f, "\n\n@\n@0" AT "5 13 run 1 2 .\n\n");
	SAY(f, "\n@001122");		/* the power goes */
	f = &h->file[2];
	SAY(f, AT "1 10 life 1 4e0a-b007 1700000000 .\n");
	SAY(f, AT "2 10 start 1 .\n" AT "3 11 run 1 1 .\n");
	SAY(f, AT "4 12 try 1 1 timed-out run 0 .\n" AT "5 13 run 1 2 .\n");
	SAY(f, AT "6 3 life 2 4e0b-b008 1700000100 .\n");
	SAY(f, AT "7 3 end 1 interrupted run 0 .\n" AT "8 3 undo 1 .\n");
	SAY(f, "undoing" AT "9 4 undone 1 failed 3");	/* and again */
	f = &h->file[3];
	SAY(f, AT "8 3 undo 1 .\n" AT "9 4 undone 1 failed 37 .\n");
	SAY(f, AT "10 4 verdict failed .\n\n");
}

static const char *hex_of(const char *s, size_t n)
{
	static char hex[4000];

	ck_assert_uint_lt(2 * n, sizeof hex);
	hex[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)s[i]);
	return hex;
}

#define EXPECT(l, s) \
	tw_buf_addf(out, "\noutput " l " %s", hex_of(s, sizeof (s) - 1))

static void expected(struct tw_buf *out)
{
	SAY(out, "\n1 10 life 1 4e0a-b007 1700000000\n2 10 start 1");
	EXPECT("1", "one\ntwo\n\n\nno newline after this");
	SAY(out, "\n3 11 run 1 1");
	EXPECT("1", "nul \0\0 high \377\376\200 return \r\n"
	    "\n@" "\n@" NONCE "\n@" NONCE "\n" AT "\n"
	    AT " 4 5 start 1 .\n"
	    AT "aWordThatIsFarTooLong x\n"
	    AT "accepted\n" AT "refused lost x\n"
	    AT "\0" "4 12 start 1 .\n" AT "4 12 st\0art 1 .\n"
	    AT "4 12 run 1 1 .\0\n"
	    OTHER "4 12 start 2 .\n" AT "5 12 start 2 .\n"
	    AT "4 12 start .\n" AT "4 12 run 1 1  .\n"
	    AT "4 -12 run 1 1 .\n"
	    AT "4 12 run 1 1\n" AT "4 12 run 1 1 \n"
	    AT "4 12 run 1 10.\n" AT "4 12 run 1 1 . \n"
	    AT "4 12 run 1 1 ..\n" AT "4 12 run 1 1 . .\n"
	    AT "4 .\n" AT "4 12 .\n" AT "3 99 verdict succeeded\n"
	    "x@" NONCE " 4 12 run 1 1 .\n" "\n");
	SAY(out, "\n4 12 try 1 1 timed-out run 0\ncut 123456");
	EXPECT("1", AT "cut\n" AT "cut .\n" AT "cut  .\n" AT "cut x .\n"
	    AT "cut 1 2 .\n" AT "cut -1 .\n" AT "cut 123\n"
	    AT "stream\n" AT "stream 1\n" AT "stream 1 x\n" LONG_STREAM
	    "\n\n@\n@0");
	SAY(out, "\n5 13 run 1 2");
	EXPECT("1", "\n\n@001122");
	SAY(out, "\n6 3 life 2 4e0b-b008 1700000100");
	SAY(out, "\n7 3 end 1 interrupted run 0\n8 3 undo 1");
	EXPECT("2", "undoing" AT "9 4 undone 1 failed 3");
	SAY(out, "\n9 4 undone 1 failed 37\n10 4 verdict failed");
	EXPECT("3", "\n");
	SAY(out, "\ncontrol over|verdict");
}

START_TEST(the_whole_stream_gives_exactly_these_calls)
{
	struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
	struct record r;
	struct host h;

	host_fill(&h);
	transmit(&h, 0, 0, &sent);
	expected(&want);
	record_init(&r, &h);
	feed_by(&r, &sent, sent.len);
	same(&r.text, &want);
	ck_assert_int_eq(r.j.life, 3);
	ck_assert_int_eq(r.j.offset, (int64_t)h.file[3].len);
	ck_assert_int_eq(r.j.next, 11);
	ck_assert(!r.j.in_stream);
	tw_buf_release(&r.text);
	tw_buf_release(&sent);
	tw_buf_release(&want);
	host_release(&h);
}
END_TEST

START_TEST(no_split_changes_a_call)
{
	struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
	struct record r;
	struct host h;

	host_fill(&h);
	transmit(&h, 0, 0, &sent);
	expected(&want);
	for (size_t i = 0; i <= sent.len; i++) {
		record_init(&r, &h);
		tw_journal_feed(&r.j, sent.data, i);
		tw_journal_feed(&r.j, sent.data + i, sent.len - i);
		same(&r.text, &want);
		tw_buf_release(&r.text);
	}
	for (size_t i = 1; i < 200; i++) {
		record_init(&r, &h);
		feed_by(&r, &sent, i);
		same(&r.text, &want);
		tw_buf_release(&r.text);
	}
	tw_buf_release(&sent);
	tw_buf_release(&want);
	host_release(&h);
}
END_TEST

START_TEST(a_stream_goes_on_from_every_position)
{
	struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
	struct record r;
	struct host h;

	host_fill(&h);
	transmit(&h, 0, 0, &sent);
	expected(&want);
	for (size_t i = 0; i < sent.len; i++) {
		record_init(&r, &h);
		tw_journal_feed(&r.j, sent.data, i);
		take_up(&r, &h);
		same(&r.text, &want);
		tw_buf_release(&r.text);
	}
	tw_buf_release(&sent);
	tw_buf_release(&want);
	host_release(&h);
}
END_TEST

START_TEST(a_stop_in_a_callback_is_the_last_call)
{
	struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
	struct record r;
	struct host h;
	long n, i;

	host_fill(&h);
	transmit(&h, 0, 0, &sent);
	expected(&want);
	record_init(&r, &h);
	feed_by(&r, &sent, sent.len);
	n = r.calls;
	tw_buf_release(&r.text);
	ck_assert_int_gt(n, 30);
	for (i = 1; i < n; i++) {
		record_init(&r, &h);
		r.stop_at = i;
		feed_by(&r, &sent, sent.len);
		ck_assert_int_eq(r.calls, i);
		r.stop_at = 0;
		take_up(&r, &h);
		same(&r.text, &want);
		tw_buf_release(&r.text);
	}
	tw_buf_release(&sent);
	tw_buf_release(&want);
	host_release(&h);
}
END_TEST

/* --- edges --- */

START_TEST(noise_before_the_hello_is_output_without_a_position)
{
	struct record r;

	record_init(&r, NULL);
	r.j.in_stream = false;
	FEED(&r, "motd\n" AT "hello 1\n");
	ck_assert_str_eq(tw_buf_str(&r.text), "\noutput -1 6d6f74640a");
	ck_assert_int_eq(r.j.offset, 0);
	/* what belongs to a stream cannot come before `stream` */
	FEED(&r, AT "1 1 start 1 .\n" AT "cut 5 .\n" AT "over gone\n");
	ck_assert_ptr_null(strstr(tw_buf_str(&r.text), "\ncut"));
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&r.text), "2073746172742031"));
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&r.text),
	    "\ncontrol over|gone"));
	ck_assert_int_eq(r.j.next, 1);
	ck_assert_int_eq(r.j.offset, 0);
	tw_buf_release(&r.text);
}
END_TEST

START_TEST(a_control_word_may_stand_alone)
{
	struct record r;

	record_init(&r, NULL);
	FEED(&r, AT "accepted\n" AT "refused busy 7 of t\n");
	ck_assert_str_eq(tw_buf_str(&r.text),
	    "\ncontrol accepted|\ncontrol refused|busy 7 of t");
	tw_buf_release(&r.text);
}
END_TEST

/* Lines of exactly the longest length are lines; one byte more is output. */
START_TEST(a_line_too_long_is_output)
{
	for (size_t extra = 0; extra < 3; extra++) {
		struct tw_buf b = TW_BUF_INIT, want = TW_BUF_INIT;
		struct record r;

		tw_buf_adds(&b, AT "fact os ");
		for (size_t i = 8; i < TW_JOURNAL_LINE_MAX + extra; i++)
			tw_buf_addc(&b, 'x');
		tw_buf_adds(&b, AT "over facts\n");
		record_init(&r, NULL);
		feed_by(&r, &b, 7);
		if (extra == 0) {
			ck_assert_msg(strncmp(tw_buf_str(&r.text),
			    "\ncontrol fact|os xx", 19) == 0, "%.40s",
			    tw_buf_str(&r.text));
		} else {
			ck_assert_str_eq(tw_buf_str(&r.text) + r.text.len - 19,
			    "\ncontrol over|facts");
			tw_buf_adds(&want, "\noutput -1 0a40");
			ck_assert_int_eq(strncmp(tw_buf_str(&r.text),
			    want.data, want.len), 0);
		}
		tw_buf_release(&b);
		tw_buf_release(&want);
		tw_buf_release(&r.text);
	}
}
END_TEST

START_TEST(a_line_too_long_in_every_split_keeps_the_position)
{
	struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
	struct record r;
	struct host h;

	memset(&h, 0, sizeof h);
	h.lives = 1;
	SAY(&h.file[1], "x" AT "1 2 ");
	for (int i = 0; i < TW_JOURNAL_LINE_MAX + 10; i++)
		tw_buf_addc(&h.file[1], "start 1\0"[i % 8]);
	SAY(&h.file[1], " .\n" AT "1 2 start 1 .\n");
	transmit(&h, 0, 0, &sent);
	for (size_t i = 1; i < sent.len; i += i < 300 ? 1 : 37) {
		record_init(&r, &h);
		feed_by(&r, &sent, i);
		if (i == 1)
			tw_buf_add(&want, r.text.data, r.text.len);
		same(&r.text, &want);
		ck_assert_int_eq(r.j.offset, (int64_t)h.file[1].len);
		ck_assert_int_eq(r.j.next, 2);
		tw_buf_release(&r.text);
	}
	tw_buf_release(&sent);
	tw_buf_release(&want);
	host_release(&h);
}
END_TEST

/* --- lines torn at the end of a file --- */

static const char *const lines[] = {
	"1 1234 life 1 4e0a-b007 1700000000",
	"1 1234 start 127",
	"1 1234 run 12 127",
	"1 1234 try 12 1 failed run 127",
	"1 1234 end 12 timed-out verify 137",
	"1 1234 cancel anna",
	"1 1234 undo 127",
	"1 1234 undone 12 failed 127",
	"1 1234 verdict rolled-back",
	"cut 123456",
};
#define LINES (int)(sizeof lines / sizeof lines[0])
#define CUT_LINE (LINES - 1)

/* A host whose first life ends with the first i bytes of the line; the second
 * repeats all events; what its stream must give is added to want. */
static void host_tear(struct host *h, const char *line, size_t i,
    struct tw_buf *want)
{
	struct tw_buf whole = TW_BUF_INIT;
	bool is_cut = strncmp(line, "cut", 3) == 0, all;
	size_t n;

	memset(h, 0, sizeof *h);
	h->lives = 2;
	SAY(&h->file[1], "before");
	tw_buf_addf(&whole, AT "%s .\n", line);
	n = whole.len;
	all = i + 1 >= n;	/* of what there is but the newline */
	tw_buf_add(&h->file[1], whole.data, i);
	tw_buf_addf(want, "\noutput 1 %s", hex_of("before", 6));
	if (all)
		tw_buf_addf(want, "\n%s", line);
	else
		tw_buf_adds(want, hex_of(whole.data, i));
	if (!is_cut) {
		tw_buf_add(&h->file[2], whole.data, n);
		if (!all)
			tw_buf_addf(want, "\n%s", line);
	}
	tw_buf_addf(&h->file[2], AT "%d 1235 undo 12 .\n", is_cut ? 1 : 2);
	tw_buf_addf(want, "\n%d 1235 undo 12", is_cut ? 1 : 2);
	tw_buf_adds(want, "\ncontrol over|verdict");
	tw_buf_release(&whole);
}

/*
 * A line torn at any byte is output, not another event, takes the control line
 * after it along in no case, and does not shift the position; the next life's
 * copy completes it.
 */
START_TEST(a_torn_line_is_no_line)
{
	const char *line = lines[_i];

	for (size_t i = 0; i <= strlen(AT) + strlen(line) + 3; i++) {
		struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
		struct record r;
		struct host h;

		host_tear(&h, line, i, &want);
		transmit(&h, 0, 0, &sent);
		for (size_t size = 1; size <= sent.len; size++) {
			record_init(&r, NULL);
			feed_by(&r, &sent, size);
			same(&r.text, &want);
			ck_assert_int_eq(r.j.life, 2);
			ck_assert_int_eq(r.j.offset, (int64_t)h.file[2].len);
			tw_buf_release(&r.text);
		}
		tw_buf_reset(&sent);
		h.lives = 1;	/* nobody took over yet */
		transmit(&h, 0, 0, &sent);
		record_init(&r, NULL);
		feed_by(&r, &sent, 1);
		ck_assert_msg(strstr(r.text.data, "control over|verdict"),
		    "torn at %zu: %s", i, r.text.data);
		ck_assert_int_eq(r.j.offset, (int64_t)h.file[1].len);
		ck_assert_int_eq(r.j.next, 1 +
		    (_i != CUT_LINE && i >= strlen(AT) + strlen(line) + 2));
		tw_buf_release(&r.text);
		tw_buf_release(&sent);
		tw_buf_release(&want);
		host_release(&h);
	}
}
END_TEST

/*
 * The connection breaks anywhere around a torn line: taken up where it was,
 * nothing is lost or doubled.  The position is one too high at most, where a
 * host takes it for right (attach() in executor.sh), and never within a file
 * that goes on.
 */
START_TEST(a_torn_line_and_a_connection_that_breaks)
{
	const char *line = lines[_i];
	size_t whole = strlen(AT) + strlen(line) + 3;

	for (size_t i = 0; i <= whole; i++) {
		struct tw_buf sent = TW_BUF_INIT, want = TW_BUF_INIT;
		struct record r;
		struct host h;
		int too_high = 0;

		host_tear(&h, line, i, &want);
		transmit(&h, 0, 0, &sent);
		for (size_t at = 0; at < sent.len; at++) {
			record_init(&r, NULL);
			tw_journal_feed(&r.j, sent.data, at);
			if (r.j.life && r.j.offset >
			    (int64_t)h.file[r.j.life].len) {
				too_high++;
				ck_assert_int_eq(r.j.life, 1);
				ck_assert_int_eq(r.j.offset,
				    (int64_t)h.file[1].len + 1);
			}
			take_up(&r, &h);
			same(&r.text, &want);
			ck_assert_int_eq(r.j.offset, (int64_t)h.file[2].len);
			tw_buf_release(&r.text);
		}
		ck_assert_msg(i + 1 == whole ? too_high > 0 : too_high == 0,
		    "torn at %zu: %d", i, too_high);
		tw_buf_release(&sent);
		tw_buf_release(&want);
		host_release(&h);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("stream");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, the_whole_stream_gives_exactly_these_calls);
	tcase_add_test(tc, no_split_changes_a_call);
	tcase_add_test(tc, a_stream_goes_on_from_every_position);
	tcase_add_test(tc, a_stop_in_a_callback_is_the_last_call);
	tcase_add_test(tc, noise_before_the_hello_is_output_without_a_position);
	tcase_add_test(tc, a_control_word_may_stand_alone);
	tcase_add_test(tc, a_line_too_long_is_output);
	tcase_add_test(tc, a_line_too_long_in_every_split_keeps_the_position);
	tcase_add_loop_test(tc, a_torn_line_is_no_line, 0, LINES);
	tcase_add_loop_test(tc, a_torn_line_and_a_connection_that_breaks, 0,
	    LINES);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
