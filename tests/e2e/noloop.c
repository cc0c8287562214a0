/*
 * noloop.c - preloaded into a tool: it gets no event loop, so it can ask nobody
 *
 * Where a limit of open files is the reason, libuv keeps some that it had opened
 * already, and the state can't be opened after it either.
 */
#include <errno.h>

int uv_loop_init(void *loop);

__attribute__((visibility("default")))
int uv_loop_init(void *loop)
{
	(void)loop;
	return -ENOMEM;
}
