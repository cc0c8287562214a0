/*
 * journal.h - the stream of a host, byte by byte, into events and output
 *
 * A host's bytes are output of steps, event lines of the executor, and control
 * lines of the follower.  Event and control lines begin with a newline of
 * their own and carry the job's nonce; an event line carries the next event
 * number too, and ends with a mark:
 *
 *	\n@NONCE N T WORD ARGS .\n
 *	\n@NONCE cut BYTES .\n
 *
 * Without the mark a line that a power cut or a full disk has torn inside its
 * last word would read as a whole one ("run 12" of "run 127"), the newline of
 * the control line after it ending it.
 *
 * Whatever does not fit exactly is output: nothing a step prints can become an
 * event by accident.  An executor that takes over repeats all earlier events
 * (a power cut may have eaten the end of the stream before it): numbers
 * already seen are passed over.
 *
 * The decoder is pure: bytes in, calls out; it may be fed with any split.
 */
#ifndef TW_ENGINE_JOURNAL_H
#define TW_ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum tw_event_word {
	TW_EV_LIFE,	/* life: an executor began */
	TW_EV_START,	/* k: step k begins with its check */
	TW_EV_RUN,	/* k attempt: about to be applied */
	TW_EV_TRY,	/* k attempt state phase code: will be tried again */
	TW_EV_AWAIT,	/* k limit: is to be confirmed, or it is undone */
	TW_EV_END,	/* k state phase code */
	TW_EV_CANCEL,	/* who */
	TW_EV_UNDO,	/* k: its undo is about to run */
	TW_EV_UNDONE,	/* k state code */
	TW_EV_VERDICT	/* verdict */
};
#define TW_EV_WORDS	(TW_EV_VERDICT + 1)	/* how many */
const char *tw_event_word_name(enum tw_event_word w);

enum tw_step_state {
	TW_STEP_WAITING,
	TW_STEP_CHECKING,
	TW_STEP_RUNNING,
	TW_STEP_RETRYING,
	TW_STEP_CONFIRMING,	/* carried out, to be confirmed */
	TW_STEP_DONE,
	TW_STEP_UNCHANGED,
	TW_STEP_FAILED,
	TW_STEP_TIMED_OUT,
	TW_STEP_INTERRUPTED,
	TW_STEP_IMPOSSIBLE,	/* of an undo only */
};
const char *tw_step_state_name(enum tw_step_state s);

enum tw_verdict {
	TW_VERDICT_NONE,
	TW_VERDICT_SUCCEEDED,
	TW_VERDICT_ROLLED_BACK,
	TW_VERDICT_FAILED,
};
const char *tw_verdict_name(enum tw_verdict v);
bool tw_verdict_parse(const char *s, enum tw_verdict *out);

#define TW_EVENT_TEXT_MAX 130

struct tw_event {
	int64_t n;		/* its number */
	int64_t t;		/* centiseconds of the host's uptime */
	enum tw_event_word word;
	int64_t k;
	int64_t attempt;
	enum tw_step_state state;
	char phase[12];		/* check run verify confirm file reboot
				   prepare */
	int64_t code;
	enum tw_verdict verdict;
	int64_t life;
	int64_t epoch_s;	/* life: seconds since 1970 on the host */
	int64_t limit;		/* await: seconds */
	char text[TW_EVENT_TEXT_MAX];	/* who, or the boot id */
};

/* "N T WORD ARGS" (as in the host's record: no mark, no newline) into ev;
 * false when it does not fit exactly. */
bool tw_event_parse(const char *line, struct tw_event *ev);
/* The reverse, for tests and the model of the executor: appends "WORD ARGS". */
struct tw_buf;
void tw_event_format(const struct tw_event *ev, struct tw_buf *out);

struct tw_journal_calls {
	/* Bytes of output; never more than what was fed plus a held line. */
	void (*output)(void *arg, const char *p, size_t n);
	/* BYTES of output were dropped by the host at this place. */
	void (*cut)(void *arg, int64_t bytes);
	void (*event)(void *arg, const struct tw_event *ev);
	/* A control line: its first word and the rest ("" when none). */
	void (*control)(void *arg, const char *word, const char *rest);
};

#define TW_JOURNAL_LINE_MAX 4096	/* bytes of a line after the nonce */

struct tw_journal {
	char prefix[TW_ID_HEX + 4];	/* "\n@NONCE " */
	size_t prefix_len;
	int64_t next;		/* the number the next event must bear */
	bool in_stream;		/* bytes count and are output */
	/* Position in the host's stream up to which all was delivered: what
	 * is stored with it.  When a connection breaks just where an event
	 * line has lost nothing but its newline, it is one too high. */
	int64_t life, offset;
	const struct tw_journal_calls *calls;
	void *arg;
	/* private */
	size_t matched;		/* bytes of the prefix seen */
	bool shared;		/* its newline ended the line before, too */
	bool in_line;
	size_t line_len;
	char line[TW_JOURNAL_LINE_MAX + 1];
	bool stopped;
};

/* next: the number of the first event expected (1 for a new job). */
void tw_journal_init(struct tw_journal *j, const char *nonce, int64_t next,
    const struct tw_journal_calls *calls, void *arg);
void tw_journal_feed(struct tw_journal *j, const void *data, size_t n);
/* No further calls, even from within a feed (a caller that has seen enough). */
void tw_journal_stop(struct tw_journal *j);

#endif
