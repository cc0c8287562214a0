/*
 * change.c - any bytes as a change file: problems with their places, or a
 * program and a description
 */
#include "spec.h"

#include <stdlib.h>

const char *const fuzz_plants[] = { FUZZ_SPEC_PLANTS, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	size_t len;
	char *text = fuzz_part(&in, &len);

	fuzz_change_file(text, len, fuzz_reader());
	free(text);
	return 0;
}
