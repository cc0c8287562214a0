/* file_read.c - the mapping under "file:"; see change_read.h */
#include <string.h>

#include "spec/change_read.h"
#include "spec/node.h"

static const char *const file_keys[] = {
	"path", "content", "source", "mode", "owner", NULL
};

#define PART_MAX 255		/* bytes of a name in a directory */
#define ACCOUNT_MAX 64		/* bytes of a user's or group's name */

/* NULL when a path can name a file, else what it must be. */
static const char *path_why_not(const char *p)
{
	size_t n;

	if (*p != '/')
		return W_("path must be absolute");
	while (*p) {
		n = strcspn(++p, "/");
		if (n == 0 || (n == 1 && *p == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return W_("path must name a file, without '.', '..' or "
			    "empty parts");
		if (n > PART_MAX)
			return W_("path has a part of more than 255 bytes");
		p += n;
	}
	return NULL;
}

static void read_path(struct tw_change_read *r,
    const struct tw_yaml_node *map, struct tw_file_spec *out)
{
	const struct tw_yaml_node *n = tw_node_get(map, "path");
	struct tw_quote q;
	const char *why;

	if (!n) {
		tw_diags_add(r->ds, map->key->line, map->key->col, NULL,
		    "file needs a path");
		return;
	}
	if (!tw_node_line(n, "path", TW_FILE_PATH_MAX, &out->path, r->ds))
		return;
	why = path_why_not(out->path);
	if (why)
		tw_diags_add(r->ds, n->line, n->col, NULL, "%s, not %s", why,
		    tw_quote(&q, out->path, strlen(out->path)));
}

static void read_mode(struct tw_change_read *r,
    const struct tw_yaml_node *map, struct tw_file_spec *out)
{
	const struct tw_yaml_node *n = tw_node_get(map, "mode");
	struct tw_quote q;
	const char *text;

	if (!n || !tw_node_text(n, "mode", &text, r->ds))
		return;
	if (n->len < 3 || n->len > 4 || text[strspn(text, "01234567")]) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "mode must be three or four octal digits, such as 0644, "
		    "not %s", tw_quote(&q, text, n->len));
		return;
	}
	memcpy(out->mode, "0000", sizeof out->mode);
	memcpy(out->mode + 4 - n->len, text, n->len);
}

/* The length of an account's name or number at s. */
static size_t account(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n;

	if (*s == '\0' || !strchr(first, *s))
		return 0;
	for (n = 1; s[n] && (strchr(first, s[n]) || strchr(".-", s[n])); n++)
		;
	return n <= ACCOUNT_MAX ? n : 0;
}

static void read_owner(struct tw_change_read *r,
    const struct tw_yaml_node *map, struct tw_file_spec *out)
{
	const struct tw_yaml_node *n = tw_node_get(map, "owner");
	struct tw_quote q;
	const char *text;
	size_t user, group;

	if (!n || !tw_node_text(n, "owner", &text, r->ds))
		return;
	user = account(text);
	group = user && text[user] == ':' ? account(text + user + 1) : 0;
	if (!user || text[group ? user + 1 + group : user] != '\0') {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "owner must be USER or USER:GROUP, not %s",
		    tw_quote(&q, text, n->len));
		return;
	}
	out->owner = text;
}

/* Counts n bytes of content; false with a message when it is too much. */
bool tw_file_count(struct tw_change_read *r, const struct tw_yaml_node *n,
    size_t len)
{
	bool before = r->total <= TW_FILES_TOTAL_MAX;

	r->total += len;
	if (r->total <= TW_FILES_TOTAL_MAX)
		return true;
	if (before)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "the contents up to here have more than 64 MiB together");
	return false;
}

static void read_content(struct tw_change_read *r,
    const struct tw_yaml_node *n, struct tw_file_spec *out)
{
	if (!tw_node_text(n, "content", &out->content, r->ds))
		return;
	if (n->style == TW_YAML_PLAIN && n->lines)
		tw_diags_add(r->ds, n->line, n->col,
		    N_("write `content: |` and the text on the next lines"),
		    "content goes over several lines, which YAML would join");
	if (tw_file_count(r, n, n->len))
		out->len = n->len;
}

static void refuse_source(struct tw_change_read *r,
    const struct tw_yaml_node *n, const char *path, struct tw_err *why)
{
	struct tw_quote q;

	tw_err_prefix(why, "%s %s", n->key->text,
	    tw_quote(&q, path, strlen(path)));
	tw_diags_add_text(r->ds, n->line, n->col,
	    why->hint[0] ? why->hint : NULL, why->msg, tw_err_text(why));
}

void tw_file_read_source(struct tw_change_read *r,
    const struct tw_yaml_node *n, const char **content, size_t *len)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err why = { 0 };
	enum tw_status st;
	const char *path, *key = n->key->text, *copy;

	if (!tw_node_line(n, key, TW_FILE_PATH_MAX, &path, r->ds))
		return;
	if (!r->reader || !r->reader->read) {
		tw_diags_add(r->ds, n->line, n->col,
		    N_("write the text itself under content"),
		    "source files cannot be read here");
		return;
	}
	b.max = TW_FILE_MAX;
	st = r->reader->read(r->reader->arg, path, &b, &why);
	if (st == TW_OK && b.failed)
		st = tw_err_set(&why, TW_DATA, "more than 16 MiB");
	if (st == TW_NOMEM)
		r->st = tw_err_nomem(r->err);
	else if (st != TW_OK)
		refuse_source(r, n, path, &why);
	else if (tw_file_count(r, n, b.len)) {
		copy = tw_arena_copy(tw_yaml_arena(r->spec->doc),
		    tw_buf_str(&b), b.len);
		if (copy) {
			*content = copy;
			*len = b.len;
		} else {
			r->st = tw_err_nomem(r->err);
		}
	}
	tw_buf_release(&b);
}

void tw_file_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_file_spec *out)
{
	const struct tw_yaml_node *content, *source;

	if (!tw_node_mapping(n, "file", file_keys, r->ds))
		return;
	read_path(r, n, out);
	read_mode(r, n, out);
	read_owner(r, n, out);
	content = tw_node_get(n, "content");
	source = tw_node_get(n, "source");
	if (content && source)
		tw_diags_add(r->ds, source->key->line, source->key->col, NULL,
		    "file takes only one of content and source");
	if (!content && !source)
		tw_diags_add(r->ds, n->key->line, n->key->col, NULL,
		    "file needs content or source");
	if (content)
		read_content(r, content, out);
	if (source && !content)
		tw_file_read_source(r, source, &out->content, &out->len);
}
