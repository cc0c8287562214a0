/* replay.c - see replay.h */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "stage.h"
#include "table.h"

#define SECTOR 512u

struct bytes {
	unsigned char *p;
	size_t n;
};

struct node {			/* a file, whatever its names */
	uint64_t ino;
	mode_t mode;
	bool is_dir;
	struct bytes safe;	/* its contents as synced */
};

struct op {
	struct fault_record h;
	char *path, *to;
	const unsigned char *data;
	size_t node;		/* that it is about */
	bool is_done;		/* synced, or part of what is */
};

struct name {
	char *path;
	size_t node;
};

struct replay {
	struct tw_buf log;
	struct op *ops;
	size_t nops, at;
	struct node *nodes;
	size_t nnodes;
	struct name *names;	/* as synced */
	size_t nnames;
	bool is_lying;
};

static void *grown(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		stage_die("no memory");
	return p;
}

/* --- contents and names ----------------------------------------------------- */

static void put(struct bytes *b, size_t at, const unsigned char *p, size_t n)
{
	if (at + n > b->n) {
		b->p = grown(b->p, at + n, 1);
		memset(b->p + b->n, 0, at + n - b->n);
		b->n = at + n;
	}
	memcpy(b->p + at, p, n);
}

static void cut(struct bytes *b, size_t n)
{
	if (n > b->n) {
		b->p = grown(b->p, n, 1);
		memset(b->p + b->n, 0, n - b->n);
	}
	b->n = n;
}

static void apply(struct bytes *b, const struct op *op)
{
	if (op->h.op == FAULT_OP_WRITE)
		put(b, (size_t)op->h.offset, op->data, op->h.len);
	else
		cut(b, (size_t)op->h.offset);
}

static bool is_data(const struct op *op)
{
	return op->h.op == FAULT_OP_WRITE || op->h.op == FAULT_OP_TRUNCATE;
}

static bool is_naming(const struct op *op)
{
	return op->h.op == FAULT_OP_CREATE || op->h.op == FAULT_OP_MKDIR ||
	    op->h.op == FAULT_OP_UNLINK || op->h.op == FAULT_OP_RENAME;
}

static size_t find_name(const struct name *names, size_t n, const char *path)
{
	size_t i;

	for (i = 0; i < n && strcmp(names[i].path, path) != 0; i++)
		;
	return i;
}

static void set_name(struct name **names, size_t *n, const char *path,
    size_t node)
{
	size_t i = find_name(*names, *n, path);

	if (i == *n) {
		*names = grown(*names, *n + 1, sizeof **names);
		(*names)[(*n)++].path = strdup(path);
	}
	(*names)[i].node = node;
}

static void drop_name(struct name *names, size_t *n, const char *path)
{
	size_t i = find_name(names, *n, path);

	if (i == *n)
		return;
	free(names[i].path);
	names[i] = names[--*n];
}

static void rename_in(struct name **names, size_t *n, const struct op *op)
{
	size_t i = find_name(*names, *n, op->path), node;

	if (i == *n)
		return;
	node = (*names)[i].node;
	drop_name(*names, n, op->path);
	set_name(names, n, op->to, node);
}

static void apply_name(struct name **names, size_t *n, const struct op *op)
{
	switch (op->h.op) {
	case FAULT_OP_CREATE:
	case FAULT_OP_MKDIR:
		set_name(names, n, op->path, op->node);
		break;
	case FAULT_OP_UNLINK:
		drop_name(*names, n, op->path);
		break;
	default:
		rename_in(names, n, op);
	}
}

/* --- the beginning ------------------------------------------------------------ */

static size_t add_node(struct replay *r, uint64_t ino, bool is_dir, mode_t mode)
{
	r->nodes = grown(r->nodes, r->nnodes + 1, sizeof *r->nodes);
	r->nodes[r->nnodes] = (struct node){ .ino = ino, .is_dir = is_dir,
		.mode = mode };
	return r->nnodes++;
}

static struct replay *reading;
static size_t base_len;

static int read_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	struct replay *r = reading;
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	size_t node;

	(void)ftw;
	if (!path[base_len])
		return 0;
	node = add_node(r, st->st_ino, flag == FTW_D, st->st_mode & 07777);
	set_name(&r->names, &r->nnames, path + base_len + 1, node);
	if (flag != FTW_D) {
		if (tw_io_read_file(path, &b, &err) != TW_OK)
			stage_die("%s", err.msg);
		put(&r->nodes[node].safe, 0, (unsigned char *)b.data, b.len);
		tw_buf_release(&b);
	}
	return 0;
}

/* An operation speaks of inodes of the live directory; base has others: those
 * that were there are known by the name they had at first. */
