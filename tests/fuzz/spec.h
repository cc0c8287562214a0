/*
 * spec.h - what the targets share that read files of steps
 */
#ifndef TW_TEST_FUZZ_SPEC_H
#define TW_TEST_FUZZ_SPEC_H

#include "fuzz.h"
#include "spec/app_spec.h"
#include "spec/change_spec.h"

/* The plants of these functions. */
#define FUZZ_SPEC_PLANTS "place", "status", "quote", "steps", "secret", "plain"

/* The kinds of TOWERIFY_KINDS and a reader of files that are made up; both for
 * the process's life. */
const struct tw_spec_reader *fuzz_reader(void);

/* Takes a change that was read from text (all of it, for what it may say
 * itself) through values, program and description.  A secret that is given to
 * it must be in none of them. */
void fuzz_check_change(struct tw_change_spec *s, const char *text, size_t len);

/* Takes an app that was read through all of its actions. */
void fuzz_check_app(struct tw_app_spec *app, const char *text, size_t len);

/* Reads a change file and does all this. */
void fuzz_change_file(const char *text, size_t len,
    const struct tw_spec_reader *reader);

#endif
