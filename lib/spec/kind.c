/*
 * kind.c - step kinds; see kind.h
 *
 * The header of a kind is YAML behind "#: ".  It is read in its place: all
 * other lines are made empty and the marks blanks, so that positions are those
 * of the file.
 */
#include "spec/kind.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/name.h"
#include "spec/arena.h"
#include "spec/node.h"
#include "spec/shell.h"
#include "spec/source.h"
#include "spec/yaml.h"

#define NAMES_MAX 1000		/* kinds that a set knows */
#define DIRS_MAX 32

struct loaded {
	struct tw_kind kind;
	struct tw_yaml_doc *doc;	/* owned, or NULL */
	struct tw_buf text;
	struct tw_buf whole;		/* with a library before it, or empty */
	const char *path;
	bool is_good;
	struct loaded *next;
};

struct tw_kinds {
	struct tw_arena arena;		/* names and paths */
	const char *names[NAMES_MAX + 1];
	const char *paths[NAMES_MAX + 1];	/* in the order of names */
	size_t n;
	const char *dirs[DIRS_MAX + 1];	/* where libraries are looked for */
	size_t ndirs;
	struct tw_buf where;
	struct loaded *loaded;		/* owned */
};

static const char *const keys[] = {
	"towerify-kind", "uses", "args", "one_of", "templates", "facts", "fetch",
	"undo", NULL
};

/* --- the set -------------------------------------------------------------- */

/* Its place among the names, which are sorted: messages list them. */
static size_t find_place(const struct tw_kinds *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->names[i], name) < 0)
		i++;
	return i;
}

/* As a parameter's, and with hyphens within. */
static bool is_kind_name(const char *s)
{
	char plain[TW_NAME_MAX + 1];
	size_t i, n = strlen(s);

	if (n > TW_NAME_MAX || s[n ? n - 1 : 0] == '-')
		return false;
	for (i = 0; i <= n; i++)
		plain[i] = s[i] == '-' && i ? '_' : s[i];
	return tw_name_param_ok(plain);
}

static enum tw_status add_name(struct tw_kinds *s, const char *dir,
    const char *name, struct tw_err *err)
{
	struct tw_buf path = TW_BUF_INIT;
	const char *own, *own_path;
	size_t i;

	if (!is_kind_name(name) || tw_kind_lists(s->names, name) ||
	    s->n == NAMES_MAX)
		return TW_OK;
	tw_buf_addf(&path, "%s/%s", dir, name);
	own = tw_arena_copy(&s->arena, name, strlen(name));
	own_path = path.failed ? NULL :
	    tw_arena_copy(&s->arena, path.data, path.len);
	tw_buf_release(&path);
	if (!own || !own_path)
		return tw_err_nomem(err);
	i = find_place(s, name);
	memmove(&s->names[i + 1], &s->names[i],
	    (s->n - i) * sizeof s->names[0]);
	memmove(&s->paths[i + 1], &s->paths[i],
	    (s->n - i) * sizeof s->paths[0]);
	s->names[i] = own;
	s->paths[i] = own_path;
	s->n++;
	return TW_OK;
}

static enum tw_status add_dir(struct tw_kinds *s, const char *dir,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	struct dirent *e;
	DIR *d;

	tw_buf_addf(&s->where, "%s%s", s->where.len ? ", " : "", dir);
	if (s->ndirs < DIRS_MAX) {
		s->dirs[s->ndirs] = tw_arena_copy(&s->arena, dir, strlen(dir));
		if (!s->dirs[s->ndirs++])
			return tw_err_nomem(err);
	}
	d = opendir(dir);
	if (!d)
		return errno == ENOMEM ? tw_err_nomem(err) : TW_OK;
	while (st == TW_OK && (e = readdir(d)))
		if (e->d_type != DT_DIR)
			st = add_name(s, dir, e->d_name, err);
	closedir(d);
	return st;
}

enum tw_status tw_kinds_new(const char *const *dirs, struct tw_kinds **out,
    struct tw_err *err)
{
	struct tw_kinds *s = calloc(1, sizeof *s);
	enum tw_status st = TW_OK;

	*out = NULL;
	if (!s)
		return tw_err_nomem(err);
	for (; *dirs && st == TW_OK; dirs++)
		st = add_dir(s, *dirs, err);
	if (st == TW_OK)
		st = tw_buf_check(&s->where, err);
	if (st == TW_OK)
		*out = s;
	else
		tw_kinds_free(s);
	return st;
}

