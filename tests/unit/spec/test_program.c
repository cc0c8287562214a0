/* test_program.c - the program for the executor: its text, quoting, room */
#include "spec_util.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "spec/program.h"

static const char change[] =
    "towerify: 1\n"
    "title: A \"title\"\n"
    "params:\n"
    "  a: {type: string, default: \"it's\\nhere\"}\n"
    "  b: {type: integer}\n"
    "steps:\n"
    "  - name: it's one\n"
    "    check: test 'x' = \"$a\"\n"
    "    run: |\n"
    "      if true; then\n"
    "      \techo '\\'\n"
    "      fi\n"
    "    undo: echo undo\n"
    "    confirm: 1m30s\n"
    "    timeout: 90s\n"
    "    retries: 3\n"
    "    retry_delay: 1m\n"
    "  - file: {path: \"/a b'c\", content: \"\\xe9\\x01\"}\n"
    "  - file: {path: /d, content: abc, mode: 755, owner: root:adm}\n"
    "    confirm: 1h\n"
    "  - unless: u\n"
    "    verify: v\n"
    "    run: r\n"
    "    undo: impossible\n"
    "  - run: n\n"
    "    undo: nothing\n"
    "  - reboot: {timeout: 1h}\n"
    "  - run: last\n";

static const char program[] =
    "s_param a 'it'\\''s\nhere'\n"
    "s_param b '7'\n"
    "s_step 1 run 90 3 60 'it'\\''s one'\n"
    "s_text 1 check 'test '\\''x'\\'' = \"$a\"'\n"
    "s_text 1 run 'if true; then\n\techo '\\''\\'\\''\nfi\n'\n"
    "s_text 1 undo 'echo undo'\n"
    "s_undo 1 script\n"
    "s_confirm 1 90\n"
    "s_step 2 file 600 0 5 'step 2'\n"
    "s_file 2 '/a b'\\''c' - - 0 3 "
    "03a2646914c40baa00d3fbccbda0d9183251edeb4050253d9af8cd4a828f9d42\n"
    "s_undo 2 auto\n"
    "s_step 3 file 600 0 5 'step 3'\n"
    "s_file 3 '/d' 0755 root:adm 3 3 "
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
    "s_undo 3 auto\n"
    "s_confirm 3 3600\n"
    "s_step 4 run 600 0 5 'step 4'\n"
    "s_text 4 unless 'u'\n"
    "s_text 4 verify 'v'\n"
    "s_text 4 run 'r'\n"
    "s_undo 4 impossible\n"
    "s_step 5 run 600 0 5 'step 5'\n"
    "s_text 5 run 'n'\n"
    "s_undo 5 nothing\n"
    "s_step 6 reboot 3600 0 5 'step 6'\n"
    "s_undo 6 nothing\n"
    "s_step 7 run 600 0 5 'step 7'\n"
    "s_text 7 run 'last'\n"
    "s_undo 7 none\n"
    "s_end 7\n";

static const char described[] =
    "A \"title\"\n"
    "parameters\n"
    "    a='it's\\x0ahere' (default)\n"
    "    b='7'\n"
    "step 1: it's one\n"
    "    check (before and after)\n"
    "        test 'x' = \"$a\"\n"
    "    run\n"
    "        if true; then\n"
    "        \techo '\\'\n"
    "        fi\n"
    "    undo\n"
    "        echo undo\n"
    "    timeout 1m30s, retries 3 after 1m each\n"
    "    confirm within 1m30s, over a new connection, or it is undone\n"
    "step 2: step 2\n"
    "    file /a b'c, 3 bytes\n"
    "    undo: what was there is put back\n"
    "    timeout 10m\n"
    "step 3: step 3\n"
    "    file /d, 3 bytes, mode 0755, owner root:adm\n"
    "    undo: what was there is put back\n"
    "    timeout 10m\n"
    "    confirm within 1h, over a new connection, or it is undone\n"
    "step 4: step 4\n"
    "    unless\n"
    "        u\n"
    "    run\n"
    "        r\n"
    "    verify\n"
    "        v\n"
    "    undo: impossible\n"
    "    timeout 10m\n"
    "step 5: step 5\n"
    "    run\n"
    "        n\n"
    "    undo: nothing\n"
    "    timeout 10m\n"
    "step 6: step 6\n"
    "    reboot\n"
    "    undo: nothing\n"
    "    timeout 1h\n"
    "step 7: step 7\n"
    "    run\n"
    "        last\n"
    "    undo: none\n"
    "    timeout 10m\n"
    "without undo (a failure at or after one of these holds the host):\n"
    "        step 4: step 4, declared impossible\n"
    "        step 7: step 7\n";

