/* test_secret.c - secrets of changes: sealed while needed, erased at any end */
#include <sys/stat.h>

#include "base/io.h"
#include "base/seal.h"
#include "base/targets.h"
#include "model/fixture.h"

static const struct tw_secret two[] = {
	{ "pw", "correct horse battery staple" },
	{ "token", "it's another \"one\"" },
};

static int64_t file_secret(const char *host)
{
	struct tw_filing f = filing();

	f.secrets = two;
	f.nsecrets = 2;
	return file_with(&alice, host, &f);
}

static struct tw_change change(int64_t num)
{
	struct tw_change c;

	OK(tw_change_get(store, &alice, num, &c, &err));
	return c;
}

static enum tw_status opens(int64_t num, struct tw_secrets *out)
{
	struct tw_change c = change(num);
	enum tw_status st = tw_secrets_open(store, &c, out, &err);

	tw_change_release(&c);
	return st;
}

/* No file of the state holds any value. */
static void nowhere(void)
{
	static const char *const files[] = { "state.db", "state.db-journal" };
	size_t i, k;

	for (i = 0; i < 2; i++) {
		struct tw_buf b = TW_BUF_INIT;
		char path[400];

		snprintf(path, sizeof path, "%s/%s", fix_dir, files[i]);
		OK(tw_io_read_file(path, &b, &err));
		for (k = 0; k < 2; k++)
			ck_assert_ptr_null(memmem(b.data, b.len, two[k].value,
			    strlen(two[k].value)));
		tw_buf_release(&b);
	}
}

static void check_names(int64_t num)
{
	struct tw_change c = change(num);
	char **names;

	OK(tw_secrets_names(store, &alice, c.id, &names, &err));
	ck_assert_str_eq(names[0], "pw");
	ck_assert_str_eq(names[1], "token");
	ck_assert_ptr_null(names[2]);
	tw_strv_free(names);
	tw_change_release(&c);
}

static void check_erased(int64_t num)
{
	struct tw_secrets v;

	ck_assert_int_eq(number("SELECT count(*) FROM secret"
	    " WHERE sealed IS NOT NULL"), 0);
	ck_assert_int_eq(opens(num, &v), TW_NO);
	ck_assert_uint_eq(v.n, 0);
	check_names(num);
}

START_TEST(they_come_back_as_they_were)
{
	struct tw_secrets v;
	struct tw_change c;
	int64_t num;

	add_host("web1");
	num = file_secret("web1");
	nowhere();
	check_names(num);
	OK(opens(num, &v));
	ck_assert_uint_eq(v.n, 2);
	ck_assert_str_eq(v.v[0].name, "pw");
	ck_assert_str_eq(v.v[0].value, two[0].value);
	ck_assert_str_eq(v.v[1].name, "token");
	ck_assert_str_eq(v.v[1].value, two[1].value);
	tw_secrets_release(&v);
	ck_assert_ptr_null(v.v);
	/* neither in the change nor in the trail */
	c = change(num);
	ck_assert_str_eq(c.params, "{}");
	tw_change_release(&c);
	ck_assert_ptr_null(strstr(audit_of(alice.org_id, "change.file").text,
	    "horse"));
}
END_TEST

START_TEST(a_change_without_any_needs_no_key)
{
	struct tw_secrets v;
	struct stat st;
	char path[400];
	int64_t num;

	add_host("web1");
	num = file_for("web1");
	OK(opens(num, &v));
	ck_assert_uint_eq(v.n, 0);
	snprintf(path, sizeof path, "%s/secret.key", fix_dir);
	ck_assert_int_ne(stat(path, &st), 0);
	file_secret("web1");
	ck_assert_int_eq(stat(path, &st), 0);
}
END_TEST

START_TEST(others_dont_hear_their_names)
{
	struct tw_who bob = other_tenant();
	struct tw_change c;
	char **names;

	add_host("web1");
	c = change(file_secret("web1"));
	ck_assert_int_eq(tw_secrets_names(store, &bob, c.id, &names, &err),
	    TW_NO);
	ck_assert_ptr_null(names);
	tw_change_release(&c);
	tw_who_release(&bob);
}
END_TEST

/* --- ends --------------------------------------------------------------- */

