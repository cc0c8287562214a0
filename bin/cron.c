/* cron.c - what keeps a pass for cron from its work is said once; see cron.h */
#include "cron.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/store.h"

#define NOTE_MAX 2048		/* bytes: a mark, a message, a newline */
#define PLACES 2		/* where the note may be, the first best */

enum mark { MARK_SAID = '!', MARK_SEEN = '?' };

/* The name of the note in dir, where that is a directory of ours; malloc'd. */
static char *note_in(const char *dir)
{
	struct stat st;
	char *path;

	if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != geteuid())
		return NULL;
	return asprintf(&path, "%s/" TW_STATE_SAID, dir) < 0 ? NULL : path;
}

/* NULL where there is no such place. */
static void find_places(const struct tw_cli *cli, char *places[PLACES])
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char *dir = NULL;
	bool home;

	places[0] = NULL;
	if (!tw_state_dir(cli->state, &dir, &home, NULL))
		places[0] = note_in(dir);
	free(dir);
	places[1] = note_in(run && run[0] == '/' ? run : "/run/towerify");
}

static void drop_places(char *places[PLACES])
{
	size_t i;

	for (i = 0; i < PLACES; i++)
		free(places[i]);
}

/* "!" or "?", then the message.  What is busy tells for how long: that is no
 * other problem. */
static void put_note(enum mark mark, const struct tw_err *err,
    struct tw_buf *out)
{
	const char *s = err->msg;

	tw_buf_addc(out, (char)mark);
	for (; *s; s++)
		if (err->status != TW_AGAIN || !isdigit((unsigned char)*s))
			tw_buf_addc(out, *s);
	tw_buf_addc(out, '\n');
}

/* The mark of the note about that error, 0 where there is none. */
static int find_mark(const char *path, const char *note)
{
	struct tw_buf b = { .max = NOTE_MAX };
	int mark = 0;

	if (path && !tw_io_read_file(path, &b, NULL) && b.len > 0 &&
	    strcmp(tw_buf_str(&b) + 1, note + 1) == 0)
		mark = b.data[0];
	tw_buf_release(&b);
	return mark;
}

/* The note stands in one place alone: an older one elsewhere would be met when
 * the first can't be read. */
static void keep(char *places[PLACES], const char *note)
{
	bool is_kept = false;
	size_t i;

	for (i = 0; i < PLACES; i++) {
		if (!places[i])
			continue;
		if (is_kept)
			unlink(places[i]);
		else
			is_kept = tw_io_write_file(places[i], note,
			    strlen(note), 0600, NULL) == TW_OK;
	}
}

void cron_well(const struct tw_cli *cli)
{
	char *places[PLACES];
	size_t i;

	find_places(cli, places);
	for (i = 0; i < PLACES; i++)
		if (places[i])
			unlink(places[i]);
	drop_places(places);
}

static bool is_unborn(const struct tw_cli *cli)
{
	char *dir = NULL;
	bool home, is;

	is = !tw_state_dir(cli->state, &dir, &home, NULL) &&
	    tw_state_is_unborn(dir);
	free(dir);
	return is;
}

int cron_error(const struct tw_cli *cli, const struct tw_err *err)
{
	struct tw_buf note = TW_BUF_INIT;
	bool will_pass = err->status == TW_AGAIN || err->status == TW_NOMEM;
	char *places[PLACES];
	int mark = 0;
	size_t i;

	if (err->status == TW_CONFIG && is_unborn(cli))
		return tw_status_exit(TW_OK);
	find_places(cli, places);
	put_note(MARK_SAID, err, &note);
	for (i = 0; i < PLACES && !mark; i++)
		mark = find_mark(places[i], tw_buf_str(&note));
	if (mark != MARK_SAID) {
		if (will_pass && !mark && !note.failed)
			note.data[0] = MARK_SEEN;
		else
			tw_cli_error(cli, err);
		keep(places, tw_buf_str(&note));
	}
	drop_places(places);
	tw_buf_release(&note);
	return tw_status_exit(err->status);
}
