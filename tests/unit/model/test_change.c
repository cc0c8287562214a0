/*
 * test_change.c - filing, keys, lists, cancelling, steps and output, retention
 */
#include "model/fixture.h"

/* --- filing ------------------------------------------------------------ */

static struct tw_host *hosts_of(const char *expr, size_t *n)
{
	struct tw_host *hosts;

	OK(tw_host_select(store, &alice, expr, &hosts, n, &err));
	return hosts;
}

START_TEST(filing_for_several_hosts_gives_each_its_number)
{
	struct tw_filing f = filing();
	struct tw_host *hosts;
	struct tw_change c;
	struct tw_step *steps;
	int64_t nums[3];
	bool again;
	size_t n;

	add_host("web1");
	add_host("web2");
	add_host("web3");
	f.why = "because";
	f.blob = "blob";
	f.blob_len = 4;
	f.hold_after_failure = true;
	f.not_before = 1000;
	f.not_after = INT64_C(4000000000000);
	hosts = hosts_of("web[3,1,2]", &n);
	OK(tw_change_file(store, &alice, &f, hosts, n, nums, &again, &err));
	tw_host_list_free(hosts, n);
	ck_assert_int_eq(nums[0], 1);
	ck_assert_int_eq(nums[2], 3);
	OK(tw_change_get(store, &alice, 1, &c, &err));
	ck_assert_str_eq(c.host_name, "web3");
	ck_assert_str_eq(c.operator, "alice");
	ck_assert_str_eq(c.title, "a title");
	ck_assert_str_eq(c.why, "because");
	ck_assert_ptr_null(c.batch_key);
	ck_assert_int_eq(strlen(c.uid), 32);
	ck_assert_int_eq(strlen(c.nonce), 32);
	ck_assert(c.hold_after_failure);
	ck_assert(!c.is_held);
	ck_assert_int_eq(c.not_before, 1000);
	ck_assert_int_eq(c.not_after, INT64_C(4000000000000));
	ck_assert_int_eq(c.joins, c.filed);
	ck_assert_int_eq(c.nsteps, 3);
	ck_assert_int_eq(c.room, 4096);
	ck_assert_int_eq(c.next_event, 1);
	ck_assert_int_eq(c.status, TW_CHANGE_QUEUED);
	OK(tw_change_steps(store, &alice, c.id, &steps, &n, &err));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(steps[1].name, "two");
	ck_assert_str_eq(steps[1].undoable, "none");
	ck_assert_str_eq(steps[1].state, "waiting");
	ck_assert_int_eq(steps[1].retries, 2);
	ck_assert_int_eq(steps[1].code, -1);
	ck_assert_int_eq(steps[1].undo_code, -1);
	ck_assert_str_eq(steps[1].out_hash, "");
	ck_assert(steps[2].has_check);
	tw_step_list_free(steps, n);
	tw_change_release(&c);
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 3);
	ck_assert_int_eq(audit_of(alice.org_id, "change.file").count, 3);
}
END_TEST

START_TEST(contents_are_stored_once_and_checked)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_change c;
	uint8_t none[32] = { 1 };

	add_host("web1");
	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 2);
	OK(tw_change_get(store, &alice, 1, &c, &err));
	OK(tw_content_get(store, c.program, &b, &err));
	ck_assert_str_eq(tw_buf_str(&b), "program");
	tw_buf_release(&b);
	ck_assert_int_eq(tw_content_get(store, none, &b, &err), TW_CONFIG);
	raw("UPDATE content SET data = CAST('progrem' AS BLOB)"
	    " WHERE data = CAST('program' AS BLOB)");
	ck_assert_int_eq(tw_content_get(store, c.program, &b, &err),
	    TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "was changed in the state"));
	ck_assert_uint_eq(b.len, 0);
	tw_buf_release(&b);
	tw_change_release(&c);
}
END_TEST