START_TEST(each_verdict_erases)
{
	static const enum tw_change_status ends[] = { TW_CHANGE_SUCCEEDED,
	    TW_CHANGE_ROLLED_BACK, TW_CHANGE_FAILED, TW_CHANGE_CANCELLED };
	int64_t host = add_host("web1"), num, now = tw_clock_now();
	struct tw_secrets v;
	size_t i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		num = file_secret("web1");
		ck_assert_int_eq(claim(host, now + 1000), num);
		OK(opens(num, &v));
		tw_secrets_release(&v);
		end_as(num, ends[i], NULL);
		check_erased(num);
		nowhere();
	}
}
END_TEST

START_TEST(a_cancel_erases)
{
	enum tw_cancel_result r;
	int64_t num;

	add_host("web1");
	num = file_secret("web1");
	OK(tw_change_cancel(store, &alice, num, &r, &err));
	ck_assert_int_eq(r, TW_CANCELLED);
	check_erased(num);
}
END_TEST

START_TEST(a_cancel_that_was_only_asked_for_does_not)
{
	int64_t host = add_host("web1"), num = file_secret("web1");
	enum tw_cancel_result r;
	struct tw_secrets v;

	ck_assert_int_eq(claim(host, tw_clock_now() + 1000), num);
	OK(tw_change_cancel(store, &alice, num, &r, &err));
	ck_assert_int_eq(r, TW_CANCEL_ASKED);
	OK(opens(num, &v));
	ck_assert_uint_eq(v.n, 2);
	tw_secrets_release(&v);
}
END_TEST

START_TEST(an_expiry_erases)
{
	int64_t num, count, now = tw_clock_now();
	struct tw_filing f = filing();

	add_host("web1");
	f.secrets = two;
	f.nsecrets = 2;
	f.not_after = now + 10;
	num = file_with(&alice, "web1", &f);
	OK(tw_queue_expire(store, now + 20, &count, &err));
	ck_assert_int_eq(count, 1);
	check_erased(num);
}
END_TEST

START_TEST(what_is_declared_lost_is_erased)
{
	int64_t host = add_host("web1"), num = file_secret("web1");

	ck_assert_int_eq(claim(host, tw_clock_now() + 1000), num);
	OK(tw_change_abandon(store, &alice, num, "burnt", &err));
	check_erased(num);
}
END_TEST

START_TEST(a_host_that_goes_takes_them_along)
{
	int64_t num;

	add_host("web1");
	num = file_secret("web1");
	OK(tw_host_remove(store, &alice, "web1", &err));
	check_erased(num);
}
END_TEST

START_TEST(an_end_that_fails_erases_nothing)
{
	int64_t host = add_host("web1"), num = file_secret("web1");
	struct tw_secrets v;
	struct tw_change c;

	ck_assert_int_eq(claim(host, tw_clock_now() + 1000), num);
	c = change(num);
	OK(tw_store_begin(store, &err));
	OK(tw_change_end(store, &c, TW_CHANGE_SUCCEEDED, NULL, 1, NULL, &err));
	tw_store_rollback(store);
	tw_change_release(&c);
	OK(opens(num, &v));
	ck_assert_uint_eq(v.n, 2);
	tw_secrets_release(&v);
}
END_TEST

START_TEST(what_was_sealed_is_overwritten)
{
	struct tw_buf row = TW_BUF_INIT, file = TW_BUF_INIT;
	struct tw_secret big = { "pw", NULL };
	struct tw_filing f = filing();
	enum tw_cancel_result r;
	struct tw_stmt *st;
	char path[400], value[9001];
	const void *p;
	int64_t num;
	size_t n;

	memset(value, 'x', 9000);	/* on overflow pages */
	value[9000] = '\0';
	big.value = value;
	f.secrets = &big;
	f.nsecrets = 1;
	add_host("web1");
	num = file_with(&alice, "web1", &f);
	OK(tw_stmt_get(store, "SELECT sealed FROM secret", &st, &err));
	OK(tw_stmt_step(st, &err));
	p = tw_stmt_col_blob(st, 0, &n);
	tw_buf_add(&row, p, n);
	tw_stmt_reset(st);
	OK(tw_change_cancel(store, &alice, num, &r, &err));
	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	OK(tw_io_read_file(path, &file, &err));
	for (n = 40; n + 40 < row.len; n += 500)
		ck_assert_ptr_null(memmem(file.data, file.len, row.data + n,
		    40));
	tw_buf_release(&row);
	tw_buf_release(&file);
}
END_TEST

/* --- what does not open ------------------------------------------------------ */

