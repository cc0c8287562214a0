/*
 * app.c - any bytes as an app file: problems with their places, or the changes
 * of all actions
 */
#include "spec.h"

#include <stdlib.h>

const char *const fuzz_plants[] = { FUZZ_SPEC_PLANTS, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct tw_diags ds = { .file = "f" };
	struct tw_app_spec *app = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t len;
	char *text = fuzz_part(&in, &len);

	st = tw_app_spec_parse(text, len, fuzz_reader(), &ds, &app, &err);
	fuzz_check_status(st, TW_DATA, &ds, app, &err);
	fuzz_check_diags(&ds, text, len, true);
	if (app)
		fuzz_check_app(app, text, len);
	tw_app_spec_free(app);
	tw_diags_release(&ds);
	free(text);
	return 0;
}