START_TEST(one_bad_host_files_nothing)
{
	struct tw_filing f = filing();
	struct tw_host *hosts;
	int64_t nums[2];
	bool again;
	size_t n;

	add_host("web1");
	add_host("web2");
	hosts = hosts_of(NULL, &n);
	OK(tw_host_remove(store, &alice, "web2", &err));
	ck_assert_int_eq(tw_change_file(store, &alice, &f, hosts, n, nums,
	    &again, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host 'web2'");
	tw_host_list_free(hosts, n);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 0);
	ck_assert_int_eq(audit_of(alice.org_id, "change.file").count, 0);
	ck_assert_int_eq(file_for("web1"), 1);	/* no number was lost */
}
END_TEST

/* --- keys -------------------------------------------------------------- */

static enum tw_status file_key(const struct tw_filing *f, const char *expr,
    int64_t nums[3], bool *again)
{
	struct tw_host *hosts;
	enum tw_status status;
	size_t n;

	hosts = hosts_of(expr, &n);
	status = tw_change_file(store, &alice, f, hosts, n, nums, again,
	    &err);
	tw_host_list_free(hosts, n);
	return status;
}

START_TEST(the_same_key_files_once)
{
	struct tw_filing f = filing();
	enum tw_cancel_result result;
	int64_t nums[3];
	bool again;

	add_host("web1");
	add_host("web2");
	f.key = "deploy-7";
	OK(file_key(&f, "web[1-2]", nums, &again));
	ck_assert(!again);
	/* in another order, by another program, after the end */
	OK(tw_change_cancel(store, &alice, 1, &result, &err));
	f.program = "program of a later version";
	f.program_len = strlen(f.program);
	OK(file_key(&f, "web2,web1", nums, &again));
	ck_assert(again);
	ck_assert_int_eq(nums[0], 2);
	ck_assert_int_eq(nums[1], 1);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 2);
	ck_assert_int_eq(audit_of(alice.org_id, "change.file").count, 2);
}
END_TEST

START_TEST(other_content_under_the_same_key_is_refused)
{
	struct tw_filing f = filing(), g;
	int64_t nums[3];
	bool again;
	int i;

	add_host("web1");
	add_host("web2");
	f.key = "deploy-7";
	OK(file_key(&f, "web1", nums, &again));
	for (i = 0; i < 7; i++) {
		g = f;
		switch (i) {
		case 0: g.file = "fild"; break;
		case 1: g.params = "{\"a\":\"b\"}"; break;
		case 2: g.times = "+2h "; break;
		case 3: g.times = " +3h"; break;
		case 4: g.hold_after_failure = true; break;
		case 5: g.blob = "x"; g.blob_len = 1; break;
		case 6: g.retry_of = 1; break;
		}
		ck_assert_int_eq(file_key(&g, "web1", nums, &again), TW_NO);
		ck_assert_str_eq(err.msg, "the key 'deploy-7' was used for "
		    "something else (change 1)");
		ck_assert(!again);
	}
	ck_assert_int_eq(file_key(&f, "web2", nums, &again), TW_NO);
	ck_assert_int_eq(file_key(&f, "web1,web2", nums, &again), TW_NO);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 1);
}
END_TEST

START_TEST(keys_are_an_organisations_own)
{
	struct tw_who bob = other_tenant();
	struct tw_filing f = filing();

	add_host("web1");
	add_host_for(&bob, "web1");
	f.key = "k";
	ck_assert_int_eq(file_with(&alice, "web1", &f), 1);
	ck_assert_int_eq(file_with(&bob, "web1", &f), 1);
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_retry_names_the_change_it_repeats)
{
	struct tw_who bob = other_tenant();
	struct tw_filing f = filing();
	struct tw_change c;
	int64_t id;

	add_host("web1");
	add_host_for(&bob, "db");
	file_for("web1");
	OK(tw_change_get(store, &alice, 1, &c, &err));
	id = c.id;
	tw_change_release(&c);
	f.retry_of = id;
	file_with(&alice, "web1", &f);
	OK(tw_change_get(store, &alice, 2, &c, &err));
	ck_assert_int_eq(c.retry_of, 1);
	tw_change_release(&c);
	/* another tenant's change is none */
	file_with(&bob, "db", &f);
	OK(tw_change_get(store, &bob, 1, &c, &err));
	ck_assert_int_eq(c.retry_of, 0);
	tw_change_release(&c);
	tw_who_release(&bob);
}
END_TEST

/* --- lists ------------------------------------------------------------- */

struct list {
	char text[400];
	int n, held;
	int64_t last;
};

static enum tw_status note(void *arg, const struct tw_change *c,
    struct tw_err *e)
{
	struct list *l = arg;
	size_t len = strlen(l->text);

