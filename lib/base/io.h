/*
 * io.h - whole files in and out, checked step by step
 */
#ifndef TW_BASE_IO_H
#define TW_BASE_IO_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends all of fd (up to b->max) to b.  TW_DATA when it is larger,
 * TW_CONFIG on a read error; name is for messages. */
enum tw_status tw_io_read_fd(int fd, const char *name, struct tw_buf *b,
    struct tw_err *err);
/* Opens without following into devices or FIFOs (regular files only). */
enum tw_status tw_io_read_file(const char *path, struct tw_buf *b,
    struct tw_err *err);
/* Temporary file beside path, write, fsync, rename, fsync of the directory.
 * TW_CONFIG on failure; path is then as it was. */
enum tw_status tw_io_write_file(const char *path, const void *p, size_t n,
    mode_t mode, struct tw_err *err);
/* Makes the directory, unless it is there, and its name durable. */
enum tw_status tw_io_make_dir(const char *path, mode_t mode,
    struct tw_err *err);
/* All n bytes or an errno value (0: fine); EINTR is repeated. */
int tw_io_write_all(int fd, const void *p, size_t n);

#endif
