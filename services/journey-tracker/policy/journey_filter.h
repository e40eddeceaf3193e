/* journey_filter.h: reads a filter, the one language of goals and segments. */
#ifndef TUTTI_JOURNEY_FILTER_READER_H
#define TUTTI_JOURNEY_FILTER_READER_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/filter.h"

/* An object of `events`, `channels`, `networks`, `departments`, `purposes`, `campaigns`,
 * `categories`, `direction`, `value`, `score_kind`, `score_min` and `score_max`, at least one of
 * them. Lists go to arena. */
enum outcome journey_filter_read(struct arena *arena, const struct json *object,
                                 struct touch_filter *out, struct err *err);

/* Its conditions `score_kind`, `score_min` and `score_max` alone. */
enum outcome journey_scores_read(const struct json *object, struct touch_filter *out,
                                 struct err *err);

/* The texts of a list, whatever their number; *out keeps those that it has. */
enum outcome journey_texts_read(struct arena *arena, const struct json *object, const char *key,
                                struct span_list *out, struct err *err);

#endif