	(void)e;
	ck_assert_int_gt(c->num, l->last);
	l->last = c->num;
	l->n++;
	l->held += c->is_held;
	snprintf(l->text + len, sizeof l->text - len, "%s%lld",
	    len ? " " : "", (long long)c->num);
	/* no statement is open: others may write meanwhile */
	if (l->n == 1) {
		OK(tw_store_begin(store, &err));
		OK(tw_store_commit(store, &err));
	}
	return TW_OK;
}

static struct list list(const struct tw_who *who,
    const struct tw_change_filter *f)
{
	struct list l = { .n = 0 };

	OK(tw_change_each(store, who, f, note, &l, &err));
	return l;
}

START_TEST(lists_show_what_they_are_asked_for)
{
	const char *const web1[] = { "web1", NULL };
	struct tw_change_filter f = { 0 };
	struct tw_who bob = other_tenant();
	int64_t id = add_host("web1");

	add_host("web2");
	file_for("web1");
	file_for("web1");
	file_for("web2");
	file_for("web2");
	claim(id, tw_clock_now());
	end_as(1, TW_CHANGE_ROLLED_BACK, NULL);
	claim(id, tw_clock_now());
	OK(tw_host_hold(store, &alice, "web2", "x", &err));
	ck_assert_str_eq(list(&alice, &f).text, "2 3 4");
	ck_assert_int_eq(list(&alice, &f).held, 2);
	ck_assert_str_eq(list(&bob, &f).text, "");
	f.all = true;
	ck_assert_str_eq(list(&alice, &f).text, "1 2 3 4");
	f.hosts = web1;
	ck_assert_str_eq(list(&alice, &f).text, "1 2");
	f = (struct tw_change_filter){ .statuses =
	    1u << TW_CHANGE_ROLLED_BACK | 1u << TW_CHANGE_RUNNING };
	ck_assert_str_eq(list(&alice, &f).text, "1 2");
	f = (struct tw_change_filter){ .held_only = true };
	ck_assert_str_eq(list(&alice, &f).text, "3 4");
	f.statuses = 1u << TW_CHANGE_RUNNING;
	ck_assert_str_eq(list(&alice, &f).text, "2 3 4");
	tw_who_release(&bob);
}
END_TEST

START_TEST(long_lists_come_in_pages)
{
	struct tw_change_filter f = { 0 };
	int i;

	add_host("web1");
	OK(tw_store_begin(store, &err));
	for (i = 0; i < 405; i++)
		file_for("web1");
	OK(tw_store_commit(store, &err));
	ck_assert_int_eq(list(&alice, &f).n, 405);
}
END_TEST