static void loaded_free(struct loaded *l)
{
	tw_params_release(&l->kind.args);
	tw_yaml_free(l->doc);
	tw_buf_release(&l->text);
	tw_buf_release(&l->whole);
	free(l);
}

void tw_kinds_free(struct tw_kinds *s)
{
	struct loaded *l, *next;

	if (!s)
		return;
	for (l = s->loaded; l; l = next) {
		next = l->next;
		loaded_free(l);
	}
	tw_arena_release(&s->arena);
	tw_buf_release(&s->where);
	free(s);
}

const char *const *tw_kinds_names(const struct tw_kinds *s)
{
	return s->names;
}

const char *tw_kinds_where(const struct tw_kinds *s)
{
	return tw_buf_str(&s->where);
}

bool tw_kind_lists(const char *const *words, const char *name)
{
	for (; words && *words; words++)
		if (strcmp(*words, name) == 0)
			return true;
	return false;
}

/* --- one kind ------------------------------------------------------------- */

/* "# NAME - what it is for" */
static void check_title(const struct loaded *l, struct tw_diags *ds)
{
	const char *text = tw_buf_str(&l->text);
	size_t n = strlen(l->kind.name);

	if (strncmp(text, "# ", 2) == 0 &&
	    strncmp(text + 2, l->kind.name, n) == 0 &&
	    strncmp(text + 2 + n, " - ", 3) == 0 && text[n + 5] != '\n')
		return;
	tw_diags_add(ds, 1, 1, NULL,
	    "a kind begins with `# %s - ` and what it is for", l->kind.name);
}

/* The header in its place.  False when there is none. */
static bool take_header(const struct tw_source *src, struct tw_buf *out,
    struct tw_diags *ds)
{
	const char *line;
	bool found = false;
	size_t i, len;

	for (i = 1; i <= src->nlines; i++) {
		line = tw_source_line(src, i, &len);
		if (len == 0 || line[0] != '#')
			break;
		if (len >= 3 && memcmp(line, "#: ", 3) == 0) {
			found = true;
			tw_buf_adds(out, "   ");
			tw_buf_add(out, line + 3, len - 3);
			continue;
		}
		if (len >= 2 && line[1] == ':' && line[2] != '\n')
			tw_diags_add(ds, i, 1, N_("write `#: ` and the text"),
			    "a line of the header needs a blank after `#:`");
		tw_buf_addc(out, '\n');
	}
	if (!found)
		tw_diags_add(ds, 1, 1, N_("write it below the first line, each "
		    "line of it behind `#: `"), "the header is missing");
	return found;
}

static void read_version(const struct tw_yaml_node *root, struct tw_diags *ds)
{
	const struct tw_yaml_node *n = tw_node_get(root, "towerify-kind");
	struct tw_quote q;
	int64_t v;

	if (!n)
		tw_diags_add(ds, root->line, root->col,
		    N_("begin the header with `towerify-kind: 1`"),
		    "the version is missing");
	else if (tw_node_int(n, "towerify-kind", 0, INT64_MAX, &v, ds) &&
	    v != 1)
		tw_diags_add(ds, n->line, n->col,
		    N_("this version reads `towerify-kind: 1`"),
		    "version %s of the kind file is not known here",
		    tw_quote(&q, n->text, n->len));
}

/* A list of words, each of which is an argument where args is not NULL. */
static enum tw_status read_words(struct loaded *l,
    const struct tw_yaml_node *root, const char *key,
    const struct tw_params *args, const char *const **out,
    struct tw_diags *ds, struct tw_err *err)
{
	const struct tw_yaml_node *n = tw_node_get(root, key), *item;
	const char **v;
	struct tw_quote q;
	size_t i = 0, k;

	if (!n || !tw_node_sequence(n, key, ds))
		return TW_OK;
	v = tw_arena_alloc(tw_yaml_arena(l->doc), (n->count + 1) * sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	for (item = n->first; item; item = item->next) {
		if (!tw_node_text(item, key, &v[i], ds))
			continue;
		for (k = 0; args && k < args->n; k++)
			if (strcmp(args->v[k].name, v[i]) == 0)
				break;
		if (args ? k == args->n : !tw_name_param_ok(v[i]))
			tw_diags_add(ds, item->line, item->col, NULL,
			    args ? N_("%s: there is no argument %s") :
			    N_("%s: %s is no name"), key,
			    tw_quote(&q, v[i], item->len));
		i++;
	}
	v[i] = NULL;
	*out = v;
	return TW_OK;
}

static void read_undo(struct loaded *l, const struct tw_yaml_node *root,
    struct tw_diags *ds)
{
	static const char *const words[] = {
		"auto", "nothing", "impossible", NULL
	};
	static const enum tw_undo undos[] = {
		TW_UNDO_AUTO, TW_UNDO_NOTHING, TW_UNDO_IMPOSSIBLE
	};
	const struct tw_yaml_node *n = tw_node_get(root, "undo");
	size_t i;

