/*
 * test_backup.c - the state directory in one file: what goes meanwhile
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "store/backup.h"

static char root[256], dir[300], going[400], copy[300];
static bool has_gone;

/* In libc's place: what was looked at is gone at once. */
int lstat(const char *restrict path, struct stat *restrict st)
{
	int rc = fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);

	if (rc == 0 && going[0] && strcmp(path, going) == 0)
		has_gone = remove(going) == 0;
	return rc;
}

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(root, sizeof root, "%s/towerify-backup.XXXXXX",
	    tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(dir, sizeof dir, "%s/state", root);
	snprintf(copy, sizeof copy, "%s/backup", root);
}

static void teardown(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", root, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void back_up_without(const char *name, bool is_dir)
{
	char path[sizeof going];
	struct tw_err err = { 0 };
	struct tw_store *s;

	ck_assert_msg(tw_store_open(dir, TW_STORE_CREATE, &s, &err) == TW_OK,
	    "%s", err.msg);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_msg((is_dir ? tw_io_make_dir(path, 0700, &err) :
	    tw_io_write_file(path, "x", 1, 0600, &err)) == TW_OK, "%s",
	    err.msg);
	memcpy(going, path, sizeof going);
	ck_assert_msg(tw_store_backup(s, copy, &err) == TW_OK, "%s", err.msg);
	ck_assert(has_gone);
	tw_store_close(s);
}

START_TEST(a_file_that_goes_meanwhile_is_passed_over)
{
	back_up_without("file", false);
}
END_TEST

START_TEST(so_is_a_directory)
{
	back_up_without("directory", true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backup");
	TCase *t = tcase_create("backup");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_file_that_goes_meanwhile_is_passed_over);
	tcase_add_test(t, so_is_a_directory);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
