/*
 * proxy.c - a TCP proxy on loopback that counts bytes and harms connections
 *
 *   proxy DIR PORT [ROOM]
 *
 * ROOM: bytes that the kernel may take of a client before they are passed on.
 * Listens on a free port of 127.0.0.1, which it writes to DIR/port, and connects
 * each client to PORT there.  The first line of DIR/plan is taken off for each
 * connection and says what becomes of it; without one it is left alone.  DIR/log
 * gets a line for each that has ended, or come to its hole: "N SENT RECEIVED
 * PLAN", bytes from and to the client that were passed on.
 *
 *   cut LANE K        closed, both ways, after K bytes of that lane
 *   reset LANE K      the same, by a reset
 *   hole LANE K       from then on all is swallowed, both ways, and nothing ever
 *                     closed
 *   trickle LANE K N MS [AT_ONCE]   the N bytes after those one by one, or so
 *                     many at once, MS milliseconds apart
 *
 * LANE is "sent" (by the client) or "received".  SIGUSR1 closes what has come to
 * its hole; it ends with another signal, or by itself after an hour.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LIFE_S 3600
#define CONNECTIONS 200
#define ROOM 16384
#define TRICKLE_ROOM 256

enum act { PASS, CUT, RESET, HOLE, TRICKLE };

static const char *const act_names[] = { "pass", "cut", "reset", "hole",
	"trickle" };

struct lane {
	int from, to;
	size_t at, len;		/* of the buffer: bytes at … len are due */
	long passed;
	bool ended, told;	/* no more comes; and the other was told */
	char buf[ROOM];
};

struct connection {
	struct connection *next;
	long number;
	enum act act;
	int act_lane;
	long k, n, ms, at_once;
	long long due;		/* the next byte of a trickle */
	bool is_hole, is_over;
	struct lane lanes[2];	/* sent, received */
};

static const char *dir;
static struct connection *all;
static long count;
static volatile sig_atomic_t is_told;	/* to close the holes */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *path_of(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		die("memory");
	return path;
}

/* --- what is planned --------------------------------------------------------- */

/* Takes the first line of the plan off. */
static bool take_line(char *line, size_t size)
{
	char *path = path_of("plan"), *rest_path = path_of("plan.rest");
	FILE *f = fopen(path, "re"), *rest;
	char more[256];
	bool has = f && fgets(line, (int)size, f);

	if (has) {
		rest = fopen(rest_path, "we");
		while (rest && fgets(more, sizeof more, f))
			fputs(more, rest);
		if (!rest || fclose(rest) || rename(rest_path, path))
			die(rest_path);
	}
	if (f)
		fclose(f);
	free(path);
	free(rest_path);
	return has;
}

static void plan(struct connection *con)
{
	char line[256], act[16], lane[16];
	int got;

	if (!take_line(line, sizeof line))
		return;
	con->at_once = 1;
	got = sscanf(line, "%15s %15s %ld %ld %ld %ld", act, lane, &con->k,
	    &con->n, &con->ms, &con->at_once);
	if (got >= 1 && strcmp(act, "pass") == 0)
		return;
	for (con->act = CUT; con->act < TRICKLE &&
	    strcmp(act, act_names[con->act]) != 0; con->act++)
		;
	con->act_lane = got >= 2 && strcmp(lane, "received") == 0;
	if (got < (con->act == TRICKLE ? 5 : 3)) {
		fprintf(stderr, "proxy: not a plan: %s", line);
		exit(1);
	}
}

static void note(const struct connection *con)
{
	char *path = path_of("log");
	FILE *f = fopen(path, "ae");

	if (!f)
		die(path);
	fprintf(f, "%ld %ld %ld %s\n", con->number, con->lanes[0].passed,
	    con->lanes[1].passed, act_names[con->act]);
	fclose(f);
	free(path);
}

/* --- connections ---------------------------------------------------------------- */

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* What it hands to its connections. */
static void limit(int fd, int room)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
		die("socket");
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((unsigned short)port);
	return a;
}

static void set_up(int fd)
{
	int one = 1;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || setsockopt(fd, IPPROTO_TCP,
	    TCP_NODELAY, &one, sizeof one) < 0)
		die("socket");
}

static void take_connection(int listener, int port)
{
	struct sockaddr_in to = loopback(port);
	struct connection *con;
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC), server;

	if (client < 0)
		return;
	server = open_socket();
	if (connect(server, (struct sockaddr *)&to, sizeof to) < 0) {
		close(server);
		close(client);
		return;
	}
	set_up(client);
	set_up(server);
	con = calloc(1, sizeof *con);
	if (!con)
		die("memory");
	con->number = ++count;
	con->lanes[0].from = con->lanes[1].to = client;
	con->lanes[0].to = con->lanes[1].from = server;
	plan(con);
	con->next = all;
	all = con;
}

static void end(struct connection *con)
{
	if (!con->is_hole)
		note(con);
	con->is_over = true;
}

static void drop(struct connection *con)
{
	struct linger hard = { .l_onoff = 1 };
	int i;

	for (i = 0; i < 2; i++) {
		if (con->act == RESET)
			setsockopt(con->lanes[i].from, SOL_SOCKET, SO_LINGER,
			    &hard, sizeof hard);
		close(con->lanes[i].from);
	}
	free(con);
}