	if (!n)
		tw_diags_add(ds, root->line, root->col,
		    N_("write `undo: auto`, nothing or impossible"),
		    "undo is missing");
	else if (tw_node_enum(n, "undo", words, &i, ds))
		l->kind.undo = undos[i];
}

/* Both in text that is known when the change is filed. */
static void check_fetch(const struct loaded *l,
    const struct tw_yaml_node *root, struct tw_diags *ds)
{
	const struct tw_yaml_node *n = tw_node_get(root, "fetch");
	const struct tw_kind *k = &l->kind;
	size_t i;

	if (!k->fetch)
		return;
	if (!k->fetch[0] || !k->fetch[1] || k->fetch[2])
		tw_diags_add(ds, n->line, n->col, NULL, "fetch names two "
		    "arguments: one with the address, one with the SHA-256");
	for (i = 0; i < k->args.n; i++) {
		if (tw_kind_lists(k->fetch, k->args.v[i].name) &&
		    k->args.v[i].type != TW_PARAM_STRING)
			tw_diags_add(ds, n->line, n->col, NULL, "fetch: '%s' "
			    "is not of type string", k->args.v[i].name);
		if (strcmp(k->args.v[i].name, TW_KIND_FETCHED) == 0)
			tw_diags_add(ds, n->line, n->col, NULL, "the argument "
			    "'%s' stands for what is fetched",
			    TW_KIND_FETCHED);
	}
}

/* The file of a library, in the first directory that has it; path is empty
 * where none has. */
static enum tw_status find_library(const struct tw_kinds *s, const char *name,
    struct tw_buf *path, struct tw_err *err)
{
	size_t i;

	for (i = 0; i < s->ndirs && tw_name_param_ok(name); i++) {
		tw_buf_addf(path, "%s/lib/%s", s->dirs[i], name);
		if (path->failed || access(path->data, F_OK) == 0)
			break;
		tw_buf_reset(path);
	}
	return tw_buf_check(path, err);
}

/* What is sent is the library and then the kind. */
static enum tw_status put_before(struct loaded *l, const char *path,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_err *err)
{
	struct tw_shell_text t = { 0 };
	enum tw_status st;

	st = tw_io_read_file(path, &l->whole, err);
	if (st != TW_OK)
		return st;
	t.text = tw_buf_str(&l->whole);
	st = tw_shell_check(&t, 1, err);
	if (t.line)
		tw_diags_add(ds, n->line, n->col, NULL, "%s:%zu: %s", path,
		    t.line, t.why);
	tw_buf_addc(&l->whole, '\n');
	tw_buf_add(&l->whole, l->text.data, l->text.len);
	if (st == TW_OK)
		st = tw_buf_check(&l->whole, err);
	l->kind.text = l->whole.data;
	return st;
}

static enum tw_status read_uses(const struct tw_kinds *s, struct loaded *l,
    const struct tw_yaml_node *root, struct tw_diags *ds, struct tw_err *err)
{
	const struct tw_yaml_node *n = tw_node_get(root, "uses");
	struct tw_buf path = TW_BUF_INIT;
	enum tw_status st;
	struct tw_quote q;
	const char *name;

	if (!n || !tw_node_text(n, "uses", &name, ds))
		return TW_OK;
	st = find_library(s, name, &path, err);
	if (st == TW_OK && path.len)
		st = put_before(l, path.data, n, ds, err);
	else if (st == TW_OK)
		tw_diags_add(ds, n->line, n->col, N_("it is lib/NAME in a "
		    "directory of kinds"), "there is no library %s",
		    tw_quote(&q, name, n->len));
	tw_buf_release(&path);
	return st;
}

static enum tw_status read_header(const struct tw_kinds *s, struct loaded *l,
    struct tw_diags *ds, struct tw_err *err)
{
	const struct tw_yaml_node *root = tw_yaml_root(l->doc), *n;
	struct tw_kind *k = &l->kind;
	enum tw_status st;

