/*
 * limit.c - the least that a change on many hosts can cost: nothing but libssh2
 *
 * Usage: limit DIR HOSTS STEPS COMMAND
 *
 * One process, one poll loop, one connection and one channel a host: the steps
 * go as one program, which answers with a line a step.  Nothing is detached,
 * recorded, undone or tried again.  DIR holds what hosts.sh makes for peers:
 * hosts, key, known_hosts, port.  Exits 0 when every step of each host has
 * ended with 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_MAX 65536
#define STALL_MS 60000

struct host {
	char address[64];
	int (*next)(struct host *h);	/* what is to be done; NULL: nothing */
	int fd;
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	long answers;
	char line[64];
	size_t len;
};

static const char *dir;
static char *key, *program, *user;
static long steps, port;
static LIBSSH2_KNOWNHOSTS *known;

static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static char *read_file(const char *name)
{
	char path[4096], *text = calloc(1, FILE_MAX);
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f || !text || fread(text, 1, FILE_MAX - 1, f) == 0)
		die("limit: %s: cannot be read", path);
	fclose(f);
	return text;
}

/* Returned by .next: 0: go on with what is .next now, 1: wait. */
static int result(struct host *h, int r, const char *what,
    int (*then)(struct host *))
{
	char *text = NULL;

	if (r == LIBSSH2_ERROR_EAGAIN)
		return 1;
	if (r) {
		libssh2_session_last_error(h->session, &text, NULL, 0);
		die("limit: %s: %s: %s", h->address, what, text);
	}
	h->next = then;
	return 0;
}

static int finish(struct host *h)
{
	int r = libssh2_session_free(h->session);

	if (r == LIBSSH2_ERROR_EAGAIN)
		return 1;
	close(h->fd);
	h->next = NULL;
	return 1;
}

static int disconnect(struct host *h)
{
	return result(h, libssh2_session_disconnect(h->session, "done"),
	    "disconnect", finish);
}

static void answer(struct host *h, const char *p, ssize_t n)
{
	long k, status;

	for (; n > 0; n--, p++) {
		if (*p != '\n') {
			if (h->len < sizeof h->line - 1)
				h->line[h->len++] = *p;
			continue;
		}
		h->line[h->len] = '\0';
		h->len = 0;
		if (sscanf(h->line, "@%ld %ld", &k, &status) != 2 ||
		    k != h->answers || status != 0)
			die("limit: %s: %s", h->address, h->line);
		h->answers++;
	}
}

static int follow(struct host *h)
{
	char buf[4096];
	ssize_t n = libssh2_channel_read(h->channel, buf, sizeof buf);

	if (n < 0)
		return result(h, (int)n, "read", NULL);
	answer(h, buf, n);
	if (n == 0 && !libssh2_channel_eof(h->channel))
		return 1;
	if (n == 0)
		h->next = disconnect;
	return 0;
}

static int execute(struct host *h)
{
	return result(h, libssh2_channel_exec(h->channel, program), "exec",
	    follow);
}

static int open_channel(struct host *h)
{
	h->channel = libssh2_channel_open_session(h->session);
	return result(h, h->channel ? 0 :
	    libssh2_session_last_errno(h->session), "channel", execute);
}

static int log_in(struct host *h)
{
	return result(h, libssh2_userauth_publickey_frommemory(h->session,
	    user, strlen(user), NULL, 0, key, strlen(key), NULL), "login",
	    open_channel);
}

static int shake_hands(struct host *h)
{
	int r = libssh2_session_handshake(h->session, h->fd), type;
	const char *blob;
	size_t n;

	if (r == 0) {
		blob = libssh2_session_hostkey(h->session, &n, &type);
		if (libssh2_knownhost_checkp(known, h->address, (int)port, blob,
		    n, LIBSSH2_KNOWNHOST_TYPE_PLAIN |
		    LIBSSH2_KNOWNHOST_KEYENC_RAW, NULL) !=
		    LIBSSH2_KNOWNHOST_CHECK_MATCH)
			die("limit: %s: another host key", h->address);
	}
	return result(h, r, "handshake", log_in);
}

