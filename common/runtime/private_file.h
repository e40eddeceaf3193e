/* private_file.h: files with keys, which other users of the machine must not read. */
#ifndef TUTTI_RUNTIME_PRIVATE_FILE_H
#define TUTTI_RUNTIME_PRIVATE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/outcome.h"

/* Opens a key file for reading. FATAL "key_unreadable", or "key_not_private" if users other than
 * its owner and group may read or write it. setting is named in the message. */
enum outcome private_file_open(const char *setting, const char *path, FILE **out, struct err *err);

#endif
