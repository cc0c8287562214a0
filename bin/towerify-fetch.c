/*
 * towerify-fetch.c - downloads one file, for the other tools (lib/fetch/fetch.h)
 *
 * The only program with libcurl in it.  It is given no path, opens nothing, and
 * inherits nothing but three descriptors: the request, lines of a word and a
 * value; where the body goes; where the reason of a failure goes.  The exit
 * status is an enum tw_status.  Redirects are followed here and not by libcurl,
 * so that each address is looked at before it is asked.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define REDIRECTS_MAX 10
#define HEADERS_MAX ((size_t)256 << 10)	/* bytes of all headers of an answer */
#define ALLOWED_MAX 1000
#define CONNECT_MS 30000L
#define SLOW_BYTES 100L			/* fewer a second ... */
#define SLOW_SECONDS 30L		/* ... for so long is a dead line */

struct request {
	char *url;
	size_t max;
	int64_t timeout;	/* ms */
	bool is_public, is_listed;
	char *allow[ALLOWED_MAX];
	size_t nallow;
	long parent;
};

struct hop {			/* one address, and what came of it */
	const struct request *r;
	CURL *curl;
	bool may_private;	/* allowed by name */
	bool was_private;	/* a connection was refused for its address */
	bool was_own;		/* ... which is one of this machine's */
	size_t headers, body;
	int write_error;
	bool too_large;
};

/* --- the request ---------------------------------------------------------------- */

/* The value where line is "WORD VALUE", else NULL. */
static char *value_of(char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1 :
	    NULL;
}

static bool read_line(struct request *r, char *line)
{
	char *v;

	if (strcmp(line, "public") == 0)
		r->is_public = true;
	else if (strcmp(line, "listed") == 0)
		r->is_listed = true;
	else if ((v = value_of(line, "url")))
		r->url = v;
	else if ((v = value_of(line, "max")))
		r->max = strtoull(v, NULL, 10);
	else if ((v = value_of(line, "timeout")))
		r->timeout = strtoll(v, NULL, 10);
	else if ((v = value_of(line, "parent")))
		r->parent = strtol(v, NULL, 10);
	else if ((v = value_of(line, "allow")) && r->nallow < ALLOWED_MAX)
		r->allow[r->nallow++] = v;
	else
		return false;
	return true;
}

/* *r borrows from text. */
static enum tw_status read_request(struct tw_buf *text, struct request *r,
    struct tw_err *err)
{
	char *rest, *line;

	if (isatty(STDIN_FILENO))
		return tw_err_set(err, TW_USAGE, "this is run by other tools, "
		    "see towerify-fetch(8)");
	if (tw_io_read_fd(STDIN_FILENO, W_("the request"), text, err) != TW_OK)
		return TW_CONFIG;
	rest = text->data;
	while (rest && *rest && (line = strsep(&rest, "\n")))
		if (!read_line(r, line))
			return tw_err_set(err, TW_BUG, "the request has a "
			    "line that is not known");
	if (!r->url || r->timeout <= 0)
		return tw_err_set(err, TW_BUG, "the request is not whole");
	return TW_OK;
}

/* Nothing of the caller's stays open, and who started us takes us along. */
static void shut_in(const struct request *r)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r->parent && getppid() != r->parent)
		_exit(TW_AGAIN);
	signal(SIGPIPE, SIG_IGN);
}

/* --- where it may go ------------------------------------------------------------- */

/* IPv4, in the host's byte order: what no public host has. */
static bool is_private_4(uint32_t a)
{
	static const struct {
		uint32_t net;
		int bits;
	} nets[] = {
		{ 0x00000000, 8 }, { 0x0a000000, 8 },	/* 0/8, 10/8 */
		{ 0x64400000, 10 },			/* 100.64/10 */
		{ 0x7f000000, 8 }, { 0xa9fe0000, 16 },	/* 127/8, 169.254/16 */
		{ 0xac100000, 12 }, { 0xc0000000, 24 },	/* 172.16/12, 192.0.0/24 */
		{ 0xc0a80000, 16 }, { 0xc6120000, 15 },	/* 192.168/16, 198.18/15 */
		{ 0xe0000000, 3 },			/* multicast and beyond */
	};
	size_t i;

	for (i = 0; i < sizeof nets / sizeof *nets; i++)
		if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
			return true;
	return false;
}

