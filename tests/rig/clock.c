/*
 * clock.c - preloaded on a host of the rig: its clock is off by as many seconds
 * as the file says, from the moment that is written there
 *
 * The hosts share the machine's clock, and a time namespace does not cover that
 * one.  What does not come by libc's clock_gettime, gettimeofday and time stays
 * right: times of files, timers of the kernel.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define OFFSET_FILE "/etc/clock.offset"	/* 31 bytes, overwritten in place */

static const char *offset_text;

__attribute__((constructor)) static void start(void)
{
	int fd = open(OFFSET_FILE, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd == -1)
		return;
	p = mmap(NULL, 32, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		offset_text = p;
	close(fd);
}

__attribute__((visibility("default")))
int clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && offset_text &&
	    (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += atol(offset_text);
	return r;
}

__attribute__((visibility("default")))
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;

	(void)tz;
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = (suseconds_t)(ts.tv_nsec / 1000);
	return 0;
}

__attribute__((visibility("default")))
time_t time(time_t *t)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
