/*
 * wire.c - a wire with a delay between two network namespaces, for benchmarks
 *
 * Usage: wire NETNS_A NETNS_B DELAY_MS SECONDS
 *
 * Makes a tun device "wire" in either namespace (names as of `ip netns`) and
 * passes each packet from one to the other DELAY_MS later, so that TCP's own
 * behaviour (slow start, delayed acknowledgements, Nagle) stays real where the
 * kernel has no netem.  Prints "ready" once both devices are there and ends by
 * itself after SECONDS.  Linux, root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MTU 2048		/* bytes of a packet, at most */
#define SLOTS 16384		/* packets under way in one direction */

struct packet {
	int64_t due;		/* microseconds, monotonic */
	size_t len;
	unsigned char bytes[MTU];
};

struct lane {			/* one direction: a ring */
	int from, to;
	size_t head, count;
	struct packet *ring;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int tun_in(const char *netns)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof path, "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0) {
		perror(path);
		exit(1);
	}
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(req.ifr_name, sizeof req.ifr_name, "wire");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &req) != 0) {
		perror("/dev/net/tun");
		exit(1);
	}
	return fd;
}

/* Takes what has come; a full ring drops, as a router would. */
static void take(struct lane *l, int64_t delay)
{
	struct packet *p;
	ssize_t n;

	while (l->count < SLOTS) {
		p = &l->ring[(l->head + l->count) % SLOTS];
		n = read(l->from, p->bytes, sizeof p->bytes);
		if (n <= 0)
			return;
		p->len = (size_t)n;
		p->due = now_us() + delay;
		l->count++;
	}
}

/* Passes on what is due; returns when the next one is, or -1. */
static int64_t pass(struct lane *l)
{
	struct packet *p;

	while (l->count > 0) {
		p = &l->ring[l->head];
		if (p->due > now_us())
			return p->due;
		if (write(l->to, p->bytes, p->len) < 0 && errno == EAGAIN)
			return now_us() + 1000;
		l->head = (l->head + 1) % SLOTS;
		l->count--;
	}
	return -1;
}

static void run(struct lane lanes[2], int64_t delay, int64_t until)
{
	struct pollfd fds[2] = { { lanes[0].from, POLLIN, 0 },
	    { lanes[1].from, POLLIN, 0 } };
	int64_t a, b, next, left;

	while (now_us() < until) {
		a = pass(&lanes[0]);
		b = pass(&lanes[1]);
		next = a < 0 ? b : b < 0 || a < b ? a : b;
		left = next < 0 ? 100000 : next - now_us();
		if (left > 0) {
			struct timespec t = { left / 1000000,
			    left % 1000000 * 1000 };

			ppoll(fds, 2, &t, NULL);
		}
		take(&lanes[0], delay);
		take(&lanes[1], delay);
	}
}

int main(int argc, char **argv)
{
	struct lane lanes[2] = { { 0 }, { 0 } };
	int a, b;

	if (argc != 5) {
		fprintf(stderr, "usage: wire NETNS_A NETNS_B DELAY_MS "
		    "SECONDS\n");
		return 2;
	}
	a = tun_in(argv[1]);
	b = tun_in(argv[2]);
	lanes[0] = (struct lane){ a, b, 0, 0, calloc(SLOTS,
	    sizeof *lanes[0].ring) };
	lanes[1] = (struct lane){ b, a, 0, 0, calloc(SLOTS,
	    sizeof *lanes[1].ring) };
	if (!lanes[0].ring || !lanes[1].ring)
		return 1;
	puts("ready");
	fflush(stdout);
	run(lanes, strtol(argv[3], NULL, 10) * 1000, now_us() +
	    strtoll(argv[4], NULL, 10) * 1000000);
	return 0;
}
