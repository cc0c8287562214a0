/* test_successor.c - what a change file says of its host: the login after it,
 * and what it requires */
#include "spec_util.h"

#include "spec/program.h"

#define STEPS "steps: [{run: 'true'}]\n"
#define FILE_OF(more) "towerify: 1\n" more STEPS

static struct tw_change_spec *read_good(const char *text)
{
	return good(text, strlen(text));
}

START_TEST(a_successor_is_read)
{
	struct tw_change_spec *s;

	s = read_good(FILE_OF("successor: {user: admin, port: 2222, "
	    "sudo: true}\n"));
	ck_assert(s->successor.given);
	ck_assert_str_eq(s->successor.user.text, "admin");
	ck_assert_int_eq(s->successor.port, 2222);
	ck_assert(s->successor.has_sudo && s->successor.sudo);
	tw_change_spec_free(s);
	s = read_good(FILE_OF("successor: {port: 22, sudo: false}\n"));
	ck_assert(!s->successor.user.given);
	ck_assert(s->successor.has_sudo && !s->successor.sudo);
	tw_change_spec_free(s);
	s = read_good(FILE_OF("successor: {user: a.b-c_d}\n"));
	ck_assert(!s->successor.has_sudo);
	ck_assert_int_eq(s->successor.port, 0);
	tw_change_spec_free(s);
	s = read_good(FILE_OF(""));
	ck_assert(!s->successor.given);
	tw_change_spec_free(s);
}
END_TEST

START_TEST(what_is_wrong_with_it_is_said)
{
	bad(FILE_OF("successor: admin\n"),
	    "f:2:12: successor must be a mapping ('key: value'), not a "
	    "text\n");
	bad(FILE_OF("successor: {sudo: true}\n"),
	    "f:2:1: successor needs a user, a port, or both\n");
	bad(FILE_OF("successor: {user: admin, prot: 1}\n"),
	    "f:2:26: unknown key 'prot' in successor\n"
	    "hint: did you mean 'port'?\n");
	bad(FILE_OF("successor: {user: '-x', port: 65536, sudo: yes}\n"),
	    "f:2:19: user must be letters, digits and . _ -, a letter or digit "
	    "first, not '-x'\n"
	    "f:2:31: port must be 1 to 65535, not 65536\n"
	    "f:2:44: sudo must be true or false, not 'yes'\n");
	bad(FILE_OF("successor: {user: 'a{{{{b'}\n"),
	    "f:2:19: user must be letters, digits and . _ -, a letter or digit "
	    "first, not 'a{{{{b'\n");
	bad(FILE_OF("successor: {user: '{{nobody}}'}\n"),
	    "f:2:19: unknown parameter 'nobody'\n");
	bad(FILE_OF("successor: {user: '{{fact.os}}'}\n"),
	    "f:2:19: unknown fact 'os'\n"
	    "hint: facts of a host are filled in by a template only\n");
	bad("towerify: 1\nparams: {pw: {type: secret}}\n"
	    "successor: {user: '{{pw}}'}\nsteps: [{run: 'echo $pw'}]\n",
	    "f:3:19: secret 'pw' cannot stand in an argument: it would be "
	    "stored\nhint: a secret goes into a template, or into the "
	    "environment of a command\n");
}
END_TEST

static enum tw_status fill(struct tw_change_spec *s, const char *value,
    struct tw_diags *ds)
{
	struct tw_param_given given = { "admin", 5, value, strlen(value),
	    false };
	struct tw_param_values values = { 0 };
	enum tw_status st;
	struct tw_err err;

	st = tw_params_check(&s->params, &given, 1, ds, &values, &err);
	ck_assert_int_eq(st, TW_OK);
	st = tw_change_spec_fill(s, &values, ds, &err);
	tw_param_values_release(&values);
	return st;
}

