/* door_requests.h: the body of a call as contact requests, in the form in which Kafka has them. */
#ifndef TUTTI_DOOR_REQUESTS_H
#define TUTTI_DOOR_REQUESTS_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/codec/schema/shape_set.h"
#include "operations/touchpoint_check.h"

enum {
    DOOR_MOST_REQUESTS = 100,
    DOOR_MOST_CHANNELS = 16,
    DOOR_BODY_MAX = 1000000,
    DOOR_REQUEST_MAX = 64000,
    DOOR_CLAIM_MAX = 4000
};

struct door_request {
    struct id id;      /* its event id */
    struct span value; /* framed Avro */
    struct span key, channel, department;
};

struct door_requests {
    struct door_request *items;
    size_t count, capacity;
    bool is_list; /* the body was {"requests": [...]}, so the answer is a list too */
    /* It was {"request": {...}, "channels": [...]}: the same request, by each channel. Only one of
     * them may be made, so each is asked alone. */
    bool is_choice;
};

/* How touchpoints are written: one schema, one framing. */
struct door_schema {
    struct shape_set *shapes;
    const struct avro_shape *shape;
    int32_t id;
    struct touchpoint_check check;
};

enum outcome door_schema_open(const struct config *config, struct arena *arena,
                              struct door_schema *out, struct err *err);
void door_schema_close(struct door_schema *schema);

/* One touchpoint "Contact Requested" in the shape of the touchpoint schema, or at most
 * DOOR_MOST_REQUESTS of them as {"requests": [...]}, or one for up to DOOR_MOST_CHANNELS channels.
 * Everything is copied into the arena. REJECT with the place of the fault; nothing of the body
 * counts then. */
enum outcome door_requests_read(const struct door_schema *schema, struct arena *arena,
                                struct span body, struct door_requests *out, struct err *err);

#endif
