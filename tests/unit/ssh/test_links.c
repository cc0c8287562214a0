/*
 * test_links.c - both transports against real sshds on loopback
 *
 * tests/lib/sshd.sh starts one sshd for all tests (and a few for some), for the
 * user who runs this, root or not.
 */
#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "probe.h"
#include "ssh/hostkey.h"

#define FLEET 15

/* libssh2 1.10 forgets a number or two (56 bytes each) whenever it reads an
 * ECDSA key of OpenSSH's format; only the slow unwinder sees its frames. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libssh2.so";
}

static char dir[256];
static char user[64];
static uv_loop_t loop;

/* ---- the rig ---- */

static int shell(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* Runs a command with the functions of sshd.sh. */
static int shell(const char *fmt, ...)
{
	const char *top = getenv("srcdir");
	char command[1024], line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof line, ". %s/tests/lib/sshd.sh && %s",
	    top && *top ? top : ".", command);
	return n < (int)sizeof line ? system(line) : -1;
}

static char *read_line(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static char *read_line(const char *fmt, ...)
{
	struct tw_buf b = TW_BUF_INIT;
	char path[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	/* No ck_assert: the rig calls this outside of tests. */
	if (tw_io_read_file(path, &b, NULL) != TW_OK)
		tw_buf_adds(&b, "?");
	while (b.len > 0 && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	return tw_buf_detach(&b);
}

static int port_of(const char *where)
{
	char *s = read_line("%s/port", where);
	int port = (int)strtol(s, NULL, 10);

	free(s);
	return port;
}

static char *pin;		/* of the main sshd */
static int port;
static char key_ed25519[300], key_ecdsa[300], key_rsa[300], key_other[300];
static const char *ids_ed25519[] = { key_ed25519, NULL };
static const char *ids_rsa[] = { key_rsa, NULL };
static const char *ids_other[] = { key_other, NULL };

static void set_path(void)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/bin:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
}

static bool rig_up(void)
{
	const char *tmp = getenv("TMPDIR");
	struct passwd *pw = getpwuid(getuid());

	unsetenv("SSH_AUTH_SOCK");
	snprintf(dir, sizeof dir, "%s/tw-links-XXXXXX",
	    tmp && *tmp ? tmp : "/tmp");
	if (!pw || !mkdtemp(dir))
		return false;
	snprintf(user, sizeof user, "%s", pw->pw_name);
	if (shell("SSHD_TTL=600 sshd_start %s %d", dir, FLEET) != 0)
		return false;
	pin = read_line("%s/pin", dir);
	port = port_of(dir);
	snprintf(key_ed25519, sizeof key_ed25519, "%s/id_ed25519", dir);
	snprintf(key_ecdsa, sizeof key_ecdsa, "%s/id_ecdsa", dir);
	snprintf(key_rsa, sizeof key_rsa, "%s/id_rsa", dir);
	snprintf(key_other, sizeof key_other, "%s/id_other", dir);
	set_path();
	return true;
}

static void rig_down(void)
{
	free(pin);
	shell("sshd_clean %s", dir);
}

static struct probe make(const struct tw_transport *t)
{
	struct probe p;

	memset(&p, 0, sizeof p);
	p.transport = t;
	p.target.name = "web1";
	p.target.address = "127.0.0.1";
	p.target.port = port;
	p.target.user = user;
	p.target.identities = ids_ed25519;
	p.target.hostkey = pin;
	return p;
}

static void open_ok(struct probe *p, const char *command)
{
	if (probe_open(&loop, p, command) != TW_OK)
		ck_abort_msg("open: %s", p->err.msg);
	ck_assert_int_eq(p->opened + p->ended, 0);
}

static void run(struct probe *p, const char *command)
{
	open_ok(p, command);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void assert_eof(const struct probe *p)
{
	if (p->ended != 1 || p->end != TW_LINK_EOF)
		ck_abort_msg("ended %d times, %d: %s", p->ended, p->end,
		    p->err.msg);
	ck_assert_int_eq(p->opened, 1);
	ck_assert(!p->err_given);
}

static void assert_end(const struct probe *p, enum tw_link_end end,
    enum tw_status st, const char *msg)
{
	ck_assert_int_eq(p->ended, 1);
	ck_assert(p->err_given);
	ck_assert_str_eq(p->err.msg, msg);
	ck_assert_int_eq(p->end, end);
	ck_assert_int_eq(p->err.status, st);
}

static const struct tw_transport *const both[] = {
	&tw_transport_libssh2, &tw_transport_ssh,
};

static void setup(void)
{
	ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	unsetenv("TOWERIFY_LINK_TIMEOUT_MS");
}

/* ---- what works ---- */

START_TEST(echoes_both_ways_and_ends)
{
	struct probe p = make(both[_i]);

	open_ok(&p, "head -c 11; echo over");
	ck_assert_int_eq(p.transport->send(p.link, "hello ", 6, NULL), TW_OK);
	ck_assert_int_eq(p.transport->send(p.link, "", 0, NULL), TW_OK);
	ck_assert_int_eq(p.transport->send(p.link, "world", 5, NULL), TW_OK);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "hello worldover\n");
	ck_assert_int_eq(p.drained, 1);
	probe_release(&p);
}
END_TEST

START_TEST(separates_stderr)
{
	struct probe p = make(both[_i]);

	run(&p, "echo one; echo two >&2; echo three; echo four >&2");
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "one\nthree\n");
	ck_assert_str_eq(tw_buf_str(&p.out[1]), "two\nfour\n");
	probe_release(&p);
}
END_TEST

START_TEST(any_exit_status_is_an_end)
{
	struct probe p = make(both[_i]);

	run(&p, "echo a; exit 65");
	assert_eof(&p);
	probe_release(&p);
}
END_TEST

START_TEST(logs_in_with_the_second_key)
{
	const char *ids[] = { "/nonexistent", key_other, key_ecdsa, NULL };
	struct probe p = make(both[_i]);

	p.target.identities = ids;
	run(&p, "echo in");
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "in\n");
	probe_release(&p);
}
END_TEST

