/* json.c - see json.h */
#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>

static size_t misses;

static void *watched(size_t n)
{
	void *p = malloc(n);

	if (!p)
		misses++;
	return p;
}

size_t tw_json_mark(void)
{
	/* At any time: what came from malloc before goes by free as well. */
	json_set_alloc_funcs(watched, free);
	return misses;
}

bool tw_json_missed(size_t mark)
{
	return misses != mark;
}

char *tw_json_dump(const json_t *v, size_t flags, size_t mark)
{
	char *text = v ? json_dumps(v, flags) : NULL;

	if (text && tw_json_missed(mark)) {
		free(text);
		text = NULL;
	}
	return text;
}

enum tw_status tw_json_load(const char *text, const char *what, json_t **out,
    struct tw_err *err)
{
	size_t mark = tw_json_mark();
	json_error_t e;

	*out = json_loads(text && *text ? text : "{}", 0, &e);
	if (*out)
		return TW_OK;
	if (tw_json_missed(mark))
		return tw_err_nomem(err);
	return tw_err_set(err, TW_CONFIG, "%s: is stored as what is no JSON: "
	    "%s", what, e.text);
}
