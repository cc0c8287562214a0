/*
 * cli.h - the command line that the tools share (cli.md)
 *
 * A tool is a table of verbs; a verb names its options, arguments and columns
 * and has one function.  Parsing, help, completion, common options and the end
 * of standard output follow from the table:
 *
 *	int main(int argc, char **argv)
 *	{
 *		return tw_cli_main(argc, argv, &tool);
 *	}
 *
 * Formats, helps, summaries and headings are looked up in the reader's language
 * (base/text.h) where they are said; tables mark theirs with N_("…").
 *
 * stdout is data, stderr is talk.  Everything said on stderr is escaped, so a
 * message may hold bytes from anywhere.
 */
#ifndef TW_BIN_CLI_H
#define TW_BIN_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "out/progress.h"
#include "out/table.h"

struct tw_cli;

enum tw_cli_needs {		/* of a verb, for the state */
	TW_NEEDS_NONE,
	TW_NEEDS_READ,
	TW_NEEDS_WRITE,
	TW_NEEDS_CREATE,	/* made where it is absent */
};

struct tw_option {		/* arrays end with a NULL name */
	const char *name;	/* long, without the dashes */
	char letter;		/* short, or 0 */
	const char *arg;	/* "DIR"; "[DURATION]": optional, as
				 * --name=DURATION only; NULL: a flag */
	const char *help;	/* one line, no full stop */
	bool is_repeatable;
};

struct tw_verb {
	const char *name;	/* "add", "org add"; NULL: the only verb of a
				 * tool that has no verbs */
	/* Arguments alone in argv, NULL-ended; returns a status or what
	 * tw_cli_error() returned. */
	int (*run)(struct tw_cli *cli, int argc, char **argv);
	const struct tw_option *options;	/* or NULL */
	const char *args;	/* "TARGETS FILE", or NULL */
	int min_args, max_args;	/* max -1: any number */
	enum tw_cli_needs needs;
	const char *summary;	/* one line, no full stop */
	const struct tw_column *columns;	/* or NULL: no list */
};

struct tw_tool {
	const char *name;	/* "towerify-queue" */
	const char *summary;
	const struct tw_verb *verbs;
	size_t nverbs;
	/* Opens what the verb needs into cli->context; not called for
	 * TW_NEEDS_NONE.  close_state is called once open_state was. */
	enum tw_status (*open_state)(struct tw_cli *cli,
	    enum tw_cli_needs needs, struct tw_err *err);
	void (*close_state)(struct tw_cli *cli);
};

enum tw_cli_color { TW_COLOR_AUTO, TW_COLOR_ALWAYS, TW_COLOR_NEVER };

struct tw_cli_value;

struct tw_cli {
	const struct tw_tool *tool;
	const struct tw_verb *verb;
	const char *state;	/* --state, TOWERIFY_STATE or NULL */
	const char *org;	/* --org, TOWERIFY_ORG or NULL */
	bool is_quiet, is_verbose;
	enum tw_cli_color color;
	struct tw_table_options table;	/* a verb adds .noun */
	void *context;		/* the tool's own */
	struct tw_cli_value *values;	/* cli_parse.c */
	size_t nvalues;
};

/* The whole tool: parses, opens the state, runs the verb, closes standard
 * output; the exit status.  Ends as by SIGPIPE when stdout's reader left. */
int tw_cli_main(int argc, char **argv, const struct tw_tool *tool);

/* The version of the whole package. */
const char *tw_cli_version(void);

/* Takes the language of the environment; tw_cli_main() does it. */
void tw_cli_language(void);

/* --- what was on the command line (names without dashes) -------------- */

/* The option's argument; NULL when not given, "" for a flag or an optional
 * argument left out.  Of several the last. */
const char *tw_cli_opt(const struct tw_cli *cli, const char *name);
bool tw_cli_flag(const struct tw_cli *cli, const char *name);
/* The i-th argument of a repeatable option, NULL past the last. */
const char *tw_cli_opt_each(const struct tw_cli *cli, const char *name,
    size_t i);

/* --- talk -------------------------------------------------------------- */

/* A line on stderr, unless -q. */
void tw_cli_say(const struct tw_cli *cli, const char *fmt, ...)
    TW_PRINTF(2, 3);
/* The same of a text with a number in it: one for n = 1, many else. */
void tw_cli_say_n(const struct tw_cli *cli, unsigned long n,
    const char *one, const char *many, ...) TW_PRINTF(3, 5)
    TW_PRINTF(4, 5);
/* "TOOL: …" on stderr, also with -q. */
void tw_cli_warn(const struct tw_cli *cli, const char *fmt, ...)
    TW_PRINTF(2, 3);
/* Prints "TOOL: MESSAGE" and the hint; returns the exit status. */
int tw_cli_error(const struct tw_cli *cli, const struct tw_err *err);
/* The same for a wrong command line: returns 2. */
int tw_cli_usage(const struct tw_cli *cli, const char *fmt, ...)
    TW_PRINTF(2, 3);

/* Asks on the terminal, never on stdin; the question is looked up already.
 * TW_OK: yes; TW_NO: "not confirmed"; TW_USAGE: there is no terminal to ask
 * on. */
enum tw_status tw_cli_confirm(const struct tw_cli *cli, const char *question,
    struct tw_err *err);

/* --- in and out --------------------------------------------------------- */

/* Appends TARGETS, names or ids: arg itself, or with "-" what stdin holds (a
 * NUL separates as a newline does). */
enum tw_status tw_cli_targets_text(const struct tw_cli *cli, const char *arg,
    struct tw_buf *b, struct tw_err *err);
/* Flushes stdout in the midst of a stream; false when nobody reads it any
 * more: the verb returns then. */
bool tw_cli_flush(const struct tw_cli *cli);
/* May colours go to f? */
bool tw_cli_has_color(const struct tw_cli *cli, FILE *f);
/* How progress is shown, on stderr. */
void tw_cli_progress_options(const struct tw_cli *cli,
    struct tw_progress_options *out);

#endif