START_TEST(another_tenants_changes_are_not_found)
{
	struct tw_who bob = other_tenant();
	enum tw_cancel_result result;
	struct tw_change c;

	add_host("web1");
	file_for("web1");
	ck_assert_int_eq(tw_change_get(store, &bob, 1, &c, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no change 1");
	ck_assert_int_eq(tw_change_cancel(store, &bob, 1, &result, &err),
	    TW_NO);
	ck_assert_int_eq(tw_change_abandon(store, &bob, 1, "x", &err),
	    TW_NO);
	ck_assert_int_eq(status_of(1, NULL), TW_CHANGE_QUEUED);
	tw_who_release(&bob);
}
END_TEST

START_TEST(one_sees_who_stands_before_it)
{
	int64_t now = tw_clock_now() + 1000, count, first;
	int64_t id = add_host("web1");
	struct tw_filing f = filing();
	struct tw_change c;

	file_for("web1");
	file_for("web1");
	f.not_before = now + 1000;
	file_with(&alice, "web1", &f);		/* has not joined */
	file_for("web1");
	OK(tw_change_get(store, &alice, 4, &c, &err));
	OK(tw_change_ahead(store, &alice, &c, now, &count, &first, &err));
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(first, 1);
	claim(id, now);
	end_as(1, TW_CHANGE_SUCCEEDED, NULL);
	claim(id, now);
	OK(tw_change_ahead(store, &alice, &c, now, &count, &first, &err));
	ck_assert_int_eq(count, 1);
	ck_assert_int_eq(first, 2);
	end_as(2, TW_CHANGE_SUCCEEDED, NULL);
	OK(tw_change_ahead(store, &alice, &c, now, &count, &first, &err));
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(first, 0);
	tw_change_release(&c);
}
END_TEST

/* --- cancel ------------------------------------------------------------ */

static enum tw_cancel_result cancel(int64_t num)
{
	enum tw_cancel_result result;

	OK(tw_change_cancel(store, &alice, num, &result, &err));
	return result;
}

static int cancels_recorded(void)
{
	return audit_of(alice.org_id, "change.cancel").count;
}

START_TEST(cancelling_a_queued_one_ends_it)
{
	char reason[64];

	add_host("web1");
	file_for("web1");
	ck_assert_int_eq(cancel(1), TW_CANCELLED);
	ck_assert_int_eq(status_of(1, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "cancelled by alice");
	ck_assert_int_eq(cancels_recorded(), 1);
	ck_assert_int_eq(cancel(1), TW_CANCEL_TOO_LATE);
	ck_assert_int_eq(cancels_recorded(), 1);
}
END_TEST

START_TEST(cancelling_a_running_one_asks_the_host)
{
	int64_t id = add_host("web1");
	struct tw_change c;

	file_for("web1");
	claim(id, tw_clock_now());
	ck_assert_int_eq(cancel(1), TW_CANCEL_ASKED);
	ck_assert_int_eq(cancel(1), TW_CANCEL_ASKED);
	ck_assert_int_eq(cancels_recorded(), 1);
	OK(tw_change_get(store, &alice, 1, &c, &err));
	ck_assert_int_eq(c.status, TW_CHANGE_RUNNING);
	ck_assert_str_eq(c.cancel_by, "alice");
	ck_assert_int_gt(c.cancel_at, 0);
	/* once it undoes there is nothing left to cancel */
	c.in_undo = true;
	OK(tw_store_begin(store, &err));
	OK(tw_change_save_position(store, &c, &err));
	OK(tw_store_commit(store, &err));
	ck_assert_int_eq(cancel(1), TW_CANCEL_TOO_LATE);
	tw_change_release(&c);
}
END_TEST

START_TEST(cancelling_an_ended_one_changes_nothing)
{
	static const enum tw_change_status ends[] = {
		TW_CHANGE_SUCCEEDED, TW_CHANGE_ROLLED_BACK, TW_CHANGE_FAILED,
		TW_CHANGE_UNKNOWN,
	};
	int64_t id = add_host("web1"), num;
	size_t i;

	for (i = 0; i < 4; i++) {
		num = file_for("web1");
		ck_assert_int_eq(claim(id, tw_clock_now()), num);
		end_as(num, ends[i], NULL);
		ck_assert_int_eq(cancel(num), TW_CANCEL_TOO_LATE);
		ck_assert_int_eq(status_of(num, NULL), ends[i]);
	}
	ck_assert_int_eq(cancels_recorded(), 0);
}
END_TEST

START_TEST(a_running_one_may_be_declared_lost)
{
	int64_t id = add_host("web1");
	char reason[64];
	struct tw_host h;

	file_for("web1");
	ck_assert_int_eq(tw_change_abandon(store, &alice, 1, "burnt",
	    &err), TW_NO);
	ck_assert_str_eq(err.msg, "change 1 is not running, but queued");
	claim(id, tw_clock_now());
	OK(tw_change_abandon(store, &alice, 1, "burnt", &err));
	ck_assert_int_eq(status_of(1, reason), TW_CHANGE_UNKNOWN);
	ck_assert_str_eq(reason, "burnt");
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_str_eq(h.held_reason, "change 1 was abandoned");
	ck_assert_str_eq(h.held_by, "alice");
	tw_host_release(&h);
	ck_assert_int_eq(audit_of(alice.org_id, "change.abandon").count, 1);
}
END_TEST

START_TEST(an_end_is_for_ever)
{
	int64_t id = add_host("web1");
	struct tw_change c;

	file_for("web1");
	claim(id, tw_clock_now());
	OK(tw_change_get(store, &alice, 1, &c, &err));
	end_as(1, TW_CHANGE_FAILED, NULL);
	OK(tw_store_begin(store, &err));
	ck_assert_int_eq(tw_change_end(store, &c, TW_CHANGE_SUCCEEDED, NULL,
	    5, NULL, &err), TW_BUG);
	ck_assert_int_eq(c.status, TW_CHANGE_RUNNING);
	tw_store_rollback(store);
	ck_assert_int_eq(tw_change_accepted(store, &c, 5, &err), TW_NO);
	ck_assert_int_eq(status_of(1, NULL), TW_CHANGE_FAILED);
	tw_change_release(&c);
}
END_TEST

/* --- steps and output -------------------------------------------------- */

/* A running change of web1. */
static struct tw_change running(void)
{
	int64_t gone;
	int64_t id = add_host("web1");
	struct tw_change c;

	file_for("web1");
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &gone, &err));
	return c;
}

START_TEST(progress_needs_a_transaction)
{
	struct tw_step step = { .k = 1, .state = (char *)"done" };
	struct tw_change c = running();

	ck_assert_int_eq(tw_change_save_position(store, &c, &err), TW_BUG);
	ck_assert_int_eq(tw_step_save(store, &c, &step, false, &err), TW_BUG);
	ck_assert_int_eq(tw_output_add(store, &c, 1, false, 1, 0, "x", 1,
	    &err), TW_BUG);
	ck_assert_int_eq(tw_change_end(store, &c, TW_CHANGE_FAILED, NULL, 1,
	    NULL, &err), TW_BUG);
	tw_change_release(&c);
}
END_TEST

START_TEST(a_steps_end_is_recorded_with_its_outputs_hash)
{
	struct tw_change c = running(), got;
	struct tw_step step = { .k = 2, .name = (char *)"tw\xff",
	    .state = (char *)"failed", .decided = (char *)"run", .code = 3,
	    .attempts = 2, .started = 10, .ended = 20, .undo_code = -1 };
	char want[700], hash[65];
	struct tw_step *steps;
	size_t n;

	OK(tw_change_accepted(store, &c, 7, &err));
	OK(tw_store_begin(store, &err));
	OK(tw_output_add(store, &c, 2, false, 11, 0, "hel", 3, &err));
	OK(tw_output_add(store, &c, 1, false, 11, 0, "other", 5, &err));
	OK(tw_output_add(store, &c, 2, false, 12, 9, "lo", 2, &err));
	OK(tw_output_add(store, &c, 2, true, 13, 0, "undo", 4, &err));
	OK(tw_step_save(store, &c, &step, true, &err));
	step.undo_state = (char *)"done";
	step.undo_code = 0;
	step.undo_started = 30;
	step.undo_ended = 40;
	OK(tw_step_save(store, &c, &step, true, &err));
	c.life = 1;
	c.offset = 100;
	c.next_event = 5;
	c.clock = -3;
	c.cur_step = 2;
	c.in_undo = true;
	OK(tw_change_save_position(store, &c, &err));
	OK(tw_store_commit(store, &err));
	tw_sha256_hex("hello", 5, hash);
	snprintf(want, sizeof want, "tower web1 1 {\"k\":2,\"name\":\"tw?\","
	    "\"state\":\"failed\",\"decided\":\"run\",\"code\":3,"
	    "\"attempts\":2,\"output_sha256\":\"%s\"}", hash);
	ck_assert_str_eq(audit_of(alice.org_id, "step.end").text, want);
	ck_assert_str_eq(audit_of(alice.org_id, "step.undone").text,
	    "tower web1 1 {\"k\":2,\"name\":\"tw?\",\"state\":\"done\","
	    "\"code\":0}");
	OK(tw_change_steps(store, &alice, c.id, &steps, &n, &err));
	ck_assert_str_eq(steps[1].name, "two");
	ck_assert_str_eq(steps[1].state, "failed");
	ck_assert_str_eq(steps[1].undo_state, "done");
	ck_assert_int_eq(steps[1].code, 3);
	ck_assert_int_eq(steps[1].undo_code, 0);
	ck_assert_int_eq(steps[1].out_bytes, 9);
	ck_assert_int_eq(steps[1].out_cut, 9);
	ck_assert_str_eq(steps[1].out_hash, hash);
	ck_assert_int_eq(steps[1].undo_ended, 40);
	tw_step_list_free(steps, n);
	OK(tw_change_load(store, c.id, &got, &err));
	ck_assert_int_eq(got.life, 1);
	ck_assert_int_eq(got.offset, 100);
	ck_assert_int_eq(got.next_event, 5);
	ck_assert_int_eq(got.clock, -3);
	ck_assert_int_eq(got.cur_step, 2);
	ck_assert_int_eq(got.accepted, 7);
	ck_assert_int_eq(got.steps_done, 1);
	ck_assert(got.in_undo);
	ck_assert_ptr_null(got.step_name);
	tw_change_release(&got);
	tw_change_release(&c);
}
END_TEST

START_TEST(the_step_under_way_is_named)
{
	struct tw_step step = { .k = 3, .state = (char *)"checking",
	    .code = -1, .undo_code = -1 };
	struct tw_change c = running(), got;

	OK(tw_store_begin(store, &err));
	OK(tw_step_save(store, &c, &step, false, &err));
	step.k = 9;
	ck_assert_int_eq(tw_step_save(store, &c, &step, false, &err), TW_BUG);
	OK(tw_store_commit(store, &err));
	OK(tw_change_load(store, c.id, &got, &err));
	ck_assert_str_eq(got.step_name, "three");
	tw_change_release(&got);
	tw_change_release(&c);
}
END_TEST

struct bytes {
	struct tw_buf buf;
	int chunks;
	size_t largest;
	int64_t cut;
};

static enum tw_status gather(void *arg, const struct tw_output *o,
    struct tw_err *e)
{
	struct bytes *b = arg;

	(void)e;
	tw_buf_add(&b->buf, o->data, o->len);
	b->chunks++;
	b->cut += o->cut;
	if (o->len > b->largest)
		b->largest = o->len;
	return TW_OK;
}

START_TEST(output_comes_back_byte_for_byte_in_chunks)
{
	static char data[2000000];
	struct tw_change c = running();
	struct bytes b = { .chunks = 0 };
	int64_t after = 0;
	size_t i;

	for (i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7 + i / 256);
	OK(tw_store_begin(store, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 0, data, sizeof data, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 0, NULL, 0, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 77, NULL, 0, &err));
	OK(tw_store_commit(store, &err));
	OK(tw_output_each(store, &alice, c.id, &after, gather, &b, &err));
	ck_assert_uint_eq(b.buf.len, sizeof data);
	ck_assert_mem_eq(b.buf.data, data, sizeof data);
	ck_assert_int_eq(b.chunks, 32);
	ck_assert_uint_eq(b.largest, 65536);
	ck_assert_int_eq(b.cut, 77);
	/* going on where one stopped */
	OK(tw_store_begin(store, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 0, "more", 4, &err));
	OK(tw_store_commit(store, &err));
	tw_buf_reset(&b.buf);
	OK(tw_output_each(store, &alice, c.id, &after, gather, &b, &err));
	ck_assert_str_eq(tw_buf_str(&b.buf), "more");
	tw_buf_release(&b.buf);
	tw_change_release(&c);
}
END_TEST

/* --- retention --------------------------------------------------------- */

/* A change that ended at `ended` (0: runs still) with n bytes of output. */
static void old_change(const char *host, int64_t ended, size_t n)
{
	int64_t gone;
	static char data[300000];
	int64_t id = add_host(host), num;
	struct tw_change c;
	char sql[200];

	num = file_for(host);
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &gone, &err));
	OK(tw_store_begin(store, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 0, data, n, &err));
	if (ended)
		OK(tw_change_end(store, &c, TW_CHANGE_SUCCEEDED, NULL, ended,
		    NULL, &err));
	OK(tw_store_commit(store, &err));
	snprintf(sql, sizeof sql, "UPDATE change SET filed = %lld - 1"
	    " WHERE num = %lld", (long long)(ended ? ended : 1),
	    (long long)num);
	raw(sql);
	tw_change_release(&c);
}