static void reach_limit(struct connection *con)
{
	if (con->act == HOLE) {
		note(con);
		con->is_hole = true;
	} else {
		end(con);
	}
}

/* How many of n bytes may pass now; 0 sets when, or does what is planned. */
static size_t may_pass(struct connection *con, int lane, size_t n)
{
	struct lane *l = &con->lanes[lane];
	long left = con->k - l->passed;

	if (con->act == PASS || lane != con->act_lane)
		return n;
	if (left > 0)
		return (long)n < left ? n : (size_t)left;
	if (con->act != TRICKLE) {
		reach_limit(con);
		return 0;
	}
	if (-left >= con->n)
		return n;
	if (now_ms() < con->due)
		return 0;
	con->due = now_ms() + con->ms;
	return (long)n < con->at_once ? n : (size_t)con->at_once;
}

static void push(struct connection *con, int lane)
{
	struct lane *l = &con->lanes[lane];
	ssize_t put;
	size_t n;

	while (l->at < l->len && !con->is_over && !con->is_hole) {
		n = may_pass(con, lane, l->len - l->at);
		if (n == 0)
			return;
		put = send(l->to, l->buf + l->at, n, MSG_NOSIGNAL);
		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0) {
			end(con);
			return;
		}
		l->at += (size_t)put;
		l->passed += put;
	}
	/* a limit that is reached with the last byte is reached now */
	if (!con->is_over && !con->is_hole && con->act != TRICKLE)
		may_pass(con, lane, 1);
	if (l->ended && !l->told && !con->is_over && !con->is_hole) {
		shutdown(l->to, SHUT_WR);
		l->told = true;
		if (con->lanes[!lane].told)
			end(con);
	}
}

static void pull(struct connection *con, int lane)
{
	struct lane *l = &con->lanes[lane];
	ssize_t got;

	l->at = l->len = 0;
	/* what trickles is not taken in before its time either */
	got = recv(l->from, l->buf, con->act == TRICKLE &&
	    lane == con->act_lane ? TRICKLE_ROOM : sizeof l->buf, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0 && !con->is_hole) {
		end(con);
		return;
	}
	if (got <= 0)
		l->ended = true;
	else if (!con->is_hole)
		l->len = (size_t)got;
	push(con, lane);
}

static void on_usr1(int sig)
{
	(void)sig;
	is_told = 1;
}

static void close_holes(void)
{
	struct connection *con;

	is_told = 0;
	for (con = all; con; con = con->next)
		con->is_over = con->is_over || con->is_hole;
}

/* --- the loop ------------------------------------------------------------------- */

/* Who has something due waits for that alone: a full socket, or the time of a
 * trickle's next byte. */
static short wanted(const struct connection *con, int lane, int *timeout)
{
	const struct lane *l = &con->lanes[lane];
	long long left;

	if (con->is_hole || (l->at == l->len && !l->ended))
		return l->ended ? 0 : POLLIN;
	if (l->at == l->len)
		return 0;
	if (con->act != TRICKLE || lane != con->act_lane)
		return POLLOUT;
	left = con->due - now_ms();
	if (left <= 0)
		return POLLOUT;
	if (*timeout < 0 || left < *timeout)
		*timeout = (int)left;
	return 0;
}

static void turn(int listener, int port)
{
	struct pollfd p[1 + 2 * CONNECTIONS] = { { .fd = listener,
	    .events = POLLIN } };
	struct connection *con, **link;
	int n = 1, timeout = -1, lane, i;

	for (con = all; con && n < 2 * CONNECTIONS; con = con->next)
		for (lane = 0; lane < 2; lane++, n++) {
			struct lane *l = &con->lanes[lane];

			p[n].events = wanted(con, lane, &timeout);
			p[n].fd = p[n].events == POLLIN ? l->from :
			    p[n].events ? l->to : -1;
			p[n].revents = 0;
		}
	if (poll(p, (nfds_t)n, timeout) < 0) {
		if (errno != EINTR)
			die("poll");
		for (i = 0; i < n; i++)
			p[i].revents = 0;
	}
	for (i = 1, con = all; con && i < n; con = con->next)
		for (lane = 0; lane < 2; lane++, i++) {
			if (con->is_over)
				continue;
			if (p[i].events == POLLIN && p[i].revents)
				pull(con, lane);
			else if (p[i].events != POLLIN)
				push(con, lane);
		}
	if (is_told)
		close_holes();
	for (link = &all; (con = *link);) {
		if (!con->is_over) {
			link = &con->next;
			continue;
		}
		*link = con->next;
		drop(con);
	}
	if (p[0].revents)
		take_connection(listener, port);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = loopback(0);
	socklen_t size = sizeof a;
	char *path, *made;
	int listener;
	FILE *f;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: proxy DIR PORT [ROOM]\n");
		return 2;
	}
	dir = argv[1];
	alarm(LIFE_S);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_usr1);
	listener = open_socket();
	if (argc == 4)
		limit(listener, (int)strtol(argv[3], NULL, 10));
	if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 ||
	    listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &size) < 0)
		die("listen");
	path = path_of("port.new");
	made = path_of("port");
	f = fopen(path, "we");
	if (!f || fprintf(f, "%d\n", ntohs(a.sin_port)) < 0 || fclose(f) ||
	    rename(path, made))
		die(path);
	free(path);
	free(made);
	for (;;)
		turn(listener, (int)strtol(argv[2], NULL, 10));
}
