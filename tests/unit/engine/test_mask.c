/* test_mask.c - secrets out of a stream, however it is split or cut */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/mask.h"

static struct tw_err err;

#define OK(call) ck_assert_msg((call) == TW_OK, "%s", err.msg)
#define NVALUES(v) (sizeof (v) / sizeof (v)[0])

static void collect(void *arg, const char *p, size_t n)
{
	tw_buf_add(arg, p, n);
}

static struct tw_mask_forms *forms_of(const char *const *v, size_t n)
{
	struct tw_mask_forms *f;

	OK(tw_mask_forms_new(v, n, &f, &err));
	return f;
}

/* All of text in pieces of `piece` bytes, then the end. */
static void masked(const struct tw_mask_forms *f, const char *text, size_t n,
    size_t piece, struct tw_buf *out)
{
	struct tw_mask *m;
	size_t i;

	OK(tw_mask_new(f, collect, out, &m, &err));
	for (i = 0; i < n; i += piece)
		tw_mask_feed(m, text + i, n - i < piece ? n - i : piece);
	tw_mask_end(m, false);
	tw_mask_free(m);
}

static void becomes(const struct tw_mask_forms *f, const char *text,
    const char *want)
{
	size_t piece;

	for (piece = 1; piece <= strlen(text) + 1; piece++) {
		struct tw_buf out = TW_BUF_INIT;

		masked(f, text, strlen(text), piece, &out);
		ck_assert_str_eq(tw_buf_str(&out), want);
		tw_buf_release(&out);
	}
}

static const char *const one[] = { "hunter2!" };