START_TEST(logs_in_with_pem_ecdsa)
{
	const char *ids[] = { NULL, NULL };
	struct probe p = make(both[0]);
	char pem[300];

	snprintf(pem, sizeof pem, "%s/id_pem", dir);
	ids[0] = pem;
	p.target.identities = ids;
	ck_assert_int_eq(shell("cp %s/id_ecdsa %s && ssh-keygen -q -p -m PEM "
	    "-N '' -P '' -f %s >/dev/null", dir, pem, pem), 0);
	run(&p, "echo in");
	assert_eof(&p);
	unlink(pem);
	probe_release(&p);
}
END_TEST

START_TEST(fifty_links_at_once)
{
	struct probe *p = calloc(50, sizeof *p);
	char address[50][16], want[32];
	int i;

	ck_assert_ptr_nonnull(p);
	for (i = 0; i < 50; i++) {
		p[i] = make(both[0]);
		snprintf(address[i], sizeof address[i], "127.0.0.%d",
		    1 + i % FLEET);
		p[i].target.address = address[i];
		open_ok(&p[i], "read -r x; set -- $SSH_CONNECTION; "
		    "echo \"$x $3\"");
		snprintf(want, sizeof want, "%d\n", i);
		p[i].transport->send(p[i].link, want, strlen(want), NULL);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (i = 0; i < 50; i++) {
		assert_eof(&p[i]);
		snprintf(want, sizeof want, "%d %s\n", i, address[i]);
		ck_assert_str_eq(tw_buf_str(&p[i].out[0]), want);
		probe_release(&p[i]);
	}
	free(p);
}
END_TEST

static size_t heap_start, heap_peak;

static void watch_heap(struct probe *p)
{
	size_t now = mallinfo2().uordblks + mallinfo2().hblkhd;

	(void)p;
	if (now > heap_start && now - heap_start > heap_peak)
		heap_peak = now - heap_start;
}

START_TEST(downloads_50_mb_in_bounded_memory)
{
	struct probe p = make(both[_i]);

	p.on_data = watch_heap;
	heap_peak = 0;
	heap_start = mallinfo2().uordblks + mallinfo2().hblkhd;
	run(&p, "head -c 50000000 /dev/zero; head -c 1000000 /dev/zero >&2");
	assert_eof(&p);
	ck_assert_uint_eq(p.count[0], 50000000);
	ck_assert_uint_eq(p.count[1], 1000000);
	ck_assert_uint_lt(heap_peak, 2000000);
	probe_release(&p);
}
END_TEST

#define UPLOAD 20000000

START_TEST(uploads_20_mb_unharmed)
{
	struct probe p = make(both[_i]);
	char want[TW_SHA256_HEX];
	char *data = malloc(UPLOAD);
	size_t i, n;

	ck_assert_ptr_nonnull(data);
	for (i = 0; i < UPLOAD; i++)
		data[i] = (char)(i * 31 + i / 977);
	tw_sha256_hex(data, UPLOAD, want);
	open_ok(&p, "head -c 20000000 | sha256sum | cut -d' ' -f1");
	for (i = 0; i < UPLOAD; i += n) {
		n = UPLOAD - i < 777777 ? UPLOAD - i : 777777;
		ck_assert_int_eq(p.transport->send(p.link, data + i, n, NULL),
		    TW_OK);
	}
	free(data);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_eof(&p);
	ck_assert_str_eq(strtok(p.out[0].data, "\n"), want);
	ck_assert_int_eq(p.drained, 1);
	probe_release(&p);
}
END_TEST

/* Each side waits for the other to read: neither may stop reading. */
START_TEST(carries_5_mb_both_ways_at_once)
{
	struct probe p = make(both[_i]);
	char *data = calloc(1, 5000000);

	ck_assert_ptr_nonnull(data);
	open_ok(&p, "cat");
	ck_assert_int_eq(p.transport->send(p.link, data, 5000000, NULL),
	    TW_OK);
	free(data);
	p.close_after = 5000000;
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(p.count[0], 5000000);
	ck_assert_int_eq(p.ended, 0);
	probe_release(&p);
}
END_TEST

START_TEST(a_flood_starves_nobody)
{
	struct probe flood = make(both[_i]), quiet = make(both[0]);

	open_ok(&flood, "cat /dev/zero");
	open_ok(&quiet, "for i in 1 2 3 4 5; do read -r x; echo \"$x\"; done");
	ck_assert_int_eq(quiet.transport->send(quiet.link, "a\nb\nc\nd\ne\n",
	    10, NULL), TW_OK);
	quiet.also_close = &flood;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_eof(&quiet);
	ck_assert_str_eq(tw_buf_str(&quiet.out[0]), "a\nb\nc\nd\ne\n");
	ck_assert_int_eq(flood.ended, 0);
	probe_release(&flood);
	probe_release(&quiet);
}
END_TEST

START_TEST(tries_each_address_of_a_name)
{
	struct probe p = make(both[_i]);

	p.target.address = "localhost";
	run(&p, "echo in");
	assert_eof(&p);
	probe_release(&p);
}
END_TEST

START_TEST(logs_in_with_the_agent)
{
	struct probe p = make(both[_i]);
	char line[600];

	snprintf(line, sizeof line, "%s/agent%d", dir, _i);
	ck_assert_int_eq(shell("timeout 300 ssh-agent -D -a %s "
	    ">/dev/null & echo $! >%s/agent.pid; until [ -S %s ]; do "
	    "sleep 0.02; done; for k in rsa other ecdsa; do "
	    "SSH_AUTH_SOCK=%s ssh-add -q %s/id_$k || exit; done",
	    line, dir, line, line, dir), 0);
	setenv("SSH_AUTH_SOCK", line, 1);
	p.target.use_agent = true;
	p.target.identities = NULL;
	/* ssh's own configuration here says "IdentityAgent none" */
	if (_i == 0) {
		run(&p, "echo in");
		assert_eof(&p);
	}
	unsetenv("SSH_AUTH_SOCK");
	ck_assert_int_eq(shell("read -r pid <%s/agent.pid; kill $pid", dir),
	    0);
	probe_release(&p);
}
END_TEST

/* ---- what a person must see to ---- */

START_TEST(a_refused_key_needs_a_person)
{
	struct probe p = make(both[_i]);
	char want[256];

	p.target.identities = ids_other;
	run(&p, "echo in");
	snprintf(want, sizeof want, _i == 0 ?
	    "login as %s refused (1 key tried)" :
	    "ssh: %s@127.0.0.1: Permission denied (publickey).", user);
	assert_end(&p, TW_LINK_REFUSED, TW_DENIED, want);
	ck_assert_int_eq(p.opened, _i);
	probe_release(&p);
}
END_TEST

START_TEST(no_key_needs_a_person)
{
	const char *ids[] = { "/nonexistent", NULL };
	struct probe p = make(both[0]);
	char want[256];

	p.target.identities = ids;
	run(&p, "echo in");
	snprintf(want, sizeof want, "login as %s is not possible: the key "
	    "/nonexistent is missing, unreadable or has a passphrase", user);
	assert_end(&p, TW_LINK_PERSON, TW_DENIED, want);
	probe_release(&p);
}
END_TEST

static char *other_pin(const char *name)
{
	char *s = read_line("%s/%s.pub", dir, name);

	return s;
}

START_TEST(a_changed_host_key_needs_a_person)
{
	struct probe p = make(both[_i]);
	char old[TW_FINGERPRINT_MAX], new[TW_FINGERPRINT_MAX], want[512];
	char *wrong = other_pin("id_other");

	p.target.hostkey = wrong;
	run(&p, "echo in");
	ck_assert_int_eq(tw_hostkey_fingerprint(wrong, old, NULL), TW_OK);
	ck_assert_int_eq(tw_hostkey_fingerprint(pin, new, NULL), TW_OK);
	snprintf(want, sizeof want, "HOST KEY HAS CHANGED, or somebody "
	    "listens in: pinned is ssh-ed25519 %s, shown is ssh-ed25519 %s",
	    old, new);
	assert_end(&p, TW_LINK_PERSON, TW_DENIED, _i == 0 ? want :
	    "ssh: HOST KEY HAS CHANGED, or somebody listens in");
	ck_assert_ptr_nonnull(strstr(p.err.hint,
	    "towerify-host set web1 host-key=accept"));
	ck_assert_uint_eq(p.count[0], 0);
	free(wrong);
	probe_release(&p);
}
END_TEST

START_TEST(another_type_of_host_key_needs_a_person)
{
	struct probe p = make(both[_i]);
	char *wrong = other_pin("host_ecdsa");

	p.target.hostkey = wrong;
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_PERSON);
	ck_assert_uint_eq(p.count[0], 0);
	free(wrong);
	probe_release(&p);
}
END_TEST

