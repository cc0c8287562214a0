/*
 * libssh2_session.c - a libssh2 session: its memory and its socket calls
 *
 * All memory of a session is on a list of the link's.  That bounds what a
 * hostile host can make us hold, and frees what libssh2 1.10 forgets when a
 * session is dropped in the middle of a key exchange.  The socket calls are
 * ours so that a turn of the loop is bounded whatever libssh2 is doing, the
 * arrival of bytes is seen, and freeing a session can't wait.
 */
#include "ssh/libssh2_link.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ssh/text.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_failed;

static void init_library(void)
{
	init_failed = libssh2_init(0);
}

/* ---- memory ---- */

static void link_block(struct tw_link *l, struct tw_l2_block *b, size_t n)
{
	b->size = n;
	b->prev = NULL;
	b->next = l->blocks;
	if (b->next)
		b->next->prev = b;
	l->blocks = b;
	l->memory += n;
}

static void unlink_block(struct tw_link *l, struct tw_l2_block *b)
{
	if (b->prev)
		b->prev->next = b->next;
	else
		l->blocks = b->next;
	if (b->next)
		b->next->prev = b->prev;
	l->memory -= b->size;
}

void *tw_l2_alloc(struct tw_link *l, size_t n)
{
	struct tw_l2_block *b;

	if (n > SIZE_MAX - sizeof *b)
		return NULL;
	b = malloc(sizeof *b + n);
	if (!b) {
		l->has_no_memory = true;
		return NULL;
	}
	link_block(l, b, n);
	return b + 1;
}

static void *on_alloc(size_t n, void **abstract)
{
	return tw_l2_alloc(*abstract, n);
}

static void on_free(void *p, void **abstract)
{
	struct tw_l2_block *b = p;

	if (!p)
		return;
	b--;
	unlink_block(*abstract, b);
	free(b);
}

static void *on_realloc(void *p, size_t n, void **abstract)
{
	struct tw_link *l = *abstract;
	struct tw_l2_block *b = p, *moved;
	size_t old;

	if (!p)
		return tw_l2_alloc(l, n);
	if (n > SIZE_MAX - sizeof *b)
		return NULL;
	b--;
	old = b->size;
	unlink_block(l, b);
	moved = realloc(b, sizeof *b + n);
	if (!moved) {
		l->has_no_memory = true;
		link_block(l, b, old);
		return NULL;
	}
	link_block(l, moved, n);
	return moved + 1;
}

/* ---- the socket ---- */

static ssize_t on_recv(libssh2_socket_t fd, void *p, size_t n, int flags,
    void **abstract)
{
	struct tw_link *l = *abstract;
	ssize_t r;

	if (l->hangup)
		return -ECONNRESET;
	if (l->cut || l->budget == 0)
		return -EAGAIN;
	do
		r = recv(fd, p, n < l->budget ? n : l->budget, flags);
	while (r < 0 && errno == EINTR);
	if (r > 0) {
		l->budget -= (size_t)r;
		l->heard = uv_now(l->loop);
		return r;
	}
	if (r == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
		l->cut = true;
		l->cut_errno = r == 0 ? 0 : errno;
	}
	/* libssh2 would ask several times more: what comes in this turn is for
	 * the next */
	l->budget = 0;
	return -EAGAIN;
}

