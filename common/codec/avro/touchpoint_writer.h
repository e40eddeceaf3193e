/* touchpoint_writer.h: writes a struct touchpoint as the Avro bytes of
 * schemas/avro/touchpoint.avsc: by hand, without a look at the schema, and therefore fast. */
#ifndef TUTTI_CODEC_TOUCHPOINT_WRITER_H
#define TUTTI_CODEC_TOUCHPOINT_WRITER_H

#include "common/base/pack.h"
#include "common/codec/touchpoint.h"

/* Everything absent, as a start. */
void touchpoint_clear(struct touchpoint *t);

/* Appends the Confluent prefix (0x00 and the id, big-endian) and the record. Times and numbers are
 * written as they are. */
void touchpoint_write_framed(struct strbuf *out, int32_t schema_id, const struct touchpoint *t);

/* Appends the record alone. */
void touchpoint_write(struct strbuf *out, const struct touchpoint *t);

#endif
