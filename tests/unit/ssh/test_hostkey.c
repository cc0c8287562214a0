/* test_hostkey.c - the forms of a host key, base64, cleaned text */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../spec/alloc_util.h"
#include "ssh/blob.h"
#include "ssh/hostkey.h"
#include "ssh/text.h"
#include "ssh/transport.h"

#define KEY "ssh-ed25519 " \
    "AAAAC3NzaC1lZDI1NTE5AAAAIIw6O0yiZeo1rY6T1CurhohDj8+OqTScQpszQb1ZugDB"
/* As `ssh-keygen -l` prints it. */
#define PRINT "SHA256:eJwoEbx31fsjlKcteJd+SLZ6JntdFL4SZl4uBWANbw4"

START_TEST(fingerprint_is_that_of_ssh_keygen)
{
	static const char *const same[] = { KEY, KEY " a comment", KEY "\n" };
	char print[TW_FINGERPRINT_MAX];

	ck_assert_int_eq(tw_hostkey_fingerprint(same[_i], print, NULL), TW_OK);
	ck_assert_str_eq(print, PRINT);
}
END_TEST

START_TEST(what_is_not_a_key_is_refused)
{
	static const char *const bad[] = {
		"", " ", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519  AAAA",
		"ssh-ed25519 !!!!", "ssh-ed25519 AAAA",
		/* the type inside is another */
		"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICm94Nr8vPhYxm+0bDoFEpzIgnNR"
		"fOfb4M7PuFJrSdTc",
		/* only a type inside */
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		/* a length beyond the end */
		"ssh-ed25519 //////NzaC1lZDI1NTE5AAAA",
		"-oProxyCommand=x AAAAC3NzaC1lZDI1NTE5AAAA",
		"a\"b AAAAC3NzaC1lZDI1NTE5AAAA",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaa AAAA",
	};
	char print[TW_FINGERPRINT_MAX] = "untouched";
	struct tw_err err;

	ck_assert_int_eq(tw_hostkey_fingerprint(bad[_i], print, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg, "not a public host key (\"TYPE BASE64\")");
	ck_assert_str_eq(print, "");
}
END_TEST

START_TEST(a_malformed_blob_is_no_key)
{
	static const char blobs[][12] = { "", "\0\0\0", "\0\0\0\4abc",
		"\0\0\0\3a\nb1", "\0\0\0\3abc", "\377\377\377\377" };
	static const size_t len[] = { 0, 3, 7, 8, 7, 4 };
	char print[TW_FINGERPRINT_MAX];
	struct tw_buf key = TW_BUF_INIT;

	ck_assert_int_eq(tw_hostkey_encode(blobs[_i], len[_i], &key, print,
	    NULL), TW_DATA);
	ck_assert_uint_eq(key.len, 0);
	tw_buf_release(&key);
}
END_TEST

START_TEST(base64_there_and_back)
{
	struct tw_buf text = TW_BUF_INIT, back = TW_BUF_INIT;
	unsigned char raw[64];
	size_t i;

	for (i = 0; i < sizeof raw; i++)
		raw[i] = (unsigned char)(i * 77 + 3);
	ck_assert(tw_blob_encode(raw, (size_t)_i, &text));
	ck_assert_uint_eq(text.len, (size_t)(_i + 2) / 3 * 4);
	ck_assert(tw_blob_decode(tw_buf_str(&text), text.len, &back));
	ck_assert_uint_eq(back.len, (size_t)_i);
	ck_assert(_i == 0 || memcmp(back.data, raw, (size_t)_i) == 0);
	tw_buf_release(&text);
	tw_buf_release(&back);
}
END_TEST

START_TEST(base64_refuses_what_it_is_not)
{
	static const char *const bad[] = { "A", "AA", "AAA", "AA=", "AAA==",
		"AA==A", "A===", "=", "AAAA=", "AA*A", "AAAAA" };
	struct tw_buf out = TW_BUF_INIT;

	ck_assert(!tw_blob_decode(bad[_i], strlen(bad[_i]), &out));
	tw_buf_release(&out);
}
END_TEST

START_TEST(text_of_a_peer_is_cleaned)
{
	char out[16];

	tw_text_clean(out, sizeof out, "a\033[31mb\0c\377", 10);
	ck_assert_str_eq(out, "a?[31mb?c?");
	tw_text_clean(out, sizeof out, "0123456789abcdefgh", 18);
	ck_assert_str_eq(out, "0123456789abcde");
	tw_text_last_line(out, sizeof out, "one\r\ntwo\r\n\r\n \n");
	ck_assert_str_eq(out, "two");
	tw_text_last_line(out, sizeof out, "");
	ck_assert_str_eq(out, "");
	tw_text_last_line(out, sizeof out, "\n\n");
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(transports_by_name)
{
	ck_assert_ptr_eq(tw_transport_find("libssh2"), &tw_transport_libssh2);
	ck_assert_ptr_eq(tw_transport_find("ssh"), &tw_transport_ssh);
	ck_assert_ptr_null(tw_transport_find("fake"));
	ck_assert_ptr_null(tw_transport_find(""));
}
END_TEST

START_TEST(limits_can_only_be_shortened)
{
	static const struct {
		const char *env;
		int want;
	} how[] = {
		{ NULL, 10000 }, { "", 10000 }, { "50", 50 }, { "0", 10000 },
		{ "-5", 10000 }, { "20000", 10000 }, { "5x", 10000 },
		{ "99999999999999999999", 10000 },
	};

	if (how[_i].env)
		setenv("TOWERIFY_LINK_TIMEOUT_MS", how[_i].env, 1);
	ck_assert_int_eq(tw_link_limit(TW_LINK_CONNECT), how[_i].want);
	unsetenv("TOWERIFY_LINK_TIMEOUT_MS");
}
END_TEST

START_TEST(limits_can_be_set)
{
	tw_link_set_limit(TW_LINK_LOGIN, 90000);
	ck_assert_int_eq(tw_link_limit(TW_LINK_LOGIN), 90000);
	ck_assert_int_eq(tw_link_limit(TW_LINK_CONNECT), TW_LINK_CONNECT_MS);
	ck_assert_int_eq(tw_link_limit(TW_LINK_IDLE), TW_LINK_IDLE_MS);
	setenv("TOWERIFY_LINK_TIMEOUT_MS", "60000", 1);
	ck_assert_int_eq(tw_link_limit(TW_LINK_LOGIN), 60000);
	unsetenv("TOWERIFY_LINK_TIMEOUT_MS");
	tw_link_set_limit(TW_LINK_LOGIN, TW_LINK_LOGIN_MS);
}
END_TEST

START_TEST(without_memory_a_key_is_not_judged)
{
	char type[TW_HOSTKEY_TYPE_MAX];
	struct tw_buf blob = TW_BUF_INIT;
	enum tw_status st;
	size_t failures = 0;

	do {
		alloc_fail(failures + 1, false);
		st = tw_hostkey_decode(KEY, type, &blob, NULL);
		ck_assert_int_eq(st, alloc_failed() ? TW_NOMEM : TW_OK);
		tw_buf_release(&blob);
		failures += st != TW_OK;
	} while (st != TW_OK);
#ifndef ALLOC_SANITIZED
	ck_assert_uint_ge(failures, 2);
#endif
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hostkey");
	TCase *tc = tcase_create("hostkey");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, fingerprint_is_that_of_ssh_keygen, 0, 3);
	tcase_add_loop_test(tc, what_is_not_a_key_is_refused, 0, 13);
	tcase_add_test(tc, without_memory_a_key_is_not_judged);
	tcase_add_loop_test(tc, a_malformed_blob_is_no_key, 0, 6);
	tcase_add_loop_test(tc, base64_there_and_back, 0, 64);
	tcase_add_loop_test(tc, base64_refuses_what_it_is_not, 0, 11);
	tcase_add_test(tc, text_of_a_peer_is_cleaned);
	tcase_add_test(tc, transports_by_name);
	tcase_add_loop_test(tc, limits_can_only_be_shortened, 0, 8);
	tcase_add_test(tc, limits_can_be_set);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
