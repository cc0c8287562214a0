/* test_instance.c - instances: what filing a change and its end make of them */
#include "model/fixture.h"
#include "model/instance.h"

/* --- the automaton ----------------------------------------------------------- */

static const char *const state[] = { "gone", "deploying", "running",
	"stopped", "upgrading", "undeploying", "failed" };
static const char *const verbs[] = { "deploy", "start", "stop", "upgrade",
	"undeploy", "backup", "restore", "check" };

/* For each verb: where from, what meanwhile ("=": as it was), and what after
 * succeeded, rolled-back, failed, cancelled, unknown. */
static const struct {
	const char *from, *during, *after[5];
} want[TW_INSTANCE_ACTIONS] = {
	{ "gone", "deploying",
	    { "running", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "=",
	    { "running", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "=",
	    { "stopped", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "upgrading",
	    { "running", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "undeploying",
	    { "gone", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "=",
	    { "=", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "=",
	    { "running", "=", "failed", "=", "failed" } },
	{ "running stopped failed", "=",
	    { "=", "=", "failed", "=", "failed" } },
};
static const enum tw_change_status ends[] = { TW_CHANGE_SUCCEEDED,
	TW_CHANGE_ROLLED_BACK, TW_CHANGE_FAILED, TW_CHANGE_CANCELLED,
	TW_CHANGE_UNKNOWN };

static const char *or_same(const char *word, int s)
{
	return strcmp(word, "=") == 0 ? state[s] : word;
}

START_TEST(every_pair_is_as_the_table_says)
{
	int a, s, e;

	for (a = 0; a < TW_INSTANCE_ACTIONS; a++) {
		ck_assert_str_eq(tw_instance_action_name(a), verbs[a]);
		for (s = 0; s < TW_INSTANCE_STATES; s++) {
			bool may = strstr(want[a].from, state[s]) != NULL;

			ck_assert_str_eq(tw_instance_state_name(s), state[s]);
			ck_assert_msg(tw_instance_can(a, s) == may, "%s, %s",
			    verbs[a], state[s]);
			if (!may)
				continue;
			ck_assert_str_eq(tw_instance_state_name(
			    tw_instance_during(a, s)),
			    or_same(want[a].during, s));
			for (e = 0; e < 5; e++)
				ck_assert_str_eq(tw_instance_state_name(
				    tw_instance_after(a, ends[e], s)),
				    or_same(want[a].after[e], s));
		}
	}
}
END_TEST

START_TEST(names_are_read_back)
{
	enum tw_instance_action a;
	enum tw_instance_state s;
	int i;

	for (i = 0; i < TW_INSTANCE_STATES; i++) {
		ck_assert(tw_instance_state_parse(state[i], &s));
		ck_assert_int_eq(s, i);
	}
	for (i = 0; i < TW_INSTANCE_ACTIONS; i++) {
		ck_assert(tw_instance_action_parse(verbs[i], &a));
		ck_assert_int_eq(a, i);
	}
	ck_assert(!tw_instance_state_parse("", &s));
	ck_assert(!tw_instance_action_parse("run", &a));
}
END_TEST

/* --- rows --------------------------------------------------------------------- */

static int64_t web1;

static void add_app(const char *name, const char *version)
{
	struct tw_app_entry e = { .name = name, .version = version,
	    .title = name, .level = -1, .file = "file", .file_len = 4 };
	bool again;

	OK(tw_app_add(store, &alice, &e, &again, &err));
}

static void setup_host(void)
{
	setup();
	web1 = add_host("web1");
	add_app("wiki", "1.0");
	add_app("wiki", "2.0");
	add_app("wiki", "3.0");
	add_app("shop", "1.0");
}

/* The instance of that name on web1; false: none but gone ones. */
static bool get(const char *name, struct tw_instance *out)
{
	struct tw_instance_filter f = { .name = name };
	struct tw_instance *list;
	size_t n;

	OK(tw_instance_select(store, &alice, &f, &list, &n, &err));
	ck_assert_uint_le(n, 1);
	memset(out, 0, sizeof *out);
	if (n)
		*out = *list;
	free(list);
	return n > 0;
}

/* "VERSION STATE PARAMS [NEXT]", "" for none. */
static const char *is(const char *name)
{
	static char text[300];
	struct tw_instance i;

	text[0] = '\0';
	if (get(name, &i))
		snprintf(text, sizeof text, "%s %s %s%s%s", i.version,
		    tw_instance_state_name(i.state), i.params,
		    i.next_version ? " " : "",
		    i.next_version ? i.next_version : "");
	tw_instance_release(&i);
	return text;
}

static struct tw_instance_act act_on(enum tw_instance_action action,
    const char *version)
{
	struct tw_instance_act act = { .action = action, .app = "wiki",
	    .version = version, .instance = "wiki" };
	struct tw_instance i;

	get("wiki", &i);
	act.latest = i.latest;
	tw_instance_release(&i);
	return act;
}

/* Files, and ends so; the change's number. */
static int64_t done(enum tw_instance_action action, const char *version,
    const char *params, enum tw_change_status end)
{
	struct tw_instance_act act = act_on(action, version);
	struct tw_filing f = filing();
	int64_t num;

	f.act = &act;
	f.params = params;
	num = file_with(&alice, "web1", &f);
	if (end != TW_CHANGE_QUEUED)
		end_as(num, end, NULL);
	return num;
}

static enum tw_status refused(const struct tw_who *who,
    enum tw_instance_action action)
{
	struct tw_instance_act act = act_on(action, "1.0");
	struct tw_filing f = filing();
	enum tw_status status;
	struct tw_host h;
	int64_t num = 0;
	bool again;

	f.act = &act;
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	status = tw_change_file(store, who, &f, &h, 1, &num, &again, &err);
	tw_host_release(&h);
	return status;
}

START_TEST(a_life)
{
	int64_t num = done(TW_INSTANCE_DEPLOY, "1.0", "{\"a\":\"1\"}",
	    TW_CHANGE_QUEUED);
	struct tw_change c;

	ck_assert_str_eq(is("wiki"), "1.0 deploying {\"a\":\"1\"}");
	OK(tw_change_get(store, &alice, num, &c, &err));
	ck_assert_str_eq(c.app, "wiki");
	ck_assert_str_eq(c.app_version, "1.0");
	ck_assert_str_eq(c.action, "deploy");
	ck_assert_str_eq(c.instance, "wiki");
	tw_change_release(&c);
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id,
	    "change.file").text, "\"app\":\"wiki\",\"version\":\"1.0\","
	    "\"action\":\"deploy\",\"instance\":\"wiki\""));
	end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	ck_assert_str_eq(is("wiki"), "1.0 running {\"a\":\"1\"}");
	ck_assert_str_eq(audit_of(alice.org_id, "instance.state").text,
	    "tower web1 1 {\"instance\":\"wiki\",\"app\":\"wiki\","
	    "\"version\":\"1.0\",\"was\":\"deploying\","
	    "\"state\":\"running\"}");
	done(TW_INSTANCE_STOP, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 stopped {\"a\":\"1\"}");
	done(TW_INSTANCE_UPGRADE, "2.0", "{\"a\":\"2\"}",
	    TW_CHANGE_ROLLED_BACK);
	ck_assert_str_eq(is("wiki"), "1.0 stopped {\"a\":\"1\"}");
	num = done(TW_INSTANCE_UPGRADE, "2.0", "{\"a\":\"2\"}",
	    TW_CHANGE_QUEUED);
	ck_assert_str_eq(is("wiki"), "1.0 upgrading {\"a\":\"1\"} 2.0");
	end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	ck_assert_str_eq(is("wiki"), "2.0 running {\"a\":\"2\"}");
	done(TW_INSTANCE_UNDEPLOY, "2.0", "{}", TW_CHANGE_CANCELLED);
	ck_assert_str_eq(is("wiki"), "2.0 running {\"a\":\"2\"}");
	done(TW_INSTANCE_UNDEPLOY, "2.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "");
	done(TW_INSTANCE_DEPLOY, "3.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "3.0 running {}");
}
END_TEST

START_TEST(a_backup_and_a_look_leave_it_as_it_is)
{
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	done(TW_INSTANCE_STOP, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	done(TW_INSTANCE_BACKUP, "1.0", "{\"a\":\"2\"}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 stopped {}");
	done(TW_INSTANCE_CHECK, "1.0", "{}", TW_CHANGE_ROLLED_BACK);
	ck_assert_str_eq(is("wiki"), "1.0 stopped {}");
	done(TW_INSTANCE_RESTORE, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 running {}");
	done(TW_INSTANCE_RESTORE, "1.0", "{}", TW_CHANGE_FAILED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {}");
	done(TW_INSTANCE_CHECK, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {}");
}
END_TEST

START_TEST(a_deployment_that_came_to_nothing_is_not_there)
{
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_ROLLED_BACK);
	ck_assert_str_eq(is("wiki"), "");
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_CANCELLED);
	ck_assert_str_eq(is("wiki"), "");
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_FAILED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {}");
}
END_TEST

START_TEST(a_failed_upgrade_tells_where_it_was_to_go)
{
	done(TW_INSTANCE_DEPLOY, "1.0", "{\"a\":\"1\"}",
	    TW_CHANGE_SUCCEEDED);
	done(TW_INSTANCE_UPGRADE, "2.0", "{\"a\":\"2\"}",
	    TW_CHANGE_UNKNOWN);
	ck_assert_str_eq(is("wiki"), "1.0 failed {\"a\":\"1\"} 2.0");
	/* what came to nothing changes nothing of it */
	done(TW_INSTANCE_UPGRADE, "3.0", "{}", TW_CHANGE_CANCELLED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {\"a\":\"1\"} 2.0");
	done(TW_INSTANCE_UPGRADE, "3.0", "{}", TW_CHANGE_ROLLED_BACK);
	done(TW_INSTANCE_START, "1.0", "{}", TW_CHANGE_CANCELLED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {\"a\":\"1\"} 2.0");
	/* nor is it mended by a start */
	done(TW_INSTANCE_START, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 running {\"a\":\"1\"} 2.0");
	done(TW_INSTANCE_UPGRADE, "3.0", "{}", TW_CHANGE_FAILED);
	ck_assert_str_eq(is("wiki"), "1.0 failed {\"a\":\"1\"} 3.0");
	done(TW_INSTANCE_UPGRADE, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_str_eq(is("wiki"), "1.0 running {}");
}
END_TEST

START_TEST(its_state_is_as_old_as_it_is)
{
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	raw("UPDATE instance SET changed = 5");
	done(TW_INSTANCE_START, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	done(TW_INSTANCE_STOP, "1.0", "{}", TW_CHANGE_CANCELLED);
	ck_assert_int_eq(number("SELECT changed FROM instance"), 5);
	done(TW_INSTANCE_STOP, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_int_gt(number("SELECT changed FROM instance"), 5);
}
END_TEST

START_TEST(what_is_not_in_the_catalogue_is_not_filed)
{
	struct tw_app_entry e = { .name = "wiki", .version = "3.0",
	    .title = "wiki", .level = -1, .file = "another", .file_len = 7 };
	struct tw_instance_act act;
	struct tw_filing f = filing();
	struct tw_host h;
	int64_t num;
	bool again;

	act = act_on(TW_INSTANCE_DEPLOY, "3.0");
	f.act = &act;
	OK(tw_app_remove(store, &alice, "wiki@3.0", &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num,
	    &again, &err), TW_AGAIN);
	ck_assert_str_eq(err.msg, "wiki@3.0 was removed from the catalogue in "
	    "the meantime");
	/* another content is not what was read */
	OK(tw_app_add(store, &alice, &e, &again, &err));
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num,
	    &again, &err), TW_AGAIN);
	ck_assert_int_eq(number("SELECT count(*) FROM instance"), 0);
	tw_host_release(&h);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	ck_assert_int_eq(refused(&alice, TW_INSTANCE_START), TW_NO);
	ck_assert_str_eq(err.msg, "no instance 'wiki' on web1");
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	ck_assert_int_eq(refused(&alice, TW_INSTANCE_DEPLOY), TW_NO);
	ck_assert_str_eq(err.msg, "wiki on web1 is there already, running");
	done(TW_INSTANCE_STOP, "1.0", "{}", TW_CHANGE_QUEUED);
	ck_assert_int_eq(refused(&alice, TW_INSTANCE_START), TW_NO);
	ck_assert_str_eq(err.msg, "change 2, which is to stop wiki on web1, "
	    "has not ended");
	/* nothing of what was refused is there */
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 2);
	ck_assert_int_eq(number("SELECT count(*) FROM instance"), 1);
}
END_TEST

START_TEST(who_looked_too_long_ago_looks_again)
{
	struct tw_instance_act act;
	struct tw_filing f = filing();
	struct tw_host h;
	int64_t num;
	bool again;

	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	act = act_on(TW_INSTANCE_STOP, "1.0");
	done(TW_INSTANCE_UPGRADE, "2.0", "{}", TW_CHANGE_SUCCEEDED);
	f.act = &act;
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num,
	    &again, &err), TW_AGAIN);
	ck_assert_str_eq(err.msg, "wiki on web1 was changed in the meantime");
	tw_host_release(&h);
}
END_TEST

START_TEST(with_its_host_it_goes)
{
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_QUEUED);
	OK(tw_host_remove(store, &alice, "web1", &err));
	ck_assert_str_eq(is("wiki"), "");
	ck_assert_int_eq(number("SELECT count(*) FROM instance"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE status = 'cancelled' AND instance_id IS NULL"), 1);
}
END_TEST

/* --- rights ------------------------------------------------------------------- */

static void on_app(const struct tw_who *who, const char *app)
{
	char sql[200];

	permit(who, "deploy", "web1", 0);
	snprintf(sql, sizeof sql, "UPDATE permit SET app = '%s'"
	    " WHERE operator_id = %lld AND permission = 'deploy'", app,
	    (long long)who->operator_id);
	raw(sql);
}

START_TEST(it_takes_deploy_with_that_app)
{
	struct tw_who bob = add_member("bob");

	permit(&bob, "change", NULL, 0);
	ck_assert_int_eq(refused(&bob, TW_INSTANCE_DEPLOY), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy wiki on web1");
	on_app(&bob, "shop");
	ck_assert_int_eq(refused(&bob, TW_INSTANCE_DEPLOY), TW_DENIED);
	on_app(&bob, "w*");
	OK(refused(&bob, TW_INSTANCE_DEPLOY));
	ck_assert_str_eq(is("wiki"), "1.0 deploying {}");
	tw_who_release(&bob);
}
END_TEST

/* Files front of two apps, one on each of web1 and web2, at once. */
static enum tw_status both(const struct tw_who *who, const char *on_web1,
    const char *on_web2)
{
	struct tw_instance_act acts[2] = {
		{ .action = TW_INSTANCE_DEPLOY, .app = on_web1,
		    .version = "1.0", .instance = "front" },
		{ .action = TW_INSTANCE_DEPLOY, .app = on_web2,
		    .version = "1.0", .instance = "front" },
	};
	struct tw_filing f[2] = { filing(), filing() };
	const struct tw_filing *each[2] = { &f[0], &f[1] };
	enum tw_status status;
	struct tw_host h[2];
	int64_t nums[2];
	bool again;

	f[0].act = &acts[0];
	f[1].act = &acts[1];
	OK(tw_host_get(store, &alice, "web1", &h[0], &err));
	OK(tw_host_get(store, &alice, "web2", &h[1], &err));
	status = tw_change_file_each(store, who, each, h, 2, nums, &again,
	    &err);
	tw_host_release(&h[0]);
	tw_host_release(&h[1]);
	return status;
}

START_TEST(it_takes_deploy_with_the_app_of_each)
{
	struct tw_who bob = add_member("bob");

	add_host("web2");
	permit(&bob, "view", NULL, 0);
	on_app(&bob, "wiki");
	raw("UPDATE permit SET hosts = 'web*', host = NULL"
	    " WHERE permission = 'deploy' AND app = 'wiki'");
	ck_assert_int_eq(both(&bob, "wiki", "shop"), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy shop on web2");
	ck_assert_int_eq(both(&bob, "shop", "wiki"), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy shop on web1");
	/* and all that are denied are named */
	ck_assert_int_eq(both(&bob, "shop", "news"), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy shop on web1, news on "
	    "web2");
	ck_assert_int_eq(both(&bob, "shop", "shop"), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy shop on web1, web2");
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
	OK(both(&bob, "wiki", "wiki"));
	tw_who_release(&bob);
}
END_TEST

START_TEST(it_takes_it_at_the_start_too)
{
	struct tw_who bob = add_member("bob");
	char reason[64];

	on_app(&bob, "wiki");
	OK(refused(&bob, TW_INSTANCE_DEPLOY));
	/* the right to change hosts does not help */
	permit(&bob, "change", NULL, 0);
	raw("DELETE FROM permit WHERE permission = 'deploy'"
	    " AND app IS NOT NULL");
	ck_assert_int_eq(claim(web1, tw_clock_now()), 0);
	ck_assert_int_eq(status_of(1, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "bob may no longer deploy wiki on web1");
	ck_assert_str_eq(is("wiki"), "");
	on_app(&bob, "wiki");
	OK(refused(&bob, TW_INSTANCE_DEPLOY));
	ck_assert_int_eq(claim(web1, tw_clock_now()), 2);
	tw_who_release(&bob);
}
END_TEST

START_TEST(who_may_deploy_may_cancel_it)
{
	struct tw_who bob = add_member("bob");
	enum tw_cancel_result r;
	int64_t nums[] = { 1, 2 };

	on_app(&bob, "wiki");
	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_QUEUED);
	file_for("web1");
	OK(tw_change_permit(store, &bob, nums, 1, &err));
	ck_assert_int_eq(tw_change_permit(store, &bob, nums, 2, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not change web1");
	OK(tw_change_cancel(store, &bob, 1, &r, &err));
	ck_assert_int_eq(r, TW_CANCELLED);
	ck_assert_int_eq(tw_change_cancel(store, &bob, 2, &r, &err),
	    TW_DENIED);
	tw_who_release(&bob);
}
END_TEST

START_TEST(what_can_not_be_seen_is_not_there)
{
	struct tw_who bob = other_tenant(), carl = add_member("carl");
	struct tw_instance_filter f = { .all = true };
	struct tw_instance *list;
	size_t n;

	done(TW_INSTANCE_DEPLOY, "1.0", "{}", TW_CHANGE_SUCCEEDED);
	OK(tw_instance_select(store, &bob, &f, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	tw_instances_free(list, n);
	ck_assert_int_eq(tw_instance_select(store, &carl, &f, &list, &n,
	    &err), TW_DENIED);
	permit(&carl, "view", "db1", 0);
	OK(tw_instance_select(store, &carl, &f, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	tw_instances_free(list, n);
	permit(&carl, "view", "web1", 0);
	OK(tw_instance_select(store, &carl, &f, &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	tw_instances_free(list, n);
	tw_who_release(&carl);
	tw_who_release(&bob);
}
END_TEST

/* --- the key ------------------------------------------------------------------ */

START_TEST(the_key_knows_what_was_asked)
{
	static const struct tw_secret apart[] = { { "pw", "one" } };
	static const struct tw_secret other[] = { { "pw", "two" } };
	struct tw_instance_act act = act_on(TW_INSTANCE_DEPLOY, "1.0");
	struct tw_filing f = filing();
	int64_t num = 0, first;
	struct tw_host h;
	bool again;

	f.act = &act;
	f.key = "k";
	f.asked = "deploy wiki";
	f.apart = apart;
	f.napart = 1;
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	OK(tw_change_filed(store, &alice, &f, &h, 1, &num, &again, &err));
	ck_assert(!again);
	first = file_with(&alice, "web1", &f);
	f.params = "{\"other\":\"now\"}";
	OK(tw_change_filed(store, &alice, &f, &h, 1, &num, &again, &err));
	ck_assert(again);
	ck_assert_int_eq(num, first);
	f.apart = other;
	ck_assert_int_eq(tw_change_filed(store, &alice, &f, &h, 1, &num,
	    &again, &err), TW_NO);
	f.apart = apart;
	f.asked = "deploy shop";
	ck_assert_int_eq(tw_change_filed(store, &alice, &f, &h, 1, &num,
	    &again, &err), TW_NO);
	ck_assert_str_eq(err.msg, "the key 'k' was used for something else "
	    "(change 1)");
	tw_host_release(&h);
}
END_TEST

START_TEST(the_key_is_for_who_could_file_it)
{
	struct tw_instance_act act = act_on(TW_INSTANCE_DEPLOY, "1.0");
	struct tw_who bob = add_member("bob");
	struct tw_filing f = filing();
	struct tw_host h[2];
	int64_t nums[2];
	bool again;

	add_host("web2");
	f.act = &act;
	f.key = "k";
	f.asked = "deploy wiki web1 web2";
	file_with(&alice, "web1", &f);
	permit(&bob, "view", NULL, 0);
	permit(&bob, "change", NULL, 0);
	OK(tw_host_get(store, &alice, "web2", &h[0], &err));
	OK(tw_host_get(store, &alice, "web1", &h[1], &err));
	ck_assert_int_eq(tw_change_filed(store, &bob, &f, h, 2, nums, &again,
	    &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not deploy wiki on web1");
	on_app(&bob, "wiki");
	/* web2 had nothing to do */
	OK(tw_change_filed(store, &bob, &f, h, 2, nums, &again, &err));
	ck_assert(again);
	ck_assert_int_eq(nums[0], 0);
	ck_assert_int_eq(nums[1], 1);
	tw_host_release(&h[0]);
	tw_host_release(&h[1]);
	tw_who_release(&bob);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("instance");
	TCase *pure = tcase_create("automaton"), *tc = tcase_create("rows");

	tcase_add_test(pure, every_pair_is_as_the_table_says);
	tcase_add_test(pure, names_are_read_back);
	suite_add_tcase(s, pure);
	tcase_add_checked_fixture(tc, setup_host, teardown);
	tcase_add_test(tc, a_life);
	tcase_add_test(tc, a_backup_and_a_look_leave_it_as_it_is);
	tcase_add_test(tc, a_deployment_that_came_to_nothing_is_not_there);
	tcase_add_test(tc, a_failed_upgrade_tells_where_it_was_to_go);
	tcase_add_test(tc, its_state_is_as_old_as_it_is);
	tcase_add_test(tc, what_is_not_in_the_catalogue_is_not_filed);
	tcase_add_test(tc, what_cannot_be_is_refused);
	tcase_add_test(tc, who_looked_too_long_ago_looks_again);
	tcase_add_test(tc, with_its_host_it_goes);
	tcase_add_test(tc, it_takes_deploy_with_that_app);
	tcase_add_test(tc, it_takes_deploy_with_the_app_of_each);
	tcase_add_test(tc, it_takes_it_at_the_start_too);
	tcase_add_test(tc, who_may_deploy_may_cancel_it);
	tcase_add_test(tc, what_can_not_be_seen_is_not_there);
	tcase_add_test(tc, the_key_knows_what_was_asked);
	tcase_add_test(tc, the_key_is_for_who_could_file_it);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
