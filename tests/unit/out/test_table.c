/* test_table.c - lib/out/table*.c: every mode, selection, hostile cells */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out/close.h"
#include "out/table.h"

enum { NAME, COUNT, HELD, SINCE, TOOK, FACTS };

static const struct tw_column columns[] = {
	{ "name", "NAME", TW_COL_TEXT, true, "the host" },
	{ "count", "COUNT", TW_COL_INT, true, "changes" },
	{ "held", "HELD", TW_COL_BOOL, false, "whether it is held" },
	{ "since", "SINCE", TW_COL_TIME, true, "the last contact" },
	{ "took", "TOOK", TW_COL_SPAN, false, "the last pass" },
	{ "facts", "FACTS", TW_COL_JSON, false, "what is known" },
	{ NULL, NULL, TW_COL_TEXT, false, NULL },
};

#define T0 INT64_C(1795239960000)	/* 2026-11-21T05:46:00Z */

static void setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
}

static struct tw_table *make(enum tw_table_mode mode, const char *output)
{
	struct tw_table_options o = { .mode = mode, .output = output,
		.noun = "hosts" };
	struct tw_table *t;
	struct tw_err err;

	ck_assert_int_eq(tw_table_new(columns, &o, &t, &err), TW_OK);
	return t;
}

static void add_web1(struct tw_table *t)
{
	tw_table_cell_text(t, NAME, "web1");
	tw_table_cell_int(t, COUNT, -12);
	tw_table_cell_bool(t, HELD, true);
	tw_table_cell_time(t, SINCE, T0);
	tw_table_cell_span(t, TOOK, 1250);
	tw_table_cell_json(t, FACTS, "{\"os\": [1, 0.1, null]}");
	ck_assert_int_eq(tw_table_row_end(t, NULL), TW_OK);
}

static void add_nulls(struct tw_table *t)
{
	tw_table_cell_text(t, NAME, "first");
	tw_table_cell_text(t, NAME, NULL);
	tw_table_cell_time(t, SINCE, 0);
	tw_table_cell_json(t, FACTS, "");
	ck_assert_int_eq(tw_table_row_end(t, NULL), TW_OK);
}

static void add_hostile(struct tw_table *t)
{
	tw_table_cell_bytes(t, NAME, "a\tb\\n\r\n\x1b[2J\xff\0z", 14);
	tw_table_cell_int(t, COUNT, INT64_MIN);
	tw_table_cell_json(t, FACTS, "{broken");
	ck_assert_int_eq(tw_table_row_end(t, NULL), TW_OK);
}

typedef enum tw_status printer(struct tw_table *, FILE *, struct tw_err *);

/* What print() makes of t, and frees both. */
static void assert_prints(struct tw_table *t, printer *print,
    const char *wanted, size_t n)
{
	struct tw_err err;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_int_eq(print(t, f, &err), TW_OK);
	fclose(f);
	ck_assert_msg(size == n && memcmp(text, wanted, n) == 0,
	    "got <%s>, wanted <%s>", text, wanted);
	free(text);
	tw_table_free(t);
}

#define PRINTS(t, print, wanted) \
	assert_prints(t, print, wanted, sizeof wanted - 1)

START_TEST(json_is_typed_and_has_all_columns)
{
	struct tw_table *t = make(TW_TABLE_JSON, NULL);

	add_web1(t);
	add_nulls(t);
	PRINTS(t, tw_table_print, "{\"schema\":1,\"hosts\":[\n"
	    "{\"name\":\"web1\",\"count\":-12,\"held\":true,"
	    "\"since\":\"2026-11-21T05:46:00Z\",\"took\":1250,"
	    "\"facts\":{\"os\":[1,0.1,null]}},\n"
	    "{\"name\":null,\"count\":null,\"held\":null,\"since\":null,"
	    "\"took\":null,\"facts\":null}\n]}\n");
}
END_TEST

