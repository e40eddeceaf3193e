/* schemas_avsc.h: the texts of schemas/avro, embedded by the build. */
#ifndef TUTTI_SCHEMAS_AVSC_H
#define TUTTI_SCHEMAS_AVSC_H

#include <stddef.h>

struct schema_text {
    const char *name; /* file name without .avsc: "touchpoint" */
    const char *text; /* the file, byte for byte */
};

extern const struct schema_text schemas_avsc[];
extern const size_t schemas_avsc_count;

/* The text of a schema by name, NULL if there is none. */
const char *schemas_avsc_find(const char *name);

#endif