static size_t node_of(struct replay *r, struct name *live, size_t nlive,
    const struct op *op)
{
	size_t i;

	for (i = r->nnodes; i > 0; i--)
		if (r->nodes[i - 1].ino == op->h.ino)
			return i - 1;
	i = find_name(live, nlive, op->path);
	if (i == nlive)
		stage_die("the record names %s, which is not there",
		    op->path);
	r->nodes[live[i].node].ino = op->h.ino;
	return live[i].node;
}

static char *text(const char *p, size_t n)
{
	return strndup(p, n);
}

static void parse(struct replay *r)
{
	const char *at = r->log.data, *end = at + r->log.len;
	struct op *op;

	while (at < end) {
		r->ops = grown(r->ops, r->nops + 1, sizeof *r->ops);
		op = &r->ops[r->nops++];
		memset(op, 0, sizeof *op);
		memcpy(&op->h, at, sizeof op->h);
		at += sizeof op->h;
		op->path = text(at, op->h.path_len);
		at += op->h.path_len;
		op->to = text(at, op->h.to_len);
		at += op->h.to_len;
		op->data = (const unsigned char *)at;
		at += op->h.len;
	}
}

/* Which file each operation is about, by following the names. */
static void resolve(struct replay *r)
{
	struct name *live = NULL;
	size_t nlive = 0, i;

	for (i = 0; i < r->nnames; i++) {
		/* numbers of base's own inodes mean nothing */
		r->nodes[r->names[i].node].ino = 0;
		set_name(&live, &nlive, r->names[i].path, r->names[i].node);
	}
	for (i = 0; i < r->nops; i++) {
		struct op *op = &r->ops[i];

		if (op->h.op == FAULT_OP_CREATE)
			op->node = add_node(r, op->h.ino, false, 0600);
		else if (op->h.op == FAULT_OP_MKDIR)
			op->node = add_node(r, 0, true, 0700);
		else if (is_data(op) || (op->h.op == FAULT_OP_SYNC &&
		    !op->h.is_dir))
			op->node = node_of(r, live, nlive, op);
		if (is_naming(op))
			apply_name(&live, &nlive, op);
	}
	for (i = 0; i < nlive; i++)
		free(live[i].path);
	free(live);
}

struct replay *replay_open(const char *log, const char *base, bool is_lying)
{
	struct replay *r = calloc(1, sizeof *r);
	struct tw_err err;

	if (!r)
		stage_die("no memory");
	r->is_lying = is_lying;
	if (tw_io_read_file(log, &r->log, &err) != TW_OK)
		stage_die("%s", err.msg);
	reading = r;
	base_len = strlen(base);
	if (nftw(base, read_one, 16, FTW_PHYS) < 0)
		stage_die("%s", base);
	parse(r);
	resolve(r);
	return r;
}

void replay_free(struct replay *r)
{
	size_t i;

	for (i = 0; i < r->nops; i++) {
		free(r->ops[i].path);
		free(r->ops[i].to);
	}
	for (i = 0; i < r->nnodes; i++)
		free(r->nodes[i].safe.p);
	for (i = 0; i < r->nnames; i++)
		free(r->names[i].path);
	free(r->ops);
	free(r->nodes);
	free(r->names);
	tw_buf_release(&r->log);
	free(r);
}

size_t replay_size(const struct replay *r)
{
	return r->nops;
}

/* --- going on -------------------------------------------------------------------- */

static void sync_file(struct replay *r, size_t node)
{
	size_t i;

	for (i = 0; i < r->at; i++) {
		struct op *op = &r->ops[i];

		if (op->is_done || !is_data(op) || op->node != node)
			continue;
		apply(&r->nodes[node].safe, op);
		op->is_done = true;
	}
}

static bool is_in(const char *path, const char *dir)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (strcmp(dir, ".") == 0)
		return !slash;
	return strlen(dir) == n && strncmp(path, dir, n) == 0;
}

static void sync_dir(struct replay *r, const char *dir)
{
	size_t i;

	for (i = 0; i < r->at; i++) {
		struct op *op = &r->ops[i];

		if (op->is_done || !is_naming(op) || !is_in(op->path, dir))
			continue;
		apply_name(&r->names, &r->nnames, op);
		op->is_done = true;
	}
}

void replay_to(struct replay *r, size_t n)
{
	while (r->at < n) {
		struct op *op = &r->ops[r->at++];

		if (op->h.op != FAULT_OP_SYNC || r->is_lying)
			continue;
		if (op->h.is_dir)
			sync_dir(r, op->path);
		else
			sync_file(r, op->node);
	}
}