#define PLENTY ((int64_t)1 << 40)

START_TEST(old_output_goes_and_the_rest_stays)
{
	int64_t removed, audits;

	old_change("a", 1000, 100000);
	old_change("b", 0, 100000);
	old_change("c", 2000, 100000);
	old_change("d", 3000, 100000);
	audits = number("SELECT count(*) FROM audit");
	OK(tw_output_retain(store, 2500, PLENTY, 1, &removed, &err));
	ck_assert_int_eq(removed, 100000);
	OK(tw_output_retain(store, 2500, PLENTY, 100, &removed, &err));
	ck_assert_int_eq(removed, 100000);
	ck_assert_int_eq(number("SELECT sum(length(data)) FROM output"),
	    200000);
	ck_assert_int_eq(number("SELECT output FROM usage"), 200000);
	ck_assert_int_eq(number("SELECT count(*) FROM output"
	    " WHERE change_id IN (2, 4)"), 4);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 4);
	ck_assert_int_eq(number("SELECT out_bytes FROM step"
	    " WHERE change_id = 1 AND k = 1"), 100000);
	ck_assert_int_eq(number("SELECT count(*) FROM audit"), audits);
}
END_TEST

START_TEST(too_much_output_goes_oldest_first)
{
	int64_t removed;

	old_change("a", 1000, 300000);
	old_change("b", 0, 300000);
	old_change("c", 2000, 300000);
	old_change("d", 3000, 300000);
	OK(tw_output_retain(store, 0, 900000, 100, &removed, &err));
	ck_assert_int_eq(removed, 300000);
	ck_assert_int_eq(number("SELECT min(change_id) FROM output"), 2);
	OK(tw_output_retain(store, 0, 599999, 100, &removed, &err));
	ck_assert_int_eq(removed, 600000);	/* the running one stays */
	ck_assert_int_eq(number("SELECT count(DISTINCT change_id) * 10"
	    " + max(change_id) FROM output"), 12);
}
END_TEST

