/*
 * config.c - any bytes as a configuration file: problems with their places, or
 * values within bounds, which come out as they went in
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "spec/config.h"

const char *const fuzz_plants[] = { "status", "bounds", "again", "plain", NULL };

static void write_all(const struct tw_config *c, struct tw_buf *out)
{
	size_t k;

	for (k = 0; k < TW_CONFIG_KEYS; k++) {
		if (k >= TW_CONFIG_MAIL && k <= TW_CONFIG_HOOKS &&
		    !c->text[k])
			continue;
		tw_buf_addf(out, "%s: ", tw_config_name((enum tw_config_key)k));
		/* quoted: text may be what YAML takes for something else */
		tw_buf_addc(out, '\'');
		if (k >= TW_CONFIG_MAIL && k <= TW_CONFIG_HOOKS) {
			const char *s;

			for (s = c->text[k]; *s; s++)
				tw_buf_adds(out, *s == '\'' ? "''" :
				    (char[]){ *s, '\0' });
		} else {
			tw_config_write(c, (enum tw_config_key)k, out);
		}
		tw_buf_adds(out, "'\n");
	}
}

static void check_again(const struct tw_config *c)
{
	struct tw_buf one = TW_BUF_INIT, two = TW_BUF_INIT;
	struct tw_diags ds = { .file = "f" };
	struct tw_config again;
	struct tw_err err;

	write_all(c, &one);
	HOLDS(tw_config_parse(one.data, one.len, &ds, &again, &err) == TW_OK,
	    "what was written is not read: %s", err.msg);
	write_all(&again, &two);
	HOLDS(strcmp(one.data, two.data) == 0 && !fuzz_planted("again"),
	    "read again it is something else");
	tw_config_release(&again);
	tw_diags_release(&ds);
	tw_buf_release(&one);
	tw_buf_release(&two);
}

static void check(const struct tw_config *c)
{
	const int64_t *n = c->number;
	size_t k;

	HOLDS(n[TW_CONFIG_JOBS] >= (fuzz_planted("bounds") ? 1000000 : 1) &&
	    n[TW_CONFIG_JOBS] <= 100000, "jobs");
	HOLDS(n[TW_CONFIG_RETRY_FIRST] >= 1000 && n[TW_CONFIG_RETRY_FIRST] <=
	    n[TW_CONFIG_RETRY_MOST], "pauses");
	for (k = 0; k < TW_CONFIG_KEYS; k++) {
		const char *s = fuzz_planted("plain") ? "\033" : c->text[k];

		HOLDS(n[k] >= 0, "a negative number");
		if (s)
			fuzz_is_plain("text", s, strlen(s), "");
	}
	check_again(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tw_diags ds = { .file = "f" };
	struct tw_err err = { 0 };
	char *text = malloc(size ? size : 1);
	struct tw_config c;
	enum tw_status st;

	HOLDS(text, "no memory");
	if (size)
		memcpy(text, data, size);
	st = tw_config_parse(text, size, &ds, &c, &err);
	fuzz_check_status(st, TW_DATA, &ds, st ? NULL : &c, &err);
	fuzz_check_diags(&ds, text, size, true);
	if (!st)
		check(&c);
	tw_config_release(&c);
	tw_diags_release(&ds);
	free(text);
	return 0;
}
