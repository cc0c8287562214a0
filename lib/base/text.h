/*
 * text.h - what is said to people, in their language
 *
 * The words in the source are English and are the keys of the catalogue of
 * translations (share/po, the text domain "towerify").  Four ways lead there:
 *
 * - functions that take a format and say it to a person look it up themselves:
 *   tw_err_set() and its kin, tw_diags_add(), tw_cli_say() and so on.  Their
 *   callers write plain English.
 * - a string in a table is marked N_("…"), and looked up where it is printed.
 * - a word or a part that such a format takes as an argument is W_("…"): it is
 *   put in marked, and looked up where the message is done (tw_text_settle()).
 * - all else is looked up on the spot: tw_text("…").
 *
 * share/po/extract names the functions to xgettext; tests/lint/po.t finds what
 * was forgotten; share/po/README says how to go about it.
 * Machines are never spoken to in another language than English: JSON, TSV,
 * logs, the state, the audit, what goes to hosts.
 *
 * Nothing is translated until tw_text_begin(), which tools call and tests of
 * the library don't.
 */
#ifndef TW_BASE_TEXT_H
#define TW_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TW_TEXT_DOMAIN "towerify"
#define TW_TEXT_WORD "word"	/* the context of single words in tables */

#define N_(text) text		/* found by xgettext; looked up later */
#define NC_(context, text) text

/* A part of a message, as an argument of what translates its format, and of
 * nothing else.  TRANSLATORS are told by a comment where it goes. */
#define W_(part) "\016" part "\017"

/* Takes the language of the environment where its characters are UTF-8 and it
 * isn't C.  dir holds LANG/LC_MESSAGES/towerify.mo and is copied. */
void tw_text_begin(const char *dir);
/* Would tw_text_begin() have anything to do?  Costs no look at a file. */
bool tw_text_is_wanted(void);
bool tw_text_is_on(void);

/* The text in the reader's language, or itself; lives for ever. */
const char *tw_text(const char *text) __attribute__((format_arg(1)));
/* The same of a text that means different things in different places. */
const char *tw_text_in(const char *context, const char *text)
    __attribute__((format_arg(2)));
/* One of two by number n, by the rules of the reader's language. */
const char *tw_text_n(const char *one, const char *many, unsigned long n)
    __attribute__((format_arg(1), format_arg(2)));

/* Writes text with its marked parts (W_) as they are, or own: in the reader's
 * language.  As snprintf(): the length it has or would have had; what does not
 * fit into size is cut between two characters.  to may be text, unless own. */
size_t tw_text_settle(char *to, size_t size, const char *text, bool own);

/* Takes from the end of a text that was cut at a number of bytes what is left
 * of a character in UTF-8. */
void tw_text_trim(char *text);

#endif
