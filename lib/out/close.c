/* close.c - the end of standard output; see close.h */
#include "out/close.h"

#include <errno.h>
#include <poll.h>
#include <stdio_ext.h>
#include <unistd.h>

/* Is f a pipe or socket whose reader is gone?  Asked where stdio has
 * forgotten the reason of an earlier failure. */
static bool reader_is_gone(FILE *f)
{
	struct pollfd p = { .fd = fileno(f), .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP));
}

/* Why did an earlier write fail?  stdio keeps no reason, so a byte more is
 * offered, which is refused for the same one; what was written is broken
 * already. */
static int ask_again(FILE *f)
{
	return write(fileno(f), "\n", 1) < 0 ? errno : 0;
}

enum tw_status tw_out_close(FILE *f, bool *pipe, struct tw_err *err)
{
	bool had_error = ferror(f), had_bytes = __fpending(f) > 0;
	int e;

	*pipe = had_error && reader_is_gone(f);
	errno = 0;
	e = fflush(f) ? errno : 0;
	if (had_error && !e && !*pipe)
		e = ask_again(f);
	if (fclose(f) != 0 && !e)
		e = errno;
	/* Nothing to write and nowhere to write it: `tool >&-` is fine. */
	if (e == EBADF && !had_error && !had_bytes)
		e = 0;
	if (!e && !had_error)
		return TW_OK;
	*pipe |= e == EPIPE;
	if (e)
		return tw_err_sys(err, TW_CONFIG, e,
		    "cannot write standard output");
	return tw_err_set(err, TW_CONFIG, "cannot write standard output");
}
