/* items_json.h: the lines of a touchpoint's items_json, for every service that asks what an order
 * was about. */
#ifndef TUTTI_CODEC_ITEMS_JSON_H
#define TUTTI_CODEC_ITEMS_JSON_H

#include "common/base/arena.h"

/* Of the first ORDER_LINES_MAX entries of the list, the two texts of common/words/order_lines.h, in
 * the arena. What is read of an entry: docs/figures.md, tutti.fct_conversion_lines. */
struct items {
    struct span lines, amounts; /* SPAN_NONE: no entry has any */
    bool is_unreadable;         /* no JSON, or no list: nothing was read */
};

struct items items_json_read(struct arena *arena, struct span items_json);

#endif
