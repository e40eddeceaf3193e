/* traits_json.h: the traits_json of a touchpoint as the bytes that are kept of it. Rules:
 * docs/figures.md, Observations. */
#ifndef TUTTI_CODEC_TRAITS_JSON_H
#define TUTTI_CODEC_TRAITS_JSON_H

#include "common/base/arena.h"
#include "common/base/span.h"

/* The members that are kept, packed (common/words/said.h), in the arena; SPAN_NONE: nothing is
 * said. *left_out grows by the members with a name of a trait that could not be kept. */
struct span traits_json_said(struct arena *arena, struct span traits_json, uint64_t *left_out);

#endif
