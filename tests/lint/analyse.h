/*
 * analyse.h - what analysers can't see from one file; included before each
 *
 * Without it they take it that an error may come out as TW_OK, its out
 * parameters not set.
 */
#include "base/err.h"

#define tw_err_set(err, status, ...) \
	((void)(tw_err_set)(err, status, __VA_ARGS__), (status))
#define tw_err_sys(err, status, ...) \
	((void)(tw_err_sys)(err, status, __VA_ARGS__), (status))
#define tw_err_nomem(err) ((void)(tw_err_nomem)(err), TW_NOMEM)