START_TEST(no_session_allowed_needs_a_person)
{
	struct probe p = make(both[0]);
	char where[300];

	snprintf(where, sizeof where, "%s/closed", dir);
	ck_assert_int_eq(shell("mkdir %s && cp %s/id_* %s/host_* %s && "
	    "SSHD_EXTRA='MaxSessions 0' SSHD_TTL=300 sshd_start %s",
	    where, dir, dir, where, where), 0);
	p.target.port = port_of(where);
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_ne(p.end, TW_LINK_EOF);
	shell("sshd_clean %s", where);
	probe_release(&p);
}
END_TEST

/* ---- what passes by itself ---- */

/* A bound port; listening when backlog >= 0. */
static int bound(int backlog, int *at)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t n = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	if (backlog >= 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	*at = ntohs(sin.sin_port);
	return fd;
}

START_TEST(a_closed_port_is_temporary)
{
	struct probe p = make(both[_i]);
	char want[256];
	int fd = bound(-1, &p.target.port);

	run(&p, "echo in");
	snprintf(want, sizeof want, _i == 0 ?
	    "cannot connect to 127.0.0.1 port %d: Connection refused" :
	    "ssh: ssh: connect to host 127.0.0.1 port %d: Connection refused",
	    p.target.port);
	assert_end(&p, TW_LINK_CLOSED, TW_AGAIN, want);
	close(fd);
	probe_release(&p);
}
END_TEST