START_TEST(its_user_may_come_from_a_parameter)
{
	static const char text[] = "towerify: 1\nparams: {admin: {type: "
	    "string}}\nsuccessor: {user: 'x{{admin}}', sudo: true}\n" STEPS;
	struct tw_change_spec *s = read_good(text);
	struct tw_diags ds = { 0 };
	char *said;

	ck_assert_int_eq(fill(s, "bob", &ds), TW_OK);
	ck_assert_str_eq(s->successor.user.text, "xbob");
	ck_assert_int_eq(fill(s, "a b", &ds), TW_USAGE);
	said = problems(&ds);
	ck_assert_str_eq(said, "successor: user must be letters, digits and "
	    ". _ -, a letter or digit first, not 'xa b'\n");
	free(said);
	tw_diags_release(&ds);
	tw_change_spec_free(s);
}
END_TEST

START_TEST(a_change_may_require_things_of_a_host)
{
	struct tw_change_spec *s;
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err = { 0 };

	s = read_good(FILE_OF("requires: {os: debian, without: [yunohost, "
	    "nginx]}\n"));
	ck_assert(tw_requires_is_any(&s->requires));
	ck_assert_int_eq(tw_requires_check(&s->requires, "web1",
	    "{\"os\":\"debian\",\"software\":\"apache2 nginx yunohost\"}", &b,
	    &err), TW_NO);
	tw_text_settle(b.data, b.len + 1, b.data, false);
	ck_assert_str_eq(b.data,
	    "without: needs a host without yunohost, has it\n"
	    "without: needs a host without nginx, has it\n");
	tw_buf_reset(&b);
	ck_assert_int_eq(tw_requires_check(&s->requires, "web1",
	    "{\"os\":\"debian\"}", &b, &err), TW_NO);
	tw_text_settle(b.data, b.len + 1, b.data, false);
	ck_assert_str_eq(b.data, "without: needs a host without yunohost or "
	    "nginx, which is not known: run towerify-host check web1 first\n");
	tw_buf_reset(&b);
	ck_assert_int_eq(tw_requires_check(&s->requires, "web1",
	    "{\"os\":\"debian\",\"software\":\"\"}", &b, &err), TW_OK);
	ck_assert_int_eq(tw_requires_check(&s->requires, "web1",
	    "{\"os\":\"debian\",\"software\":\"apache2 xnginx nginxx\"}", &b,
	    &err), TW_OK);
	tw_buf_release(&b);
	tw_change_spec_free(s);
	bad(FILE_OF("requires: {without: ngnix}\n"),
	    "f:2:21: nothing is known of hosts without 'ngnix'\n"
	    "hint: did you mean 'nginx'?\n");
	bad(FILE_OF("requires: {ram: 1G}\n"),
	    "f:2:12: unknown key 'ram' in requires\n"
	    "hint: known here: os, os_version, arch, memory, disk, systemd, "
	    "root, without\n");
}
END_TEST

START_TEST(both_are_described)
{
	static const struct tw_param_values none;
	struct tw_change_spec *s;
	struct tw_buf b = TW_BUF_INIT;

	s = read_good(FILE_OF("requires: {os: debian, without: nginx}\n"
	    "successor: {user: admin, port: 2222, sudo: true}\n"));
	tw_program_describe(s, &none, &b);
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&b),
	    "requires: os debian, without nginx\n"
	    "successor login: user admin, port 2222, with sudo\nstep 1"));
	tw_buf_reset(&b);
	tw_change_spec_free(s);
	s = read_good(FILE_OF("successor: {port: 22}\n"));
	tw_program_describe(s, &none, &b);
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&b),
	    "successor login: port 22\n"));
	tw_buf_release(&b);
	tw_change_spec_free(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_successor_is_read,
		what_is_wrong_with_it_is_said,
		its_user_may_come_from_a_parameter,
		a_change_may_require_things_of_a_host,
		both_are_described,
	};

	return run_tests("successor", tests, sizeof tests / sizeof *tests);
}