START_TEST(a_ratio_is_a_number_and_for_people_percent)
{
	static const struct tw_column rates[] = {
		{ "rate", "RATE", TW_COL_RATIO, true, "how often" },
		{ NULL, NULL, TW_COL_TEXT, false, NULL },
	};
	static const struct {
		enum tw_table_mode mode;
		const char *wanted;
	} all[] = {
		{ TW_TABLE_JSON, "{\"schema\":1,\"rates\":[\n"
		    "{\"rate\":0.125},\n{\"rate\":0.333333},\n"
		    "{\"rate\":1.0},\n{\"rate\":null}\n]}\n" },
		{ TW_TABLE_TSV, "rate\n0.125\n0.333333\n1\n\n" },
		{ TW_TABLE_PEOPLE, "  RATE\n 12.5%\n 33.3%\n100.0%\n"
		    "     -\n" },
	};
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++) {
		struct tw_table_options o = { .mode = all[i].mode,
			.noun = "rates" };
		struct tw_table *t;
		struct tw_err err;
		int64_t whole;

		ck_assert_int_eq(tw_table_new(rates, &o, &t, &err), TW_OK);
		for (whole = 8; whole >= 0;
		    whole = whole == 8 ? 3 : whole == 3 ? 1 : whole - 1) {
			tw_table_cell_ratio(t, 0, 1, whole);
			ck_assert_int_eq(tw_table_row_end(t, NULL), TW_OK);
		}
		assert_prints(t, tw_table_print, all[i].wanted,
		    strlen(all[i].wanted));
	}
}
END_TEST

START_TEST(a_buffer_that_failed_shows_at_the_end)
{
	struct tw_table *t = make(TW_TABLE_TSV, "name");
	struct tw_buf b = { .max = 4 };
	struct tw_err err = { 0 };

	tw_buf_adds(&b, "web1");
	tw_table_cell_buf(t, NAME, &b);
	ck_assert_int_eq(tw_table_row_end(t, &err), TW_OK);
	ck_assert(!tw_buf_adds(&b, "2"));
	tw_table_cell_buf(t, NAME, &b);
	ck_assert_int_eq(tw_table_row_end(t, &err), TW_NOMEM);
	tw_buf_release(&b);
	tw_table_free(t);
}
END_TEST

START_TEST(an_empty_list_is_still_a_document)
{
	PRINTS(make(TW_TABLE_JSON, NULL), tw_table_print,
	    "{\"schema\":1,\"hosts\":[]}\n");
	PRINTS(make(TW_TABLE_TSV, "name,held"), tw_table_print,
	    "name\theld\n");
	PRINTS(make(TW_TABLE_PEOPLE, NULL), tw_table_print, "");
	PRINTS(make(TW_TABLE_NUL, NULL), tw_table_print, "");
	PRINTS(make(TW_TABLE_JSON, NULL), tw_table_stream, "");
}
END_TEST

START_TEST(tsv_keeps_a_row_on_a_line)
{
	struct tw_table *t = make(TW_TABLE_TSV, "name,count,since");

	add_web1(t);
	add_nulls(t);
	add_hostile(t);
	PRINTS(t, tw_table_print, "name\tcount\tsince\n"
	    "web1\t-12\t2026-11-21T05:46:00Z\n"
	    "\t\t\n"
	    "a\\tb\\\\n\\r\\n\x1b[2J\xff\0z\t-9223372036854775808\t\n");
}
END_TEST

START_TEST(people_see_safe_text_and_dashes)
{
	struct tw_table *t = make(TW_TABLE_PEOPLE, NULL);

	add_web1(t);
	add_nulls(t);
	add_hostile(t);
	PRINTS(t, tw_table_print,
	    "NAME                                    COUNT SINCE\n"
	    "web1                                      -12 "
	    "2026-11-21 05:46:00\n"
	    "-                                           - -\n"
	    "a\\tb\\n\\n\\x1b[2J\\xff\\x00z -9223372036854775808 -\n");
}
END_TEST