START_TEST(an_unknown_name_is_temporary)
{
	struct probe p = make(both[_i]);

	p.target.address = "no-such-host.invalid";
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	ck_assert_ptr_nonnull(strstr(p.err.msg, "no-such-host.invalid"));
	probe_release(&p);
}
END_TEST

START_TEST(a_black_hole_is_temporary)
{
	struct probe p = make(both[_i]);
	int fd = bound(5, &p.target.port);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "200", 1);
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	if (_i == 0)
		ck_assert_str_eq(p.err.msg, "no SSH handshake in time");
	close(fd);
	probe_release(&p);
}
END_TEST

/* A full queue of connections drops what comes: nobody answers. */
START_TEST(a_connect_without_answer_is_temporary)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct probe p = make(both[0]);
	int fd = bound(0, &p.target.port), filler[4], i;
	char want[256];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)p.target.port);
	for (i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0);
		connect(filler[i], (struct sockaddr *)&sin, sizeof sin);
	}
	setenv("TOWERIFY_LINK_TIMEOUT_MS", "200", 1);
	run(&p, "echo in");
	snprintf(want, sizeof want, "cannot connect to 127.0.0.1 port %d: "
	    "Connection timed out", p.target.port);
	assert_end(&p, TW_LINK_TEMPORARY, TW_AGAIN, want);
	for (i = 0; i < 4; i++)
		close(filler[i]);
	close(fd);
	probe_release(&p);
}
END_TEST

static void kill_sessions(struct probe *p)
{
	(void)p;
	shell("sshd_sessions %s", dir);
}

START_TEST(a_killed_server_is_temporary)
{
	struct probe p = make(both[_i]);

	p.on_first = kill_sessions;
	run(&p, "echo started; exec sleep 300");
	ck_assert_int_eq(p.opened, 1);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "started\n");
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(p.err.msg, "connection lost: "));
	probe_release(&p);
}
END_TEST

START_TEST(silence_is_temporary)
{
	struct probe p = make(both[_i]);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "3000", 1);
	run(&p, "echo started; exec sleep 300");
	assert_end(&p, TW_LINK_TEMPORARY, TW_AGAIN, "no answer for 3 s");
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "started\n");
	probe_release(&p);
}
END_TEST

#define SLOW_UPLOAD 24000000

/* The host says nothing for longer than the limit, but takes what it is sent. */
START_TEST(a_slow_upload_is_alive)
{
	struct probe p = make(both[_i]);
	char *data = calloc(1, SLOW_UPLOAD);

	ck_assert_ptr_nonnull(data);
	setenv("TOWERIFY_LINK_TIMEOUT_MS", "3000", 1);
	open_ok(&p, "echo started; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
	    "sleep 0.5; head -c 2000000 >/dev/null; done; echo done");
	ck_assert_int_eq(p.transport->send(p.link, data, SLOW_UPLOAD, NULL),
	    TW_OK);
	free(data);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "started\ndone\n");
	probe_release(&p);
}
END_TEST

/* Serves one connection from a child: writes the text, then closes, or goes on
 * with zero bytes for ever. */