size_t replay_pending(const struct replay *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->at; i++)
		n += is_data(&r->ops[i]) && !r->ops[i].is_done;
	return n;
}

/* --- an image ----------------------------------------------------------------------- */

static void torn(struct bytes *b, const struct op *op, unsigned long *seed)
{
	size_t from = (size_t)op->h.offset, end = from + op->h.len, next;

	for (; from < end; from = next) {
		next = (from / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (table_random(seed) % 2)
			put(b, from, op->data + (from - op->h.offset),
			    next - from);
	}
}

static bool is_kept(enum replay_keep keep, size_t k, unsigned long i,
    unsigned long *seed)
{
	switch (keep) {
	case REPLAY_NONE:
	case REPLAY_NAMES:
		return false;
	case REPLAY_ALL:
	case REPLAY_DATA:
		return true;
	case REPLAY_ONE:
		return k == i;
	case REPLAY_BUT_ONE:
		return k != i;
	case REPLAY_RANDOM:
		return table_random(seed) % 2;
	}
	return false;
}

/* Every file's contents: malloc'd, as many as there are nodes. */
static struct bytes *contents(struct replay *r, enum replay_keep keep,
    unsigned long i, unsigned long *seed)
{
	struct bytes *all = grown(NULL, r->nnodes + 1, sizeof *all);
	size_t k, n = 0;

	for (k = 0; k < r->nnodes; k++) {
		all[k] = (struct bytes){ NULL, 0 };
		put(&all[k], 0, r->nodes[k].safe.p, r->nodes[k].safe.n);
	}
	for (k = 0; k < r->at; k++) {
		struct op *op = &r->ops[k];

		if (op->is_done || !is_data(op))
			continue;
		if (!is_kept(keep, n++, i, seed))
			continue;
		if (keep == REPLAY_RANDOM && op->h.op == FAULT_OP_WRITE &&
		    table_random(seed) % 4 == 0)
			torn(&all[op->node], op, seed);
		else
			apply(&all[op->node], op);
	}
	return all;
}

static struct name *names_of(struct replay *r, enum replay_keep keep,
    unsigned long *seed, size_t *n)
{
	struct name *names = NULL;
	size_t k, left = 0;

	*n = 0;
	for (k = 0; k < r->nnames; k++)
		set_name(&names, n, r->names[k].path, r->names[k].node);
	for (k = 0; k < r->at; k++)
		left += is_naming(&r->ops[k]) && !r->ops[k].is_done;
	if (keep == REPLAY_NONE || keep == REPLAY_DATA)
		left = 0;
	else if (keep == REPLAY_RANDOM)
		left = table_random(seed) % (left + 1);
	for (k = 0; k < r->at && left; k++)
		if (is_naming(&r->ops[k]) && !r->ops[k].is_done) {
			apply_name(&names, n, &r->ops[k]);
			left--;
		}
	return names;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path,
	    ((const struct name *)b)->path);
}

/* FNV-1a. */
static uint64_t mixed(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *at = p;

	while (n-- > 0)
		sum = (sum ^ *at++) * 0x100000001b3u;
	return sum;
}

static void write_one(const char *dir, const struct name *name,
    const struct node *node, const struct bytes *b)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/%s", dir, name->path) < 0)
		stage_die("no memory");
	if (node->is_dir) {
		if (mkdir(path, 0700) < 0)
			stage_die("%s", path);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    node->mode);
		/* its directory may be what was lost */
		if (fd < 0 && errno != ENOENT)
			stage_die("%s", path);
		if (fd >= 0 && (tw_io_write_all(fd, b->p, b->n) != 0 ||
		    close(fd) < 0))
			stage_die("%s", path);
	}
	free(path);
}

uint64_t replay_image(struct replay *r, enum replay_keep keep,
    unsigned long i, const char *dir)
{
	unsigned long seed = i;
	struct bytes *all = contents(r, keep, i, &seed);
	uint64_t sum = 0xcbf29ce484222325u;
	struct name *names;
	size_t n, k;

	names = names_of(r, keep, &seed, &n);
	if (n)
		qsort(names, n, sizeof *names, by_path);
	if (dir)
		stage_empty(dir);
	for (k = 0; k < n; k++) {
		struct bytes *b = &all[names[k].node];

		sum = mixed(sum, names[k].path, strlen(names[k].path) + 1);
		sum = mixed(sum, b->p, b->n);
		if (dir)
			write_one(dir, &names[k], &r->nodes[names[k].node], b);
		free(names[k].path);
	}
	free(names);
	for (k = 0; k < r->nnodes; k++)
		free(all[k].p);
	free(all);
	return sum;
}
