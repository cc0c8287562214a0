/*
 * beside.h - what lies beside the tool that runs
 *
 * So a build finds its own parts before it is installed, and they are never
 * another version's.  Where the tools lie is as trusted as the tools.
 */
#ifndef TW_BIN_BESIDE_H
#define TW_BIN_BESIDE_H

/* The real path of NAME, relative to the directory of the tool; NULL: there is
 * no such thing, or no memory.  The caller frees it. */
char *beside(const char *name);

#endif
