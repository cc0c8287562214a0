/*
 * test_progress.c - lib/out/progress.c on a terminal made of an array
 *
 * The screen below understands just what progress.c may send; any other
 * control character fails the test.
 */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "out/progress.h"

#define T0 INT64_C(1795239960000)	/* 2026-11-21T05:46:00Z */
#define ROWS 40
#define COLUMNS 80

struct screen {
	char cells[ROWS][COLUMNS + 1];
	size_t width, height, row, column;
	struct tw_buf scrolled;		/* lines that left at the top */
	size_t erased_from_top;		/* ESC [ J in the top left corner */
};

static char *out_text;
static size_t out_size, out_seen;
static FILE *out;
static struct tw_progress *p;
static struct screen screen;

static void scroll(void)
{
	tw_buf_addf(&screen.scrolled, "%s\n", screen.cells[0]);
	memmove(screen.cells[0], screen.cells[1],
	    (screen.height - 1) * sizeof screen.cells[0]);
	memset(screen.cells[screen.height - 1], 0, sizeof screen.cells[0]);
}

static void new_line(void)
{
	screen.column = 0;
	if (screen.row + 1 == screen.height)
		scroll();
	else
		screen.row++;
}

static void erase_line(size_t row, size_t column)
{
	memset(screen.cells[row] + column, 0, COLUMNS + 1 - column);
}

/* One "ESC [ number letter"; how long it was. */
static size_t sequence(const char *s)
{
	char *end;
	unsigned long n = strtoul(s + 2, &end, 10);
	size_t row;

	ck_assert_int_eq(s[1], '[');
	switch (*end) {
	case 'A':
		screen.row -= n < screen.row ? n : screen.row;
		break;
	case 'J':
		screen.erased_from_top += !screen.row && !screen.column;
		for (row = screen.row + 1; row < screen.height; row++)
			erase_line(row, 0);
		erase_line(screen.row, screen.column);
		break;
	case 'K':
		erase_line(screen.row, screen.column);
		break;
	case ';':	/* a colour */
		end += strcspn(end, "m");
		break;
	case 'm':
		break;
	default:
		ck_abort_msg("unknown sequence: %.8s", s + 1);
	}
	return (size_t)(end - s) + 1;
}

/* Shows what was written since the last time. */
static void show(void)
{
	const char *s, *end;

	fflush(out);
	end = out_text + out_size;
	for (s = out_text + out_seen; s < end;) {
		if (*s == '\x1b') {
			s += sequence(s);
			continue;
		}
		if (*s == '\n')
			new_line();
		else if (*s == '\r')
			screen.column = 0;
		else {
			ck_assert_int_ge(*s, ' ');
			if (screen.column == screen.width)
				new_line();
			screen.cells[screen.row][screen.column++] = *s;
		}
		s++;
	}
	out_seen = out_size;
}

static void assert_screen(const char *wanted)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t row;

	show();
	for (row = 0; row < screen.height; row++)
		if (screen.cells[row][0])
			tw_buf_addf(&b, "%s\n", screen.cells[row]);
	ck_assert_str_eq(tw_buf_str(&b), wanted);
	tw_buf_release(&b);
}

static void assert_written(const char *wanted)
{
	fflush(out);
	ck_assert_str_eq(out_text + out_seen, wanted);
	out_seen = out_size;
}

static void start(enum tw_progress_mode mode, bool color, bool verbose)
{
	struct tw_progress_options o = { .mode = mode, .color = color,
		.verbose = verbose, .width = screen.width,
		.height = screen.height, .out = out };

	ck_assert_int_eq(tw_progress_new(&o, T0, &p, NULL), TW_OK);
}

static void setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	memset(&screen, 0, sizeof screen);
	screen.width = 60;
	screen.height = 10;
	out_seen = 0;
	p = NULL;
	out = open_memstream(&out_text, &out_size);
}

static void teardown(void)
{
	tw_progress_free(p);
	fclose(out);
	free(out_text);
	tw_buf_release(&screen.scrolled);
}

static void step(const char *host, int64_t k, const char *name,
    const char *state, int64_t now)
{
	struct tw_progress_step s = { .host = host, .change = 12, .k = k,
		.n = 5, .step = name, .state = state };

	tw_progress_step(p, &s, now);
}

static void end(const char *host, enum tw_progress_outcome outcome,
    const char *status, const char *text, int64_t now)
{
	struct tw_progress_end e = { .host = host, .change = 12,
		.status = status, .outcome = outcome, .steps = 3,
		.span = 1250, .text = text };

	tw_progress_end(p, &e, now);
}

START_TEST(running_hosts_have_a_line_each)
{
	start(TW_PROGRESS_LIVE, false, false);
	tw_progress_waiting(p, 7);
	step("web1", 2, "nginx is installed", NULL, T0);
	step("database", 1, "a name so long that it does not fit", "run",
	    T0 + 500);
	tw_progress_tick(p, T0 + 1000);
	assert_screen(
	    "web1      change 12  step 2/5  nginx is installed      1.0s\n"
	    "database  change 12  step 1/5  a name so long that it~ 0.5s\n"
	    "0 done, 2 running, 7 waiting                           1.0s\n");
}
END_TEST

