/* messages.h: the records that Tutti's own services write for each other and for channel systems
 * (schemas/avro/). All carry the Confluent prefix. Encoders append the whole value (prefix
 * included) to a strbuf; decoders borrow. */
#ifndef TUTTI_CODEC_MESSAGES_H
#define TUTTI_CODEC_MESSAGES_H

#include "common/base/pack.h"
#include "common/codec/schema/schema_set.h"

enum {
    RESOLVED_ID_BASE = 2000000,
    SCHEMA_IDENTITY_CHANGE = 900001, /* fixed ids of our own schemas, with or without a registry */
    SCHEMA_JOURNEY_DIFF = 900002,
    SCHEMA_CONTACT_DECISION = 900004,
    SCHEMA_STAGE_CHANGE = 900005, /* 900003 had no version */
    SCHEMA_OPPORTUNITY_CHANGE = 900006,
};

/* Another identifier of a resolved touchpoint, and its row of the map identifier -> profile when
 * that was read. */
struct resolved_other {
    struct id identifier_id, profile_id;
    int64_t map_version;
    struct span address_of; /* "sms call_center": what reaches a person by it; empty: nothing */
};

/* tutti.touchpoints-resolved.v1: header, then the ORIGINAL bytes of the touchpoint. Anchor is nil
 * for an unidentified one, and where it was erased: then only the others are bound by what the
 * touchpoint says. */
struct resolved_header {
    struct id event_id, anchor_id, profile_id;
    int64_t map_version;    /* version of the row anchor -> profile when it was read */
    int64_t received_at;    /* timestamp of the producer's record, microseconds: when it came in */
    struct span address_of; /* of the anchor */
    const struct resolved_other *others; /* strongest first */
    uint32_t other_count;
};
/* The short keys of the others as facts store them: 8 bytes each, big-endian; SPAN_NONE where there
 * are none. In the arena. */
struct span resolved_other_keys(struct arena *arena, const struct resolved_header *header);
void resolved_encode(struct strbuf *out, int32_t writer_schema_id,
                     const struct resolved_header *header, struct span payload);
/* header->others is in the arena. */
enum outcome resolved_decode(struct schema_set *set, struct arena *arena, struct span value,
                             struct resolved_header *header, struct framed *touchpoint,
                             struct err *err);

/* tutti.identity-changes.v1: one version, cut into several messages where it is large. */
struct identity_move {
    struct id identifier_id, profile_id, old_profile_id;
    /* the profile it moves to is shared; the version of this move is then one more than the
     * change's */
    bool is_shared;
    bool is_person; /* the identifier is of a unique type */
};
struct identity_change {
    int64_t version;    /* even */
    int64_t changed_at; /* wall clock, microseconds */
    struct span cause;  /* "touchpoint", "operator" or "policy" */
    struct id cause_id; /* event_id of the touchpoint, or nil */
    const struct identity_move *moves;
    uint32_t move_count;
};
static inline int64_t identity_move_version(const struct identity_change *change,
                                            const struct identity_move *move)
{
    return change->version + move->is_shared + 2 * move->is_person;
}
void identity_change_encode(struct strbuf *out, const struct identity_change *change);
enum outcome identity_change_decode(struct arena *arena, struct span value,
                                    struct identity_change *out, struct err *err);

/* tutti.journey-diffs.v1: numbered signed sums. `cells` is the lz4 block of the packed cells
 * (docs/architecture.md), raw_size its size before compression. */
struct journey_diff {
    int32_t lane;
    int64_t seq;
    bool more;  /* the next number belongs to the same transaction */
    bool again; /* made again from what is stored, under other policies */
    struct id generation;
    int32_t raw_size;
    struct span cells;
};
void journey_diff_encode(struct strbuf *out, const struct journey_diff *diff);
enum outcome journey_diff_decode(struct span value, struct journey_diff *out, struct err *err);

/* tutti.journey-stages.v1 */
struct stage_change_message {
    struct id id, profile_id, touchpoint_id;
    struct span stage, from_stage, reason;
    int64_t effective_at; /* may lie in the future */
    struct id retracts;   /* nil, or the id of the stage change that is taken back */
    int64_t version;      /* of all that is said of one stage change, the largest stands */
};
void stage_change_encode(struct strbuf *out, const struct stage_change_message *message);
enum outcome stage_change_decode(struct span value, struct stage_change_message *out,
                                 struct err *err);

/* tutti.opportunities.v1 */
struct opportunity_change_message {
    struct id id, profile_id;
    struct span rule_id, offer_id, product, owner, priority, state;
    int64_t opened_at, due_at, expires_at, effective_at; /* microseconds */
    struct id retracts;                                  /* nil, or the id if it is taken back */
    int64_t version; /* of all that is said of one opportunity, the largest stands */
};
void opportunity_change_encode(struct strbuf *out,
                               const struct opportunity_change_message *message);
enum outcome opportunity_change_decode(struct span value, struct opportunity_change_message *out,
                                       struct err *err);

/* tutti.contact-decisions.v1 */
struct contact_decision_message {
    struct id request_id, profile_id;
    struct span verdict; /* grant | deny | invalid | revoked */
    struct span reason, rule_id, channel, department, cause, moved_by;
    /* microseconds; LONG_ABSENT where null */
    int64_t requested_at, decided_at, expires_at, retry_at, planned_at, asked_for_at;
};
void contact_decision_encode(struct strbuf *out, const struct contact_decision_message *message);
enum outcome contact_decision_decode(struct span value, struct contact_decision_message *out,
                                     struct err *err);

#endif
