/* framing.h: takes the frame of a value apart, without knowing any schema. */
#ifndef TUTTI_CODEC_FRAMING_H
#define TUTTI_CODEC_FRAMING_H

#include "common/base/outcome.h"
#include "common/base/pack.h"
#include "common/codec/schema/schema_set.h"

/* Our own messages may be a header larger than what producers may send. */
enum { FRAME_MAX_VALUE = 900000, FRAME_MAX_OURS = 1000000, FRAME_GUID_SIZE = 16 };

/* What a frame says about the writer's schema: exactly one of the three. */
struct frame {
    enum frame_names {
        FRAME_NAMES_ID,
        FRAME_NAMES_GUID,
        FRAME_NAMES_FINGERPRINT,
        FRAME_NAMES_NOTHING
    } names;
    int32_t schema_id;
    struct id guid;
    uint64_t fingerprint; /* CRC-64-AVRO */
    struct span payload;
};

/* header_schema_id wins over the prefix where it is there: 0x01 and a GUID (or 0x00 and a 4-byte
 * id); then the value is the payload. REJECT: value_null, value_empty, value_too_large, bad_magic.
 */
enum outcome frame_split(enum framing framing, struct span value, struct span header_schema_id,
                         struct frame *out, struct err *err);

/* The same for a value that must carry the Confluent prefix; the payload is given as a reader. */
enum outcome frame_confluent(struct span value, int32_t *schema_id, struct unpack *payload,
                             struct err *err);

#endif