START_TEST(results_stay_above_the_block)
{
	start(TW_PROGRESS_LIVE, false, false);
	step("web1", 1, "one", NULL, T0);
	step("web2", 1, "one", NULL, T0);
	tw_progress_tick(p, T0);
	end("web1", TW_PROGRESS_GOOD, "succeeded", NULL, T0 + 1250);
	tw_progress_note(p, "web9", "cannot connect", false, T0);
	tw_progress_tick(p, T0 + 1300);
	assert_screen("web1 change 12 succeeded 3 steps 1.2s\n"
	    "web9: cannot connect\n"
	    "web2  change 12  step 1/5  one                         1.3s\n"
	    "1 done, 1 running, 0 waiting                           1.3s\n");
	end("web2", TW_PROGRESS_ROLLED_BACK, "rolled-back", "step 3 failed",
	    T0);
	end("web3", TW_PROGRESS_FAILED, "failed", "", T0);
	end("web4", TW_PROGRESS_OTHER, "cancelled", NULL, T0);
	tw_progress_tick(p, T0 + 2000);
	assert_screen("web1 change 12 succeeded 3 steps 1.2s\n"
	    "web9: cannot connect\n"
	    "web2 change 12 rolled-back 3 steps 1.2s: step 3 failed\n"
	    "web3 change 12 failed 3 steps 1.2s\n"
	    "web4 change 12 cancelled 3 steps 1.2s\n"
	    "4 done, 0 running, 0 waiting, 1 failed, 1 rolled back  2.0s\n");
}
END_TEST

START_TEST(the_end_leaves_results_only)
{
	start(TW_PROGRESS_LIVE, false, false);
	step("web1", 1, "one", NULL, T0);
	step("web2", 1, "one", NULL, T0);
	tw_progress_tick(p, T0);
	end("web1", TW_PROGRESS_GOOD, "succeeded", NULL, T0);
	tw_progress_free(p);
	p = NULL;
	assert_screen("web1 change 12 succeeded 3 steps 1.2s\n");
	ck_assert_uint_eq(screen.row, 1);
	ck_assert_uint_eq(screen.column, 0);
}
END_TEST

START_TEST(a_block_that_ends_from_the_top_is_erased_line_by_line)
{
	start(TW_PROGRESS_LIVE, false, false);
	step("web1", 1, "one", NULL, T0);
	tw_progress_tick(p, T0);
	assert_screen(
	    "web1  change 12  step 1/5  one                         0.0s\n"
	    "0 done, 1 running, 0 waiting                           0.0s\n");
	tw_progress_free(p);
	p = NULL;
	assert_screen("");
	ck_assert_uint_eq(screen.row, 0);
	ck_assert_uint_eq(screen.erased_from_top, 0);
}
END_TEST

START_TEST(more_hosts_than_lines_are_counted)
{
	char host[16];
	int i;

	screen.height = 6;
	start(TW_PROGRESS_LIVE, false, false);
	for (i = 0; i < 30; i++) {
		snprintf(host, sizeof host, "h%d", i);
		step(host, 1, "x", NULL, T0);
	}
	tw_progress_tick(p, T0);
	assert_screen(
	    "h0  change 12  step 1/5  x                             0.0s\n"
	    "h1  change 12  step 1/5  x                             0.0s\n"
	    "h2  change 12  step 1/5  x                             0.0s\n"
	    "... and 27 more\n"
	    "0 done, 30 running, 0 waiting                          0.0s\n");
	for (i = 0; i < 30; i++) {
		snprintf(host, sizeof host, "h%d", i);
		end(host, TW_PROGRESS_GOOD, "succeeded", NULL, T0);
		tw_progress_tick(p, T0 + i * 200);
	}
	show();
	/* No line of a block was ever scrolled away. */
	ck_assert_ptr_null(strstr(tw_buf_str(&screen.scrolled), "running"));
	ck_assert_ptr_null(strstr(tw_buf_str(&screen.scrolled), "step 1"));
	ck_assert_int_eq(strncmp(tw_buf_str(&screen.scrolled),
	    "h0 change 12 succeeded 3 steps 1.2s\n"
	    "h1 change 12 succeeded", 58), 0);
}
END_TEST

START_TEST(tiny_terminals_are_survived)
{
	size_t sizes[][2] = { { 1, 1 }, { 2, 2 }, { 12, 3 }, { 5, 2 } };

	screen.width = sizes[_i][0];
	screen.height = sizes[_i][1];
	start(TW_PROGRESS_LIVE, false, false);
	step("web1", 1, "one", NULL, T0);
	step("web2", 1, "one", NULL, T0);
	tw_progress_tick(p, T0);
	end("web1", TW_PROGRESS_GOOD, "succeeded", NULL, T0);
	tw_progress_tick(p, T0 + 1000);
	fflush(out);
	ck_assert_uint_gt(out_size, 0);
}
END_TEST