static int connected(struct host *h)
{
	int error = 0;
	socklen_t n = sizeof error;

	getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error)
		die("limit: %s: %s", h->address, strerror(error));
	h->session = libssh2_session_init();
	if (!h->session)
		die("limit: out of memory");
	libssh2_session_set_blocking(h->session, 0);
	h->next = shake_hands;
	return 0;
}

static void dial(struct host *h)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };
	int on = 1;

	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0 || inet_pton(AF_INET, h->address, &to.sin_addr) != 1)
		die("limit: %s: no address", h->address);
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(h->fd, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno != EINPROGRESS)
		die("limit: %s: %s", h->address, strerror(errno));
	h->next = connected;
}

static short wants(const struct host *h)
{
	int dirs = h->next == connected ? LIBSSH2_SESSION_BLOCK_OUTBOUND :
	    libssh2_session_block_directions(h->session);

	return (short)((dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND ? POLLOUT : 0) |
	    (dirs & LIBSSH2_SESSION_BLOCK_INBOUND || !dirs ? POLLIN : 0));
}

static void run(struct host *hosts, long n)
{
	struct pollfd *fds = calloc((size_t)n, sizeof *fds);
	long i, left = n;

	if (!fds)
		die("limit: out of memory");
	while (left > 0) {
		for (i = 0; i < n; i++) {
			fds[i].fd = hosts[i].next ? hosts[i].fd : -1;
			if (hosts[i].next)
				fds[i].events = wants(&hosts[i]);
		}
		if (poll(fds, (nfds_t)n, STALL_MS) == 0)
			die("limit: nothing comes any more");
		for (i = 0; i < n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			while (hosts[i].next && hosts[i].next(&hosts[i]) == 0)
				;
			left -= !hosts[i].next;
		}
	}
	free(fds);
}

static void write_program(const char *command)
{
	size_t room = (size_t)steps * (strlen(command) + 40) + 1, len = 0;
	long k;

	program = calloc(1, room);
	if (!program)
		die("limit: out of memory");
	for (k = 0; k < steps; k++)
		len += (size_t)snprintf(program + len, room - len,
		    "(%s\n)\necho @%ld $?\n", command, k);
}

int main(int argc, char **argv)
{
	LIBSSH2_SESSION *session;
	struct host *hosts;
	char path[4096], *list, *save = NULL, *word;
	long i, n;

	if (argc != 5)
		die("usage: limit DIR HOSTS STEPS COMMAND");
	dir = argv[1];
	n = strtol(argv[2], NULL, 10);
	steps = strtol(argv[3], NULL, 10);
	write_program(argv[4]);
	user = getpwuid(getuid())->pw_name;
	key = read_file("key");
	port = strtol(read_file("port"), NULL, 10);
	hosts = calloc((size_t)n, sizeof *hosts);
	if (libssh2_init(0) != 0 || !(session = libssh2_session_init()) ||
	    !(known = libssh2_knownhost_init(session)) || !hosts)
		die("limit: out of memory");
	snprintf(path, sizeof path, "%s/known_hosts", dir);
	libssh2_knownhost_readfile(known, path,
	    LIBSSH2_KNOWNHOST_FILE_OPENSSH);
	list = read_file("hosts");
	word = strtok_r(list, "\n", &save);
	for (i = 0; i < n; i++, word = strtok_r(NULL, "\n", &save)) {
		if (!word)
			die("limit: %ld hosts only", i);
		snprintf(hosts[i].address, sizeof hosts[i].address, "%s", word);
		dial(&hosts[i]);
	}
	run(hosts, n);
	for (i = 0; i < n; i++)
		if (hosts[i].answers != steps)
			die("limit: %s: %ld answers", hosts[i].address,
			    hosts[i].answers);
	return 0;
}
