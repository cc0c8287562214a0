/* test_config.c - towerify.yaml */
#include "spec_util.h"

#include <stdio.h>

#include "spec/config.h"

static void config_is(const char *text, size_t len, const char *wanted,
    struct tw_config *out)
{
	struct tw_diags ds = { .file = "f" };
	enum tw_status st;
	char *said;

	st = tw_config_parse(text, len, &ds, out, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(st, *wanted ? TW_DATA : TW_OK);
	free(said);
	tw_diags_release(&ds);
}

static void refused(const char *text, const char *wanted)
{
	struct tw_config c;

	config_is(text, strlen(text), wanted, &c);
	ck_assert_ptr_null(c.doc);
	ck_assert_int_eq(c.number[TW_CONFIG_JOBS], 256);
}

static void value_is(const struct tw_config *c, enum tw_config_key key,
    const char *wanted)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_config_write(c, key, &b);
	ck_assert_str_eq(tw_buf_str(&b), wanted);
	tw_buf_release(&b);
}

START_TEST(what_is_not_said_has_its_default)
{
	static const char *const bare[] = { "", "\n", "# jobs: 3\n",
		"  # a\r\n\n#b" };
	static const char *const wanted[TW_CONFIG_KEYS] = {
		[TW_CONFIG_JOBS] = "256",
		[TW_CONFIG_START] = "no",
		[TW_CONFIG_CONNECT_TIMEOUT] = "10s",
		[TW_CONFIG_LOGIN_TIMEOUT] = "30s",
		[TW_CONFIG_SILENCE_TIMEOUT] = "30s",
		[TW_CONFIG_RETRY_FIRST] = "5s",
		[TW_CONFIG_RETRY_MOST] = "5m",
		[TW_CONFIG_OUTPUT_LIMIT] = "1M",
		[TW_CONFIG_OUTPUT_TOTAL] = "4G",
		[TW_CONFIG_RETENTION] = "90d",
		[TW_CONFIG_MAIL] = "",
		[TW_CONFIG_WEBHOOK] = "",
		[TW_CONFIG_HOOKS] = "",
		[TW_CONFIG_HOOK_TIMEOUT] = "30s",
	};
	struct tw_config c;
	size_t i, k;

	for (i = 0; i < sizeof bare / sizeof *bare; i++) {
		config_is(bare[i], strlen(bare[i]), "", &c);
		for (k = 0; k < TW_CONFIG_KEYS; k++) {
			value_is(&c, (enum tw_config_key)k, wanted[k]);
			ck_assert_uint_eq(c.line[k], 0);
			ck_assert_str_ne(tw_config_about(
			    (enum tw_config_key)k), "");
		}
		tw_config_release(&c);
	}
}
END_TEST

START_TEST(what_is_said_holds)
{
	static const char text[] =
	    "jobs: 100000\n"
	    "start: yes\n"
	    "connect-timeout: 1s\n"
	    "login-timeout: 1m30s\n"
	    "silence-timeout: 15s\n"
	    "retry-first: 45m\n"
	    "\n"
	    "retry-most: 1d\n"
	    "output-limit: 4096\n"
	    "output-total: unlimited\n"
	    "retention: forever\n"
	    "mail: root, a.b+c@example.org,ops\n"
	    "webhook: https://u:t@h.example/x?y=1\n"
	    "hooks: /srv/hooks\n"
	    "hook-timeout: '1h'\n";
	struct tw_config c;

	config_is(text, sizeof text - 1, "", &c);
	value_is(&c, TW_CONFIG_JOBS, "100000");
	value_is(&c, TW_CONFIG_START, "yes");
	value_is(&c, TW_CONFIG_LOGIN_TIMEOUT, "1m30s");
	value_is(&c, TW_CONFIG_RETRY_FIRST, "45m");
	value_is(&c, TW_CONFIG_RETRY_MOST, "1d");
	value_is(&c, TW_CONFIG_OUTPUT_LIMIT, "4K");
	value_is(&c, TW_CONFIG_OUTPUT_TOTAL, "unlimited");
	value_is(&c, TW_CONFIG_RETENTION, "forever");
	ck_assert_int_eq(c.number[TW_CONFIG_RETENTION], TW_CONFIG_ENDLESS);
	value_is(&c, TW_CONFIG_MAIL, "root, a.b+c@example.org,ops");
	value_is(&c, TW_CONFIG_WEBHOOK, "https://u:t@h.example/x?y=1");
	value_is(&c, TW_CONFIG_HOOKS, "/srv/hooks");
	value_is(&c, TW_CONFIG_HOOK_TIMEOUT, "1h");
	ck_assert_uint_eq(c.line[TW_CONFIG_JOBS], 1);
	ck_assert_uint_eq(c.line[TW_CONFIG_RETRY_MOST], 8);
	tw_config_release(&c);
	ck_assert_uint_eq(c.line[TW_CONFIG_JOBS], 0);
}
END_TEST

