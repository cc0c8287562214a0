/*
 * yaml_words.h - libyaml's complaints in plain words
 *
 * Private to yaml.c; strings only, so that yaml.h of libyaml stays there.
 */
#ifndef TW_SPEC_YAML_WORDS_H
#define TW_SPEC_YAML_WORDS_H

#include <stdbool.h>

struct tw_yaml_words {
	const char *text;	/* static, or libyaml's problem itself */
	const char *hint;	/* static, or NULL */
	bool at_context;	/* it is about where the context began */
};

/* problem and context are libyaml's, NULL where it has none. */
void tw_yaml_words(const char *problem, const char *context,
    struct tw_yaml_words *out);

#endif