static struct tw_change_spec *spec;
static struct tw_param_values values;

static void setup(void)
{
	struct tw_param_given b;
	struct tw_diags ds = { 0 };

	spec = good(change, sizeof change - 1);
	ck_assert_int_eq(tw_param_given_split("b=7", &b, NULL), TW_OK);
	ck_assert_int_eq(tw_params_check(&spec->params, &b, 1, &ds, &values,
	    NULL), TW_OK);
	tw_diags_release(&ds);
}

static void teardown(void)
{
	tw_param_values_release(&values);
	tw_change_spec_free(spec);
}

START_TEST(the_program_is_what_the_protocol_says)
{
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_err err;
	long room = 0;

	setup();
	ck_assert_int_eq(tw_program_make(spec, &values, &text, &blob, &room,
	    &err), TW_OK);
	ck_assert_str_eq(tw_buf_str(&text), program);
	ck_assert_uint_eq(blob.len, 6);
	ck_assert_mem_eq(blob.data, "\xc3\xa9\x01" "abc", 6);
	/* 7 steps of 5 lines, 6 for 3 retries, 100 + 7 lives, a verdict */
	ck_assert_int_eq(room, (35 + 6 + 2 + 107 + 1) * 80 + 200);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	teardown();
}
END_TEST

START_TEST(the_description_shows_everything)
{
	struct tw_buf b = TW_BUF_INIT;

	setup();
	tw_program_describe(spec, &values, &b);
	ck_assert_str_eq(tw_buf_str(&b), described);
	tw_buf_release(&b);
	teardown();
}
END_TEST

