/* schema_set.h: the framing of values, and the schemas behind their ids: from files, from a
 * Schema Registry, or from both.
 *
 * Framing is configured per topic, never sniffed. The header __value_schema_id (0x01 and a GUID
 * of 16 bytes) is looked at first.
 *
 * Resolved touchpoints carry the schema id RESOLVED_ID_BASE + writer id: a record of the header
 * fields, followed by the writer's record (docs/decisions/0002). Its plan is the plan of the
 * writer after the header.
 *
 * An id is looked up in memory, then at the registry. While the registry is down, it is looked
 * up in the disk cache. So it is if the registry fails for this id alone: then it is refused as
 * schema_unavailable, which may pass. Without a registry, id 1 is the built-in touchpoint schema
 * unless schema.files says otherwise. What a registry refuses is remembered for a while
 * (schema.registry.retry), the newest 4,096 refusals of it. One thread. */
#ifndef TUTTI_CODEC_SCHEMA_SET_H
#define TUTTI_CODEC_SCHEMA_SET_H

#include "common/codec/touchpoint.h"
#include "common/runtime/config.h"

struct schema_set;

enum framing {
    FRAMING_CONFLUENT,     /* 0x00, 4-byte big-endian schema id */
    FRAMING_RAW,           /* no prefix: one schema fixed by configuration */
    FRAMING_SINGLE_OBJECT, /* C3 01, 8-byte little-endian CRC-64-AVRO fingerprint */
};

/* schema.registry.url, schema.files ("1=path,2=path"), ... */
extern const struct setting schema_set_settings[];

enum outcome schema_set_open(const struct config *config, struct schema_set **out, struct err *err);
void schema_set_close(struct schema_set *set);

/* The same settings without a configuration; empty or zero where not wanted. Texts are borrowed
 * during the call. */
struct schema_set_options {
    const char *files;     /* "1=schemas/avro/touchpoint.avsc,2=builtin:touchpoint" */
    const char *guids;     /* "<uuid>=1,..." */
    const char *urls;      /* registry, comma-separated base URLs, tried in turn */
    const char *user_info; /* "user:password" */
    const char *bearer_token;
    const char *ca_location;
    const char *cache_dir;
    int64_t timeout_us; /* of one request; 0: 5 s */
    int64_t retry_us;   /* how long a refusal is remembered; 0: 30 s */
    int32_t raw_id;     /* schema of FRAMING_RAW; 0: none */
};
enum outcome schema_set_open_with(const struct schema_set_options *options, struct schema_set **out,
                                  struct err *err);

/* True if schemas are asked for at a registry. */
bool schema_set_has_registry(const struct schema_set *set);

/* The plan of a writer's schema (borrowed). REJECT: unknown_schema_id, schema_unusable,
 * schema_unavailable. RETRY as schema_set_unframe. */
enum outcome schema_set_plan(struct schema_set *set, int32_t schema_id,
                             const struct avro_plan **out, struct err *err);

struct framed {
    int32_t schema_id; /* id of the writer's schema in this set */
    struct span payload;
    const struct avro_plan *plan;
};

/* Takes the frame apart. header_schema_id is the value of __value_schema_id or SPAN_NONE. REJECT:
 * value_null, value_empty, value_too_large, bad_magic (names known framings such as 0x03),
 * unknown_schema_id, schema_unusable, schema_unavailable. RETRY: registry down and the id is
 * neither cached in memory nor on disk. */
enum outcome schema_set_unframe(struct schema_set *set, enum framing framing, struct span value,
                                struct span header_schema_id, struct framed *out, struct err *err);

/* Text of the writer's schema of id (borrowed), for `tutti cat`; also resolves RESOLVED_ID_BASE +
 * id (composed). */
enum outcome schema_set_text(struct schema_set *set, int32_t schema_id, struct span *out,
                             struct err *err);

#endif
