/* text.c - what is said to people, in their language; see text.h */
#include "base/text.h"

#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_END "\004"	/* between context and text, in catalogues */
#define KEY_MAX 256

static bool is_on;

/* setlocale() opens files; most callers, cron and scripts among them, have a
 * locale without translations. */
bool tw_text_is_wanted(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;
	size_t i;

	for (i = 0; i < 3 && !(value && *value); i++)
		value = getenv(names[i]);
	return value && *value && strcmp(value, "C") != 0 &&
	    strcmp(value, "POSIX") != 0 && strncmp(value, "C.", 2) != 0;
}

void tw_text_begin(const char *dir)
{
	if (!tw_text_is_wanted() || !setlocale(LC_MESSAGES, "") ||
	    strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return;
	is_on = bindtextdomain(TW_TEXT_DOMAIN, dir) &&
	    bind_textdomain_codeset(TW_TEXT_DOMAIN, "UTF-8");
}

bool tw_text_is_on(void)
{
	return is_on;
}

const char *tw_text(const char *text)
{
	/* "" is the key of the catalogue's own header */
	return is_on && *text ? dgettext(TW_TEXT_DOMAIN, text) : text;
}

const char *tw_text_in(const char *context, const char *text)
{
	char key[KEY_MAX];
	const char *found;
	int n;

	if (!is_on)
		return text;
	n = snprintf(key, sizeof key, "%s" CONTEXT_END "%s", context, text);
	if (n < 0 || (size_t)n >= sizeof key)
		return text;
	found = dgettext(TW_TEXT_DOMAIN, key);
	return found == key ? text : found;
}

const char *tw_text_n(const char *one, const char *many, unsigned long n)
{
	return is_on ? dngettext(TW_TEXT_DOMAIN, one, many, n) :
	    n == 1 ? one : many;
}

void tw_text_trim(char *text)
{
	size_t n = strlen(text), at = n, tail = 0, want;
	unsigned char c;

	while (at > 0 && tail < 3 && ((unsigned char)text[at - 1] & 0xc0) ==
	    0x80) {
		at--;
		tail++;
	}
	if (at == 0)
		return;
	c = (unsigned char)text[at - 1];
	want = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	if (tail < want)
		text[at - 1] = '\0';
}

/* Where text is going; at counts on when there is no room any more. */
struct place {
	char *to;
	size_t size, at;
};

static void put(struct place *p, const char *text, size_t n)
{
	size_t room = p->at < p->size ? p->size - p->at - 1 : 0;

	if (room && n)
		memmove(p->to + p->at, text, n < room ? n : room);
	p->at += n;
}

static void put_part(struct place *p, const char *text, size_t n, bool own)
{
	char part[KEY_MAX];
	const char *found;

	if (own && n < sizeof part) {
		memcpy(part, text, n);
		part[n] = '\0';
		found = tw_text(part);
		put(p, found, strlen(found));
	} else {
		put(p, text, n);
	}
}

size_t tw_text_settle(char *to, size_t size, const char *text, bool own)
{
	struct place p = { to, size, 0 };
	size_t n;

	while (*text) {
		n = strcspn(text, "\016\017");
		put(&p, text, n);
		text += n;
		if (*text != '\016') {
			text += *text == '\017';
			continue;
		}
		n = strcspn(++text, "\017");
		put_part(&p, text, n, own);
		text += n + (text[n] != '\0');
	}
	if (size) {
		to[p.at < size ? p.at : size - 1] = '\0';
		if (p.at >= size)
			tw_text_trim(to);
	}
	return p.at;
}