/* What sh prints when it reads a text after some functions. */
static void run_sh(const char *functions, const struct tw_buf *text,
    struct tw_buf *out)
{
	char dir[] = "/tmp/towerify-test-XXXXXX", path[64], line[1024];
	size_t got;
	FILE *p;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/job", dir);
	ck_assert_int_eq(tw_io_write_file(path, text->data, text->len, 0600,
	    NULL), TW_OK);
	snprintf(line, sizeof line, "%s\n. %s", functions, path);
	p = popen(line, "r");
	ck_assert_ptr_nonnull(p);
	while (tw_buf_reserve(out, 4096) && (got = fread(out->data + out->len,
	    1, 4096, p)) > 0)
		out->len += got;
	ck_assert_int_eq(pclose(p), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(every_byte_survives_the_shell)
{
	struct tw_buf text = TW_BUF_INIT, out = TW_BUF_INIT;
	char bytes[3 * 255];
	size_t i;

	for (i = 0; i < 255; i++) {
		bytes[i] = (char)(i + 1);
		bytes[255 + i] = (char)(255 - i);
		bytes[510 + i] = i % 3 ? '\'' : '\\';
	}
	tw_buf_adds(&text, "s_param x ");
	tw_program_quote(&text, bytes, sizeof bytes);
	tw_buf_adds(&text, "\ns_param y ");
	tw_program_quote(&text, "", 0);
	tw_buf_adds(&text, "\n");
	run_sh("s_param() { printf '%s' \"$#$1$2\"; }", &text, &out);
	ck_assert_uint_eq(out.len, sizeof bytes + 4);
	ck_assert_mem_eq(out.data, "2x", 2);
	ck_assert_mem_eq(out.data + 2, bytes, sizeof bytes);
	ck_assert_mem_eq(out.data + 2 + sizeof bytes, "2y", 2);
	tw_buf_release(&text);
	tw_buf_release(&out);
}
END_TEST

START_TEST(sh_reads_the_program_as_it_is_meant)
{
	static const char functions[] =
	    "s_param() { printf '%s' \"<p $#|$1|$2>\"; }\n"
	    "s_step() { printf '%s' \"<s $#|$1|$2|$3|$4|$5|$6>\"; }\n"
	    "s_text() { printf '%s' \"<t $#|$1|$2|$3>\"; }\n"
	    "s_undo() { printf '%s' \"<u $#|$1|$2>\"; }\n"
	    "s_file() { printf '%s' \"<f $#|$1|$2|$3|$4|$5|$6>\"; }\n"
	    "s_confirm() { printf '%s' \"<c $#|$1|$2>\"; }\n"
	    "s_end() { printf '%s' \"<e $#|$1>\"; }";
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_buf out = TW_BUF_INIT;
	long room;

	setup();
	ck_assert_int_eq(tw_program_make(spec, &values, &text, &blob, &room,
	    NULL), TW_OK);
	run_sh(functions, &text, &out);
	tw_buf_addc(&out, '\0');
	ck_assert_str_eq(out.data,
	    "<p 2|a|it's\nhere><p 2|b|7>"
	    "<s 6|1|run|90|3|60|it's one>"
	    "<t 3|1|check|test 'x' = \"$a\">"
	    "<t 3|1|run|if true; then\n\techo '\\'\nfi\n>"
	    "<t 3|1|undo|echo undo><u 2|1|script><c 2|1|90>"
	    "<s 6|2|file|600|0|5|step 2><f 7|2|/a b'c|-|-|0|3><u 2|2|auto>"
	    "<s 6|3|file|600|0|5|step 3><f 7|3|/d|0755|root:adm|3|3>"
	    "<u 2|3|auto><c 2|3|3600>"
	    "<s 6|4|run|600|0|5|step 4><t 3|4|unless|u><t 3|4|verify|v>"
	    "<t 3|4|run|r><u 2|4|impossible>"
	    "<s 6|5|run|600|0|5|step 5><t 3|5|run|n><u 2|5|nothing>"
	    "<s 6|6|reboot|3600|0|5|step 6><u 2|6|nothing>"
	    "<s 6|7|run|600|0|5|step 7><t 3|7|run|last><u 2|7|none>"
	    "<e 1|7>");
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&out);
	teardown();
}
END_TEST

static const char with_secrets[] =
    "towerify: 1\n"
    "params:\n"
    "  plain: {type: string, default: p}\n"
    "  pw: {type: secret, required: true}\n"
    "  other: {type: secret}\n"
    "  absent: {type: secret}\n"
    "steps:\n"
    "  - check: test $other\n"
    "    run: set $pw ${absent}\n"
    "    undo: nothing\n"
    "  - run: echo $pw2 $_pw xpw\n"
    "    undo: echo \"$pw\"\n"
    "  - run: echo $pw_\n"
    "    undo: nothing\n";

static void give_secrets(const struct tw_change_spec *s,
    struct tw_param_values *v)
{
	static const struct tw_param_given g[] = {
		{ "pw", 2, "Zq9'", 4, true }, { "other", 5, "Zq9", 3, true },
	};
	struct tw_diags ds = { 0 };

