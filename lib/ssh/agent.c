/*
 * agent.c - a client of ssh-agent (draft-miller-ssh-agent); see agent.h
 */
#include "ssh/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX 262144u	/* bytes, as OpenSSH's own limit */

enum {
	REQUEST_IDENTITIES = 11,
	IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13,
	SIGN_RESPONSE = 14,
};

struct tw_agent {
	int fd;
	struct tw_buf keys;	/* the answer with all keys */
	struct tw_blob rest;	/* of it, not yet handed out */
	uint32_t left;
};

static bool receive_all(int fd, void *p, size_t n)
{
	char *at = p;
	ssize_t r;

	while (n > 0) {
		r = recv(fd, at, n, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

static bool send_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t r;

	while (n > 0) {
		r = send(fd, at, n, MSG_NOSIGNAL);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

/* Sends the request, and receives an answer that must be of the type. */
static enum tw_status ask(struct tw_agent *a, const struct tw_buf *request,
    int type, struct tw_buf *answer, struct tw_err *err)
{
	struct tw_buf framed = TW_BUF_INIT;
	struct tw_blob head;
	uint8_t length[4];
	uint32_t n;
	bool ok;

	tw_blob_add_string(&framed, tw_buf_str(request), request->len);
	ok = !request->failed && !framed.failed &&
	    send_all(a->fd, framed.data, framed.len) &&
	    receive_all(a->fd, length, sizeof length);
	tw_buf_release(&framed);
	head.p = length;
	head.n = sizeof length;
	if (!ok || !tw_blob_u32(&head, &n) || n < 1 || n > ANSWER_MAX ||
	    !tw_buf_reserve(answer, n) || !receive_all(a->fd, answer->data, n))
		return tw_err_set(err, TW_AGAIN, "the ssh agent does not "
		    "answer");
	answer->len = n;
	if ((uint8_t)answer->data[0] != type)
		return tw_err_set(err, TW_DENIED, "the ssh agent refuses");
	return TW_OK;
}

static enum tw_status agent_connect(struct tw_agent *a, struct tw_err *err)
{
	const struct timeval limit = { TW_AGENT_LIMIT_MS / 1000, 0 };
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	if (!path || !*path || strlen(path) >= sizeof sun.sun_path)
		return tw_err_set(err, TW_NO, "there is no ssh agent");
	memcpy(sun.sun_path, path, strlen(path));
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return tw_err_sys(err, TW_AGAIN, errno, "cannot make a socket");
	if (setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof limit) != 0 || setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO,
	    &limit, sizeof limit) != 0 ||
	    connect(a->fd, (const struct sockaddr *)&sun, sizeof sun) != 0)
		return tw_err_sys(err, TW_NO, errno, "cannot reach the ssh "
		    "agent");
	return TW_OK;
}

enum tw_status tw_agent_open(struct tw_agent **out, struct tw_err *err)
{
	struct tw_buf request = TW_BUF_INIT;
	struct tw_agent *a;
	enum tw_status st;

	*out = NULL;
	a = calloc(1, sizeof *a);
	if (!a)
		return tw_err_nomem(err);
	a->fd = -1;
	st = agent_connect(a, err);
	if (st == TW_OK) {
		tw_buf_addc(&request, REQUEST_IDENTITIES);
		st = ask(a, &request, IDENTITIES_ANSWER, &a->keys, err);
	}
	tw_buf_release(&request);
	if (st == TW_OK) {
		a->rest.p = (const uint8_t *)a->keys.data + 1;
		a->rest.n = a->keys.len - 1;
		if (!tw_blob_u32(&a->rest, &a->left))
			a->left = 0;
		*out = a;
	} else {
		tw_agent_close(a);
	}
	return st;
}

void tw_agent_close(struct tw_agent *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	tw_buf_release(&a->keys);
	free(a);
}

bool tw_agent_next(struct tw_agent *a, struct tw_blob *key)
{
	struct tw_blob comment;

	if (a->left == 0)
		return false;
	a->left--;
	return tw_blob_string(&a->rest, key) &&
	    tw_blob_string(&a->rest, &comment);
}

enum tw_status tw_agent_sign(struct tw_agent *a, const struct tw_blob *key,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err)
{
	struct tw_buf request = TW_BUF_INIT, answer = TW_BUF_INIT;
	struct tw_blob rest, signature;
	enum tw_status st;

	tw_buf_addc(&request, SIGN_REQUEST);
	tw_blob_add_string(&request, key->p, key->n);
	tw_blob_add_string(&request, p, n);
	tw_blob_add_u32(&request, 0);
	st = ask(a, &request, SIGN_RESPONSE, &answer, err);
	if (st == TW_OK) {
		rest.p = (const uint8_t *)answer.data + 1;
		rest.n = answer.len - 1;
		if (!tw_blob_string(&rest, &signature))
			st = tw_err_set(err, TW_AGAIN, "the ssh agent's "
			    "answer is malformed");
		else if (!tw_buf_add(out, signature.p, signature.n))
			st = tw_err_nomem(err);
	}
	tw_buf_release(&request);
	tw_buf_release(&answer);
	return st;
}