START_TEST(sizes_have_units)
{
	static const struct {
		const char *text, *wanted;
	} how[] = {
		{ "output-limit: 5000\n", "5000" },
		{ "output-limit: 64K\n", "64K" },
		{ "output-limit: 1024K\n", "1M" },
		{ "output-limit: 64M\n", "64M" },
	};
	struct tw_config c;
	size_t i;

	for (i = 0; i < sizeof how / sizeof *how; i++) {
		config_is(how[i].text, strlen(how[i].text), "", &c);
		value_is(&c, TW_CONFIG_OUTPUT_LIMIT, how[i].wanted);
		tw_config_release(&c);
	}
}
END_TEST

#define MAIL ": mail must be addresses with commas between them\n" \
	"hint: such as root, ops@example.org\n"
#define HOOK ": webhook must be an address of the web\n" \
	"hint: such as https://example.org/towerify\n"
#define SIZE(what) ": output-limit must be a size, not '" what "'\n" \
	"hint: such as 512K, 4M, 1G\n"

START_TEST(all_problems_are_told_with_their_places)
{
	refused("jbos: 3\nstart: true\njobs: 0\nmail: [a]\n",
	    "f:1:1: unknown key 'jbos' in the file\n"
	    "hint: did you mean 'jobs'?\n"
	    "f:2:8: start must be one of no, yes, not 'true'\n"
	    "f:3:7: jobs must be 1 to 100000, not 0\n"
	    "f:4:7: mail must be text, not a list\n");
	refused("jobs: 1\njobs: 2\n",
	    "f:2:1: the key 'jobs' stands here again, after line 1\n");
	refused("jobs: 100001\nretention: 1h\n",
	    "f:1:7: jobs must be 1 to 100000, not 100001\n"
	    "f:2:12: retention must be whole seconds from 24h to 876000h, "
	    "not '1h'\n");
	refused("retention: for ever\nretry-most: forever\n",
	    "f:1:12: retention must be a duration, not 'for ever'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n"
	    "f:2:13: retry-most must be a duration, not 'forever'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n");
	refused("retry-first: 1m\nretry-most: 59s\n",
	    "f:2:13: retry-most is less than retry-first\n");
	refused("retry-first: 6m\n",
	    "f:1:14: retry-most is less than retry-first\n");
	refused("- jobs\n", "f:1:1: the file must be a mapping ('key: "
	    "value'), not a list\n");
	refused("hooks: hooks.d\n", "f:1:8: hooks must be the path of a "
	    "directory\nhint: it begins with a /\n");
}
END_TEST

START_TEST(sizes_are_bounded)
{
	static const char bounds[] = ": output-limit must be 4K to 64M, not ";
	char wanted[200];

	refused("output-limit: 1k\n", "f:1:15" SIZE("1k"));
	refused("output-limit: 1KB\n", "f:1:15" SIZE("1KB"));
	refused("output-limit: -1\n", "f:1:15" SIZE("-1"));
	refused("output-limit: 99999999999999999999\n", "f:1:15"
	    SIZE("99999999999999999999"));
	refused("output-limit: 9223372036854775807G\n", "f:1:15"
	    SIZE("9223372036854775807G"));
	snprintf(wanted, sizeof wanted, "f:1:15%s'4095'\n", bounds);
	refused("output-limit: 4095\n", wanted);
	snprintf(wanted, sizeof wanted, "f:1:15%s'65M'\n", bounds);
	refused("output-limit: 65M\n", wanted);
}
END_TEST

START_TEST(addresses_can_do_no_harm)
{
	static const char *const mails[] = {
		"-oQ/tmp", "a b", "a,,b", "a@", "'@b'", "a@b@c", "a;b",
		"'\"a\"'", "a,", "'a,-b'", "'`a`'",
	};
	static const char *const urls[] = {
		"h.example", "file:///etc/passwd", "https://", "https:///x",
		"'https://a b'", "gopher://x/",
	};
	char text[100], wanted[200];
	size_t i;

	for (i = 0; i < sizeof mails / sizeof *mails; i++) {
		snprintf(text, sizeof text, "mail: %s\n", mails[i]);
		snprintf(wanted, sizeof wanted, "f:1:7" MAIL);
		refused(text, wanted);
	}
	refused("mail: ''\n", "f:1:7: mail is empty\n");
	refused("mail: \"a\\nBcc: b\"\n", "f:1:7: mail must be one line without "
	    "control characters\n");
	for (i = 0; i < sizeof urls / sizeof *urls; i++) {
		snprintf(text, sizeof text, "webhook: %s\n", urls[i]);
		refused(text, "f:1:10" HOOK);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_not_said_has_its_default,
		what_is_said_holds,
		sizes_have_units,
		all_problems_are_told_with_their_places,
		sizes_are_bounded,
		addresses_can_do_no_harm,
	};

	return run_tests("config", tests, sizeof tests / sizeof *tests);
}