START_TEST(a_secret_becomes_stars)
{
	struct tw_mask_forms *f = forms_of(one, 1);

	becomes(f, "the password is hunter2!, said he",
	    "the password is ***, said he");
	becomes(f, "hunter2!", "***");
	becomes(f, "hunter2!hunter2!\n", "******\n");
	becomes(f, "hunthunter2!unter2!", "hunt***unter2!");
	becomes(f, "hunter", "***");
	becomes(f, "hunte", "hunte");
	becomes(f, "hunter3!", "hunter3!");
	becomes(f, "", "");
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(a_short_one_is_left_alone)
{
	static const char *const v[] = { "", "five5", "sixsix" };
	struct tw_mask_forms *f = forms_of(v, NVALUES(v));

	becomes(f, "five5 sixsix", "five5 ***");
	tw_mask_forms_free(f);
	f = forms_of(v, 2);
	ck_assert_uint_eq(tw_mask_forms_count(f), 0);
	becomes(f, "five5 sixsix", "five5 sixsix");
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(every_form_is_known)
{
	static const char *const v[] = { "it's/a \"b\"\\$c~d\xc3\xa9\xf0\x9f"
	    "\x98\x80<e>\n!?" };
	static const char *const printed[] = {
		/* as it is; sh; dash's export -p */
		"it's/a \"b\"\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\n!?",
		"it'\\''s/a \"b\"\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\n!?",
		"it'\"'\"'s/a \"b\"\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\n!?",
		/* between double quotes */
		"it's/a \\\"b\\\"\\\\\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\n!?",
		/* RFC 3986; lower case; paths */
		"it%27s%2Fa%20%22b%22%5C%24c~d%C3%A9%F0%9F%98%80%3Ce%3E%0A%21"
		"%3F",
		"it%27s%2fa%20%22b%22%5c%24c~d%c3%a9%f0%9f%98%80%3ce%3e%0a%21"
		"%3f",
		"it%27s/a%20%22b%22%5C%24c~d%C3%A9%F0%9F%98%80%3Ce%3E%0A%21"
		"%3F",
		/* encodeURIComponent; a form */
		"it's%2Fa%20%22b%22%5C%24c~d%C3%A9%F0%9F%98%80%3Ce%3E%0A!%3F",
		"it%27s%2Fa+%22b%22%5C%24c%7Ed%C3%A9%F0%9F%98%80%3Ce%3E%0A%21"
		"%3F",
		/* JSON: plain; with \/; ASCII; for HTML */
		"it's/a \\\"b\\\"\\\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\\n!?",
		"it's\\/a \\\"b\\\"\\\\$c~d\xc3\xa9\xf0\x9f\x98\x80<e>\\n!?",
		"it's/a \\\"b\\\"\\\\$c~d\\u00e9\\ud83d\\ude00<e>\\n!?",
		"it's\\/a \\\"b\\\"\\\\$c~d\\u00E9\\uD83D\\uDE00<e>\\n!?",
		"it's/a \\\"b\\\"\\\\$c~d\xc3\xa9\xf0\x9f\x98\x80\\u003ce"
		"\\u003e\\n!?",
	};
	struct tw_mask_forms *f = forms_of(v, 1);
	char text[400];
	size_t i;

	for (i = 0; i < NVALUES(printed); i++) {
		snprintf(text, sizeof text, "x=%s;", printed[i]);
		becomes(f, text, "x=***;");
	}
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(a_plain_value_has_one_form)
{
	static const char *const v[] = { "abcDEF123", "abcDEF123" };
	struct tw_mask_forms *f = forms_of(v, 2);

	ck_assert_uint_eq(tw_mask_forms_count(f), 1);
	ck_assert_str_eq(tw_mask_form(f, 0), "abcDEF123");
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(one_may_begin_hold_or_overlap_another)
{
	static const char *const v[] = { "secret", "secret-longer",
	    "longer-and-more", "abcabc", "xxsecretyy" };
	struct tw_mask_forms *f = forms_of(v, NVALUES(v));

	becomes(f, "secret", "***");
	becomes(f, "secret-", "***");
	becomes(f, "secret-.", "***-.");
	becomes(f, "secret-longe!", "***-longe!");
	becomes(f, "secret-longer", "***");
	becomes(f, "secret-longer-and-more.", "***.");
	becomes(f, "abcabcabcab.", "***ab.");
	becomes(f, "abcabcabc.", "***.");
	becomes(f, "xxsecretyy", "***");
	becomes(f, "xxsecrety.", "xx***y.");
	becomes(f, "secretsecret", "******");
	tw_mask_forms_free(f);
}
END_TEST

/* --- restarts ----------------------------------------------------------------- */

/* No form, whole, in what is kept. */
static void holds_none(const struct tw_mask_forms *f, const struct tw_buf *b)
{
	size_t i;

	for (i = 0; i < tw_mask_forms_count(f); i++)
		ck_assert_msg(!strstr(tw_buf_str(b), tw_mask_form(f, i)),
		    "'%s' in '%s'", tw_mask_form(f, i), tw_buf_str(b));
}

/* Read up to `at`, what was given is kept; then a new mask from where the first
 * says.  The same twice, at `then` as well. */
static void restarted(const struct tw_mask_forms *f, const char *text,
    size_t at, size_t then, struct tw_buf *out)
{
	size_t ends[3] = { at, then, strlen(text) }, from = 0, i;
	struct tw_mask *m;

	for (i = 0; i < 3; i++) {
		if (ends[i] < from)
			continue;
		OK(tw_mask_new(f, collect, out, &m, &err));
		tw_mask_feed(m, text + from, ends[i] - from);
		from = ends[i] - tw_mask_back(m);
		if (i == 2)
			tw_mask_end(m, false);
		tw_mask_free(m);
	}
}

/* Without the stars of secrets that were seen twice. */
static void squeeze(struct tw_buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->len; i++)
		if (b->data[i] != '*' || n == 0 || b->data[n - 1] != '*')
			b->data[n++] = b->data[i];
	b->len = n;
	b->data[n] = '\0';
}

static void survives_restarts(const struct tw_mask_forms *f, const char *text)
{
	struct tw_buf want = TW_BUF_INIT;
	size_t at, then, n = strlen(text);

	masked(f, text, n, n, &want);
	squeeze(&want);
	for (at = 0; at <= n; at++)
		for (then = at; then <= n; then++) {
			struct tw_buf out = TW_BUF_INIT;

			restarted(f, text, at, then, &out);
			holds_none(f, &out);
			squeeze(&out);
			ck_assert_str_eq(tw_buf_str(&out), tw_buf_str(&want));
			tw_buf_release(&out);
		}
	tw_buf_release(&want);
}

START_TEST(a_restart_anywhere_sees_each_secret_whole)
{
	static const char *const v[] = { "s3cr3t", "s3cr3t-l0ng3r",
	    "l0ng3r+m0r3", "abcabc", "quo'ted" };
	struct tw_mask_forms *f = forms_of(v, NVALUES(v));

	survives_restarts(f, "one s3cr3t two s3cr3t-l0ng3r+m0r3 three\n");
	survives_restarts(f, "s3cr3t-l0ng3rs3cr3ts3cr3t-l0ng3");
	survives_restarts(f, "abcabcabcabcabc.abcab");
	survives_restarts(f, "quo'ted quo'\\''ted quo%27ted");
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(what_is_no_beginning_is_not_held_back)
{
	struct tw_mask_forms *f = forms_of(one, 1);
	struct tw_buf out = TW_BUF_INIT;
	struct tw_mask *m;

	OK(tw_mask_new(f, collect, &out, &m, &err));
	tw_mask_feed(m, "a line\nhun", 10);
	ck_assert_str_eq(tw_buf_str(&out), "a line\n");
	ck_assert_uint_eq(tw_mask_back(m), 3);
	tw_mask_feed(m, "g", 1);
	ck_assert_str_eq(tw_buf_str(&out), "a line\nhung");
	ck_assert_uint_eq(tw_mask_back(m), 0);
	tw_mask_feed(m, "hu", 2);
	tw_mask_end(m, false);
	ck_assert_str_eq(tw_buf_str(&out), "a line\nhunghu");
	ck_assert_uint_eq(tw_mask_back(m), 0);
	tw_mask_feed(m, "nter2!", 6);
	ck_assert_str_eq(tw_buf_str(&out), "a line\nhunghunter2!");
	tw_mask_free(m);
	tw_mask_forms_free(f);
	tw_buf_release(&out);
}
END_TEST

/* --- cuts -------------------------------------------------------------------------- */

/* text with the bytes from `from` to `to` dropped by the host. */
static void cut_at(const struct tw_mask_forms *f, const char *text,
    size_t from, size_t to, size_t piece, struct tw_buf *out)
{
	size_t n = strlen(text), i;
	struct tw_mask *m;

	OK(tw_mask_new(f, collect, out, &m, &err));
	tw_mask_feed(m, text, from);
	tw_mask_end(m, true);
	tw_buf_adds(out, "|");
	tw_mask_after_cut(m);
	for (i = to; i < n; i += piece)
		tw_mask_feed(m, text + i, n - i < piece ? n - i : piece);
	tw_mask_end(m, false);
	tw_mask_free(m);
}

START_TEST(a_cut_shows_no_part_of_a_secret)
{
	static const char text[] = "<<<hunter2!>>>";
	struct tw_mask_forms *f = forms_of(one, 1);
	size_t from, to, piece, i;

	for (from = 0; from < sizeof text; from++)
		for (to = from; to < sizeof text; to++)
			for (piece = 1; piece < 12; piece += 5) {
				struct tw_buf out = TW_BUF_INIT;

				cut_at(f, text, from, to, piece, &out);
				for (i = 0; i < out.len; i++)
					ck_assert_msg(strchr("<|*>",
					    out.data[i]), "%zu-%zu: %s", from,
					    to, out.data);
				tw_buf_release(&out);
			}
	tw_mask_forms_free(f);
}
END_TEST

START_TEST(what_is_no_part_of_a_secret_survives_a_cut)
{
	static const char *const v[] = { "hunter2!", "er2!longer" };
	struct tw_mask_forms *f = forms_of(v, 2);
	struct tw_buf out = TW_BUF_INIT;

	cut_at(f, "plain text before, hidden, and plain text after", 18, 25, 3,
	    &out);
	ck_assert_str_eq(tw_buf_str(&out),
	    "plain text before,|, and plain text after");
	tw_buf_release(&out);
	/* the rest of one is the beginning of another */
	cut_at(f, "huntxxxxer2!longer.", 4, 8, 1, &out);
	ck_assert_str_eq(tw_buf_str(&out), "***|***.");
	tw_buf_release(&out);
	cut_at(f, "huntxxxxer2!hunter2!er2", 4, 8, 100, &out);
	ck_assert_str_eq(tw_buf_str(&out), "***|******er2");
	tw_buf_release(&out);
	tw_mask_forms_free(f);
}
END_TEST

/* --- hostile output -------------------------------------------------------------------- */

/* Comparisons for each byte of n bytes of period repeated. */
static double effort(const struct tw_mask_forms *f, const char *period,
    size_t n)
{
	struct tw_buf text = TW_BUF_INIT, out = TW_BUF_INIT;
	struct tw_mask *m;
	double steps;

	while (text.len < n)
		tw_buf_adds(&text, period);
	OK(tw_mask_new(f, collect, &out, &m, &err));
	tw_mask_after_cut(m);
	tw_mask_feed(m, text.data, text.len);
	ck_assert_uint_le(out.len, text.len + 3);
	tw_mask_end(m, true);
	steps = (double)tw_mask_steps(m) / (double)text.len;
	tw_mask_free(m);
	tw_buf_release(&text);
	tw_buf_release(&out);
	return steps / (double)tw_mask_forms_count(f);
}

START_TEST(hostile_output_costs_no_more)
{
	char same[5001], last[5002], turn[5001];
	const char *v[] = { same, last, turn, "aaaaaa" };
	struct tw_mask_forms *f;
	size_t i;

	memset(same, 'a', 5000);
	same[5000] = '\0';
	snprintf(last, sizeof last, "%sb", same);
	for (i = 0; i < 5000; i++)
		turn[i] = "ab"[i % 2];
	turn[5000] = '\0';
	f = forms_of(v, NVALUES(v));
	ck_assert_double_lt(effort(f, "a", 1 << 20), 2.1);
	ck_assert_double_lt(effort(f, "ab", 1 << 20), 2.1);
	ck_assert_double_lt(effort(f, "aaaaaaaaab", 1 << 20), 2.1);
	ck_assert_double_lt(effort(f, "aaaaaa.", 1 << 20), 2.1);
	ck_assert_double_lt(effort(f, last, 1 << 20), 2.1);
	tw_mask_forms_free(f);
}
END_TEST

/* What a straightforward mask does: every byte of every occurrence. */
static void by_hand(const struct tw_mask_forms *f, const char *text, size_t n,
    struct tw_buf *out)
{
	char hit[64] = { 0 };
	size_t i, k, len;

	for (i = 0; i < n; i++)
		for (k = 0; k < tw_mask_forms_count(f); k++) {
			len = strlen(tw_mask_form(f, k));
			if (len <= n - i && memcmp(text + i,
			    tw_mask_form(f, k), len) == 0)
				memset(hit + i, 1, len);
		}
	for (i = 0; i < n; i++)
		if (!hit[i])
			tw_buf_addc(out, text[i]);
		else if (i == 0 || !hit[i - 1])
			tw_buf_addc(out, '*');
}

START_TEST(it_agrees_with_the_plain_way)
{
	static const char *const v[] = { "aabaab", "abaaba", "aaaaaab",
	    "bbbaaabbb", "ababababab" };
	struct tw_mask_forms *f = forms_of(v, NVALUES(v));
	unsigned seed = 1, i, k, n;
	char text[41];

	for (i = 0; i < 20000; i++) {
		struct tw_buf want = TW_BUF_INIT, out = TW_BUF_INIT;

		n = 30 + (seed >> 20) % 10;
		for (k = 0; k < n; k++) {
			seed = seed * 1103515245 + 12345;
			text[k] = "aab"[(seed >> 16) % 3];
		}
		/* an end that begins no form */
		text[n++] = '.';
		text[n] = '\0';
		by_hand(f, text, n, &want);
		restarted(f, text, (seed >> 8) % n, n - (seed >> 12) % 5,
		    &out);
		squeeze(&out);
		ck_assert_str_eq(tw_buf_str(&out), tw_buf_str(&want));
		tw_buf_release(&want);
		tw_buf_release(&out);
	}
	tw_mask_forms_free(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mask");
	TCase *t = tcase_create("mask");
	SRunner *sr;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_secret_becomes_stars);
	tcase_add_test(t, a_short_one_is_left_alone);
	tcase_add_test(t, every_form_is_known);
	tcase_add_test(t, a_plain_value_has_one_form);
	tcase_add_test(t, one_may_begin_hold_or_overlap_another);
	tcase_add_test(t, a_restart_anywhere_sees_each_secret_whole);
	tcase_add_test(t, what_is_no_beginning_is_not_held_back);
	tcase_add_test(t, a_cut_shows_no_part_of_a_secret);
	tcase_add_test(t, what_is_no_part_of_a_secret_survives_a_cut);
	tcase_add_test(t, hostile_output_costs_no_more);
	tcase_add_test(t, it_agrees_with_the_plain_way);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
