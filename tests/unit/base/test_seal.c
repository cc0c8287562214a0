/* test_seal.c - the key file, sealing, and what does not open */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/seal.h"

static char dir[200], path[240];
static struct tw_err err;

#define OK(call) ck_assert_msg((call) == TW_OK, "%s", err.msg)

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/towerify-seal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/key", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

static void fails_with(const char *what)
{
	struct tw_seal *s;
	char want[400];

	snprintf(want, sizeof want, "%s: %s", path, what);
	ck_assert_int_eq(tw_seal_load(path, &s, &err), TW_CONFIG);
	ck_assert_ptr_null(s);
	ck_assert_str_eq(err.msg, want);
	/* nor is it made anew */
	ck_assert_int_eq(tw_seal_make(path, &s, &err), TW_CONFIG);
}

START_TEST(a_key_is_made_once_for_us_alone)
{
	struct tw_seal *s;
	struct stat st;
	char want[400];
	ino_t ino;

	ck_assert_int_eq(tw_seal_load(path, &s, &err), TW_NO);
	snprintf(want, sizeof want, "%s is gone", path);
	ck_assert_str_eq(err.msg, want);
	umask(0);
	err.msg[0] = '\0';
	OK(tw_seal_make(path, &s, &err));
	ck_assert_str_eq(err.msg, "");
	tw_seal_free(s);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_int_eq(st.st_size, TW_SEAL_KEY_LEN);
	ino = st.st_ino;
	OK(tw_seal_make(path, &s, &err));
	tw_seal_free(s);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_ino, ino);
}
END_TEST

START_TEST(two_who_come_at_once_have_one_key)
{
	uint8_t hash[8][TW_SEAL_HASH_LEN];
	struct tw_seal *s;
	int i, pipes[2];

	ck_assert_int_eq(pipe(pipes), 0);
	for (i = 0; i < 8; i++)
		if (fork() == 0) {
			if (tw_seal_make(path, &s, &err))
				_exit(1);
			tw_seal_hash(s, "x", 1, hash[0]);
			_exit(write(pipes[1], hash[0], sizeof hash[0]) !=
			    sizeof hash[0]);
		}
	for (i = 0; i < 8; i++) {
		ck_assert_int_eq(read(pipes[0], hash[i], sizeof hash[i]),
		    sizeof hash[i]);
		ck_assert_mem_eq(hash[i], hash[0], sizeof hash[0]);
	}
	while (wait(NULL) > 0)
		;
}
END_TEST

START_TEST(a_key_that_is_not_ours_alone_is_refused)
{
	char other[300];
	char bytes[TW_SEAL_KEY_LEN + 1] = { 0 };

	OK(tw_io_write_file(path, bytes, TW_SEAL_KEY_LEN, 0640, &err));
	fails_with("is open to others (mode 0640)");
	ck_assert_int_eq(chmod(path, 0600), 0);
	snprintf(other, sizeof other, "%s/other", dir);
	ck_assert_int_eq(link(path, other), 0);
	fails_with("has 2 hard links instead of one");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	fails_with("is a symbolic link, which is not accepted here");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(other), 0);
	OK(tw_io_write_file(path, bytes, TW_SEAL_KEY_LEN - 1, 0600, &err));
	fails_with("has 31 bytes instead of 32");
	OK(tw_io_write_file(path, bytes, TW_SEAL_KEY_LEN + 1, 0600, &err));
	fails_with("has 33 bytes instead of 32");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fails_with("is not a file");
	if (geteuid() == 0) {
		OK(tw_io_write_file(path, bytes, TW_SEAL_KEY_LEN, 0600, &err));
		ck_assert_int_eq(chown(path, 1, 1), 0);
		fails_with("belongs to another user (uid 1)");
	}
}
END_TEST

static void opens_not(const struct tw_seal *s, const char *context,
    const struct tw_buf *sealed, size_t len, const char *why)
{
	struct tw_buf out = { .is_secret = true };

	ck_assert_int_eq(tw_seal_open(s, context, sealed->data, len, &out,
	    &err), TW_CONFIG);
	ck_assert_str_eq(err.msg, why);
	ck_assert_uint_eq(out.len, 0);
	tw_buf_release(&out);
}

