/*
 * offer.c - writing to whom one must not wait for; see offer.h
 *
 * The descriptor stays as it is: O_NONBLOCK would be the caller's terminal's as
 * well, and the caller could take it off again.  poll() says whether there is
 * room; where that is gone by the time of the write (a pipe has many writers, a
 * terminal takes less than was offered), a timer interrupts it.
 */
#include "out/offer.h"

#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"

#define KNOCK_MS 20		/* a write lasts no longer, again and again: one
				   signal may come before the write begins */

bool tw_offer_is_possible(int fd)
{
	struct statfs s;

	return fstatfs(fd, &s) == 0 && s.f_type != FUSE_SUPER_MAGIC;
}

static bool has_room(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, ms) == 1 && (p.revents & POLLOUT);
}

bool tw_offer_is_welcome(int fd)
{
	return has_room(fd, 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* The caller's signal mask is inherited too. */
static void interrupt_writes(void)
{
	const struct itimerval every = {
		.it_interval = { .tv_usec = KNOCK_MS * 1000 },
		.it_value = { .tv_usec = KNOCK_MS * 1000 },
	};
	const struct sigaction act = { .sa_handler = on_alarm };
	sigset_t set;

	sigaction(SIGALRM, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

void tw_offer(int fd, const void *p, size_t n)
{
	const struct itimerval never = { 0 };
	int64_t until = tw_clock_mono() + TW_OFFER_MS;
	const char *s = p;
	ssize_t done;

	if (!n || !has_room(fd, 0))
		return;
	interrupt_writes();
	do {
		/* no more than a pipe with room takes at once */
		done = write(fd, s, n < PIPE_BUF ? n : PIPE_BUF);
		if (done > 0) {
			s += done;
			n -= (size_t)done;
		}
	} while (n && done > 0 && tw_clock_mono() < until &&
	    has_room(fd, KNOCK_MS));
	setitimer(ITIMER_REAL, &never, NULL);
}
