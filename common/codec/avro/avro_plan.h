/* avro_plan.h: what a compiled decode plan consists of. Only the compiler, the decoder and their
 * tests look inside.
 *
 * A plan is one flat array of operations over the payload, run by a small interpreter
 * (avro_plan.c). Records vanish: their fields stand one after the other. An array or map is
 * LOOP, NEXT, body, JUMP to NEXT. A union of null and one other type is NULLABLE and the body.
 * Any other union is a table of jumps.
 *
 * Most fields of a touchpoint are null, and each null is one zero byte. Runs of nullable fields
 * are therefore chained (`chain`), so that up to eight nulls are passed in one step. */
#ifndef TUTTI_CODEC_AVRO_PLAN_H
#define TUTTI_CODEC_AVRO_PLAN_H

#include "common/base/arena.h"
#include "common/codec/avro/avro_schema.h"
#include "common/codec/touchpoint.h"

enum plan_code {
    OP_END,
    OP_SKIP_FIXED, /* n bytes */
    OP_SKIP_BOOLEAN,
    OP_SKIP_INT,
    OP_SKIP_LONG,
    OP_SKIP_ENUM,     /* n symbols */
    OP_SKIP_BYTES,    /* bytes, text, and keys of maps */
    OP_TAKE_TEXT,     /* at most n bytes */
    OP_TAKE_OPT_TEXT, /* a union of null and text or bytes, null first */
    OP_TAKE_INT,
    OP_TAKE_LONG, /* branch = enum avro_logical */
    OP_TAKE_BOOLEAN,
    OP_TAKE_ENUM,  /* n symbols in symbols[jump] */
    OP_CHECK_TEXT, /* skipped, but kept as raw bytes: keys of consent */
    OP_NULLABLE,   /* branch = index of null; null: go to jump */
    OP_UNION,      /* n branches, targets[jump + branch] */
    OP_JUMP,
    OP_LOOP,       /* enter an array or map */
    OP_NEXT,       /* next element, or leave to jump */
    OP_IDENTIFIER, /* the fields that follow belong to a new element of identifiers */
    OP_TOUCHPOINT, /* ... to the touchpoint again */
    OP_CONTACT,    /* there is a contact record */
    OP_CONSENT,    /* the raw map starts here */
    OP_CONSENT_END,
};

struct plan_op {
    uint8_t code;
    uint8_t branch;
    uint16_t offset; /* of the target in struct touchpoint or struct touchpoint_identifier */
    /* index into plan_fields, for ranges and messages; PLAN_NO_FIELD where skipped */
    uint16_t field;
    uint16_t run; /* nullable fields that follow each other from here on, this one included */
    uint32_t n;
    uint32_t jump;
    uint32_t chain; /* nulls of this run: after k of them go on at after[chain + k - 1] */
};

enum {
    PLAN_NO_FIELD = UINT16_MAX,
    PLAN_MAX_LOOPS = 72,
    PLAN_MAX_ELEMENTS = 100000,
    PLAN_MAX_PAYLOAD = 900000
};

/* Groups of fields: the touchpoint itself and its nested records. */
enum plan_group {
    GROUP_TOUCHPOINT,
    GROUP_CAMPAIGN,
    GROUP_PAGE,
    GROUP_DEVICE,
    GROUP_GEO,
    GROUP_CONTACT,
    GROUP_IDENTIFIER
};

enum plan_want {
    WANT_TEXT,
    WANT_LONG,
    WANT_TIME,
    WANT_BOOLEAN,
    WANT_RECORD,
    WANT_IDENTIFIERS,
    WANT_CONSENT
};

/* One field that we take. */
struct plan_field {
    const char *path; /* for messages: "contact.planned_at" */
    const char *name;
    enum plan_group group;
    enum plan_want want;
    uint16_t offset;
    enum plan_group inner; /* of a record */
    int64_t min, max;      /* of a number; max is the most bytes of a text */
};

extern const struct plan_field plan_fields[];
extern const size_t plan_field_count;

struct avro_plan {
    struct arena arena; /* everything below lives here */
    const struct plan_op *ops;
    const uint32_t *targets, *after;
    const struct avro_member *const *symbols; /* of taken enums */
    struct touchpoint blank;                  /* every field absent */
};

#endif
