/*
 * fuzz.h - what the targets share
 *
 * A target is the function LLVMFuzzerTestOneInput() of libFuzzer: it takes
 * bytes from outside through the code under test and checks what holds of the
 * result, whatever they are.  With libFuzzer (--enable-fuzz) it is driven by
 * that; without, by replay.c, which gives it the files it is told.
 *
 * That a check can fail is shown by plants: with fuzz_plant set to one of the
 * target's words, it falsifies what it is about to check.
 */
#ifndef TW_TEST_FUZZ_H
#define TW_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "spec/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the target: NULL-terminated. */
extern const char *const fuzz_plants[];
/* Set by replay.c; NULL: nothing is planted. */
extern const char *fuzz_plant;
bool fuzz_planted(const char *word);

/* Ends the process with the place and the words, when it does not hold. */
#define HOLDS(is, ...) \
	((is) ? (void)0 : fuzz_broken(__FILE__, __LINE__, __VA_ARGS__))
_Noreturn void fuzz_broken(const char *file, int line, const char *fmt, ...)
    TW_PRINTF(3, 4);

/* An input that has parts: they are separated by the byte 0xff. */
struct fuzz_in {
	const char *at, *end;
};
/* The next part, malloc'd to its size, so that a sanitizer sees what reads
 * past it, with a NUL behind; *len without it.  "" when there is none left. */
char *fuzz_part(struct fuzz_in *in, size_t *len);
bool fuzz_has_part(const struct fuzz_in *in);

/* All n bytes can be shown on a terminal: UTF-8, no control characters but
 * those of allowed. */
void fuzz_is_plain(const char *what, const char *s, size_t n,
    const char *allowed);

/* Of the problems found in text, named by ds->file (those of other files have
 * positions elsewhere): sorted, safe to show, none beyond the text.  has_text
 * false: none has a position.  With FUZZ_SAY in the environment they are printed
 * to standard error. */
void fuzz_check_diags(const struct tw_diags *ds, const char *text, size_t len,
    bool has_text);
/* st and what came with it agree: a result with TW_OK alone, problems with
 * bad alone, which is the other status there may be; the message is filled. */
void fuzz_check_status(enum tw_status st, enum tw_status bad,
    const struct tw_diags *ds, const void *out, const struct tw_err *err);

/* A number made of the bytes, for choices that an input's bytes make. */
uint32_t fuzz_hash(const void *p, size_t n);

#endif