/* Of IPv6 only 2000::/3 is public, and not where it wraps a private IPv4
 * address: 6to4, Teredo; ::ffff:0:0/96 and 64:ff9b::/96 count as what they
 * wrap. */
static bool is_private_6(const uint8_t a[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	uint32_t last = (uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 |
	    (uint32_t)a[14] << 8 | a[15];

	if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
		return is_private_4(last);
	if ((a[0] & 0xe0) != 0x20)
		return true;
	return (a[0] == 0x20 && a[1] == 0x02) ||
	    (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0);
}

static bool is_private(const struct sockaddr *sa)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;

	switch (sa->sa_family) {
	case AF_INET:
		return is_private_4(ntohl(in->sin_addr.s_addr));
	case AF_INET6:
		return is_private_6(in6->sin6_addr.s6_addr);
	default:
		return true;
	}
}

static bool is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->sa_family == AF_INET && b->sa_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	if (a->sa_family == AF_INET6 && b->sa_family == AF_INET6)
		return memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0;
	if (a->sa_family == AF_INET6 && b->sa_family == AF_INET)
		return IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr) &&
		    memcmp(a6->sin6_addr.s6_addr + 12, &b4->sin_addr, 4) == 0;
	return false;
}

/* Is it of an interface of this machine?  So it is, where that can't be seen. */
static bool is_own(const struct sockaddr *sa)
{
	struct ifaddrs *all, *one;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return true;
	for (one = all; one && !found; one = one->ifa_next)
		found = one->ifa_addr && is_same_address(sa, one->ifa_addr);
	freeifaddrs(all);
	return found;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
    struct curl_sockaddr *to)
{
	struct hop *h = arg;

	(void)purpose;
	if (h->r->is_public && !h->may_private) {
		h->was_private = is_private(&to->addr);
		h->was_own = !h->was_private && is_own(&to->addr);
		if (h->was_private || h->was_own)
			return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* The same part of both, NULL where there is none. */
static bool is_same(CURLU *a, CURLU *b, CURLUPart part, bool any_case)
{
	char *x = NULL, *y = NULL;
	bool same;

	curl_url_get(a, part, &x, CURLU_DEFAULT_PORT);
	curl_url_get(b, part, &y, CURLU_DEFAULT_PORT);
	same = x && y && (any_case ? strcasecmp(x, y) : strcmp(x, y)) == 0;
	curl_free(x);
	curl_free(y);
	return same;
}

/* Is the path of u the other one, or below it where that ends with a slash?
 * What a server could take for ".." is neither. */
static bool is_below(CURLU *u, CURLU *other)
{
	char *path = NULL, *top = NULL;
	bool below = false;
	size_t n;

	curl_url_get(u, CURLUPART_PATH, &path, 0);
	curl_url_get(other, CURLUPART_PATH, &top, 0);
	if (path && top && !strcasestr(path, "%2e") && !strstr(path, "..") &&
	    !strchr(path, '\\')) {
		n = strlen(top);
		below = strncmp(path, top, n) == 0 &&
		    (path[n] == '\0' || (n && top[n - 1] == '/'));
	}
	curl_free(path);
	curl_free(top);
	return below;
}

static bool is_allowed(const struct request *r, CURLU *u)
{
	CURLU *one;
	bool found = false;
	size_t i;

	for (i = 0; i < r->nallow && !found; i++) {
		one = curl_url();
		found = one && curl_url_set(one, CURLUPART_URL, r->allow[i],
		    0) == CURLUE_OK && is_same(u, one, CURLUPART_SCHEME, true) &&
		    is_same(u, one, CURLUPART_HOST, true) &&
		    is_same(u, one, CURLUPART_PORT, false) && is_below(u, one);
		curl_url_cleanup(one);
	}
	return found;
}

/* An address before it is asked: the first, or where a redirect leads.  The
 * message does not name the first one, the caller does. */
static enum tw_status check_url(const struct request *r, const char *url,
    bool was_https, struct hop *h, CURLU *u, struct tw_err *err)
{
	CURLUcode e = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER |
	    CURLU_NON_SUPPORT_SCHEME);
	char *scheme = NULL;
	enum tw_status st = TW_OK;

	if (e == CURLUE_OUT_OF_MEMORY)
		return tw_err_set(err, TW_AGAIN, "out of memory");
	if (e == CURLUE_USER_NOT_ALLOWED)
		return tw_err_set(err, TW_DATA, "an address with a user or a "
		    "password in it is not fetched: it would be stored");
	if (e)
		return tw_err_set(err, TW_DATA, "not an address: %s",
		    curl_url_strerror(e));
	curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (!scheme || (strcmp(scheme, "https") != 0 &&
	    strcmp(scheme, "http") != 0))
		st = tw_err_set(err, TW_DATA, "not fetched: only https and "
		    "http are");
	else if (was_https && strcmp(scheme, "http") == 0)
		st = tw_err_set(err, TW_DATA, "https is not left for http");
	curl_free(scheme);
	if (st)
		return st;
	h->may_private = is_allowed(r, u);
	if (r->is_listed && !h->may_private)
		return tw_err_set(err, TW_DENIED, "not among the addresses "
		    "that this tower may fetch");
	return TW_OK;
}

/* The address for a message: without a user and a password. */
static void say_redirected(const char *url, struct tw_err *err)
{
	size_t scheme = strcspn(url, ":/?#"), host, i;

	scheme += strspn(url + scheme, ":/");
	host = scheme;
	for (i = scheme; url[i] && !strchr("/?#", url[i]); i++)
		if (url[i] == '@')
			host = i;
	tw_err_prefix(err, "redirected to %.*s%s%s", (int)scheme, url,
	    host > scheme ? "***" : "", url + host);
}

/* --- one hop ------------------------------------------------------------------------ */

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct hop *h = arg;

