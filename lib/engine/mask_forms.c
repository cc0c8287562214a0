/*
 * mask_forms.c - a secret in the forms in which programs print it
 *
 *   as it is
 *   '   as '\'' or '"'"' (single quotes around it: sh -x, export -p, set)
 *   \   before what is special to a shell, in double quotes, or to a pattern
 *   %XX for all but a few bytes; which, differs: RFC 3986, encodeURIComponent,
 *       forms, and paths; upper or lower case; "+" for a blank
 *   JSON, with its optional escapes: \/, \uXXXX for what is not ASCII, for DEL,
 *       for <, > and &; upper or lower case
 *
 * Many of these are the same for an ordinary value: each is kept once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/seal.h"
#include "engine/mask_private.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void mask_borders(const char *text, size_t n, uint32_t *out)
{
	size_t i, k = 0;

	out[0] = 0;
	for (i = 1; i < n; i++) {
		while (k > 0 && text[k] != text[i])
			k = out[k - 1];
		if (text[k] == text[i])
			k++;
		out[i] = (uint32_t)k;
	}
}

static bool is_known(const struct tw_mask_forms *f, const struct tw_buf *b)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].len == b->len &&
		    memcmp(f->v[i].text, b->data, b->len) == 0)
			return true;
	return false;
}

/* Takes what b holds over, unless there is such a form; empties b. */
static enum tw_status keep(struct tw_mask_forms *f, struct tw_buf *b,
    struct tw_err *err)
{
	struct form form = { .len = b->len }, *v;
	enum tw_status st = tw_buf_check(b, err);
	size_t cap;

	if (st || b->len == 0 || is_known(f, b)) {
		tw_buf_release(b);
		return st;
	}
	if (f->n == f->cap) {
		cap = f->cap ? f->cap * 2 : 16;
		v = realloc(f->v, cap * sizeof *v);
		if (!v) {
			tw_buf_release(b);
			return tw_err_nomem(err);
		}
		f->v = v;
		f->cap = cap;
	}
	form.border = calloc(b->len, sizeof *form.border);
	if (!form.border) {
		tw_buf_release(b);
		return tw_err_nomem(err);
	}
	mask_borders(b->data, b->len, form.border);
	form.text = tw_buf_detach(b);
	f->begins[(unsigned char)form.text[0]] = true;
	if (form.len > f->longest)
		f->longest = form.len;
	f->v[f->n++] = form;
	return TW_OK;
}

/* --- for shells ---------------------------------------------------------- */

static enum tw_status add_quoted(struct tw_mask_forms *f, const char *s,
    struct tw_err *err)
{
	struct tw_buf one = { .is_secret = true }, run = { .is_secret = true };
	enum tw_status st;
	size_t n;

	while (*s) {
		n = strcspn(s, "'");
		tw_buf_add(&one, s, n);
		tw_buf_add(&run, s, n);
		s += n;
		n = strspn(s, "'");
		if (n == 0)
			break;
		tw_buf_adds(&run, "'\"");
		tw_buf_add(&run, s, n);
		tw_buf_adds(&run, "\"'");
		for (; n > 0; n--, s++)
			tw_buf_adds(&one, "'\\''");
	}
	st = keep(f, &one, err);
	if (st) {
		tw_buf_release(&run);
		return st;
	}
	return keep(f, &run, err);
}

/* A backslash before each byte of set, or (inverted) of none of it. */
static enum tw_status add_backslashed(struct tw_mask_forms *f, const char *s,
    const char *set, bool is_inverted, struct tw_err *err)
{
	struct tw_buf b = { .is_secret = true };

	for (; *s; s++) {
		if ((strchr(set, *s) != NULL) != is_inverted)
			tw_buf_addc(&b, '\\');
		tw_buf_addc(&b, *s);
	}
	return keep(f, &b, err);
}

/* --- percent-encoded ----------------------------------------------------- */

static void add_hex(struct tw_buf *b, unsigned c, int digits, bool is_upper)
{
	const char *hex = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; digits > 0; digits--)
		tw_buf_addc(b, hex[c >> 4 * (digits - 1) & 15]);
}

static enum tw_status add_percent(struct tw_mask_forms *f, const char *s,
    const char *kept, bool is_upper, bool has_plus, struct tw_err *err)
{
	struct tw_buf b = { .is_secret = true };
	size_t n;

	while (*s) {
		n = strspn(s, kept);
		tw_buf_add(&b, s, n);
		s += n;
		if (!*s)
			break;
		if (*s == ' ' && has_plus) {
			tw_buf_addc(&b, '+');
		} else {
			tw_buf_addc(&b, '%');
			add_hex(&b, (unsigned char)*s, 2, is_upper);
		}
		s++;
	}
	return keep(f, &b, err);
}

/* --- JSON ------------------------------------------------------------------ */

enum {
	JSON_UPPER = 1,		/* hexadecimal digits */
	JSON_SLASH = 2,		/* \/ */
	JSON_ASCII = 4,		/* all else by number */
	JSON_DEL = 8,
	JSON_HTML = 16,
	JSON_KINDS = 32
};

static void add_number(struct tw_buf *b, unsigned c, int how)
{
	tw_buf_adds(b, "\\u");
	add_hex(b, c, 4, how & JSON_UPPER);
}