static void fails(int64_t num, const char *want)
{
	struct tw_secrets v;

	ck_assert_int_eq(opens(num, &v), TW_CONFIG);
	ck_assert_str_eq(err.msg, want);
	ck_assert_uint_eq(v.n, 0);
}

START_TEST(a_key_that_is_gone_is_said)
{
	char path[400], want[600];
	struct tw_filing f = filing();
	struct tw_host h;
	int64_t num, other;
	bool again;

	add_host("web1");
	num = file_secret("web1");
	snprintf(path, sizeof path, "%s/secret.key", fix_dir);
	ck_assert_int_eq(unlink(path), 0);
	snprintf(want, sizeof want, "secrets can't be opened: %s is gone",
	    path);
	fails(num, want);
	/* nor is another one made, while that one is needed */
	f.secrets = two;
	f.nsecrets = 2;
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &other,
	    &again, &err), TW_CONFIG);
	ck_assert_str_eq(err.msg, want);
	tw_host_release(&h);
	OK(tw_change_cancel(store, &alice, num, &(enum tw_cancel_result){ 0 },
	    &err));
	file_secret("web1");
}
END_TEST

START_TEST(another_key_and_a_changed_row_are_said)
{
	int64_t num, other;
	struct tw_seal *s;
	char path[400];

	add_host("web1");
	num = file_secret("web1");
	other = file_secret("web1");
	/* one's row in the place of another's */
	raw("UPDATE secret SET sealed = (SELECT sealed FROM secret b"
	    " WHERE b.change_id = 1 AND b.name = secret.name)"
	    " WHERE change_id = 2");
	fails(other, "secrets can't be opened: 'pw' of change 2: was changed "
	    "since it was sealed");
	raw("UPDATE secret SET sealed = x'00' WHERE change_id = 2");
	fails(other, "secrets can't be opened: 'pw' of change 2: is not what "
	    "was sealed");
	snprintf(path, sizeof path, "%s/secret.key", fix_dir);
	ck_assert_int_eq(unlink(path), 0);
	OK(tw_seal_make(path, &s, &err));
	tw_seal_free(s);
	fails(num, "secrets can't be opened: 'pw' of change 1: was sealed "
	    "with another key");
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(opens(num, &(struct tw_secrets){ 0 }), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "is open to others"));
}
END_TEST

/* --- keys --------------------------------------------------------------------- */

START_TEST(a_filing_key_compares_secrets)
{
	struct tw_secret v[2] = { two[0], two[1] };
	struct tw_filing f = filing();
	int64_t num, first;
	struct tw_host h;
	bool again;

	add_host("web1");
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	f.key = "k";
	f.secrets = v;
	f.nsecrets = 2;
	OK(tw_change_file(store, &alice, &f, &h, 1, &first, &again, &err));
	ck_assert(!again);
	OK(tw_change_file(store, &alice, &f, &h, 1, &num, &again, &err));
	ck_assert(again);
	ck_assert_int_eq(num, first);
	v[1].value = "quite another";
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num, &again,
	    &err), TW_NO);
	ck_assert_ptr_null(strstr(err.msg, "quite"));
	/* ended and erased it is still the same */
	v[1].value = two[1].value;
	OK(tw_change_cancel(store, &alice, first,
	    &(enum tw_cancel_result){ 0 }, &err));
	OK(tw_change_file(store, &alice, &f, &h, 1, &num, &again, &err));
	ck_assert(again);
	f.nsecrets = 1;
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num, &again,
	    &err), TW_NO);
	tw_host_release(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("secret");
	TCase *t = tcase_create("secret");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, they_come_back_as_they_were);
	tcase_add_test(t, a_change_without_any_needs_no_key);
	tcase_add_test(t, others_dont_hear_their_names);
	tcase_add_test(t, each_verdict_erases);
	tcase_add_test(t, a_cancel_erases);
	tcase_add_test(t, a_cancel_that_was_only_asked_for_does_not);
	tcase_add_test(t, an_expiry_erases);
	tcase_add_test(t, what_is_declared_lost_is_erased);
	tcase_add_test(t, a_host_that_goes_takes_them_along);
	tcase_add_test(t, an_end_that_fails_erases_nothing);
	tcase_add_test(t, what_was_sealed_is_overwritten);
	tcase_add_test(t, a_key_that_is_gone_is_said);
	tcase_add_test(t, another_key_and_a_changed_row_are_said);
	tcase_add_test(t, a_filing_key_compares_secrets);
	suite_add_tcase(s, t);
	return run_suite(s);
}
