/*
 * args.c - any values for an install of YunoHost's: decoded as Python would,
 * they are what was given
 *
 * The input: NAME=VALUE parts.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "spec/param.h"
#include "spec/yunohost.h"

#define GIVEN_MAX 12
#define MARK "Zq9!"		/* every password begins so */

const char *const fuzz_plants[] = { "status", "value", "letter", "mark",
	"order", NULL };

static const char manifest[] =
    "id = 'app'\n"
    "[install.s]\ntype = 'string'\n"
    "[install.t]\ntype = 'text'\noptional = true\n"
    "[install.pw]\ntype = 'password'\noptional = true\n"
    "[install.b]\ntype = 'boolean'\ndefault = true\nyes = 'Ja'\n"
    "[install.path]\ntype = 'path'\ndefault = '/x'\n"
    "[install.d]\ntype = 'domain'\ndefault = 'a.org'\n"
    "[install.n]\ntype = 'number'\nmin = 1\nmax = 9\noptional = true\n"
    "[install.e]\ntype = 'email'\noptional = true\n"
    "[install.o]\ntype = 'select'\nchoices = ['a b', 'c&d']\noptional = true\n"
    "[install.u]\ntype = 'url'\noptional = true\n"
    "[install.day]\ntype = 'date'\noptional = true\n"
    "[install.hour]\ntype = 'time'\noptional = true\n"
    "[install.color]\ntype = 'color'\noptional = true\n"
    "[install.tags]\ntype = 'tags'\noptional = true\n"
    "[install.v]\ntype = 'string'\nvisible = 'b'\n"
    "[install.note]\ntype = 'alert'\n";

static const struct tw_yunohost_app *the_app(void)
{
	static struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	struct tw_err err;

	if (!c)
		HOLDS(tw_yunohost_manifest(manifest, strlen(manifest), &ds, &c,
		    &err) == TW_OK, "%s", err.msg);
	return c->apps;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes n bytes as urllib.parse.parse_qsl() does. */
static void decode(const char *s, size_t n, struct tw_buf *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] != '%') {
			tw_buf_addc(out, s[i] == '+' ? ' ' : s[i]);
			continue;
		}
		HOLDS(i + 2 < n && digit(s[i + 1]) >= 0 &&
		    digit(s[i + 2]) >= 0, "a %% by itself");
		tw_buf_addc(out, (char)(digit(s[i + 1]) * 16 +
		    digit(s[i + 2])));
		i += 2;
	}
}

static bool is_blank(const char *s, size_t n)
{
	while (n && strchr(" \t\r\n", *s) && *s) {
		s++;
		n--;
	}
	return n == 0;
}

static void check_pair(const struct tw_yunohost_question *q,
    const struct tw_buf *value, const struct tw_param_given *v, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i++)
		if (strlen(q->id) == v[i].name_len &&
		    memcmp(v[i].name, q->id, v[i].name_len) == 0)
			break;
	if (i == n || is_blank(v[i].value, v[i].len))
		return;		/* the default */
	if (q->type == TW_YUNOHOST_BOOLEAN) {
		HOLDS(strcmp(tw_buf_str(value), "1") == 0 ||
		    strcmp(tw_buf_str(value), "0") == 0, "'%s' for a boolean",
		    tw_buf_str(value));
		return;
	}
	len = v[i].len;
	while (q->type == TW_YUNOHOST_PATH && len > 1 &&
	    v[i].value[len - 1] == '/')
		len--;
	if (fuzz_planted("value"))
		len++;
	HOLDS(value->len == len && memcmp(tw_buf_str(value), v[i].value,
	    len) == 0, "%s is '%s', not '%.*s'", q->id, tw_buf_str(value),
	    (int)len, v[i].value);
}

static void check_args(const struct tw_yunohost_app *a,
    const struct tw_buf *out, const struct tw_param_given *v, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/%=&";
	struct tw_buf name = TW_BUF_INIT, value = TW_BUF_INIT;
	const char *p = tw_buf_str(out), *eq;
	size_t q = 0, len;

	HOLDS(strlen(p) == out->len, "a NUL");
	HOLDS(strspn(p, fuzz_planted("letter") ? "x" : letters) == out->len,
	    "a letter that none expects: %s", p);
	while (*p) {
		len = strcspn(p, "&");
		eq = memchr(p, '=', len);
		HOLDS(eq, "no value: %s", p);
		tw_buf_reset(&name);
		tw_buf_reset(&value);
		decode(p, (size_t)(eq - p), &name);
		decode(eq + 1, len - (size_t)(eq + 1 - p), &value);
		while (q < a->nquestions &&
		    (strcmp(a->questions[q].id, tw_buf_str(&name)) != 0 ||
		    fuzz_planted("order")))
			q++;
		HOLDS(q < a->nquestions, "'%s' is none, or out of order",
		    tw_buf_str(&name));
		check_pair(&a->questions[q++], &value, v, n);
		p += len;
		p += *p == '&';
	}
	tw_buf_release(&name);
	tw_buf_release(&value);
}

/* NAME=VALUE; a password gets its mark. */
static bool take(const char *part, size_t len, struct tw_buf *room,
    struct tw_param_given *v)
{
	const char *eq = memchr(part, '=', len);

	if (!eq)
		return false;
	tw_buf_add(room, part, (size_t)(eq + 1 - part));
	if (strncmp(part, "pw=", 3) == 0)
		tw_buf_adds(room, MARK);
	tw_buf_add(room, eq + 1, len - (size_t)(eq + 1 - part));
	*v = (struct tw_param_given){ .name = room->data,
	    .name_len = (size_t)(eq - part), .is_private = true };
	v->value = room->data + v->name_len + 1;
	v->len = room->len - v->name_len - 1;
	return true;
}

static void check_said(const struct tw_diags *ds, const uint8_t *data,
    size_t size)
{
	struct tw_buf said = TW_BUF_INIT;

	tw_diags_print(ds, &said);
	if (fuzz_planted("mark"))
		tw_buf_adds(&said, MARK);
	HOLDS(!strstr(tw_buf_str(&said), MARK) ||
	    (size && memmem(data, size, MARK, strlen(MARK))),
	    "a password is told: %s", tw_buf_str(&said));
	tw_buf_release(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct tw_param_given v[GIVEN_MAX];
	struct tw_buf room[GIVEN_MAX] = { TW_BUF_INIT }, out = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t n = 0, len, i;
	char *part;

	while (n < GIVEN_MAX && fuzz_has_part(&in)) {
		part = fuzz_part(&in, &len);
		n += take(part, len, &room[n], &v[n]);
		free(part);
	}
	st = tw_yunohost_args(the_app(), v, n, &ds, &out, &err);
	fuzz_check_status(st, TW_USAGE, &ds, st == TW_OK ? &out : NULL, &err);
	fuzz_check_diags(&ds, NULL, 0, false);
	check_said(&ds, data, size);
	if (st == TW_OK)
		check_args(the_app(), &out, v, n);
	else
		HOLDS(!out.len, "refused, and arguments");
	for (i = 0; i < GIVEN_MAX; i++)
		tw_buf_release(&room[i]);
	tw_buf_release(&out);
	tw_diags_release(&ds);
	return 0;
}