START_TEST(a_redraw_waits_for_its_time)
{
	start(TW_PROGRESS_LIVE, false, false);
	tw_progress_tick(p, T0);
	show();
	step("web1", 1, "one", NULL, T0);
	tw_progress_tick(p, T0 + TW_PROGRESS_INTERVAL - 1);
	assert_written("");
	tw_progress_tick(p, T0 + TW_PROGRESS_INTERVAL);
	fflush(out);
	ck_assert_uint_gt(out_size, out_seen);
	show();
	tw_progress_tick(p, T0 - 3600000);	/* the clock was set back */
	fflush(out);
	ck_assert_uint_gt(out_size, out_seen);
}
END_TEST

START_TEST(hostile_text_reaches_no_terminal)
{
	start(TW_PROGRESS_LIVE, false, true);
	step("web1", 1, "\x1b[2J\n\r\xe2\x80\xae", "do\x07ne", T0);
	end("web2", TW_PROGRESS_FAILED, "failed", "\x1b]0;x\x07\xff", T0);
	tw_progress_tick(p, T0);
	assert_screen("web1 change 12 step 1/5 do\\x07ne: "
	    "\\x1b[2J\\n\\r\\u202e\n"
	    "web2 change 12 failed 3 steps 1.2s: \\x1b]0;x\\x07\\xff\n"
	    "web1  change 12  step 1/5  \\x1b[2J\\n\\r\\u202e           0.0s\n"
	    "1 done, 1 running, 0 waiting, 1 failed                 0.0s\n");
}
END_TEST

START_TEST(a_log_gets_a_line_for_everything)
{
	start(TW_PROGRESS_LINES, false, true);
	step("web1", 0, "connecting", NULL, T0);
	assert_written("");
	step("web1", 2, "two", "done", T0 + 7);
	assert_written("time=2026-11-21T05:46:00.007Z change=12 host=web1 "
	    "step=2 status=done\n");
	end("web1", TW_PROGRESS_GOOD, "succeeded", NULL, T0);
	assert_written("time=2026-11-21T05:46:00Z change=12 host=web1 step= "
	    "status=succeeded\n");
	tw_progress_note(p, "web1", "say \"x\\\"\n", true, T0);
	assert_written("time=2026-11-21T05:46:00Z change= host=web1 step= "
	    "status=alarm text=\"say \\\"x\\\\\\\"\\\\n\"\n");
	tw_progress_tick(p, T0 + 5000);
	assert_written("");
}
END_TEST

START_TEST(plain_lines_need_no_cursor)
{
	start(TW_PROGRESS_PLAIN, false, false);
	step("web1", 1, "one", "done", T0);
	tw_progress_tick(p, T0);
	assert_written("");
	end("web1", TW_PROGRESS_GOOD, "succeeded", NULL, T0);
	assert_written("web1 change 12 succeeded 3 steps 1.2s\n");
	tw_progress_note(p, "web1", "unreachable", false, T0);
	assert_written("web1: unreachable\n");
}
END_TEST

START_TEST(quiet_prints_alarms_alone)
{
	start(TW_PROGRESS_QUIET, false, true);
	step("web1", 1, "one", "done", T0);
	end("web1", TW_PROGRESS_FAILED, "failed", "why", T0);
	tw_progress_note(p, "web1", "unreachable", false, T0);
	tw_progress_tick(p, T0);
	assert_written("");
	tw_progress_note(p, "web1", "is held now", true, T0);
	assert_written("web1: is held now\n");
}
END_TEST

START_TEST(colours_only_when_asked_for)
{
	start(TW_PROGRESS_PLAIN, true, false);
	end("web1", TW_PROGRESS_FAILED, "failed", NULL, T0);
	assert_written("web1 change 12 \x1b[1;31mfailed\x1b[m 3 steps 1.2s\n");
}
END_TEST

START_TEST(a_host_that_goes_idle_loses_its_line)
{
	start(TW_PROGRESS_LIVE, false, false);
	step("web1", 1, "one", NULL, T0);
	step("web2", 1, "one", NULL, T0);
	tw_progress_idle(p, "web1");
	tw_progress_idle(p, "never-seen");
	tw_progress_tick(p, T0);
	assert_screen(
	    "web2  change 12  step 1/5  one                         0.0s\n"
	    "0 done, 1 running, 0 waiting                           0.0s\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, running_hosts_have_a_line_each);
	tcase_add_test(tc, results_stay_above_the_block);
	tcase_add_test(tc, the_end_leaves_results_only);
	tcase_add_test(tc,
	    a_block_that_ends_from_the_top_is_erased_line_by_line);
	tcase_add_test(tc, more_hosts_than_lines_are_counted);
	tcase_add_loop_test(tc, tiny_terminals_are_survived, 0, 4);
	tcase_add_test(tc, a_redraw_waits_for_its_time);
	tcase_add_test(tc, hostile_text_reaches_no_terminal);
	tcase_add_test(tc, a_log_gets_a_line_for_everything);
	tcase_add_test(tc, plain_lines_need_no_cursor);
	tcase_add_test(tc, quiet_prints_alarms_alone);
	tcase_add_test(tc, colours_only_when_asked_for);
	tcase_add_test(tc, a_host_that_goes_idle_loses_its_line);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
