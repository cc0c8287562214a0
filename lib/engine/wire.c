/* wire.c - what the tower sends to a host; see wire.h */
#include "engine/wire.h"

#include <inttypes.h>

#include "base/hash.h"

/*
 * The command is read by whatever login shell the account has, so it is one
 * single-quoted word after `exec sh -c`, without "!" (csh).  `eval` of a text
 * that was cut short would run half a program: the byte count is checked
 * first, and the text itself does nothing before its last line, which has no
 * newline for the substitution to drop.
 */
#define COMMAND "sh -c 'IFS= read -r n && t=$(LC_ALL=C head -c \"$n\") && " \
	"[ \"${#t}\" -eq \"$n\" ] && eval \"$t\"; exit 65'"

#define HEAD_MAX ((size_t)4096)		/* of the length and request lines */

const char tw_wire_command[] = "exec " COMMAND;
const char tw_wire_command_sudo[] = "exec sudo -n -H -- " COMMAND;

static void add_program(const struct tw_request *r, struct tw_buf *out)
{
	char text[TW_SHA256_HEX], blob[TW_SHA256_HEX];

	tw_sha256_hex(r->text, r->text_len, text);
	tw_sha256_hex(r->blob, r->blob_len, blob);
	tw_buf_addf(out, " text=%zu blob=%zu textsha=%s blobsha=%s",
	    r->text_len, r->blob_len, text, blob);
}

static void add_keys(const struct tw_request *r, struct tw_buf *out)
{
	size_t i;

	for (i = 0; r->keys && r->keys[i]; i++)
		tw_buf_addf(out, " key=%s", r->keys[i]);
	if (r->shared)
		tw_buf_adds(out, " shared=1");
}

static void add_secret(const struct tw_request *r, struct tw_buf *out)
{
	char sha[TW_SHA256_HEX];

	tw_sha256_hex(r->secret, r->secret_len, sha);
	tw_buf_addf(out, " secret=%zu secretsha=%s", r->secret_len, sha);
}

enum tw_status tw_wire_request(const struct tw_request *r, struct tw_buf *out,
    struct tw_err *err)
{
	tw_buf_reserve(out, tw_executor_text_len + HEAD_MAX + r->text_len +
	    r->blob_len + r->secret_len);
	tw_buf_addf(out, "%zu\n", tw_executor_text_len);
	tw_buf_add(out, tw_executor_text, tw_executor_text_len);
	tw_buf_addf(out, "towerify1 %s nonce=%s spool=%s id=%s", r->verb,
	    r->nonce, r->spool ? r->spool : "-",
	    r->spool_id ? r->spool_id : "-");
	if (r->queue_id)
		tw_buf_addf(out, " queue=%s epoch=%" PRId64 " ack=%" PRId64
		    " fence=%" PRId64 ".%" PRId64, r->queue_id, r->epoch,
		    r->ack, r->fence_epoch, r->fence_seq);
	if (r->unhold)
		tw_buf_adds(out, " unhold=1");
	if (r->job)
		tw_buf_addf(out, " job=%s seq=%" PRId64 " life=%" PRId64
		    " offset=%" PRId64 " event=%" PRId64, r->job, r->seq,
		    r->life, r->offset, r->events);
	if (r->step)
		tw_buf_addf(out, " step=%" PRId64, r->step);
	if (r->cancel)
		tw_buf_addf(out, " cancel=%s", r->cancel);
	if (r->tower)
		tw_buf_addf(out, " tower=%s", r->tower);
	if (r->host)
		tw_buf_addf(out, " host=%s", r->host);
	if (r->change)
		tw_buf_addf(out, " change=%" PRId64, r->change);
	if (r->text) {
		tw_buf_addf(out, " room=%" PRId64 " steps=%" PRId64,
		    r->room, r->steps);
		add_program(r, out);
		if (r->cap)
			tw_buf_addf(out, " cap=%" PRId64, r->cap);
	}
	add_keys(r, out);
	if (r->secret_len)
		add_secret(r, out);
	tw_buf_addc(out, '\n');
	if (r->text) {
		tw_buf_add(out, r->text, r->text_len);
		tw_buf_add(out, r->blob, r->blob_len);
	}
	tw_buf_add(out, r->secret, r->secret_len);
	return tw_buf_check(out, err);
}