static void add_rune(struct tw_buf *b, uint32_t c, int how)
{
	if (c < 0x10000) {
		add_number(b, c, how);
		return;
	}
	c -= 0x10000;
	add_number(b, 0xd800 + (c >> 10), how);
	add_number(b, 0xdc00 + (c & 0x3ff), how);
}

/* The character at s, which is UTF-8 (what isn't goes byte by byte), and its
 * length. */
static size_t read_rune(const char *s, uint32_t *c)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 1, i;

	*c = n == 1 ? *p : *p & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*c = *p;
			return 1;
		}
		*c = *c << 6 | (p[i] & 0x3f);
	}
	return n;
}

static void add_ascii(struct tw_buf *b, char c, int how)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);

	if (at) {
		tw_buf_addc(b, '\\');
		tw_buf_addc(b, letters[at - plain]);
	} else if (c == '/' && how & JSON_SLASH) {
		tw_buf_adds(b, "\\/");
	} else if ((unsigned char)c < 0x20 || (c == 0x7f && how & JSON_DEL) ||
	    (strchr("<>&", c) && how & JSON_HTML)) {
		add_number(b, (unsigned char)c, how);
	} else {
		tw_buf_addc(b, c);
	}
}

static enum tw_status add_json(struct tw_mask_forms *f, const char *s, int how,
    struct tw_err *err)
{
	struct tw_buf b = { .is_secret = true };
	uint32_t c;
	size_t n;

	while (*s) {
		n = read_rune(s, &c);
		if (n == 1)
			add_ascii(&b, *s, how);
		else if (how & JSON_ASCII)
			add_rune(&b, c, how);
		else
			tw_buf_add(&b, s, n);
		s += n;
	}
	return keep(f, &b, err);
}

/* The options that make a difference for s; the others need not be tried. */
static int json_kinds(const char *s)
{
	int how = strpbrk(s, "/") ? JSON_SLASH : 0;

	if (strpbrk(s, "\x7f"))
		how |= JSON_DEL;
	if (strpbrk(s, "<>&"))
		how |= JSON_HTML;
	for (; *s; s++) {
		if ((unsigned char)*s >= 0x80)
			how |= JSON_ASCII;
		if ((unsigned char)*s < 0x20 || how & ~JSON_SLASH)
			how |= JSON_UPPER;
	}
	return how;
}

/* --- all of them ----------------------------------------------------------- */

static enum tw_status add_encoded(struct tw_mask_forms *f, const char *s,
    struct tw_err *err)
{
	static const char *const kept[] = { ALNUM "-._~", ALNUM "-._~/",
		ALNUM "-_.!~*'()", ALNUM "*-._", ALNUM "_.-",
		ALNUM "-_.!~*'();/?:@&=+$,#" };
	int how, can_plus = strchr(s, ' ') ? 2 : 0, kinds = json_kinds(s);
	enum tw_status st = TW_OK;
	size_t i;

	for (i = 0; i < sizeof kept / sizeof *kept; i++) {
		if (s[strspn(s, kept[i])] == '\0')
			continue;	/* as it is */
		for (how = 0; how < 4 && !st; how++)
			if ((how & 2 & ~can_plus) == 0)
				st = add_percent(f, s, kept[i], how & 1,
				    how & 2, err);
	}
	for (how = 0; how < JSON_KINDS && !st; how++)
		if ((how & ~kinds) == 0)
			st = add_json(f, s, how, err);
	return st;
}

static enum tw_status add_value(struct tw_mask_forms *f, const char *s,
    struct tw_err *err)
{
	struct tw_buf raw = { .is_secret = true };
	enum tw_status st;

	tw_buf_adds(&raw, s);
	st = keep(f, &raw, err);
	if (!st)
		st = add_quoted(f, s, err);
	if (!st)
		st = add_backslashed(f, s, "\"\\$`", false, err);
	if (!st)
		st = add_backslashed(f, s, "\"\\$`!", false, err);
	if (!st)
		st = add_backslashed(f, s, " \t\n!\"$&'()*,;<>?[\\]^`{|}", false,
		    err);
	if (!st)
		st = add_backslashed(f, s, ALNUM "_./-", true, err);
	if (!st)
		st = add_backslashed(f, s, ALNUM "_", true, err);
	return st ? st : add_encoded(f, s, err);
}

enum tw_status tw_mask_forms_new(const char *const *values, size_t n,
    struct tw_mask_forms **out, struct tw_err *err)
{
	struct tw_mask_forms *f = calloc(1, sizeof *f);
	enum tw_status st = TW_OK;
	size_t i;

	*out = NULL;
	if (!f)
		return tw_err_nomem(err);
	for (i = 0; i < n && !st; i++)
		if (strlen(values[i]) >= TW_MASK_MIN)
			st = add_value(f, values[i], err);
	if (st)
		tw_mask_forms_free(f);
	else
		*out = f;
	return st;
}

void tw_mask_forms_free(struct tw_mask_forms *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++) {
		tw_seal_wipe(f->v[i].text, f->v[i].len);
		free(f->v[i].text);
		free(f->v[i].border);
	}
	free(f->v);
	free(f);
}

size_t tw_mask_forms_count(const struct tw_mask_forms *f)
{
	return f->n;
}

const char *tw_mask_form(const struct tw_mask_forms *f, size_t i)
{
	return f->v[i].text;
}
