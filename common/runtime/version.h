/* version.h: what this build calls itself; the build passes both macros, a bare compiler run gets the fallbacks. */
#ifndef TUTTI_RUNTIME_VERSION_H
#define TUTTI_RUNTIME_VERSION_H

#ifndef TUTTI_VERSION
#define TUTTI_VERSION "0.1.0"
#endif
#ifndef TUTTI_REVISION
#define TUTTI_REVISION "unknown"
#endif

#endif
