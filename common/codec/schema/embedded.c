/* embedded.c: schema texts by name, from the tables that the build generates. */
#include "common/codec/schema/embedded.h"

#include "schemas_avsc.h"

struct span embedded_schema(const char *name)
{
    return span_of(schemas_avsc_find(name));
}