START_TEST(nothing_to_remove_writes_nothing)
{
	int64_t removed;
	char path[400];
	sqlite3 *db;

	old_change("a", 5000, 1000);
	/* a writer elsewhere makes any attempt to write fail */
	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	tw_store_busy_limit(store, 0);
	OK(tw_output_retain(store, 5000, PLENTY, 10, &removed, &err));
	ck_assert_int_eq(removed, 0);
	ck_assert_int_eq(tw_output_retain(store, 5001, PLENTY, 10, &removed,
	    &err), TW_AGAIN);
	sqlite3_close(db);
	OK(tw_output_retain(store, 5001, PLENTY, 10, &removed, &err));
	ck_assert_int_eq(removed, 1000);
}
END_TEST

START_TEST(names_and_results_of_statuses)
{
	static const enum tw_status results[] = { TW_WAITING, TW_WAITING,
		TW_OK, TW_ROLLED_BACK, TW_FAILED, TW_NO, TW_FAILED };
	enum tw_change_status s;
	int i;

	for (i = TW_CHANGE_QUEUED; i <= TW_CHANGE_UNKNOWN; i++) {
		ck_assert(tw_change_status_parse(
		    tw_change_status_name((enum tw_change_status)i), &s));
		ck_assert_int_eq(s, i);
		ck_assert_int_eq(tw_change_result(s), results[i]);
		ck_assert_int_eq(tw_change_status_is_ended(s), i >= 2);
	}
	ck_assert(!tw_change_status_parse("held", &s));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("change");
	TCase *t = tcase_create("change");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, filing_for_several_hosts_gives_each_its_number);
	tcase_add_test(t, contents_are_stored_once_and_checked);
	tcase_add_test(t, one_bad_host_files_nothing);
	tcase_add_test(t, the_same_key_files_once);
	tcase_add_test(t, other_content_under_the_same_key_is_refused);
	tcase_add_test(t, keys_are_an_organisations_own);
	tcase_add_test(t, a_retry_names_the_change_it_repeats);
	tcase_add_test(t, lists_show_what_they_are_asked_for);
	tcase_add_test(t, long_lists_come_in_pages);
	tcase_add_test(t, another_tenants_changes_are_not_found);
	tcase_add_test(t, one_sees_who_stands_before_it);
	tcase_add_test(t, cancelling_a_queued_one_ends_it);
	tcase_add_test(t, cancelling_a_running_one_asks_the_host);
	tcase_add_test(t, cancelling_an_ended_one_changes_nothing);
	tcase_add_test(t, a_running_one_may_be_declared_lost);
	tcase_add_test(t, an_end_is_for_ever);
	tcase_add_test(t, progress_needs_a_transaction);
	tcase_add_test(t, a_steps_end_is_recorded_with_its_outputs_hash);
	tcase_add_test(t, the_step_under_way_is_named);
	tcase_add_test(t, output_comes_back_byte_for_byte_in_chunks);
	tcase_add_test(t, old_output_goes_and_the_rest_stays);
	tcase_add_test(t, too_much_output_goes_oldest_first);
	tcase_add_test(t, nothing_to_remove_writes_nothing);
	tcase_add_test(t, names_and_results_of_statuses);
	suite_add_tcase(s, t);
	return run_suite(s);
}
