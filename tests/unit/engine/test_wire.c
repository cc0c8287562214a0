/* test_wire.c - what is sent to a host, and whose a refusal is */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/contact.h"
#include "engine/wire.h"

#define NONCE "0123456789abcdef0123456789abcdef"
#define SECRET "P_pw='it'\\''s'\n"

/* What stands behind the executor's text; it ends with it, as a string. */
static const char *sent(struct tw_buf *b, const struct tw_request *r)
{
	struct tw_err err = { 0 };
	char length[32];
	size_t n;

	ck_assert_int_eq(tw_wire_request(r, b, &err), TW_OK);
	n = (size_t)snprintf(length, sizeof length, "%zu\n",
	    tw_executor_text_len);
	ck_assert_mem_eq(b->data, length, n);
	ck_assert_mem_eq(b->data + n, tw_executor_text, tw_executor_text_len);
	return b->data + n + tw_executor_text_len;
}

START_TEST(a_resume_brings_its_secrets_behind_the_line)
{
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_request r = {
		.verb = "resume", .nonce = NONCE, .job = NONCE, .seq = 3,
		.queue_id = NONCE, .epoch = 1, .secret = SECRET,
		.secret_len = sizeof SECRET - 1,
	};
	char sha[TW_SHA256_HEX], wanted[1024];

	tw_sha256_hex(SECRET, sizeof SECRET - 1, sha);
	snprintf(wanted, sizeof wanted, "towerify1 resume nonce=" NONCE
	    " spool=- id=- queue=" NONCE " epoch=1 ack=0 fence=0.0 job=" NONCE
	    " seq=3 life=0 offset=0 event=0 secret=%zu secretsha=%s\n" SECRET,
	    sizeof SECRET - 1, sha);
	ck_assert_str_eq(sent(&b, &r), wanted);
	tw_buf_release(&b);
}
END_TEST

START_TEST(leaving_names_the_keys)
{
	static const char *const keys[] = { "ssh-ed25519:AAAA+/=",
		"ssh-rsa:BBBB==", NULL };
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_request r = { .verb = "revoke", .nonce = NONCE,
		.queue_id = NONCE, .epoch = 2, .ack = 7, .keys = keys,
		.shared = true };

	ck_assert_str_eq(sent(&b, &r), "towerify1 revoke nonce=" NONCE
	    " spool=- id=- queue=" NONCE " epoch=2 ack=7 fence=0.0"
	    " key=ssh-ed25519:AAAA+/= key=ssh-rsa:BBBB== shared=1\n");
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_program_comes_before_its_secrets)
{
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_request r = {
		.verb = "plan", .nonce = NONCE, .text = "s_end 0\n",
		.text_len = 8, .blob = "blob", .blob_len = 4,
		.secret = SECRET, .secret_len = sizeof SECRET - 1,
		.cap = 2048,
	};
	const char *s = sent(&b, &r);

	ck_assert_ptr_nonnull(strstr(s, " text=8 blob=4 textsha="));
	ck_assert_ptr_nonnull(strstr(s, " cap=2048 secret=15 secretsha="));
	ck_assert_str_eq(strchr(s, '\n'), "\ns_end 0\nblob" SECRET);
	/* nothing was left behind by growing */
	ck_assert_uint_lt(b.cap, b.len + 4096 + 64);
	tw_buf_release(&b);
}
END_TEST

START_TEST(without_secrets_nothing_is_said_of_them)
{
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_request r = { .verb = "facts", .nonce = NONCE };

	ck_assert_str_eq(sent(&b, &r), "towerify1 facts nonce=" NONCE
	    " spool=- id=-\n");
	tw_buf_release(&b);
}
END_TEST

START_TEST(only_what_time_mends_is_tried_again)
{
	static const char *const persons[] = {
		"secret", "spool", "stale", "held", "space", "needs", "lost",
	};
	static const char *const temporary[] = { "busy", "bad", "start" };
	size_t i;

	for (i = 0; i < sizeof persons / sizeof *persons; i++)
		ck_assert(tw_refusal_is_persons(persons[i]));
	for (i = 0; i < sizeof temporary / sizeof *temporary; i++)
		ck_assert(!tw_refusal_is_persons(temporary[i]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire");
	TCase *c = tcase_create("wire");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, c);
	tcase_add_test(c, a_resume_brings_its_secrets_behind_the_line);
	tcase_add_test(c, leaving_names_the_keys);
	tcase_add_test(c, a_program_comes_before_its_secrets);
	tcase_add_test(c, without_secrets_nothing_is_said_of_them);
	tcase_add_test(c, only_what_time_mends_is_tried_again);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
