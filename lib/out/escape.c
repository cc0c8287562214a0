/* escape.c - bytes from hosts made safe for a terminal; see escape.h */
#include "out/escape.h"

#include <langinfo.h>
#include <string.h>
#include <wchar.h>

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/* Characters beyond ASCII that are not shown as they are, in order.  The
 * general category Cf of Unicode 15, the separators, and C1. */
static const struct range {
	uint32_t first, last;
} unsafe[] = {
	{ 0x0080, 0x009f },	/* C1: 0x9b alone begins a sequence */
	{ 0x00ad, 0x00ad },	/* soft hyphen */
	{ 0x0600, 0x0605 },
	{ 0x061c, 0x061c },	/* Arabic letter mark */
	{ 0x06dd, 0x06dd },
	{ 0x070f, 0x070f },
	{ 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },
	{ 0x115f, 0x1160 },	/* Hangul fillers: invisible letters */
	{ 0x180b, 0x180f },	/* Mongolian selectors */
	{ 0x200b, 0x200f },	/* zero width; left-to-right marks */
	{ 0x2028, 0x202e },	/* separators; embeddings, overrides */
	{ 0x2060, 0x206f },	/* word joiner, invisible signs, isolates */
	{ 0x3164, 0x3164 },
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },	/* interlinear annotation */
	{ 0xfffe, 0xffff },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },	/* tags, further selectors */
};

static bool is_unsafe(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++)
		if (c <= unsafe[i].last)
			return c >= unsafe[i].first;
	return false;
}

/* Length of the sequence that a byte begins, 0 if none. */
static unsigned sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

/* May c follow the n bytes of part?  Overlong forms, surrogates and what is
 * beyond U+10FFFF show in the second byte. */
static bool may_follow(const unsigned char *part, unsigned n, unsigned char c)
{
	unsigned char low = 0x80, high = 0xbf;

	if (n == 1) {
		switch (part[0]) {
		case 0xe0:
			low = 0xa0;
			break;
		case 0xed:
			high = 0x9f;
			break;
		case 0xf0:
			low = 0x90;
			break;
		case 0xf4:
			high = 0x8f;
			break;
		default:
			break;
		}
	}
	return c >= low && c <= high;
}

static uint32_t decode(const unsigned char *part, unsigned n)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = part[0] & masks[n];
	unsigned i;

	for (i = 1; i < n; i++)
		c = c << 6 | (part[i] & 0x3f);
	return c;
}

static void put_code(struct tw_buf *out, uint32_t c)
{
	tw_buf_addf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
}

static void put_ascii(struct tw_escape *e, unsigned char c,
    struct tw_buf *out)
{
	if (e->cr && c != '\n')
		tw_buf_adds(out, "\\r");
	e->cr = c == '\r';
	if (e->cr)
		return;
	if ((e->flags & TW_ESCAPE_ONE_LINE) && (c == '\n' || c == '\t'))
		tw_buf_adds(out, c == '\n' ? "\\n" : "\\t");
	else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
		tw_buf_addf(out, "\\x%02x", c);
	else
		tw_buf_addc(out, (char)c);
}

static void put_cr(struct tw_escape *e, struct tw_buf *out)
{
	if (e->cr)
		tw_buf_adds(out, "\\r");
	e->cr = false;
}

static void flush_part(struct tw_escape *e, struct tw_buf *out)
{
	unsigned i;

	for (i = 0; i < e->npart; i++)
		tw_buf_addf(out, "\\x%02x", e->part[i]);
	e->npart = 0;
}

static void put_part(struct tw_escape *e, struct tw_buf *out)
{
	uint32_t c = decode(e->part, e->npart);

	if ((e->flags & TW_ESCAPE_ASCII) || is_unsafe(c))
		put_code(out, c);
	else
		tw_buf_add(out, e->part, e->npart);
	e->npart = 0;
}

static void put_byte(struct tw_escape *e, unsigned char c,
    struct tw_buf *out)
{
	if (e->npart && !may_follow(e->part, e->npart, c))
		flush_part(e, out);
	if (e->npart == 0 && c < 0x80) {
		put_ascii(e, c, out);
		return;
	}
	put_cr(e, out);
	e->part[e->npart++] = c;
	if (sequence_length(e->part[0]) == 0)
		flush_part(e, out);
	else if (e->npart == sequence_length(e->part[0]))
		put_part(e, out);
}

void tw_escape_add(struct tw_escape *e, const void *p, size_t n,
    struct tw_buf *out)
{
	const unsigned char *s = p;
	size_t i = 0, run;

	while (i < n) {
		/* Most output is plain: take it in runs. */
		for (run = i; run < n && s[run] >= ' ' && s[run] < 0x7f;)
			run++;
		if (run > i && !e->npart) {
			put_cr(e, out);
			tw_buf_add(out, s + i, run - i);
			i = run;
		} else {
			put_byte(e, s[i++], out);
		}
	}
}

void tw_escape_end(struct tw_escape *e, struct tw_buf *out)
{
	flush_part(e, out);
	put_cr(e, out);
}

void tw_escape(const void *p, size_t n, unsigned flags, struct tw_buf *out)
{
	struct tw_escape e = { .flags = flags };

	tw_escape_add(&e, p, n, out);
	tw_escape_end(&e, out);
}

void tw_escape_utf8(const void *p, size_t n, struct tw_buf *out)
{
	const unsigned char *s = p;
	unsigned want, have;
	size_t i = 0;

	while (i < n) {
		want = sequence_length(s[i]);
		for (have = 1; have < want && i + have < n &&
		    may_follow(s + i, have, s[i + have]);)
			have++;
		if (want && have == want)
			tw_buf_add(out, s + i, have);
		else
			tw_buf_adds(out, REPLACEMENT);
		i += have;
	}
}

/* A character is tried too: short of memory, glibc has the name of the locale
 * without its tables, and libsmartcols then loops on what is not ASCII. */
unsigned tw_escape_locale(void)
{
	mbstate_t state = { 0 };
	wchar_t c;

	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0 &&
	    mbrtowc(&c, "\xc3\xa9", 2, &state) == 2)
		return 0;
	return TW_ESCAPE_ASCII;
}

/* Takes one character of UTF-8 text; its columns. */
static size_t take_character(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	unsigned want = sequence_length(*p), n = 1;
	int width;

	while (n < want && (p[n] & 0xc0) == 0x80)
		n++;
	*s += n;
	if (n == 1 || n != want)
		return 1;
	width = wcwidth((wchar_t)decode(p, n));
	return width < 0 ? 1 : (size_t)width;
}

size_t tw_escape_width(const char *s)
{
	size_t width = 0;

	while (*s)
		width += take_character(&s);
	return width;
}

void tw_escape_cut(const char *s, size_t columns, unsigned flags,
    struct tw_buf *out)
{
	struct tw_buf safe = TW_BUF_INIT;
	const char *at, *end;
	size_t width = 0, w;

	tw_escape(s, strlen(s), flags | TW_ESCAPE_ONE_LINE, &safe);
	if (safe.failed)
		out->failed = true;
	if (tw_escape_width(tw_buf_str(&safe)) <= columns) {
		tw_buf_add(out, tw_buf_str(&safe), safe.len);
	} else if (columns > 0) {
		for (at = end = tw_buf_str(&safe);; end = at) {
			w = take_character(&at);
			if (width + w > columns - 1)
				break;
			width += w;
		}
		tw_buf_add(out, tw_buf_str(&safe),
		    (size_t)(end - tw_buf_str(&safe)));
		tw_buf_adds(out, "~");
	}
	tw_buf_release(&safe);
}
