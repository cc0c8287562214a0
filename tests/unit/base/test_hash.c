/* test_hash.c - lib/base/hash.c: digests, hexadecimal, random bytes */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define ABC \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(digests_are_those_of_the_standard)
{
	char hex[TW_SHA256_HEX];

	tw_sha256_hex("abc", 3, hex);
	ck_assert_str_eq(hex, ABC);
	tw_sha256_hex(NULL, 0, hex);
	ck_assert_str_eq(hex, NOTHING);
}
END_TEST

START_TEST(a_running_hash_can_be_read_midway)
{
	struct tw_sha256 *h = tw_sha256_new();
	uint8_t out[TW_SHA256_LEN];
	char hex[TW_SHA256_HEX];

	ck_assert_ptr_nonnull(h);
	tw_sha256_get(h, out);
	tw_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, NOTHING);
	tw_sha256_add(h, "a", 1);
	tw_sha256_get(h, out);
	tw_sha256_add(h, "bc", 2);
	tw_sha256_add(h, NULL, 0);
	tw_sha256_get(h, out);
	tw_sha256_get(h, out);
	tw_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, ABC);
	tw_sha256_free(h);
	tw_sha256_free(NULL);
}
END_TEST

START_TEST(unhex_takes_exactly_its_digits)
{
	uint8_t out[2] = { 9, 9 };

	ck_assert_int_eq(tw_unhex("0fA0", out, 2), 1);
	ck_assert_uint_eq(out[0], 0x0f);
	ck_assert_uint_eq(out[1], 0xa0);
	ck_assert_int_eq(tw_unhex("0fa", out, 2), 0);
	ck_assert_int_eq(tw_unhex("0fa00", out, 2), 0);
	ck_assert_int_eq(tw_unhex("0fg0", out, 2), 0);
	ck_assert_int_eq(tw_unhex("0x10", out, 2), 0);
	ck_assert_int_eq(tw_unhex("", out, 0), 1);
}
END_TEST

START_TEST(random_ids_are_hex_and_differ)
{
	char a[TW_ID_HEX], b[TW_ID_HEX];

	tw_random_id(a);
	tw_random_id(b);
	ck_assert_uint_eq(strlen(a), TW_ID_HEX - 1);
	ck_assert_uint_eq(strspn(a, "0123456789abcdef"), TW_ID_HEX - 1);
	ck_assert_str_ne(a, b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hash");
	TCase *tc = tcase_create("hash");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, digests_are_those_of_the_standard);
	tcase_add_test(tc, a_running_hash_can_be_read_midway);
	tcase_add_test(tc, unhex_takes_exactly_its_digits);
	tcase_add_test(tc, random_ids_are_hex_and_differ);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