	(void)p;
	h->headers += size * n;
	return h->headers > HEADERS_MAX ? 0 : size * n;
}

/* The body of an error or of a redirect goes nowhere, and not for ever. */
static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct hop *h = arg;
	long code = 0;

	n *= size;
	h->too_large = n > h->r->max - h->body;
	if (h->too_large)
		return 0;
	h->body += n;
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
	if (code == 200)
		h->write_error = tw_io_write_all(STDOUT_FILENO, p, n);
	return h->write_error ? 0 : n;
}

static CURLcode set_options(struct hop *h, CURLU *u, int64_t left)
{
	const char *ca = getenv("SSL_CERT_FILE");
	CURL *c = h->curl;
	CURLcode e = CURLE_OK;

#define SET(option, value) \
	do { \
		if (!e) \
			e = curl_easy_setopt(c, option, value); \
	} while (0)
	curl_easy_reset(c);
	SET(CURLOPT_CURLU, u);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "towerify");
	SET(CURLOPT_TIMEOUT_MS, (long)left);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    left < CONNECT_MS ? (long)left : CONNECT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)h->r->max);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, h);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, h);
	if (h->r->is_public)	/* a proxy would go anywhere for us */
		SET(CURLOPT_PROXY, "");
	if (ca)
		SET(CURLOPT_CAINFO, ca);
#undef SET
	return e;
}

