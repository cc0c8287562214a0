/*
 * grant_scope.c - the names of permissions, and scopes in and out of text
 */
#include "model/grant_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

#define BLANKS " \t\r\n\v\f"

/* NULL-terminated, for tw_name_nearest(). */
static const char *const names[TW_PERMISSIONS + 1] = {
	[TW_MAY_VIEW] = "view",
	[TW_MAY_DEPLOY] = "deploy",
	[TW_MAY_CHANGE] = "change",
	[TW_MAY_HOST] = "host",
	[TW_MAY_AUDIT] = "audit",
	[TW_MAY_ADMIN] = "admin",
};

const char *tw_permission_name(enum tw_permission p)
{
	return names[p];
}

static bool find_permission(const char *name, enum tw_permission *out)
{
	size_t i;

	for (i = 0; i < TW_PERMISSIONS; i++)
		if (strcmp(names[i], name) == 0) {
			*out = (enum tw_permission)i;
			return true;
		}
	return false;
}

enum tw_status tw_permission_parse(const char *name, enum tw_permission *out,
    struct tw_err *err)
{
	const char *nearest;

	if (find_permission(name, out))
		return TW_OK;
	tw_err_set(err, TW_USAGE, "unknown permission '%s'", name);
	nearest = tw_name_nearest(name, names);
	if (nearest)
		tw_err_hint(err, "did you mean '%s'?", nearest);
	else
		tw_err_hint(err, "one of view, deploy, change, host, audit, "
		    "admin");
	return TW_USAGE;
}

enum tw_status tw_permission_read(const char *name, enum tw_permission *out,
    struct tw_err *err)
{
	if (find_permission(name, out))
		return TW_OK;
	return tw_err_set(err, TW_CONFIG,
	    "the state holds a grant of '%s', which is no permission", name);
}

struct tw_permission_set tw_permission_givers(enum tw_permission p)
{
	static const struct tw_permission_set view = {
		{ "view", "deploy", "change", "host" }
	};
	struct tw_permission_set one = { { names[p] } };

	return p == TW_MAY_VIEW ? view : one;
}

/* --- scopes ------------------------------------------------------------ */

static bool is_app_pattern(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("*?", s[i]) &&
		    (i == 0 || !strchr("._-", s[i])))
			return false;
	return i > 0 && i <= TW_NAME_MAX;
}

/* A scope being read: its parts as they were written. */
struct reading {
	struct tw_buf hosts, app;
	bool has_hosts, has_app, in_hosts;
};

static enum tw_status read_word(struct reading *r, const char *w,
    struct tw_err *err)
{
	bool is_app = strncmp(w, "app:", 4) == 0;
	bool is_hosts = strncmp(w, "hosts:", 6) == 0;

	if (is_app) {
		if (r->has_app)
			return tw_err_set(err, TW_USAGE,
			    "the scope names apps twice");
		r->has_app = true;
		r->in_hosts = false;
		tw_buf_adds(&r->app, w + 4);
		return TW_OK;
	}
	if (!r->in_hosts) {
		if (r->has_hosts)
			return tw_err_set(err, TW_USAGE,
			    "the scope names hosts twice");
		r->has_hosts = r->in_hosts = true;
		tw_buf_adds(&r->hosts, is_hosts ? w + 6 : w);
		return TW_OK;
	}
	if (is_hosts)
		return tw_err_set(err, TW_USAGE,
		    "the scope names hosts twice");
	tw_buf_addf(&r->hosts, " %s", w);
	return TW_OK;
}

static enum tw_status read_words(struct reading *r, const char *text,
    struct tw_err *err)
{
	enum tw_status status = TW_OK;
	size_t n;
	char *w;

	for (; status == TW_OK && *(text += strspn(text, BLANKS)); text += n) {
		n = strcspn(text, BLANKS);
		w = strndup(text, n);
		if (!w)
			return tw_err_nomem(err);
		status = read_word(r, w, err);
		free(w);
	}
	return status;
}

static enum tw_status put_app(struct reading *r, struct tw_scope *out,
    struct tw_err *err)
{
	const char *app = tw_buf_str(&r->app);

	if (out->app)
		return tw_err_set(err, TW_USAGE, "the scope names apps twice");
	if (!is_app_pattern(app))
		return tw_err_set(err, TW_USAGE,
		    "bad scope: '%s' is not a name or a pattern of apps", app);
	return tw_text_dup(app, &out->app) ? TW_OK : tw_err_nomem(err);
}

static enum tw_status put_hosts(struct reading *r, struct tw_scope *out,
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_targets *t;
	enum tw_status status;

	if (out->hosts)
		return tw_err_set(err, TW_USAGE, "the scope names hosts twice");
	status = tw_targets_parse(tw_buf_str(&r->hosts), &t, err);
	if (status == TW_USAGE) {
		tw_err_prefix(err, "bad scope");
		tw_err_hint(err, "org, hosts:TARGETS or app:PATTERN");
	}
	if (status != TW_OK)
		return status;
	tw_targets_write(t, &b);
	tw_targets_free(t);
	out->hosts = tw_buf_detach(&b);
	return out->hosts ? TW_OK : tw_err_nomem(err);
}

enum tw_status tw_scope_parse(const char *text, struct tw_scope *out,
    struct tw_err *err)
{
	struct reading r = { .has_hosts = false };
	enum tw_status status;

	if (strcmp(text, "org") == 0)
		return TW_OK;
	status = read_words(&r, text, err);
	if (status == TW_OK && (r.hosts.failed || r.app.failed))
		status = tw_err_nomem(err);
	if (status == TW_OK && r.has_app)
		status = put_app(&r, out, err);
	if (status == TW_OK && (r.has_hosts || !r.has_app))
		status = put_hosts(&r, out, err);
	tw_buf_release(&r.hosts);
	tw_buf_release(&r.app);
	return status;
}

void tw_scope_write(const struct tw_scope *s, struct tw_buf *out)
{
	if (!s->hosts && !s->app)
		tw_buf_adds(out, "org");
	if (s->hosts)
		tw_buf_addf(out, "hosts:%s", s->hosts);
	if (s->app)
		tw_buf_addf(out, "%sapp:%s", s->hosts ? " " : "", s->app);
}

enum tw_status tw_scope_copy(const struct tw_scope *from, struct tw_scope *out,
    struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT;
	enum tw_status status;

	memset(out, 0, sizeof *out);
	tw_scope_write(from, &text);
	status = text.failed ? tw_err_nomem(err) :
	    tw_scope_parse(text.data, out, err);
	tw_buf_release(&text);
	if (status != TW_OK)
		tw_scope_release(out);
	return status;
}

void tw_scope_release(struct tw_scope *s)
{
	free(s->hosts);
	free(s->app);
	memset(s, 0, sizeof *s);
}
