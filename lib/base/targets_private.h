/*
 * targets_private.h - the parsed form of TARGETS, shared by targets.c (which
 * parses), targets_eval.c (which selects) and targets_has.c (which asks about
 * one host); nobody else includes it
 */
#ifndef TW_BASE_TARGETS_PRIVATE_H
#define TW_BASE_TARGETS_PRIVATE_H

#include "base/name.h"
#include "base/targets.h"

struct target_range {		/* lo to hi, written with width digits */
	unsigned long lo, hi;
	int width;		/* 0: no padding */
};

/* A word is text, ranges, text, ranges…; the last part has no ranges. */
struct target_part {
	char *text;			/* may be "" */
	struct target_range *ranges;
	size_t nranges;
};

struct target_word {
	char *source;			/* as written, without the "!" */
	bool is_negative;
	bool is_label;			/* "@key=value": parts are empty */
	bool is_glob;
	struct target_part *parts;
	size_t nparts;
	size_t count;			/* names it expands to */
};

struct tw_targets {
	struct target_word *words;
	size_t nwords;
	size_t count;			/* names all words expand to */
};

/* Writes the i-th name of the word (i < word->count), the rightmost range
 * running fastest. */
void tw_target_word_name(const struct target_word *word, size_t i,
    char out[TW_NAME_MAX + 1]);

/* Has the item this label, "key=value"? */
bool tw_target_item_has(const struct tw_target_item *item, const char *label);

#endif
