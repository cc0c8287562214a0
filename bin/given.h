/*
 * given.h - the -p options of the command line, and who gets which part of
 *           standard input
 *
 * Where standard input has several users (FILE is "-" or several -p K@-), each
 * K@- takes one line, in the order given, and FILE the rest; a K@- alone takes
 * all of it.
 */
#ifndef TW_BIN_GIVEN_H
#define TW_BIN_GIVEN_H

#include "cli.h"
#include "spec/param.h"

struct given {			/* release with given_release() */
	struct tw_param_given *v;
	size_t n;
	/* private */
	struct tw_buf *values;	/* of K@FILE */
	struct tw_buf input;	/* all of standard input, where it is shared */
	size_t at;
};

/* Does a -p take anything of standard input? */
bool given_wants_stdin(const struct tw_cli *cli);

/* Reads them all.  base: "K=V" of an earlier filing, overruled by the command
 * line, which must outlive *out; or NULL.  Once a value was read from a file
 * the process leaves no core file.  TW_DATA, TW_USAGE, TW_DENIED behind a
 * gate; no message holds a value that was read. */
enum tw_status given_read(const struct tw_cli *cli, bool is_file_stdin,
    const struct tw_param_given *base, size_t nbase, struct given *out,
    struct tw_err *err);
/* FILE "-": what of standard input is left for it. */
enum tw_status given_rest(struct given *g, struct tw_buf *out,
    struct tw_err *err);
void given_release(struct given *g);			/* wipes */

#endif
