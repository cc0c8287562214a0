/*
 * test_cache.c - downloads by their hash, with a shell program for a helper
 *
 * What many callers at once do, and with a real server: tests/cli/fetch.t.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "fetch/fetch.h"

static char dir[] = "/tmp/towerify-test-XXXXXX";
static char helper[64], cache[64];
static struct tw_fetch how;
static int begun;

static void begin(void *arg, const char *url)
{
	ck_assert_ptr_eq(arg, &how);
	ck_assert_str_eq(url, "http://x/");
	begun++;
}

static void setup(void)
{
	how = (struct tw_fetch){ .helper = helper, .cache = cache,
	    .timeout = 1000, .cache_max = 1 << 20, .begin = begin,
	    .arg = &how };
	begun = 0;
}

static void teardown(void)
{
	char command[64];
	int status;
	pid_t pid;

	snprintf(command, sizeof command, "%s", cache);
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", command, (char *)NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

/* What the helper does from now on: a shell program. */
static void helper_does(const char *text)
{
	char all[512];
	int n = snprintf(all, sizeof all, "#!/bin/sh\n%s\n", text);

	ck_assert_int_eq(tw_io_write_file(helper, all, (size_t)n, 0700, NULL),
	    TW_OK);
}

/* Fetches what is to be text, where the helper prints just that. */
static enum tw_status get(const char *text, size_t max, struct tw_err *err)
{
	struct tw_buf out = TW_BUF_INIT;
	char sha256[TW_SHA256_HEX];
	enum tw_status st;

	tw_buf_adds(&out, "before ");
	tw_sha256_hex(text, strlen(text), sha256);
	st = tw_fetch_cached(&how, "http://x/", sha256, max, &out, err);
	ck_assert_int_eq(strncmp(out.data, "before ", 7), 0);
	ck_assert_str_eq(out.data + 7, st ? "" : text);
	tw_buf_release(&out);
	return st;
}

static bool has(const char *text)
{
	char sha256[TW_SHA256_HEX], path[256];

	tw_sha256_hex(text, strlen(text), sha256);
	snprintf(path, sizeof path, "%s/%s", cache, sha256);
	return access(path, F_OK) == 0;
}

/* The time of its last use, in seconds. */
static void used(const char *text, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when },
	    { .tv_sec = when } };
	char sha256[TW_SHA256_HEX], path[256];

	tw_sha256_hex(text, strlen(text), sha256);
	snprintf(path, sizeof path, "%s/%s", cache, sha256);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(once_is_enough)
{
	helper_does("printf one");
	ck_assert_int_eq(get("one", 3, NULL), TW_OK);
	helper_does("exit 70");
	ck_assert_int_eq(get("one", 3, NULL), TW_OK);
	ck_assert_int_eq(begun, 1);
}
END_TEST

START_TEST(hashes_are_hashes)
{
	struct tw_buf out = TW_BUF_INIT;
	char sha256[TW_SHA256_HEX];
	struct tw_err err;
	size_t i;

	ck_assert_int_eq(tw_fetch_cached(&how, "http://x/", "../../etc", 9,
	    &out, &err), TW_DATA);
	ck_assert_str_eq(err.msg,
	    "http://x/: a SHA-256 has 64 hexadecimal digits");
	ck_assert_int_eq(begun, 0);
	/* large digits are the same file */
	helper_does("printf one");
	tw_sha256_hex("one", 3, sha256);
	for (i = 0; sha256[i]; i++)
		if (sha256[i] >= 'a')
			sha256[i] -= 'a' - 'A';
	ck_assert_int_eq(tw_fetch_cached(&how, "http://x/", sha256, 9, &out,
	    &err), TW_OK);
	ck_assert(has("one"));
	tw_buf_release(&out);
}
END_TEST

START_TEST(what_is_too_large_is_not_taken)
{
	struct tw_err err;

	helper_does("printf four");
	ck_assert_int_eq(get("four", 4, NULL), TW_OK);
	ck_assert_int_eq(get("four", 3, &err), TW_DATA);
	ck_assert_str_eq(err.msg, "http://x/: larger than 3 bytes");
	ck_assert(has("four"));
}
END_TEST