static pid_t hostile(int fd, const char *text, bool flood)
{
	static const char zeros[65536];
	pid_t pid = fork();
	int c;

	if (pid != 0)
		return pid;
	c = accept(fd, NULL, NULL);
	tw_io_write_all(c, text, strlen(text));
	while (flood && tw_io_write_all(c, zeros, sizeof zeros) == 0)
		continue;
	shutdown(c, SHUT_WR);
	while (read(c, &(char){ 0 }, 1) > 0)
		continue;
	_exit(0);
}

START_TEST(hostile_servers_are_temporary)
{
	static const struct {
		const char *text;
		bool flood;
	} how[] = {
		{ "", false }, { "", true },
		{ "Exceeded MaxStartups\r\n", false },
		{ "SSH-2.0-x\r\n", false }, { "SSH-2.0-x\r\n", true },
		{ "HTTP/1.0 400 Bad Request\r\n\r\n", false },
		{ "SSH-2.0-x\r\n\377\377\377\377\377\377\377\377", true },
		{ "SSH-2.0-x\r\n\001\001\001\001\001\001\001\001", true },
		{ "\n\n\n\n\n\n", true },
	};
	struct probe p = make(both[0]);
	int fd = bound(5, &p.target.port);
	pid_t pid = hostile(fd, how[_i].text, how[_i].flood);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "1000", 1);
	p.on_data = watch_heap;
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	if (p.end != TW_LINK_TEMPORARY)
		ck_abort_msg("end %d: %s", p.end, p.err.msg);
	ck_assert_int_eq(p.opened, 0);
	if (_i == 0 || _i == 2)
		ck_assert_str_eq(p.err.msg, "the host closed the connection "
		    "before it said hello (too many logins at once, or no "
		    "SSH there)");
	close(fd);
	waitpid(pid, NULL, 0);
	probe_release(&p);
}
END_TEST

/* A relay to the sshd from a child, for one connection: of what the sshd says,
 * byte number `at` is spoilt, or it and all after it are lost. */
static pid_t relay(int fd, long at, bool spoil)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct pollfd p[2];
	long passed = 0;
	char buf[4096];
	pid_t pid = fork();
	ssize_t n;

	if (pid != 0)
		return pid;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	p[0].fd = accept(fd, NULL, NULL);
	p[1].fd = socket(AF_INET, SOCK_STREAM, 0);
	p[0].events = p[1].events = POLLIN;
	if (connect(p[1].fd, (struct sockaddr *)&sin, sizeof sin) != 0)
		_exit(1);
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents) {
			n = read(p[0].fd, buf, sizeof buf);
			if (n <= 0 || tw_io_write_all(p[1].fd, buf, (size_t)n))
				break;
		}
		if (!p[1].revents)
			continue;
		n = read(p[1].fd, buf, sizeof buf);
		if (n <= 0)
			break;
		if (at < passed + n && at >= passed) {
			if (spoil)
				buf[at - passed] ^= 0x10;
			else
				n = at - passed;
		}
		if (tw_io_write_all(p[0].fd, buf, (size_t)n))
			break;
		passed += n;
		if (passed == at && !spoil)
			break;
	}
	_exit(0);
}

START_TEST(a_connection_lost_anywhere_is_temporary)
{
	struct probe p = make(both[0]);
	int fd = bound(5, &p.target.port);
	pid_t pid = relay(fd, _i * 97, false);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "5000", 1);
	run(&p, "head -c 10000 /dev/zero; exec cat");
	if (p.ended != 1 || p.end != TW_LINK_TEMPORARY)
		ck_abort_msg("end %d: %s", p.end, p.err.msg);
	close(fd);
	waitpid(pid, NULL, 0);
	probe_release(&p);
}
END_TEST

START_TEST(a_spoilt_connection_is_nobodys_fault)
{
	struct probe p = make(both[0]);
	int fd = bound(5, &p.target.port);
	pid_t pid = relay(fd, _i * 61 + 3, true);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "1500", 1);
	run(&p, "head -c 10000 /dev/zero; exec cat");
	if (p.ended != 1 || p.end == TW_LINK_PERSON || p.end == TW_LINK_EOF)
		ck_abort_msg("end %d: %s", p.end, p.err.msg);
	close(fd);
	waitpid(pid, NULL, 0);
	probe_release(&p);
}
END_TEST

/* ---- which transport ---- */

static char *learn(const char *wanted, int at, const char *via,
    const char **transport)
{
	struct probe p = make(both[0]);
	struct tw_err err;
	char *key = NULL;

	p.target.port = at;
	p.target.via = via;
	p.target.hostkey = NULL;
	if (tw_hostkey_learn(&p.target, wanted, &key, transport,
	    &err) != TW_OK)
		ck_abort_msg("learn: %s", err.msg);
	return key;
}

START_TEST(learns_the_host_key)
{
	static const char *const wanted[] = { NULL, "auto", "libssh2", "ssh" };
	const char *transport;
	char *key = learn(wanted[_i], port, NULL, &transport);

	ck_assert_str_eq(key, pin);
	ck_assert_str_eq(transport, _i == 3 ? "ssh" : "libssh2");
	free(key);
}
END_TEST

