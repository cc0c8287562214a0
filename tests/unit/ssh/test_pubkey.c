/* test_pubkey.c - an operator's public key, and lines of authorized_keys */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/blob.h"
#include "ssh/pubkey.h"

#define BASE64 \
    "AAAAC3NzaC1lZDI1NTE5AAAAIIw6O0yiZeo1rY6T1CurhohDj8+OqTScQpszQb1ZugDB"
#define KEY "ssh-ed25519 " BASE64
/* As `ssh-keygen -l` prints it. */
#define PRINT "SHA256:eJwoEbx31fsjlKcteJd+SLZ6JntdFL4SZl4uBWANbw4"

static enum tw_status take(const char *text, struct tw_pubkey *k,
    struct tw_err *err)
{
	return tw_pubkey_read("k.pub", text, strlen(text), k, err);
}

START_TEST(one_key_is_taken)
{
	static const struct {
		const char *text, *comment;
	} good[] = {
		{ KEY, NULL }, { KEY "\n", NULL }, { KEY "\r\n", NULL },
		{ KEY "\n\n", NULL }, { "  " KEY, NULL },
		{ "ssh-ed25519\t" BASE64 "\talice", "alice" },
		{ KEY " alice@example.org\n", "alice@example.org" },
		{ KEY " two  words  \n", "two  words" },
	};
	struct tw_pubkey k;

	ck_assert_int_eq(take(good[_i].text, &k, NULL), TW_OK);
	ck_assert_str_eq(k.key, KEY);
	ck_assert_str_eq(k.fingerprint, PRINT);
	if (good[_i].comment)
		ck_assert_str_eq(k.comment, good[_i].comment);
	else
		ck_assert_ptr_null(k.comment);
	tw_pubkey_release(&k);
}
END_TEST

#define NOT_ONE "k.pub: not an OpenSSH public key (\"TYPE BASE64 COMMENT\")"
#define SHORT "k.pub: the key is cut short, or damaged"
#define BROKEN "k.pub: the key is not base64: was it cut or broken when it " \
    "was copied?"
#define COMMENT "k.pub: the comment holds a quote, a backslash or what is " \
    "not printable ASCII"

START_TEST(anything_else_is_refused)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "k.pub: there is no key in it" },
		{ " \n\n", "k.pub: there is no key in it" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n",
		    "k.pub: this is a private key, which its owner must not "
		    "give away" },
		{ "PuTTY-User-Key-File-3: ssh-ed25519\n",
		    "k.pub: this is a private key, which its owner must not "
		    "give away" },
		{ "---- BEGIN SSH2 PUBLIC KEY ----\n",
		    "k.pub: not in OpenSSH's format" },
		{ "secret words", NOT_ONE },
		{ "\357\273\277" KEY, NOT_ONE },
		{ "command=\"x\" " KEY,
		    "k.pub: there are options before the key" },
		{ "no-pty " KEY, "k.pub: there are options before the key" },
		{ KEY "\n" KEY, "k.pub: more than one line: one key is "
		    "wanted" },
		{ "# alice\n" KEY, "k.pub: more than one line: one key is "
		    "wanted" },
		{ KEY "\r" KEY, "k.pub: more than one line: one key is "
		    "wanted" },
		{ "ssh-dss AAAAB3NzaC1kc3M=",
		    "k.pub: keys of type 'ssh-dss' are not taken" },
		{ "ssh-ed25519-cert-v01@openssh.com AAAA", "k.pub: keys of "
		    "type 'ssh-ed25519-cert-v01@openssh.com' are not taken" },
		{ "ssh-ed25519", "k.pub: after ssh-ed25519 the key itself "
		    "is missing" },
		{ "ssh-ed25519 !!!!", BROKEN },
		{ "ssh-ed25519 AAAAC", BROKEN },
		{ "ssh-ed25519 AAAA", "k.pub: the key is cut short" },
		{ "ssh-rsa " BASE64, "k.pub: the key is called ssh-rsa but "
		    "is of another type" },
		/* only the type; 30 bytes; a byte too many */
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", SHORT },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAHow6O0yiZeo1rY6T1Cur"
		    "hohDj8+OqTScQpszQb1ZugDB", SHORT },
		{ KEY "AAAA", SHORT },
		{ KEY " al\"ice", COMMENT }, { KEY " al'ice", COMMENT },
		{ KEY " al\\ice", COMMENT }, { KEY " al\033ice", COMMENT },
		{ KEY " \303\244", COMMENT },
	};
	struct tw_pubkey k;
	struct tw_err err;

	ck_assert_int_eq(take(bad[_i].text, &k, &err), TW_DATA);
	ck_assert_str_eq(err.msg, bad[_i].message);
	ck_assert_ptr_null(k.key);
	ck_assert_ptr_null(k.comment);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	static const char text[] = KEY "\0 rest";
	struct tw_pubkey k;
	struct tw_err err;

	ck_assert_int_eq(tw_pubkey_read("k.pub", text, sizeof text - 1, &k,
	    &err), TW_DATA);
	ck_assert_str_eq(err.msg,
	    "k.pub: holds NUL bytes, so it is no key");
}
END_TEST