static enum tw_status say_why(const struct hop *h, CURLcode e,
    const char *detail, struct tw_err *err)
{
	const char *why = detail[0] ? detail : curl_easy_strerror(e);

	if (h->was_private || h->was_own) {
		tw_err_set(err, TW_DENIED, h->was_own ?
		    N_("an address of the tower itself, and behind a gate "
		    "none such is fetched") :
		    N_("not a public address, and behind a gate no other is "
		    "fetched"));
		tw_err_hint(err, "the tower's administrator can allow it, see "
		    "towerify-fetch(8)");
		return TW_DENIED;
	}
	if (h->too_large || e == CURLE_FILESIZE_EXCEEDED)
		return tw_err_set(err, TW_DATA, "larger than %zu bytes",
		    h->r->max);
	if (h->write_error)
		return tw_err_sys(err, TW_AGAIN, h->write_error,
		    "cannot store it");
	if (h->headers > HEADERS_MAX)
		return tw_err_set(err, TW_DATA, "headers of more than %zu "
		    "bytes", HEADERS_MAX);
	switch (e) {
	case CURLE_OPERATION_TIMEDOUT:
		return tw_err_set(err, TW_AGAIN, "it took too long, %zu bytes "
		    "came", h->body);
	case CURLE_PARTIAL_FILE:
		return tw_err_set(err, TW_AGAIN, "it ended early, after %zu "
		    "bytes", h->body);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_PEER_FAILED_VERIFICATION:
		return tw_err_set(err, TW_DATA, "%s", why);
	case CURLE_SSL_CACERT_BADFILE:
		return tw_err_set(err, TW_CONFIG, "%s", why);
	default:
		return tw_err_set(err, TW_AGAIN, "%s", why);
	}
}

/* The answer's status: TW_OK with *next where it leads elsewhere. */
static enum tw_status judge(CURL *c, char **next, struct tw_err *err)
{
	long code = 0;
	char *to = NULL;

	*next = NULL;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &to);
	if (code == 200)
		return TW_OK;
	if (code >= 300 && code < 400 && to) {
		*next = strdup(to);
		return *next ? TW_OK : tw_err_set(err, TW_AGAIN,
		    "out of memory");
	}
	return tw_err_set(err, code >= 500 || code == 408 || code == 429 ?
	    TW_AGAIN : TW_DATA, "answered with status %ld", code);
}

static enum tw_status ask(struct hop *h, const char *url, bool was_https,
    int64_t end, char **next, struct tw_err *err)
{
	int64_t left = end - tw_clock_mono();
	char detail[CURL_ERROR_SIZE] = "";
	CURLU *u = curl_url();
	enum tw_status st;
	CURLcode e;

	h->was_private = h->was_own = h->too_large = false;
	h->headers = h->body = 0;
	st = u ? check_url(h->r, url, was_https, h, u, err) :
	    tw_err_set(err, TW_AGAIN, "out of memory");
	if (!st && left <= 0)
		st = tw_err_set(err, TW_AGAIN, "it took too long");
	if (!st) {
		e = set_options(h, u, left);
		if (!e)
			e = curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER,
			    detail);
		if (!e)
			e = curl_easy_perform(h->curl);
		st = e ? say_why(h, e, detail, err) :
		    judge(h->curl, next, err);
		curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	}
	/* the handle must not keep what is freed */
	curl_easy_setopt(h->curl, CURLOPT_CURLU, NULL);
	curl_url_cleanup(u);
	return st;
}

static enum tw_status fetch(const struct request *r, CURL *curl,
    struct tw_err *err)
{
	struct hop h = { .r = r, .curl = curl };
	int64_t end = tw_clock_mono() + r->timeout;
	char *url = strdup(r->url), *next = NULL;
	enum tw_status st = TW_OK;
	bool was_https = false;
	int hops = 0;

	while (url && !st) {
		st = ask(&h, url, was_https, end, &next, err);
		if (st && hops)
			say_redirected(url, err);
		was_https = strncasecmp(url, "https:", 6) == 0;
		free(url);
		url = next;
		next = NULL;
		if (url && !st && hops++ == REDIRECTS_MAX)
			st = tw_err_set(err, TW_DATA, "more than %d redirects",
			    REDIRECTS_MAX);
	}
	free(url);
	return st;
}

int main(void)
{
	struct tw_buf text = TW_BUF_INIT;
	struct request r = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	CURL *curl = NULL;

	close_range(3, ~0U, 0);
	st = read_request(&text, &r, &err);
	if (!st) {
		shut_in(&r);
		if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
			curl = curl_easy_init();
		st = curl ? fetch(&r, curl, &err) :
		    tw_err_set(&err, TW_AGAIN, "libcurl can't begin");
	}
	if (st)
		fprintf(stderr, "%s\n%s%s%s", err.msg, err.hint[0] ? "hint: " :
		    "", err.hint, err.hint[0] ? "\n" : "");
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	tw_buf_release(&text);
	return tw_status_exit(st);
}
