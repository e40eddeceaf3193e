/* framing.c: see framing.h. Framing is configured, never sniffed: a wrong first byte is an error
 * that says what it looks like. */
#include "common/codec/framing.h"

enum { CONFLUENT_SIZE = 5, SINGLE_OBJECT_SIZE = 10, HEADER_GUID_SIZE = 1 + FRAME_GUID_SIZE };

static enum outcome bad_magic(struct span value, const char *wanted, struct err *err)
{
    uint8_t first = (uint8_t)value.ptr[0], second = value.len > 1 ? (uint8_t)value.ptr[1] : 0;
    const char *looks = "an unknown framing";
    if (first == 0x00)
        looks = "the Confluent prefix with a schema id";
    else if (first == 0x01)
        looks = "the Confluent prefix with a schema GUID, which is read from the header "
                "__value_schema_id only";
    else if (first == 0x03)
        looks = "the 18-byte prefix of AWS Glue";
    else if (first == 0xC3 && second == 0x01)
        looks = "Avro single-object encoding";
    else if (first == '{' || first == '[')
        looks = "JSON";
    else if (first == 'O' && second == 'b')
        looks = "an Avro container file";
    return err_set(err, OUTCOME_REJECT, "bad_magic",
                   "expected %s, first byte 0x%02x: looks like %s", wanted, first, looks);
}

static enum outcome truncated(const char *what, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "avro_truncated", "the value ends inside the %s", what);
}

static enum outcome check_size(struct span value, size_t most, struct err *err)
{
    if (value.ptr == NULL)
        return err_set(err, OUTCOME_REJECT, "value_null", "a null value (tombstone)");
    if (value.len == 0)
        return err_set(err, OUTCOME_REJECT, "value_empty", "an empty value");
    if (value.len > most)
        return err_set(err, OUTCOME_REJECT, "value_too_large", "%zu bytes, more than %zu",
                       value.len, most);
    return OUTCOME_OK;
}

static struct span after(struct span value, size_t n)
{
    return (struct span){value.ptr + n, value.len - n};
}

static enum outcome split_confluent(struct span value, struct frame *out, struct err *err)
{
    if (value.ptr[0] != 0)
        return bad_magic(value, "the Confluent prefix (0x00 and a schema id)", err);
    if (value.len < CONFLUENT_SIZE)
        return truncated("schema id", err);
    struct unpack u = unpack_of(after(value, 1));
    out->names = FRAME_NAMES_ID;
    out->schema_id = (int32_t)unpack_be32(&u);
    out->payload = after(value, CONFLUENT_SIZE);
    return OUTCOME_OK;
}

static enum outcome split_single_object(struct span value, struct frame *out, struct err *err)
{
    if (value.len < 2 || memcmp(value.ptr, "\xC3\x01", 2) != 0)
        return bad_magic(value, "Avro single-object encoding (C3 01)", err);
    if (value.len < SINGLE_OBJECT_SIZE)
        return truncated("fingerprint", err);
    struct unpack u = unpack_of(after(value, 2));
    out->names = FRAME_NAMES_FINGERPRINT;
    out->fingerprint = __builtin_bswap64(unpack_be64(&u));
    out->payload = after(value, SINGLE_OBJECT_SIZE);
    return OUTCOME_OK;
}

static enum outcome split_header(struct span value, struct span header, struct frame *out,
                                 struct err *err)
{
    out->payload = value;
    if (header.len == CONFLUENT_SIZE && header.ptr[0] == 0) {
        struct unpack u = unpack_of(after(header, 1));
        out->names = FRAME_NAMES_ID;
        out->schema_id = (int32_t)unpack_be32(&u);
        return OUTCOME_OK;
    }
    if (header.len != HEADER_GUID_SIZE || header.ptr[0] != 1)
        return err_set(
            err, OUTCOME_REJECT, "bad_magic",
            "header __value_schema_id of %zu bytes is neither 0x01 and a GUID nor 0x00 and an id",
            header.len);
    out->names = FRAME_NAMES_GUID;
    memcpy(out->guid.bytes, header.ptr + 1, FRAME_GUID_SIZE);
    return OUTCOME_OK;
}

enum outcome frame_split(enum framing framing, struct span value, struct span header_schema_id,
                         struct frame *out, struct err *err)
{
    CHECK(check_size(value, FRAME_MAX_VALUE, err));
    if (header_schema_id.ptr)
        return split_header(value, header_schema_id, out, err);
    switch (framing) {
    case FRAMING_CONFLUENT:
        return split_confluent(value, out, err);
    case FRAMING_SINGLE_OBJECT:
        return split_single_object(value, out, err);
    case FRAMING_RAW:
        break;
    }
    out->names = FRAME_NAMES_NOTHING;
    out->payload = value;
    return OUTCOME_OK;
}

enum outcome frame_confluent(struct span value, int32_t *schema_id, struct unpack *payload,
                             struct err *err)
{
    struct frame frame = {0};
    CHECK(check_size(value, FRAME_MAX_OURS, err));
    CHECK(split_confluent(value, &frame, err));
    *schema_id = frame.schema_id;
    *payload = unpack_of(frame.payload);
    return OUTCOME_OK;
}
