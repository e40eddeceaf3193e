/* embedded.h: the Avro schemas that the build puts into the binaries. */
#ifndef TUTTI_CODEC_EMBEDDED_H
#define TUTTI_CODEC_EMBEDDED_H

#include "common/base/span.h"

/* Text of schemas/avro/<name>.avsc, SPAN_NONE if there is none. Static storage. */
struct span embedded_schema(const char *name);

#endif
