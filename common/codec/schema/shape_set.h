/* shape_set.h: the schema behind an id, ready to encode and decode with. */
#ifndef TUTTI_CODEC_SHAPE_SET_H
#define TUTTI_CODEC_SHAPE_SET_H

#include "common/codec/avro/avro_shape.h"
#include "common/runtime/config.h"

struct shape_set;
enum outcome shape_set_open(const struct config *config, struct shape_set **out, struct err *err);
void shape_set_close(struct shape_set *set);

/* The schema of an id: our own messages, resolved touchpoints, and what the settings or a registry
 * name. Borrowed; kept. */
enum outcome shape_set_get(struct shape_set *set, int32_t id, const struct avro_shape **out,
                           struct err *err);
/* How services decode touchpoints of that schema; NULL for our own messages. REJECT
 * "schema_unusable" names the field at fault. */
struct avro_plan;
enum outcome shape_set_plan(struct shape_set *set, int32_t id, const struct avro_plan **out,
                            struct err *err);
/* The schema with a CRC-64-AVRO fingerprint, among those that this program carries. */
enum outcome shape_set_by_fingerprint(struct shape_set *set, uint64_t fingerprint,
                                      const struct avro_shape **out, struct err *err);

#endif
