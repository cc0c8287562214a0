/*
 * towerify-webhook.c - a hook: posts the event on standard input to the address
 *                      in TOWERIFY_WEBHOOK (towerify-webhook(8))
 *
 * The address may hold what lets in there, so no message has it.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

#define EVENT_MAX ((size_t)1 << 20)
#define CONNECT_MS 10000L

/* What is sent back is of no interest. */
static size_t drop(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static CURLcode set_up(CURL *c, const char *url, const struct tw_buf *event,
    struct curl_slist *headers)
{
	CURLcode e;

#define SET(option, value) \
	((e = curl_easy_setopt(c, option, value)) != CURLE_OK)
	if (SET(CURLOPT_URL, url) || SET(CURLOPT_NOSIGNAL, 1L) ||
	    SET(CURLOPT_PROTOCOLS_STR, "http,https") ||
	    SET(CURLOPT_POST, 1L) ||
	    SET(CURLOPT_POSTFIELDS, event->data) ||
	    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)event->len) ||
	    SET(CURLOPT_HTTPHEADER, headers) ||
	    SET(CURLOPT_USERAGENT, "towerify/" PACKAGE_VERSION) ||
	    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) ||
	    SET(CURLOPT_WRITEFUNCTION, drop))
		return e;
#undef SET
	return CURLE_OK;
}

static bool is_temporary(CURLcode e, long answer)
{
	if (e == CURLE_OK)
		return answer >= 500 || answer == 408 || answer == 429;
	return e != CURLE_UNSUPPORTED_PROTOCOL && e != CURLE_URL_MALFORMAT;
}

static int post(const char *url, const struct tw_buf *event)
{
	struct curl_slist *headers = NULL;
	CURL *c = curl_easy_init();
	CURLcode e = CURLE_OUT_OF_MEMORY;
	long answer = 0;

	headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (c && headers)
		e = set_up(c, url, event, headers);
	if (e == CURLE_OK)
		e = curl_easy_perform(c);
	if (e == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	if (e == CURLE_OK && answer >= 200 && answer < 300)
		return TW_OK;
	if (e)
		fprintf(stderr, "cannot post: %s\n", curl_easy_strerror(e));
	else
		fprintf(stderr, "answered with status %ld\n", answer);
	return is_temporary(e, answer) ? TW_AGAIN : TW_NO;
}

int main(void)
{
	const char *url = getenv("TOWERIFY_WEBHOOK");
	struct tw_buf event = { .max = EVENT_MAX };
	struct tw_err err;
	int status;

	if (!url || !*url)
		return TW_OK;
	if (isatty(STDIN_FILENO)) {
		fputs("this is a hook, see towerify-hooks(7)\n", stderr);
		return TW_USAGE;
	}
	if (tw_io_read_fd(STDIN_FILENO, "the event", &event, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return TW_CONFIG;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return TW_AGAIN;
	status = post(url, &event);
	curl_global_cleanup();
	tw_buf_release(&event);
	return status;
}