START_TEST(learning_from_nobody_says_so)
{
	static const char *const wanted[] = { "libssh2", "ssh" };
	struct probe p = make(both[0]);
	const char *transport;
	struct tw_err err;
	char *key = NULL, want[128];
	int fd = bound(-1, &p.target.port);

	snprintf(want, sizeof want, "port %d: Connection refused",
	    p.target.port);
	ck_assert_int_eq(tw_hostkey_learn(&p.target, wanted[_i], &key,
	    &transport, &err), TW_AGAIN);
	ck_assert_ptr_null(key);
	ck_assert_ptr_nonnull(strstr(err.msg, want));
	close(fd);
}
END_TEST

/* A second sshd with these host keys. */
static int second(const char *keys, char where[300])
{
	snprintf(where, 300, "%s/second", dir);
	ck_assert_int_eq(shell("mkdir %s && cp %s/id_* %s/host_* %s && "
	    "SSHD_HOSTKEY='%s' SSHD_TTL=300 sshd_start %s", where, dir, dir,
	    where, keys, where), 0);
	return port_of(where);
}

START_TEST(speaks_to_an_ecdsa_host)
{
	struct probe p = make(both[_i]);
	const char *transport;
	char where[300], *key;

	p.target.port = second("ecdsa", where);
	key = learn("auto", p.target.port, NULL, &transport);
	ck_assert_str_eq(transport, "libssh2");
	ck_assert(strncmp(key, "ecdsa-sha2-nistp256 ", 20) == 0);
	p.target.hostkey = key;
	run(&p, "echo in");
	shell("sshd_clean %s", where);
	assert_eof(&p);
	free(key);
	probe_release(&p);
}
END_TEST

START_TEST(an_rsa_host_needs_the_ssh_transport)
{
	struct probe l2 = make(both[0]), child = make(both[1]), un;
	const char *transport;
	char where[300], *key;

	l2.target.port = child.target.port = second("rsa", where);
	un = l2;
	key = learn("auto", l2.target.port, NULL, &transport);
	ck_assert_str_eq(transport, "ssh");
	ck_assert(strncmp(key, "ssh-rsa ", 8) == 0);
	l2.target.hostkey = child.target.hostkey = key;
	run(&l2, "echo in");
	run(&child, "echo in");
	run(&un, "echo in");
	shell("sshd_clean %s", where);
	assert_end(&l2, TW_LINK_UNSUPPORTED, TW_CONFIG, "libssh2 can't check "
	    "a host key of the type ssh-rsa");
	assert_eof(&child);
	ck_assert_int_eq(un.end, TW_LINK_UNSUPPORTED);
	free(key);
	probe_release(&l2);
	probe_release(&child);
}
END_TEST

START_TEST(the_pinned_type_is_asked_for)
{
	struct probe p = make(both[_i]);
	char where[300], *key = other_pin("host_ecdsa");

	p.target.port = second("ed25519 ecdsa rsa", where);
	p.target.hostkey = key;
	run(&p, "echo in");
	shell("sshd_clean %s", where);
	assert_eof(&p);
	free(key);
	probe_release(&p);
}
END_TEST

START_TEST(an_rsa_login_needs_the_ssh_transport)
{
	struct probe l2 = make(both[0]), child = make(both[1]);
	char want[256];

	l2.target.identities = child.target.identities = ids_rsa;
	run(&l2, "echo in");
	run(&child, "echo in");
	snprintf(want, sizeof want, "login as %s needs an RSA key, a "
	    "certificate or a security key, which libssh2 can't use", user);
	assert_end(&l2, TW_LINK_UNSUPPORTED, TW_CONFIG, want);
	assert_eof(&child);
	probe_release(&l2);
	probe_release(&child);
}
END_TEST

START_TEST(an_unknown_cipher_is_unsupported)
{
	struct probe p = make(both[0]);
	char where[300];

	snprintf(where, sizeof where, "%s/gcm", dir);
	ck_assert_int_eq(shell("mkdir %s && cp %s/id_* %s/host_* %s && "
	    "SSHD_EXTRA='Ciphers aes256-gcm@openssh.com' SSHD_TTL=300 "
	    "sshd_start %s", where, dir, dir, where, where), 0);
	p.target.port = port_of(where);
	run(&p, "echo in");
	shell("sshd_clean %s", where);
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_UNSUPPORTED);
	ck_assert_int_eq(p.err.status, TW_CONFIG);
	probe_release(&p);
}
END_TEST

/* ---- other ways to the host ---- */

