/* beside.c - what lies beside the tool that runs; see beside.h */
#include "beside.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *beside(const char *name)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	int len;

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	len = snprintf(path, sizeof path, "%s/%s", dirname(self), name);
	return len < PATH_MAX ? realpath(path, NULL) : NULL;
}
