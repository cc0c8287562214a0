/* exposition.c - samples in Prometheus's text format; see exposition.h */
#include "out/exposition.h"

#include <inttypes.h>
#include <string.h>

#include "out/escape.h"

/* In HELP a quotation mark stands for itself. */
static void put_escaped(struct tw_buf *b, const char *s, bool is_quoted)
{
	struct tw_buf text = TW_BUF_INIT;
	size_t i;

	tw_escape_utf8(s, strlen(s), &text);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\n')
			tw_buf_adds(b, "\\n");
		else if (text.data[i] == '\\')
			tw_buf_adds(b, "\\\\");
		else if (text.data[i] == '"' && is_quoted)
			tw_buf_adds(b, "\\\"");
		else
			tw_buf_addc(b, text.data[i]);
	}
	b->failed |= text.failed;
	tw_buf_release(&text);
}

void tw_exposition_family(struct tw_buf *b, const char *name,
    const char *type, const char *help)
{
	tw_buf_addf(b, "# HELP %s ", name);
	put_escaped(b, help, false);
	tw_buf_addf(b, "\n# TYPE %s %s\n", name, type);
}

static void put_name(struct tw_buf *b, const char *name, const char *suffix,
    const struct tw_label *labels)
{
	const struct tw_label *l;

	tw_buf_addf(b, "%s%s", name, suffix);
	for (l = labels; l && l->name; l++) {
		tw_buf_addf(b, "%c%s=\"", l == labels ? '{' : ',', l->name);
		put_escaped(b, l->value, true);
		tw_buf_addc(b, '"');
	}
	tw_buf_adds(b, labels && labels->name ? "} " : " ");
}

void tw_exposition_int(struct tw_buf *b, const char *name,
    const char *suffix, const struct tw_label *labels, int64_t value)
{
	put_name(b, name, suffix, labels);
	tw_buf_addf(b, "%" PRId64 "\n", value);
}

void tw_exposition_seconds(struct tw_buf *b, const char *name,
    const char *suffix, const struct tw_label *labels, int64_t ms)
{
	put_name(b, name, suffix, labels);
	tw_buf_addf(b, "%" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}