START_TEST(goes_through_jump_hosts)
{
	struct probe p = make(both[_i % 2]);
	const char *transport;
	char via[256], *key;

	if (_i < 2)
		snprintf(via, sizeof via, "%s@127.0.0.2:%d", user, port);
	else
		snprintf(via, sizeof via, "%s@127.0.0.2:%d,%s@127.0.0.4:%d",
		    user, port, user, port);
	p.target.via = via;
	p.target.address = "127.0.0.3";
	open_ok(&p, "set -- $SSH_CONNECTION; echo $3; head -c 3");
	ck_assert_int_eq(p.transport->send(p.link, "abc", 3, NULL), TW_OK);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "127.0.0.3\nabc");
	probe_release(&p);
	key = learn(_i % 2 ? "ssh" : "auto", port, via, &transport);
	ck_assert_str_eq(key, pin);
	free(key);
}
END_TEST

START_TEST(a_refusing_jump_host_needs_a_person)
{
	struct probe p = make(both[_i]);
	char via[128];

	snprintf(via, sizeof via, "%s@127.0.0.2:%d", user, port);
	p.target.via = via;
	p.target.identities = ids_other;
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	if (!strstr(p.err.msg, "Permission denied"))
		ck_abort_msg("%s", p.err.msg);
	ck_assert_int_eq(p.end, TW_LINK_PERSON);
	probe_release(&p);
}
END_TEST

/* The jump host lets the key in, the host does not. */
START_TEST(a_refusal_behind_a_jump_host_is_the_hosts)
{
	struct probe p = make(both[_i]);
	char via[128];

	snprintf(via, sizeof via, "%s@127.0.0.2:%d", user, port);
	p.target.via = via;
	p.target.user = "towerify-nobody";
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_REFUSED);
	probe_release(&p);
}
END_TEST

/* ssh says so of a key file, and then that the host would have none. */
START_TEST(a_key_that_is_not_ours_to_read_is_no_refusal)
{
	const char *ids[] = { "/nonexistent", NULL };
	struct probe p = make(both[1]);

	p.target.identities = ids;
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_PERSON);
	probe_release(&p);
}
END_TEST

START_TEST(an_absent_jump_host_is_temporary)
{
	struct probe p = make(both[_i]);
	char via[128];
	int at, fd = bound(-1, &at);

	snprintf(via, sizeof via, "%s@127.0.0.1:%d", user, at);
	p.target.via = via;
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(p.err.msg, "Connection refused"));
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	close(fd);
	probe_release(&p);
}
END_TEST

START_TEST(goes_through_a_proxy_command)
{
	struct probe p = make(both[_i]);
	char command[600];

	snprintf(command, sizeof command, "ssh -i %s -W 127.0.0.5:%d -p %d "
	    "127.0.0.2", key_ed25519, port, port);
	p.target.proxy_command = command;
	p.target.address = "192.0.2.1";
	run(&p, "set -- $SSH_CONNECTION; echo $3");
	assert_eof(&p);
	ck_assert_str_eq(tw_buf_str(&p.out[0]), "127.0.0.5\n");
	probe_release(&p);
}
END_TEST

START_TEST(a_failing_proxy_command_is_quoted)
{
	struct probe p = make(both[_i]);

	p.target.proxy_command = "sh -c 'echo 100% no way out >&2; exit 3'";
	run(&p, "echo in");
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	if (_i == 0)
		ck_assert_str_eq(p.err.msg, "the proxy command failed: "
		    "100% no way out");
	probe_release(&p);
}
END_TEST

START_TEST(a_mute_proxy_command_is_temporary)
{
	struct probe p = make(both[_i]);

	setenv("TOWERIFY_LINK_TIMEOUT_MS", "200", 1);
	p.target.proxy_command = "sleep 300";
	run(&p, "echo in");
	ck_assert_int_eq(p.ended, 1);
	ck_assert_int_eq(p.end, TW_LINK_TEMPORARY);
	probe_release(&p);
}
END_TEST

/* ---- closing ---- */

START_TEST(closes_at_any_moment)
{
	struct probe p = make(both[_i % 2]);
	int turns = _i / 2, i;

	open_ok(&p, "cat /dev/zero");
	ck_assert_int_eq(p.transport->send(p.link, "abc", 3, NULL), TW_OK);
	for (i = 0; i < turns && p.link; i++)
		uv_run(&loop, UV_RUN_ONCE);
	probe_close(&p);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(p.ended, 0);
	probe_release(&p);
}
END_TEST

START_TEST(closes_from_its_own_events)
{
	struct probe a = make(both[_i]), b = make(both[_i]);

	a.close_when_opened = true;
	b.close_after = 1;
	open_ok(&a, "cat /dev/zero");
	open_ok(&b, "cat /dev/zero");
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(a.opened, 1);
	ck_assert_int_eq(a.ended + b.ended, 0);
	ck_assert_uint_gt(b.count[0], 0);
	probe_release(&a);
	probe_release(&b);
}
END_TEST

START_TEST(closes_while_looking_up)
{
	struct probe p = make(both[0]);

	p.target.address = "no-such-host.invalid";
	open_ok(&p, "true");
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	probe_close(&p);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(p.ended, 0);
}
END_TEST