START_TEST(selected_columns_come_in_their_order)
{
	struct tw_table *t = make(TW_TABLE_PEOPLE, "took,HELD,name");

	add_web1(t);
	PRINTS(t, tw_table_print, "TOOK HELD NAME\n1.2s yes  web1\n");
	t = make(TW_TABLE_JSON, "held");
	ck_assert(tw_table_wants(t, HELD));
	ck_assert(!tw_table_wants(t, NAME));
	add_web1(t);
	PRINTS(t, tw_table_print,
	    "{\"schema\":1,\"hosts\":[\n{\"held\":true}\n]}\n");
	t = make(TW_TABLE_TSV, "+held,name");
	PRINTS(t, tw_table_print, "name\tcount\tsince\theld\n");
}
END_TEST

START_TEST(the_nul_mode_prints_the_first_column)
{
	struct tw_table *t = make(TW_TABLE_NUL, NULL);

	add_web1(t);
	add_nulls(t);
	add_hostile(t);
	PRINTS(t, tw_table_print,
	    "web1\0" "\0" "a\tb\\n\r\n\x1b[2J\xff\0");
	t = make(TW_TABLE_NUL, "count,name");
	add_web1(t);
	PRINTS(t, tw_table_print, "-12\0");
}
END_TEST

START_TEST(json_replaces_what_is_not_utf8)
{
	struct tw_table *t = make(TW_TABLE_JSON, "name,facts");

	add_hostile(t);
	PRINTS(t, tw_table_stream, "{\"name\":\"a\\tb\\\\n\\r\\n\\u001B[2J"
	    "\xef\xbf\xbd\\u0000z\",\"facts\":\"{broken\"}\n");
}
END_TEST

START_TEST(a_stream_prints_each_row_once)
{
	struct tw_err err;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct tw_table *t = make(TW_TABLE_TSV, "name");
	int i;

	for (i = 0; i < 40; i++) {
		add_web1(t);
		if (i % 3)
			ck_assert_int_eq(tw_table_stream(t, f, &err), TW_OK);
	}
	tw_table_cell_text(t, NAME, "unfinished");
	fclose(f);
	ck_assert_uint_eq(size, 5 + 39 * 5);
	ck_assert_int_eq(strncmp(text, "name\nweb1\nweb1\n", 15), 0);
	free(text);
	tw_table_free(t);
}
END_TEST

START_TEST(one_thing_is_shown_as_a_list_of_fields)
{
	struct tw_table_options o = { .all_columns = true };
	struct tw_table *t;

	ck_assert_int_eq(tw_table_new(columns, &o, &t, NULL), TW_OK);
	add_web1(t);
	PRINTS(t, tw_table_show, "NAME:  web1\nCOUNT: -12\nHELD:  yes\n"
	    "SINCE: 2026-11-21 05:46:00\nTOOK:  1.2s\n"
	    "FACTS: {\"os\": [1, 0.1, null]}\n");
	t = make(TW_TABLE_JSON, "name,held");
	add_web1(t);
	PRINTS(t, tw_table_show,
	    "{\"schema\":1,\"name\":\"web1\",\"held\":true}\n");
}
END_TEST

START_TEST(rows_can_be_a_value_of_another_table)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_table *t = make(TW_TABLE_PEOPLE, "name,count");

	ck_assert_int_eq(tw_table_array(t, &b, NULL), TW_OK);
	ck_assert_str_eq(tw_buf_str(&b), "[]");
	add_web1(t);
	add_nulls(t);
	tw_buf_reset(&b);
	ck_assert_int_eq(tw_table_array(t, &b, NULL), TW_OK);
	ck_assert_str_eq(tw_buf_str(&b), "[{\"name\":\"web1\",\"count\":-12},"
	    "{\"name\":null,\"count\":null}]");
	tw_buf_reset(&b);
	tw_json_text(&b, "\"\n\xff", 3);
	ck_assert_str_eq(tw_buf_str(&b), "\"\\\"\\n\xef\xbf\xbd\"");
	tw_buf_release(&b);
	tw_table_free(t);
}
END_TEST

