/* version.c: see version.h; the build passes TUTTI_REVISION to this file only. */
#include "common/runtime/version.h"

#ifndef TUTTI_REVISION
#define TUTTI_REVISION "unknown"
#endif

const char tutti_revision[] = TUTTI_REVISION;
