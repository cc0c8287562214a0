/* gate.c - what a caller who came through a gate may not do; see gate.h */
#include "gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

bool gate_is_there(void)
{
	const char *sudo = getenv("SUDO_UID");
	char *end;

	if (sudo)
		return strtoul(sudo, &end, 10) != getuid() || *end ||
		    sudo[0] < '0' || sudo[0] > '9';
	return getenv("TOWERIFY_OPERATOR") != NULL;
}

enum tw_status gate_refuse(const char *what, struct tw_err *err)
{
	if (!gate_is_there())
		return TW_OK;
	return tw_err_set(err, TW_DENIED, "%s can't be used behind a gate",
	    what);
}

enum tw_status gate_read(const char *path, struct tw_buf *out,
    struct tw_err *err)
{
	enum tw_status st;

	if (strcmp(path, "-") == 0)
		return tw_io_read_fd(STDIN_FILENO, "standard input", out, err);
	st = gate_refuse("a file", err);
	if (st) {
		tw_err_hint(err, "give it on standard input, as '-'");
		return st;
	}
	return tw_io_read_file(path, out, err);
}
