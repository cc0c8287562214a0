/*
 * test_journal_fuzz.c - lib/engine/journal.c fed with nonsense, by a fixed seed
 */
#include "record.h"

static uint64_t seed;

static unsigned roll(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void add_event(struct tw_buf *b, int64_t n)
{
	static const char *const args[] = {
		"start 1", "run 1 1", "try 1 1 failed verify 1", "undo 1",
		"end 1 unchanged check 0", "undone 1 done 0", "cancel eve",
		"verdict failed", "life 1 b 7", "nonsense 1", "end 1 done run",
	};

	tw_buf_addf(b, AT "%" PRId64 " %u %s%s\n", n, roll(1000),
	    args[roll(11)], roll(8) ? " ." : "");
}

/* Bytes of a stream file; *n is the next event number. */
static void add_noise(struct tw_buf *b, int64_t *n)
{
	static const char *const bits[] = {
		"\n", "\n", "\n\n", "@", "\n@", "\n@" NONCE, AT, OTHER, " ",
		"0", "1 ", "x", "start", AT "\n", AT "cut 5 .\n", AT "cut ",
		"@" NONCE " ", "the quick brown fox", "\r\n", "\033[2J",
	};
	unsigned what = roll(24);

	if (what < 20) {
		tw_buf_adds(b, bits[what]);
	} else if (what == 20) {
		tw_buf_addc(b, (char)roll(256));
	} else if (what == 21) {
		add_event(b, *n + (int64_t)roll(4) - 2);
	} else {
		add_event(b, *n);
		*n += 1;
	}
}

static void feed_randomly(struct record *r, const struct tw_buf *b, size_t end)
{
	size_t at, n;

	for (at = 0; at < end; at += n) {
		n = 1 + roll(roll(8) ? 9 : 200);
		if (n > end - at)
			n = end - at;
		tw_journal_feed(&r->j, b->data + at, n);
	}
}

START_TEST(splits_and_drops_change_nothing)
{
	seed = 20240229;
	for (int round = 0; round < 1000; round++) {
		struct tw_buf sent = TW_BUF_INIT;
		struct record whole, split, drop;
		struct host h;
		int64_t n = 1;

		memset(&h, 0, sizeof h);
		h.lives = 1 + (int)roll(LIVES);
		for (int l = 1; l <= h.lives; l++) {
			for (unsigned i = roll(60); i > 0; i--)
				add_noise(&h.file[l], &n);
			SAY(&h.file[l], "x");	/* no line that looks whole */
		}
		transmit(&h, 0, 0, &sent);
		record_init(&whole, NULL);
		feed_by(&whole, &sent, sent.len);
		record_init(&split, NULL);
		feed_randomly(&split, &sent, sent.len);
		same(&split.text, &whole.text);
		ck_assert_int_eq(whole.j.next, split.j.next);
		record_init(&drop, NULL);
		drop.host = &h;
		feed_randomly(&drop, &sent, roll((unsigned)sent.len));
		take_up(&drop, &h);
		same(&drop.text, &whole.text);
		ck_assert_int_eq(whole.j.offset, drop.j.offset);
		tw_buf_release(&whole.text);
		tw_buf_release(&split.text);
		tw_buf_release(&drop.text);
		tw_buf_release(&sent);
		host_release(&h);
	}
}
END_TEST

/* A host that lies: control lines anywhere; nothing breaks, and no split
 * shows. */
START_TEST(control_lines_anywhere_break_nothing)
{
	static const char *const lies[] = {
		AT "hello 1\n", AT "over gone\n", AT "stream 1 0\n",
		AT "stream 2 999999999999999999\n", AT "stream 3 5\n",
		AT "done failed 3\n", AT "cut 999999999999999999 .\n",
		AT "999999999999999999 1 start 1 .\n",
	};

	seed = 20240301;
	for (int round = 0; round < 1000; round++) {
		struct tw_buf sent = TW_BUF_INIT;
		struct record whole, split;
		int64_t n = 1;

		for (unsigned i = 1 + roll(80); i > 0; i--) {
			if (roll(4) == 0)
				tw_buf_adds(&sent, lies[roll(8)]);
			add_noise(&sent, &n);
		}
		record_init(&whole, NULL);
		feed_by(&whole, &sent, sent.len);
		record_init(&split, NULL);
		feed_randomly(&split, &sent, sent.len);
		same(&split.text, &whole.text);
		ck_assert_int_eq(whole.j.offset, split.j.offset);
		ck_assert_int_ge(whole.j.offset, 0);
		ck_assert_int_eq(whole.j.next, split.j.next);
		tw_buf_release(&whole.text);
		tw_buf_release(&split.text);
		tw_buf_release(&sent);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("journal fuzz");
	TCase *tc = tcase_create("fuzz");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, splits_and_drops_change_nothing);
	tcase_add_test(tc, control_lines_anywhere_break_nothing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
