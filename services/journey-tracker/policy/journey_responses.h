/* journey_responses.h: the section `responses` of journey.json. */
#ifndef TUTTI_JOURNEY_RESPONSES_READER_H
#define TUTTI_JOURNEY_RESPONSES_READER_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Without the section nothing is asked; an empty one means Contact Sent and Campaign Sent, to be
 * answered within seven days. */
enum outcome journey_responses_read(struct arena *arena, const struct json *journey,
                                    struct response_rules *out, struct err *err);

#endif
