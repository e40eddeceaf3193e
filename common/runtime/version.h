/* version.h: what this build calls itself. */
#ifndef TUTTI_RUNTIME_VERSION_H
#define TUTTI_RUNTIME_VERSION_H

#ifndef TUTTI_VERSION
#define TUTTI_VERSION "0.1.0"
#endif

/* The commit; "unknown" where it was not built from a git checkout. One file knows it, so that a
 * commit rebuilds little. */
extern const char tutti_revision[];

#endif