START_TEST(what_is_sealed_opens_as_it_was_alone)
{
	struct tw_buf sealed = TW_BUF_INIT, again = TW_BUF_INIT;
	struct tw_buf out = { .is_secret = true };
	struct tw_seal *s;
	size_t i;

	OK(tw_seal_make(path, &s, &err));
	OK(tw_seal_close(s, "a b", "hunter2", 7, &sealed, &err));
	OK(tw_seal_close(s, "a b", "hunter2", 7, &again, &err));
	ck_assert_uint_eq(sealed.len, 7 + TW_SEAL_EXTRA);
	ck_assert_ptr_null(memmem(sealed.data, sealed.len, "hunter2", 7));
	ck_assert_mem_ne(sealed.data + 9, again.data + 9, 24 + 7);
	OK(tw_seal_open(s, "a b", sealed.data, sealed.len, &out, &err));
	ck_assert_str_eq(out.data, "hunter2");
	opens_not(s, "a c", &sealed, sealed.len,
	    "was changed since it was sealed");
	for (i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		opens_not(s, "a b", &sealed, sealed.len,
		    i == 0 ? "is not what was sealed" :
		    i < 9 ? "was sealed with another key" :
		    "was changed since it was sealed");
		sealed.data[i] ^= 1;
	}
	for (i = 0; i < TW_SEAL_EXTRA; i++)
		opens_not(s, "a b", &sealed, i, "is not what was sealed");
	opens_not(s, "a b", &sealed, sealed.len - 1,
	    "was changed since it was sealed");
	tw_seal_free(s);
	ck_assert_int_eq(unlink(path), 0);
	OK(tw_seal_make(path, &s, &err));
	opens_not(s, "a b", &sealed, sealed.len,
	    "was sealed with another key");
	tw_seal_free(s);
	tw_buf_release(&sealed);
	tw_buf_release(&again);
	tw_buf_release(&out);
}
END_TEST

START_TEST(nothing_can_be_sealed_too)
{
	struct tw_buf sealed = TW_BUF_INIT, out = { .is_secret = true };
	struct tw_seal *s;

	OK(tw_seal_make(path, &s, &err));
	OK(tw_seal_close(s, "", NULL, 0, &sealed, &err));
	OK(tw_seal_open(s, "", sealed.data, sealed.len, &out, &err));
	ck_assert_uint_eq(out.len, 0);
	tw_seal_free(s);
	tw_buf_release(&sealed);
	tw_buf_release(&out);
}
END_TEST

START_TEST(a_hash_is_of_the_key_and_the_bytes)
{
	uint8_t a[TW_SEAL_HASH_LEN], b[TW_SEAL_HASH_LEN];
	struct tw_seal *s;

	OK(tw_seal_make(path, &s, &err));
	tw_seal_hash(s, "one", 3, a);
	tw_seal_hash(s, "one", 3, b);
	ck_assert_mem_eq(a, b, sizeof a);
	tw_seal_hash(s, "onf", 3, b);
	ck_assert_mem_ne(a, b, sizeof a);
	tw_seal_free(s);
	ck_assert_int_eq(unlink(path), 0);
	OK(tw_seal_make(path, &s, &err));
	tw_seal_hash(s, "one", 3, b);
	ck_assert_mem_ne(a, b, sizeof a);
	tw_seal_free(s);
}
END_TEST

START_TEST(a_process_with_a_key_leaves_no_core)
{
	struct tw_seal *s;

	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
	OK(tw_seal_make(path, &s, &err));
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	tw_seal_free(s);
}
END_TEST

START_TEST(a_secret_buffer_keeps_its_bytes_as_it_moves)
{
	struct tw_buf b = { .is_secret = true };
	char *first;
	size_t i;

	tw_buf_adds(&b, "a secret of some length");
	first = b.data;
	for (i = 0; i < 1000; i++)
		tw_buf_addc(&b, 'x');
	ck_assert_ptr_ne(b.data, first);
	ck_assert_int_eq(strncmp(b.data, "a secret of some lengthxxx", 26), 0);
	tw_buf_release(&b);
	ck_assert(b.is_secret);
	ck_assert_ptr_null(b.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("seal");
	TCase *t = tcase_create("seal");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_key_is_made_once_for_us_alone);
	tcase_add_test(t, two_who_come_at_once_have_one_key);
	tcase_add_test(t, a_key_that_is_not_ours_alone_is_refused);
	tcase_add_test(t, what_is_sealed_opens_as_it_was_alone);
	tcase_add_test(t, nothing_can_be_sealed_too);
	tcase_add_test(t, a_hash_is_of_the_key_and_the_bytes);
	tcase_add_test(t, a_process_with_a_key_leaves_no_core);
	tcase_add_test(t, a_secret_buffer_keeps_its_bytes_as_it_moves);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
