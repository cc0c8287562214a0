/* text.c - making what a peer wrote fit for an error message; see text.h */
#include "ssh/text.h"

#include <string.h>

void tw_text_clean(char *out, size_t size, const void *s, size_t n)
{
	const unsigned char *p = s;
	size_t i;

	if (n > size - 1)
		n = size - 1;
	for (i = 0; i < n; i++)
		out[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	out[n] = '\0';
}

void tw_text_line_at(char *out, size_t size, const char *s, const char *at)
{
	const char *start = at;

	while (start > s && start[-1] != '\n' && start[-1] != '\r')
		start--;
	tw_text_clean(out, size, start, strcspn(start, "\r\n"));
}

void tw_text_last_line(char *out, size_t size, const char *s)
{
	size_t end = strlen(s);

	while (end > 0 && strchr(" \t\r\n", s[end - 1]))
		end--;
	if (end > 0)
		tw_text_line_at(out, size, s, s + end - 1);
	else
		out[0] = '\0';
}