	if (!tw_node_mapping(root, W_("the header"), keys, ds))
		return TW_OK;
	read_version(root, ds);
	read_undo(l, root, ds);
	st = read_uses(s, l, root, ds, err);
	n = tw_node_get(root, "args");
	if (n && st == TW_OK)
		st = tw_args_read(l->doc, n, ds, &k->args, err);
	if (st == TW_OK)
		st = read_words(l, root, "one_of", &k->args, &k->one_of, ds,
		    err);
	if (st == TW_OK)
		st = read_words(l, root, "templates", &k->args, &k->templates,
		    ds, err);
	if (st == TW_OK)
		st = read_words(l, root, "facts", NULL, &k->facts, ds, err);
	if (st == TW_OK)
		st = read_words(l, root, "fetch", &k->args, &k->fetch, ds,
		    err);
	if (st == TW_OK)
		check_fetch(l, root, ds);
	return st;
}

/* A function that begins a line. */
static bool has_function(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *p;

	for (p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, n) == 0 && strncmp(p + n, "()", 2) == 0)
			return true;
	}
	return false;
}

static enum tw_status check_body(const struct loaded *l, struct tw_diags *ds,
    struct tw_err *err)
{
	static const char *const needed[] = { "check", "run", "undo" };
	struct tw_shell_text t = { .text = tw_buf_str(&l->text) };
	bool wants = l->kind.undo == TW_UNDO_AUTO;
	enum tw_status st;
	size_t i;

	for (i = 0; i < 2 + (size_t)wants; i++)
		if (!has_function(t.text, needed[i]))
			tw_diags_add(ds, 1, 1, NULL, "there is no function %s: "
			    "no line begins with `%s()`", needed[i],
			    needed[i]);
	st = tw_shell_check(&t, 1, err);
	if (st == TW_OK && t.line)
		tw_diags_add(ds, t.line, 1, NULL, "%s", t.why);
	return st;
}

static enum tw_status parse(const struct tw_kinds *s, struct loaded *l,
    struct tw_diags *ds, struct tw_err *err)
{
	struct tw_buf header = TW_BUF_INIT;
	struct tw_source src;
	enum tw_status st = TW_OK;

	if (!tw_source_init(&src, l->text.data, l->text.len, TW_KIND_MAX, ds))
		return ds->failed ? tw_err_nomem(err) : TW_OK;
	check_title(l, ds);
	if (take_header(&src, &header, ds)) {
		st = tw_buf_check(&header, err);
		if (st == TW_OK)
			st = tw_yaml_parse(header.data, header.len, NULL, ds,
			    &l->doc, err);
		if (st == TW_OK)
			st = read_header(s, l, ds, err);
		if (st == TW_DATA)
			st = TW_OK;
	}
	if (st == TW_OK)
		st = check_body(l, ds, err);
	tw_source_release(&src);
	tw_buf_release(&header);
	return st;
}

static enum tw_status load(struct tw_kinds *s, size_t i, struct tw_diags *ds,
    struct tw_err *err)
{
	const char *file = ds->file;
	size_t before = ds->n + ds->more;
	struct loaded *l = calloc(1, sizeof *l);
	enum tw_status st;

	if (!l)
		return tw_err_nomem(err);
	l->next = s->loaded;
	s->loaded = l;
	l->path = s->paths[i];
	l->kind.name = s->names[i];
	l->text.max = TW_KIND_MAX;
	l->whole.max = TW_KIND_MAX;
	st = tw_io_read_file(l->path, &l->text, err);
	if (st == TW_OK && (l->text.len == 0 ||
	    l->text.data[l->text.len - 1] != '\n'))
		tw_buf_addc(&l->text, '\n');
	if (st == TW_OK)
		st = tw_buf_check(&l->text, err);
	if (st != TW_OK)
		return st;
	l->kind.text = l->text.data;
	ds->file = l->path;
	st = parse(s, l, ds, err);
	ds->file = file;
	l->is_good = st == TW_OK && ds->n + ds->more == before;
	return st;
}

enum tw_status tw_kinds_find(struct tw_kinds *s, const char *name,
    struct tw_diags *ds, const struct tw_kind **out, struct tw_err *err)
{
	const struct loaded *l;
	enum tw_status st;
	size_t i;

	*out = NULL;
	for (i = 0; i < s->n; i++)
		if (strcmp(s->names[i], name) == 0)
			break;
	if (i == s->n)
		return TW_OK;
	for (l = s->loaded; l; l = l->next)
		if (l->kind.name == s->names[i])
			break;
	if (!l) {
		st = load(s, i, ds, err);
		if (st != TW_OK)
			return st;
		l = s->loaded;
	}
	if (l->is_good)
		*out = &l->kind;
	return TW_OK;
}
