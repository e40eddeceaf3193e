/* generator_internal.h: what the generator's files share: people, texts and the two profiles. */
#ifndef TUTTI_DATA_GENERATOR_INTERNAL_H
#define TUTTI_DATA_GENERATOR_INTERNAL_H

#include "common/codec/avro/touchpoint_writer.h"
#include "data/generator.h"
#include "data/random.h"

/* Streams of random numbers, one per question, so that a change in one place moves nothing
 * elsewhere. */
enum stream {
    STREAM_WEIGHT = 1,
    STREAM_PERSON,
    STREAM_EVENT,
    STREAM_ARRIVAL,
    STREAM_STORY,
    STREAM_TOKEN,
    STREAM_DETAIL,
    STREAM_PLAN,
    STREAM_PLACE,
    STREAM_TRAITS
};

/* Texts of one touchpoint: far below the room there is; a text that did not fit would be cut. */
struct texts {
    char bytes[4096];
    size_t len, start;
};
void text_begin(struct texts *texts);
void text_add(struct texts *texts, struct span s);
void text_number(struct texts *texts, uint64_t v, int width); /* with leading zeros up to width */
struct span text_end(struct texts *texts);
/* The event id of a touchpoint, from its source and message_id. */
struct span text_event_id(struct texts *texts, const struct touchpoint *t);

enum knowledge { PERSON_KNOWN, PERSON_JOINS, PERSON_ANONYMOUS };
struct person {
    uint32_t number;
    enum knowledge knowledge;
    /* microseconds: log-in that joins the anonymous history; INT64_MIN known, INT64_MAX never */
    int64_t known_from;
    uint32_t device_of; /* whose device is used: a smaller number where it is shared */
};
struct person person_of(const struct generator *g, uint32_t number);

enum id_kind {
    ID_USER,
    ID_EMAIL,
    ID_PHONE,
    ID_LOYALTY,
    ID_EXTERNAL,
    ID_DEVICE,
    ID_COOKIE,
    ID_SECOND_COOKIE
};
/* The identifiers that the channel knows at time t->occurred_at. */
void person_identify(const struct generator *g, struct texts *texts, const struct person *person,
                     struct random *r, struct touchpoint *t);

struct generator_arrival {
    int64_t at;
    uint64_t index;
    bool is_late, is_duplicate;
};

struct generator_persona {
    enum outcome (*open)(struct generator *g, struct err *err);
    void (*close)(struct generator *g);
    int64_t (*occurred_at)(const struct generator *g, uint64_t index);
    /* Fills everything but received_at. Returns the person. */
    uint32_t (*fill)(const struct generator *g, uint64_t index, struct texts *texts,
                     struct touchpoint *t);
    double joins, anonymous, shares_device; /* shares of people */
    bool knows_user; /* every channel also sends the user id of people who are known */
};
extern const struct generator_persona profile_bank, profile_bench;

struct generator {
    struct generator_options options;
    const struct generator_persona *profile;
    void *state; /* of the profile */
    int64_t span_us;
    uint64_t next; /* distinct touchpoint to take from the profile */
    struct generator_arrival *heap;
    size_t heap_count, heap_capacity;
    struct texts texts;
};

/* exp(1.5 x) with x standard normal: how active a person is. */
double person_weight(const struct generator *g, uint32_t number);

#endif
