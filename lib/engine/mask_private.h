/* mask_private.h - what mask.c and mask_forms.c share */
#ifndef TW_ENGINE_MASK_PRIVATE_H
#define TW_ENGINE_MASK_PRIVATE_H

#include "engine/mask.h"

struct form {
	char *text;		/* NUL-terminated */
	uint32_t *border;	/* [i]: length of the longest proper prefix of
				   text[0 … i] that is its suffix */
	size_t len;
};

struct tw_mask_forms {
	struct form *v;
	size_t n, cap;
	size_t longest;		/* bytes; 0: there are none */
	bool begins[256];	/* a form begins with that byte */
};

/* The border table of text (n > 0) into out[0 … n - 1]. */
void mask_borders(const char *text, size_t n, uint32_t *out);

#endif