START_TEST(what_the_helper_says_is_the_message)
{
	struct tw_err err;

	helper_does("printf 'no \\033way\\nhint: try\\n' >&2; exit 75");
	ck_assert_int_eq(get("x", 9, &err), TW_AGAIN);
	ck_assert_str_eq(err.msg, "http://x/: no ?way");
	ck_assert_str_eq(err.hint, "try");
	helper_does("exit 65");
	ck_assert_int_eq(get("x", 9, &err), TW_DATA);
	ck_assert_str_eq(err.msg,
	    "http://x/: the download failed without a reason");
	ck_assert_str_eq(err.hint, "");
	helper_does("kill -TERM $$");
	ck_assert_int_eq(get("x", 9, &err), TW_AGAIN);
	ck_assert_str_eq(err.msg,
	    "http://x/: the download was killed by signal 15");
	helper_does("exit 3");
	ck_assert_int_eq(get("x", 9, &err), TW_CONFIG);
	ck_assert_str_eq(err.msg, "towerify-fetch ended with status 3");
	how.helper = "/nowhere/towerify-fetch";
	ck_assert_int_eq(get("x", 9, &err), TW_CONFIG);
	ck_assert_str_eq(err.msg, "cannot run /nowhere/towerify-fetch: No such "
	    "file or directory");
}
END_TEST

START_TEST(the_request_is_whole)
{
	static const char *const allow[] = { "http://a/", "http://b/", NULL };
	struct tw_buf out = TW_BUF_INIT;
	char wanted[256];

	how.allow = allow;
	how.is_public = true;
	helper_does("exec cat");
	ck_assert_int_eq(tw_fetch_read(&how, "http://x/", 1000, &out, NULL),
	    TW_OK);
	snprintf(wanted, sizeof wanted, "parent %ld\nurl http://x/\nmax 1000\n"
	    "timeout 1000\npublic\nlisted\nallow http://a/\n"
	    "allow http://b/\n", (long)getpid());
	ck_assert_str_eq(tw_buf_str(&out), wanted);
	tw_buf_release(&out);
	how.arg = NULL;
	how.begin = NULL;
	ck_assert_int_eq(tw_fetch_read(&how, "http://x/\nallow http://c/", 9,
	    &out, NULL), TW_DATA);
	ck_assert_int_eq(tw_fetch_read(&how, "file:///etc/passwd", 9, &out,
	    NULL), TW_DATA);
}
END_TEST

START_TEST(what_was_used_longest_ago_goes)
{
	how.cache_max = 8;
	helper_does("printf aaa");
	ck_assert_int_eq(get("aaa", 9, NULL), TW_OK);
	helper_does("printf bbb");
	ck_assert_int_eq(get("bbb", 9, NULL), TW_OK);
	used("aaa", 1000);
	used("bbb", 2000);
	/* now it was used last */
	ck_assert_int_eq(get("aaa", 9, NULL), TW_OK);
	helper_does("printf ccc");
	ck_assert_int_eq(get("ccc", 9, NULL), TW_OK);
	ck_assert(has("aaa") && !has("bbb") && has("ccc"));
	/* one larger than all stays alone */
	helper_does("printf dddddddddd");
	ck_assert_int_eq(get("dddddddddd", 10, NULL), TW_OK);
	ck_assert(!has("aaa") && !has("ccc") && has("dddddddddd"));
}
END_TEST

START_TEST(what_a_killed_one_left_goes)
{
	char path[256];

	helper_does("printf one");
	ck_assert_int_eq(get("one", 9, NULL), TW_OK);
	snprintf(path, sizeof path, "%s/abc.part", cache);
	ck_assert_int_eq(tw_io_write_file(path, "x", 1, 0600, NULL), TW_OK);
	ck_assert_int_eq(get("one", 9, NULL), TW_OK);
	ck_assert_int_eq(access(path, F_OK), 0);
	helper_does("printf two");
	ck_assert_int_eq(get("two", 9, NULL), TW_OK);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_directory_in_the_way_is_said)
{
	char sha256[TW_SHA256_HEX], path[256];
	struct tw_err err;

	tw_sha256_hex("one", 3, sha256);
	ck_assert_int_eq(mkdir(cache, 0700), 0);
	snprintf(path, sizeof path, "%s/%s", cache, sha256);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(get("one", 9, &err), TW_AGAIN);
	ck_assert_ptr_nonnull(strstr(err.msg, "a directory bears the name"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cache");
	TCase *c = tcase_create("cache");
	int failed;
	SRunner *sr;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(helper, sizeof helper, "%s/helper", dir);
	snprintf(cache, sizeof cache, "%s/cache", dir);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, once_is_enough);
	tcase_add_test(c, hashes_are_hashes);
	tcase_add_test(c, what_is_too_large_is_not_taken);
	tcase_add_test(c, what_the_helper_says_is_the_message);
	tcase_add_test(c, the_request_is_whole);
	tcase_add_test(c, what_was_used_longest_ago_goes);
	tcase_add_test(c, what_a_killed_one_left_goes);
	tcase_add_test(c, a_directory_in_the_way_is_said);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	unlink(helper);
	rmdir(dir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
