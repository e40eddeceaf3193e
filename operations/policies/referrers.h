/* referrers.h: lists of known sites that others publish, as referrers.json. */
#ifndef TUTTI_OPERATIONS_POLICIES_REFERRERS_H
#define TUTTI_OPERATIONS_POLICIES_REFERRERS_H

#include "common/base/pack.h"
#include "common/codec/json.h"

struct referrer_counts {
    size_t hosts;     /* written */
    size_t left_out;  /* no hosts: names with a path, for example */
    size_t doublings; /* in the list more than once: the first one counts */
};

/* Appends the referrers.json of a list in the form of Snowplow ({medium: {name: {"domains":
 * [...]}}}) or of Ghost ({host: {"source", "medium"}}). FATAL "json_invalid" for any other form. */
enum outcome referrers_convert(struct arena *arena, const struct json *list, struct strbuf *out,
                               struct referrer_counts *counts, struct err *err);

#endif