START_TEST(a_long_comment_is_refused)
{
	char text[512] = KEY " ";
	struct tw_pubkey k;
	struct tw_err err;
	size_t n = strlen(text);

	memset(text + n, 'x', 256);
	ck_assert_int_eq(take(text, &k, &err), TW_OK);
	tw_pubkey_release(&k);
	memset(text + n, 'x', 257);
	ck_assert_int_eq(take(text, &k, &err), TW_DATA);
	ck_assert_str_eq(err.msg,
	    "k.pub: the comment has more than 256 bytes");
}
END_TEST

/* A key of that type with these parts, NULL-terminated. */
static void make(struct tw_buf *out, const char *type,
    const char *const *parts)
{
	struct tw_buf raw = TW_BUF_INIT;

	tw_blob_add_string(&raw, type, strlen(type));
	for (; *parts; parts++)
		tw_blob_add_string(&raw, *parts, strlen(*parts));
	tw_buf_reset(out);
	tw_buf_addf(out, "%s ", type);
	tw_blob_encode(raw.data, raw.len, out);
	tw_buf_release(&raw);
}

START_TEST(every_kind_has_its_parts)
{
	static const struct {
		const char *type, *parts[5];
	} kinds[] = {
		{ "ssh-rsa", { "e", "n" } },
		{ "ecdsa-sha2-nistp256", { "nistp256", "point" } },
		{ "ecdsa-sha2-nistp384", { "nistp384", "point" } },
		{ "ecdsa-sha2-nistp521", { "nistp521", "point" } },
		{ "sk-ssh-ed25519@openssh.com",
		    { "0123456789abcdef0123456789abcdef", "ssh:" } },
		{ "sk-ecdsa-sha2-nistp256@openssh.com",
		    { "nistp256", "point", "ssh:" } },
	};
	const char *parts[6] = { NULL };
	struct tw_buf text = TW_BUF_INIT;
	struct tw_pubkey k;
	struct tw_err err;
	size_t n;

	for (n = 0; kinds[_i].parts[n]; n++)
		parts[n] = kinds[_i].parts[n];
	make(&text, kinds[_i].type, parts);
	ck_assert_int_eq(take(tw_buf_str(&text), &k, &err), TW_OK);
	ck_assert_str_eq(k.key, tw_buf_str(&text));
	tw_pubkey_release(&k);

	parts[n] = "more";
	make(&text, kinds[_i].type, parts);
	ck_assert_int_eq(take(tw_buf_str(&text), &k, &err), TW_DATA);
	ck_assert_str_eq(err.msg, SHORT);

	parts[n - 1] = NULL;
	make(&text, kinds[_i].type, parts);
	ck_assert_int_eq(take(tw_buf_str(&text), &k, &err), TW_DATA);
	ck_assert_str_eq(err.msg, SHORT);

	parts[n - 1] = "";
	parts[n] = NULL;
	make(&text, kinds[_i].type, parts);
	ck_assert_int_eq(take(tw_buf_str(&text), &k, &err), TW_DATA);
	tw_buf_release(&text);
}
END_TEST

START_TEST(a_key_is_found_in_a_line)
{
	static const struct {
		const char *line, *options;	/* NULL: not in it */
	} lines[] = {
		{ "", NULL }, { "   ", NULL }, { "ssh-ed25519", NULL },
		{ "# " KEY, NULL }, { " # " KEY, NULL },
		{ KEY, "" }, { KEY " comment", "" }, { KEY "\r", "" },
		{ "no-pty " KEY, "no-pty" },
		{ "restrict,command=\"a b\"  \t" KEY,
		    "restrict,command=\"a b\"" },
		{ "command=\"ssh-ed25519 AAAA\" " KEY,
		    "command=\"ssh-ed25519 AAAA\"" },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICm94Nr8vPhYxm+0bDoF"
		    "EpzIgnNRfOfb4M7PuFJrSdTc", NULL },
		{ "ecdsa-sha2-nistp256 " BASE64, NULL },
	};
	const char *line = lines[_i].line, *options = lines[_i].options;
	struct tw_pubkey k;
	bool is_in;
	size_t n;

	ck_assert_int_eq(take(KEY, &k, NULL), TW_OK);
	ck_assert_int_eq(tw_pubkey_in_line(&k, line, strlen(line), &is_in, &n,
	    NULL), TW_OK);
	ck_assert_int_eq(is_in, options != NULL);
	if (options) {
		ck_assert_uint_eq(n, strlen(options));
		ck_assert_mem_eq(line, options, n);
	}
	tw_pubkey_release(&k);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pubkey");
	TCase *t = tcase_create("pubkey");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(t, one_key_is_taken, 0, 8);
	tcase_add_loop_test(t, anything_else_is_refused, 0, 27);
	tcase_add_test(t, a_nul_byte_is_refused);
	tcase_add_test(t, a_long_comment_is_refused);
	tcase_add_loop_test(t, every_kind_has_its_parts, 0, 6);
	tcase_add_loop_test(t, a_key_is_found_in_a_line, 0, 13);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