	ck_assert_int_eq(tw_params_check(&s->params, g, 2, &ds, v, NULL),
	    TW_OK);
	tw_diags_release(&ds);
}

START_TEST(a_program_names_its_secrets_and_holds_none)
{
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_change_spec *s = good(with_secrets, sizeof with_secrets - 1);
	struct tw_param_values v;
	long room;

	give_secrets(s, &v);
	ck_assert_int_eq(tw_program_make(s, &v, &text, &blob, &room, NULL),
	    TW_OK);
	ck_assert_str_eq(tw_buf_str(&text),
	    "s_param plain 'p'\n"
	    "s_param absent ''\n"
	    "s_secret pw\n"
	    "s_secret other\n"
	    "s_step 1 run 600 0 5 'step 1'\n"
	    "s_text 1 check 'test $other'\n"
	    "s_text 1 run 'set $pw ${absent}'\n"
	    "s_undo 1 nothing\n"
	    "s_uses 1 pw other\n"
	    "s_step 2 run 600 0 5 'step 2'\n"
	    "s_text 2 run 'echo $pw2 $_pw xpw'\n"
	    "s_text 2 undo 'echo \"$pw\"'\n"
	    "s_undo 2 script\n"
	    "s_uses 2 pw\n"
	    "s_step 3 run 600 0 5 'step 3'\n"
	    "s_text 3 run 'echo $pw_'\n"
	    "s_undo 3 nothing\n"
	    "s_end 3\n");
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_param_values_release(&v);
	tw_change_spec_free(s);
}
END_TEST

START_TEST(a_description_says_who_gets_a_secret_but_not_what_it_is)
{
	struct tw_change_spec *s = good(with_secrets, sizeof with_secrets - 1);
	struct tw_buf b = TW_BUF_INIT;
	struct tw_param_values v;
	const char *names[2];

	give_secrets(s, &v);
	tw_program_describe(s, &v, &b);
	ck_assert_ptr_null(strstr(tw_buf_str(&b), "Zq9"));
	ck_assert_ptr_nonnull(strstr(b.data,
	    "    pw=(secret)\n    other=(secret)\n    absent='' (absent)\n"));
	ck_assert_ptr_nonnull(strstr(b.data, "        set $pw ${absent}\n"
	    "    undo: nothing\n    secrets: pw, other, absent\n"));
	ck_assert_ptr_nonnull(strstr(b.data, "        echo \"$pw\"\n"
	    "    secrets: pw\n"));
	ck_assert_ptr_nonnull(strstr(b.data, "        echo $pw_\n"
	    "    undo: nothing\n    timeout"));
	ck_assert_uint_eq(tw_change_spec_secrets(s, names, 2), 3);
	ck_assert_str_eq(names[0], "pw");
	ck_assert_str_eq(names[1], "other");
	tw_buf_release(&b);
	tw_param_values_release(&v);
	tw_change_spec_free(s);
}
END_TEST

START_TEST(secrets_are_assignments_in_one_allocation)
{
	char bytes[3 * 255 + 1];
	const struct tw_secret_value v[] = { { "x", bytes }, { "long_name", "" } };
	struct tw_buf text = TW_BUF_INIT, all = TW_BUF_INIT, out = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < 255; i++) {
		bytes[i] = (char)(i + 1);
		bytes[255 + i] = (char)(255 - i);
		bytes[510 + i] = i % 3 ? '\'' : '\\';
	}
	bytes[3 * 255] = '\0';
	ck_assert_int_eq(tw_secrets_text(v, 2, &text, NULL), TW_OK);
	ck_assert_uint_eq(text.cap, text.len + 1);
	tw_buf_add(&all, text.data, text.len);
	tw_buf_adds(&all, "printf '%s' \"$P_x${P_long_name-unset}\"\n");
	run_sh("", &all, &out);
	ck_assert_uint_eq(out.len, sizeof bytes - 1);
	ck_assert_mem_eq(out.data, bytes, sizeof bytes - 1);
	tw_buf_release(&text);
	ck_assert_int_eq(tw_secrets_text(NULL, 0, &text, NULL), TW_OK);
	ck_assert_uint_eq(text.len, 0);
	tw_buf_release(&text);
	tw_buf_release(&all);
	tw_buf_release(&out);
}
END_TEST

START_TEST(a_description_is_safe_on_a_terminal)
{
	static const char text[] = HEAD
	    "  - name: x\n"
	    "    run: \"echo '\\e[2J'\\ta\\r\"\n";
	struct tw_change_spec *s = good(text, sizeof text - 1);
	struct tw_param_values none = { NULL, 0 };
	struct tw_buf b = TW_BUF_INIT;

	tw_program_describe(s, &none, &b);
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&b),
	    "        echo '\\x1b[2J'\ta\\x0d\n"));
	ck_assert_ptr_null(strchr(b.data, '\033'));
	tw_buf_release(&b);
	tw_change_spec_free(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_program_is_what_the_protocol_says,
		the_description_shows_everything,
		every_byte_survives_the_shell,
		sh_reads_the_program_as_it_is_meant,
		a_program_names_its_secrets_and_holds_none,
		a_description_says_who_gets_a_secret_but_not_what_it_is,
		secrets_are_assignments_in_one_allocation,
		a_description_is_safe_on_a_terminal,
	};

	return run_tests("program", tests, sizeof tests / sizeof *tests);
}