START_TEST(leaves_no_known_hosts_file)
{
	struct probe p = make(both[1]);
	char tmp[300], *old = getenv("TMPDIR");

	old = old ? strdup(old) : NULL;
	snprintf(tmp, sizeof tmp, "%s/a dir", dir);
	ck_assert_int_eq(shell("mkdir -p '%s'", tmp), 0);
	setenv("TMPDIR", tmp, 1);
	run(&p, "echo in");
	if (old)
		setenv("TMPDIR", old, 1);
	else
		unsetenv("TMPDIR");
	free(old);
	assert_eof(&p);
	ck_assert_int_eq(rmdir(tmp), 0);
	probe_release(&p);
}
END_TEST

START_TEST(refuses_what_could_be_an_option)
{
	static const char *const bad[] = { "-oProxyCommand=x", "a b", "",
		"a;b", "$(x)" };
	struct probe p = make(both[_i % 2]);

	p.target.address = bad[_i / 2];
	ck_assert_int_eq(probe_open(&loop, &p, "true"), TW_USAGE);
	ck_assert_ptr_null(p.link);
	p = make(both[_i % 2]);
	p.target.user = bad[_i / 2];
	ck_assert_int_eq(probe_open(&loop, &p, "true"), TW_USAGE);
	p = make(both[_i % 2]);
	p.target.via = bad[_i / 2];
	ck_assert_int_eq(probe_open(&loop, &p, "true"), TW_USAGE);
}
END_TEST

static TCase *new_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	return tc;
}

#define EACH(f) tcase_add_loop_test(tc, f, 0, 2)

int main(void)
{
	Suite *s = suite_create("links");
	SRunner *sr = srunner_create(s);
	int failed;
	TCase *tc;

	tc = new_case(s, "works");
	EACH(echoes_both_ways_and_ends);
	EACH(separates_stderr);
	EACH(any_exit_status_is_an_end);
	EACH(logs_in_with_the_second_key);
	tcase_add_test(tc, logs_in_with_pem_ecdsa);
	tcase_add_test(tc, fifty_links_at_once);
	EACH(downloads_50_mb_in_bounded_memory);
	EACH(uploads_20_mb_unharmed);
	EACH(carries_5_mb_both_ways_at_once);
	EACH(a_flood_starves_nobody);
	EACH(tries_each_address_of_a_name);
	tcase_add_loop_test(tc, logs_in_with_the_agent, 0, 1);
	tc = new_case(s, "person");
	EACH(a_refused_key_needs_a_person);
	tcase_add_test(tc, no_key_needs_a_person);
	tcase_add_test(tc, a_key_that_is_not_ours_to_read_is_no_refusal);
	EACH(a_changed_host_key_needs_a_person);
	EACH(another_type_of_host_key_needs_a_person);
	tcase_add_test(tc, no_session_allowed_needs_a_person);
	tc = new_case(s, "temporary");
	EACH(a_closed_port_is_temporary);
	EACH(an_unknown_name_is_temporary);
	EACH(a_black_hole_is_temporary);
	tcase_add_test(tc, a_connect_without_answer_is_temporary);
	EACH(a_killed_server_is_temporary);
	EACH(silence_is_temporary);
	EACH(a_slow_upload_is_alive);
	tcase_add_loop_test(tc, hostile_servers_are_temporary, 0, 9);
	tcase_add_loop_test(tc, a_connection_lost_anywhere_is_temporary, 0,
	    60);
	tcase_add_loop_test(tc, a_spoilt_connection_is_nobodys_fault, 0, 80);
	tc = new_case(s, "transport");
	tcase_add_loop_test(tc, learns_the_host_key, 0, 4);
	EACH(learning_from_nobody_says_so);
	EACH(speaks_to_an_ecdsa_host);
	tcase_add_test(tc, an_rsa_host_needs_the_ssh_transport);
	EACH(the_pinned_type_is_asked_for);
	tcase_add_test(tc, an_rsa_login_needs_the_ssh_transport);
	tcase_add_test(tc, an_unknown_cipher_is_unsupported);
	tc = new_case(s, "ways");
	tcase_add_loop_test(tc, goes_through_jump_hosts, 0, 4);
	EACH(a_refusing_jump_host_needs_a_person);
	EACH(an_absent_jump_host_is_temporary);
	EACH(a_refusal_behind_a_jump_host_is_the_hosts);
	EACH(goes_through_a_proxy_command);
	EACH(a_failing_proxy_command_is_quoted);
	EACH(a_mute_proxy_command_is_temporary);
	tc = new_case(s, "closing");
	tcase_add_loop_test(tc, closes_at_any_moment, 0, 40);
	EACH(closes_from_its_own_events);
	tcase_add_test(tc, closes_while_looking_up);
	tcase_add_test(tc, leaves_no_known_hosts_file);
	tcase_add_loop_test(tc, refuses_what_could_be_an_option, 0, 10);
	if (!rig_up()) {
		fprintf(stderr, "cannot start an sshd\n");
		return 1;
	}
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	rig_down();
	return failed ? 1 : 0;
}
