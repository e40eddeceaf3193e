/* touchpoint.h: a decoded touchpoint as pointers into the Kafka payload, and the decode plan
 * that fills it.
 *
 * schemas/avro/touchpoint.avsc is the contract with producers. A plan is compiled once per
 * schema of a writer. Fields are matched by name (and nested name). Unknown fields are skipped.
 * Missing fields are absent: SPAN_NONE or LONG_ABSENT.
 *
 * Nothing is allocated. Every length is checked against the bytes that remain, and the payload
 * is consumed exactly. */
#ifndef TUTTI_CODEC_TOUCHPOINT_H
#define TUTTI_CODEC_TOUCHPOINT_H

#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/outcome.h"

enum {
    /* elements of identifiers[] taken; more: REJECT "too_many_identifiers" */
    TOUCHPOINT_MAX_IDENTIFIERS = 32
};
#define LONG_ABSENT INT64_MIN

struct touchpoint_identifier {
    struct span type, value, encoding, collection;
};

struct touchpoint {
    struct span message_id, source, type, channel; /* required */
    int64_t occurred_at;                           /* required, microseconds */
    struct span event_name, event_schema, direction, department, purpose, platform;
    int64_t original_at, sent_at, received_at;
    struct span timezone;
    struct span user_id, anonymous_id, previous_id, group_id, session_id;
    int64_t session_index;
    struct touchpoint_identifier identifiers[TOUCHPOINT_MAX_IDENTIFIERS];
    uint32_t identifier_count;
    struct {
        struct span id, name, source, medium, term, content, click_id, click_network;
    } campaign;
    struct {
        struct span url, path, title, referrer, search, name;
    } page;
    struct {
        struct span id, type, advertising_id, token, manufacturer, model, os_name, os_version,
            app_name, app_version;
    } device;
    struct {
        struct span country, region, city, postal_code;
    } geo;
    struct span ip, user_agent, locale, location_id, agent_id, content_id, goal_id, decision_id,
        journey_id;
    struct {
        struct span class, purpose, tags_json;
        int64_t priority, planned_at, expires_at;
        struct span batch_id;
        int64_t batch_size, latest_at;
        struct span sequence_id;
    } contact;
    bool has_contact;
    struct span product_id, product_category;
    int64_t value_micros, margin_micros, cost_micros;
    struct span currency, order_id, case_id, opportunity_id;
    int64_t score, score_raw;
    struct span score_kind;
    /* raw Avro bytes of the map<boolean> (after the union branch), validated; SPAN_NONE if null */
    struct span consent;
    struct span preferences_json, traits_json, properties_json, items_json, context_json;
    bool is_test, is_bot;
};

struct avro_plan;

/* Compiles a plan from the text of the writer's schema. OUTCOME_REJECT with code "schema_unusable"
 * if it is recursive, not a record, or gives a field an unusable type; any numeric writer type is
 * accepted where it widens (int -> long). */
enum outcome avro_plan_compile(struct span schema_json, struct avro_plan **out, struct err *err);
void avro_plan_free(struct avro_plan *plan);

/* Decodes exactly the bytes of the payload. Every text that is taken is strict UTF-8 without
 * NUL; texts that are skipped are not checked. identifiers[] beyond identifier_count are not
 * initialised.
 *
 * Codes of REJECT: avro_truncated, avro_trailing_bytes, avro_bad_length, avro_bad_union,
 * avro_bad_boolean, avro_bad_enum, avro_bad_number, avro_too_many (100,000 elements of arrays
 * and maps), string_not_utf8, string_too_long, field_missing (required texts may not be blank;
 * the message names the field),
 * time_out_of_range (1970 to 9999, any time that is taken), number_out_of_range (score
 * -100..100, money -(2^63-1)..2^63-1), too_many_identifiers, value_too_large.
 *
 * Limits: 900 kB for the payload. 64 kB for a text that is taken, 512 kB for *_json and
 * tags_json. 1,000 bytes for the names that figures are made of (type, channel, event_name,
 * department, purpose, currency, campaign.id, .source and .click_network). */
enum outcome avro_plan_decode(const struct avro_plan *plan, struct span payload,
                              struct touchpoint *out, struct err *err);

/* The same, and score is what every figure and rule takes: from score_raw, if there is one, by the
 * scale of its kind. A score_raw of no such kind gives none. REJECT number_out_of_range also for a
 * score_raw outside its scale. */
enum outcome touchpoint_decode(const struct avro_plan *plan, struct span payload,
                               struct touchpoint *out, struct err *err);

/* Next entry of a consent map (touchpoint.consent); false at the end. Start with *cursor = consent.
 */
bool consent_next(struct span *cursor, struct span *key, bool *value);

/* Event id: BLAKE2b-128 of (u32be length, source, u32be length, message_id), unkeyed. */
void touchpoint_event_id(struct span source, struct span message_id, struct id *out);

#endif
