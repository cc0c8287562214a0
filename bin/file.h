/*
 * file.h - a change file of the command line: read, checked, compiled
 */
#ifndef TW_BIN_FILE_H
#define TW_BIN_FILE_H

#include "base/buf.h"
#include "cli.h"
#include "model/change.h"
#include "spec/change_spec.h"
#include "spec/param.h"

struct fetch_for;

struct change_file {		/* release with change_file_release() */
	struct tw_buf source;	/* the file's text */
	struct tw_buf program, blob, describe, without_undo;
	char *title;
	char *params;		/* the values, a JSON object */
	struct tw_secret *secrets;	/* those that were given: not in params
				   nor anywhere else; wiped */
	size_t nsecrets;
	struct tw_step *steps;	/* for struct tw_filing; strings owned */
	size_t nsteps, nwithout;
	long room;
	struct tw_successor successor;
	struct tw_change_spec *spec;	/* of a file that was parsed, or NULL */
	struct tw_kinds *kinds;		/* that it stands on */
};

/* Reads path ("-": standard input, which -p K@- may share), checks it and the -p
 * options of the command line, and downloads for the hosts in to what its steps
 * want (NULL: nothing, the program is not to be sent).  On TW_DATA and TW_USAGE
 * every problem was printed already, and err is empty, unless a download
 * failed. */
enum tw_status change_file_read(struct tw_cli *cli, const char *path,
    const struct fetch_for *to, struct change_file *out, struct tw_err *err);
/* The same of a file of the tower's own, which a gate does not keep from
 * anybody.  base: values that are not the command line's to give. */
enum tw_status change_file_own(struct tw_cli *cli, const char *path,
    const struct tw_param_given *base, size_t nbase, struct change_file *out,
    struct tw_err *err);
/* The same from the text of an earlier change; base: its values, which -p
 * overrules.  Source files can't be read again. */
enum tw_status change_file_again(struct tw_cli *cli, const char *name,
    const struct tw_buf *source, const struct tw_param_given *base,
    size_t nbase, const struct fetch_for *to, struct change_file *out,
    struct tw_err *err);
/* Where *out is an earlier change's as it was sent: the secrets it needs again,
 * from the command line, checked against the file's text, go into it. */
enum tw_status change_file_secrets(struct tw_cli *cli, const char *name,
    const struct tw_param_given *base, size_t nbase, struct change_file *out,
    struct tw_err *err);
/* Of a change that was read already (an app's), which the caller may file;
 * source stays as it is. */
struct given;
enum tw_status change_file_of(struct tw_cli *cli,
    struct tw_change_spec *spec, const struct given *given,
    struct change_file *out, struct tw_err *err);
/* What of it is filed: pointers into file, for as long as that lives. */
void change_file_filing(const struct change_file *file, struct tw_filing *f);
/* Which steps have no undo and what login comes after, on stderr. */
void change_file_say(struct tw_cli *cli, const struct change_file *file);
/* Whether every host has what is required; all that is missing is said, and err
 * is empty then.  TW_NO: it has not. */
enum tw_status requires_say(struct tw_cli *cli, const struct tw_requires *r,
    const struct tw_host *h, struct tw_err *err);
enum tw_status change_file_requires(struct tw_cli *cli,
    const struct change_file *file, const struct tw_host *hosts, size_t n,
    struct tw_err *err);
/* The problems of a file on stderr as they are, with their positions; those of
 * the command line as any other message.  err is empty then. */
void change_file_problems(const struct tw_cli *cli,
    const struct tw_diags *ds, struct tw_err *err);
void change_file_release(struct change_file *f);	/* wipes the secrets */

#endif
