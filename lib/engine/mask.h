/*
 * mask.h - secrets out of what steps print, before anything is stored
 *
 * Every secret of at least TW_MASK_MIN bytes becomes "***" wherever it stands
 * in a stream, as it is or in one of the forms programs give it (mask_forms.c):
 * quoted for a shell, percent-encoded, as JSON.  Nothing else is recognised: not
 * a part of it, base64, another alphabet.
 *
 * The stream may be fed with any split.  What may be the beginning of a secret
 * is held back; tw_mask_back() says how far the state that is stored must lag
 * behind, so that whoever reads the stream again from there sees every secret
 * whole, however often it is cut.
 *
 * The time is linear in the stream for each form, whatever a host prints
 * (Knuth, Morris, Pratt 1977), and memory bounded by the longest form.
 */
#ifndef TW_ENGINE_MASK_H
#define TW_ENGINE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TW_MASK_MIN 6		/* bytes: shorter ones would mask half the text */
#define TW_MASK_TEXT "***"

struct tw_mask_forms;		/* the secrets in all their forms; shared */

/* n values, NUL-terminated.  For tw_mask_forms_free(), after the last mask that
 * uses it. */
enum tw_status tw_mask_forms_new(const char *const *values, size_t n,
    struct tw_mask_forms **out, struct tw_err *err);
void tw_mask_forms_free(struct tw_mask_forms *f);	/* wipes; NULL is fine */
/* How many; the i-th (for tests). */
size_t tw_mask_forms_count(const struct tw_mask_forms *f);
const char *tw_mask_form(const struct tw_mask_forms *f, size_t i);

struct tw_mask;			/* one stream */

/* fn gets what may be stored, in pieces. */
typedef void tw_mask_fn(void *arg, const char *p, size_t n);
enum tw_status tw_mask_new(const struct tw_mask_forms *f, tw_mask_fn *fn,
    void *arg, struct tw_mask **out, struct tw_err *err);
void tw_mask_free(struct tw_mask *m);			/* wipes; NULL is fine */

void tw_mask_feed(struct tw_mask *m, const char *p, size_t n);
/* No output of this piece follows: what was held back is given, and what comes
 * next has nothing to do with it.  Of a beginning of a secret at least
 * TW_MASK_MIN bytes long nothing is shown; is_torn (bytes were dropped after
 * it): however short it is. */
void tw_mask_end(struct tw_mask *m, bool is_torn);
/* Bytes were dropped before what comes now: if it begins with the rest of a
 * secret, that is masked.  After tw_mask_end() or at the beginning. */
void tw_mask_after_cut(struct tw_mask *m);
/* Of the bytes fed since tw_mask_new() or tw_mask_end(): so many at the end
 * must be fed again to a mask that starts anew. */
size_t tw_mask_back(const struct tw_mask *m);
/* A text in one go, cut to size - 1 bytes (size > 0); f may be NULL: there are
 * no secrets.  Without memory out is "". */
void tw_mask_text(const struct tw_mask_forms *f, const char *text, char *out,
    size_t size);
/* Comparisons of a byte with one of a form, so far (for tests). */
uint64_t tw_mask_steps(const struct tw_mask *m);

#endif