static ssize_t on_send(libssh2_socket_t fd, const void *p, size_t n, int flags,
    void **abstract)
{
	struct tw_link *l = *abstract;
	ssize_t r;

	if (l->hangup)
		return -ECONNRESET;
	if (l->cut)
		return -EAGAIN;
	do
		r = send(fd, p, n, flags | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	if (errno != EAGAIN && errno != EWOULDBLOCK) {
		l->cut = true;
		l->cut_errno = errno;
	}
	return -EAGAIN;
}

static void on_disconnect(LIBSSH2_SESSION *session, int reason,
    const char *message, int message_len, const char *language,
    int language_len, void **abstract)
{
	struct tw_link *l = *abstract;

	(void)session;
	(void)reason;
	(void)language;
	(void)language_len;
	l->farewell = true;
	tw_text_clean(l->farewell_text, sizeof l->farewell_text, message,
	    message_len > 0 ? (size_t)message_len : 0);
}

/* ---- the session ---- */

static const char *const types[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
};

bool tw_l2_type_ok(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The pinned type first, so that the host shows that key; then the others, so
 * that a host which no longer has it is seen to have changed. */
static bool prefer_type(struct tw_link *l, const char *type)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;
	bool ok;

	tw_buf_adds(&b, type);
	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(type, types[i]) != 0)
			tw_buf_addf(&b, "%s%s", b.len > 0 ? "," : "",
			    types[i]);
	ok = !b.failed && libssh2_session_method_pref(l->session,
	    LIBSSH2_METHOD_HOSTKEY, tw_buf_str(&b)) == 0;
	tw_buf_release(&b);
	return ok;
}

/* Cheap ones first, and none that current sshd refuses. */
static bool prefer_methods(LIBSSH2_SESSION *s)
{
	static const struct {
		int method;
		const char *names;
	} prefer[] = {
		{ LIBSSH2_METHOD_KEX, "curve25519-sha256,"
		    "curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
		    "ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
		    "diffie-hellman-group-exchange-sha256,"
		    "diffie-hellman-group14-sha256,"
		    "diffie-hellman-group16-sha512,"
		    "diffie-hellman-group18-sha512" },
		{ LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr,aes192-ctr,aes256-ctr" },
		{ LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr,aes192-ctr,aes256-ctr" },
		{ LIBSSH2_METHOD_MAC_CS,
		    "hmac-sha2-256,hmac-sha2-512,hmac-sha1" },
		{ LIBSSH2_METHOD_MAC_SC,
		    "hmac-sha2-256,hmac-sha2-512,hmac-sha1" },
	};
	size_t i;

	for (i = 0; i < sizeof prefer / sizeof prefer[0]; i++)
		if (libssh2_session_method_pref(s, prefer[i].method,
		    prefer[i].names) != 0)
			return false;
	return true;
}

enum tw_status tw_l2_session_new(struct tw_link *l, const char *type,
    struct tw_err *err)
{
	pthread_once(&once, init_library);
	if (init_failed)
		return tw_err_set(err, TW_AGAIN, "cannot start libssh2");
	l->session = libssh2_session_init_ex(on_alloc, on_free, on_realloc, l);
	if (!l->session)
		return tw_err_nomem(err);
	libssh2_session_set_blocking(l->session, 0);
	libssh2_session_callback_set(l->session, LIBSSH2_CALLBACK_RECV,
	    (void *)on_recv);
	libssh2_session_callback_set(l->session, LIBSSH2_CALLBACK_SEND,
	    (void *)on_send);
	libssh2_session_callback_set(l->session, LIBSSH2_CALLBACK_DISCONNECT,
	    (void *)on_disconnect);
	if (!prefer_type(l, type) || !prefer_methods(l->session))
		return tw_err_nomem(err);
	return TW_OK;
}

void tw_l2_session_free(struct tw_link *l)
{
	struct tw_l2_block *b, *next;
	int i;

	/* With .hangup each of its socket calls fails, so a second round is
	 * enough for each thing it would say goodbye to. */
	l->hangup = true;
	for (i = 0; l->session && i < 16; i++)
		if (libssh2_session_free(l->session) != LIBSSH2_ERROR_EAGAIN)
			break;
	l->session = NULL;
	l->channel = NULL;
	for (b = l->blocks; b; b = next) {
		next = b->next;
		explicit_bzero(b, sizeof *b + b->size);
		free(b);
	}
	l->blocks = NULL;
	l->memory = 0;
}

void tw_l2_session_error(struct tw_link *l, char *out, size_t size)
{
	char *text = NULL;
	int n = 0;

	libssh2_session_last_error(l->session, &text, &n, 0);
	tw_text_clean(out, size, text ? text : "", n > 0 ? (size_t)n : 0);
}
