/* test_io.c - lib/base/io.c: whole files, at the edges */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

static char dir[256], path[300];

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof dir, "%s/test_io.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/file", dir);
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);	/* nothing was left behind */
}

static void assert_content(const char *wanted)
{
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_int_eq(tw_io_read_file(path, &b, NULL), TW_OK);
	ck_assert_str_eq(tw_buf_str(&b), wanted);
	tw_buf_release(&b);
}

START_TEST(what_was_written_is_read_back)
{
	struct stat st;

	umask(077);
	ck_assert_int_eq(tw_io_write_file(path, "one", 3, 0644, NULL), TW_OK);
	assert_content("one");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(tw_io_write_file(path, "", 0, 0600, NULL), TW_OK);
	assert_content("");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_bare_file_name_is_written_in_the_working_directory)
{
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(tw_io_write_file("file", "x", 1, 0644, NULL), TW_OK);
	assert_content("x");
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(reading_appends_and_stops_at_the_maximum)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	char wanted[400];

	ck_assert_int_eq(tw_io_write_file(path, "12345", 5, 0600, NULL), 0);
	b.max = 10;
	ck_assert_int_eq(tw_io_read_file(path, &b, NULL), TW_OK);
	ck_assert_int_eq(tw_io_read_file(path, &b, NULL), TW_OK);
	ck_assert_str_eq(tw_buf_str(&b), "1234512345");
	ck_assert_int_eq(tw_io_read_file(path, &b, &err), TW_DATA);
	snprintf(wanted, sizeof wanted, "%s: larger than 10 bytes", path);
	ck_assert_str_eq(err.msg, wanted);
	tw_buf_release(&b);
}
END_TEST

START_TEST(only_regular_files_are_read)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	char wanted[400];

	ck_assert_int_eq(tw_io_read_file("/dev/zero", &b, &err), TW_DATA);
	ck_assert_str_eq(err.msg, "/dev/zero: not a regular file");
	ck_assert_int_eq(tw_io_read_file(dir, &b, &err), TW_DATA);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(tw_io_read_file(path, &b, &err), TW_DATA);
	unlink(path);
	ck_assert_int_eq(tw_io_read_file(path, &b, &err), TW_DATA);
	snprintf(wanted, sizeof wanted,
	    "%s: cannot open: No such file or directory", path);
	ck_assert_str_eq(err.msg, wanted);
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_read_error_names_the_stream)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;

	ck_assert_int_eq(tw_io_read_fd(-1, "standard input", &b, &err),
	    TW_CONFIG);
	ck_assert_str_eq(err.msg,
	    "standard input: cannot read: Bad file descriptor");
	tw_buf_release(&b);
}
END_TEST

/* Exits 0 when writing over path fails as wanted; in a child of its own, as
 * the limit would hit Check's own files too. */
static void write_under_limit(const char *wanted)
{
	struct rlimit limit = { 2, 2 };
	struct tw_err err;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(3);
	if (tw_io_write_file(path, "new", 3, 0600, &err) != TW_CONFIG)
		_exit(4);
	_exit(strcmp(err.msg, wanted) == 0 ? 0 : 5);
}

START_TEST(a_failed_write_leaves_the_old_file)
{
	char wanted[400];
	int status;
	pid_t pid;

	ck_assert_int_eq(tw_io_write_file(path, "o", 1, 0600, NULL), TW_OK);
	snprintf(wanted, sizeof wanted, "%s: cannot write: File too large",
	    path);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		write_under_limit(wanted);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	assert_content("o");
}
END_TEST

START_TEST(a_directory_is_not_replaced)
{
	struct tw_err err;
	char wanted[400];

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(tw_io_write_file(path, "x", 1, 0600, &err),
	    TW_CONFIG);
	snprintf(wanted, sizeof wanted, "%s: cannot be replaced: "
	    "Is a directory", path);
	ck_assert_str_eq(err.msg, wanted);
	ck_assert_int_eq(rmdir(path), 0);
	snprintf(wanted, sizeof wanted, "%s/none/file", dir);
	ck_assert_int_eq(tw_io_write_file(wanted, "x", 1, 0600, &err),
	    TW_CONFIG);
}
END_TEST

START_TEST(a_full_device_is_an_error_number)
{
	int fd = open("/dev/full", O_WRONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tw_io_write_all(fd, "x", 1), ENOSPC);
	ck_assert_int_eq(tw_io_write_all(fd, "x", 0), 0);
	close(fd);
	ck_assert_int_eq(tw_io_write_all(-1, "x", 1), EBADF);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io");
	TCase *tc = tcase_create("io");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_written_is_read_back);
	tcase_add_test(tc,
	    a_bare_file_name_is_written_in_the_working_directory);
	tcase_add_test(tc, reading_appends_and_stops_at_the_maximum);
	tcase_add_test(tc, only_regular_files_are_read);
	tcase_add_test(tc, a_read_error_names_the_stream);
	tcase_add_test(tc, a_failed_write_leaves_the_old_file);
	tcase_add_test(tc, a_directory_is_not_replaced);
	tcase_add_test(tc, a_full_device_is_an_error_number);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
