/* schemas.h: the schema behind an id, ready to encode and decode with. */
#ifndef TUTTI_CLI_SCHEMAS_H
#define TUTTI_CLI_SCHEMAS_H

#include "cli/avro_shape.h"
#include "cli/command.h"

struct schemas;
enum outcome schemas_open(const struct config *config, struct schemas **out, struct err *err);
void schemas_close(struct schemas *schemas);

/* The schema of an id: our own messages, resolved touchpoints, and what the settings or a registry
 * name. Borrowed; kept. */
enum outcome schemas_shape(struct schemas *schemas, int32_t id, const struct avro_shape **out,
                           struct err *err);
/* The schema with a CRC-64-AVRO fingerprint, among those that this program carries. */
enum outcome schemas_shape_by_fingerprint(struct schemas *schemas, uint64_t fingerprint,
                                          const struct avro_shape **out, struct err *err);

#endif