START_TEST(a_table_fits_the_width)
{
	struct tw_table_options o = { .width = 20, .output = "count,name" };
	char *text = NULL, *line, *rest;
	struct tw_table *t;
	size_t size;
	FILE *f;

	ck_assert_int_eq(tw_table_new(columns, &o, &t, NULL), TW_OK);
	tw_table_cell_int(t, COUNT, 1);
	tw_table_cell_text(t, NAME, "a-name-of-far-more-than-20-columns");
	ck_assert_int_eq(tw_table_row_end(t, NULL), TW_OK);
	f = open_memstream(&text, &size);
	ck_assert_int_eq(tw_table_print(t, f, NULL), TW_OK);
	fclose(f);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		ck_assert_uint_le(strlen(line), 20);
	free(text);
	tw_table_free(t);
}
END_TEST

START_TEST(an_unknown_column_gets_the_nearest)
{
	static const struct {
		const char *output, *msg, *hint;
	} bad[] = {
		{ "nmae", "unknown column 'nmae'", "did you mean 'name'?" },
		{ "name,zzzzz", "unknown column 'zzzzz'",
		    "--list-columns prints the columns" },
		{ "", "unknown column ''",
		    "--list-columns prints the columns" },
		{ "name,", "unknown column ''",
		    "--list-columns prints the columns" },
		{ "name,count,name", "column 'name' is named twice", "" },
	};
	struct tw_table_options o = { .mode = TW_TABLE_PEOPLE };
	struct tw_table *t;
	struct tw_err err;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		o.output = bad[i].output;
		ck_assert_int_eq(tw_table_new(columns, &o, &t, &err),
		    TW_USAGE);
		ck_assert_ptr_null(t);
		ck_assert_str_eq(err.msg, bad[i].msg);
		ck_assert_str_eq(err.hint, bad[i].hint);
	}
}
END_TEST

static enum tw_status list_columns(struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	struct tw_table_options o = { .mode = TW_TABLE_TSV };

	(void)t;
	return tw_table_list_columns(columns, &o, f, err);
}

START_TEST(the_columns_list_themselves)
{
	PRINTS(NULL, list_columns, "name\ttype\tdefault\thelp\n"
	    "name\ttext\ttrue\tthe host\n"
	    "count\tint\ttrue\tchanges\n"
	    "held\tbool\tfalse\twhether it is held\n"
	    "since\ttime\ttrue\tthe last contact\n"
	    "took\tspan\tfalse\tthe last pass\n"
	    "facts\tjson\tfalse\twhat is known\n");
}
END_TEST

START_TEST(a_full_disk_shows_at_the_close)
{
	FILE *f = fopen("/dev/full", "w");
	struct tw_table *t = make(TW_TABLE_PEOPLE, NULL);
	struct tw_err err;
	bool gone = true;

	add_web1(t);
	ck_assert_int_eq(tw_table_print(t, f, &err), TW_OK);
	ck_assert_int_eq(tw_out_close(f, &gone, &err), TW_CONFIG);
	ck_assert_str_eq(err.msg,
	    "cannot write standard output: No space left on device");
	ck_assert(!gone);
	tw_table_free(t);
	f = fopen("/dev/null", "w");
	ck_assert_int_eq(tw_out_close(f, &gone, &err), TW_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, json_is_typed_and_has_all_columns);
	tcase_add_test(tc, a_ratio_is_a_number_and_for_people_percent);
	tcase_add_test(tc, a_buffer_that_failed_shows_at_the_end);
	tcase_add_test(tc, an_empty_list_is_still_a_document);
	tcase_add_test(tc, tsv_keeps_a_row_on_a_line);
	tcase_add_test(tc, people_see_safe_text_and_dashes);
	tcase_add_test(tc, selected_columns_come_in_their_order);
	tcase_add_test(tc, the_nul_mode_prints_the_first_column);
	tcase_add_test(tc, json_replaces_what_is_not_utf8);
	tcase_add_test(tc, a_stream_prints_each_row_once);
	tcase_add_test(tc, one_thing_is_shown_as_a_list_of_fields);
	tcase_add_test(tc, rows_can_be_a_value_of_another_table);
	tcase_add_test(tc, a_table_fits_the_width);
	tcase_add_test(tc, an_unknown_column_gets_the_nearest);
	tcase_add_test(tc, the_columns_list_themselves);
	tcase_add_test(tc, a_full_disk_shows_at_the_close);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
