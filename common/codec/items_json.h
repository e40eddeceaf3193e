/* items_json.h: the products of a touchpoint's items_json, for every service that asks what an
 * order was about. */
#ifndef TUTTI_CODEC_ITEMS_JSON_H
#define TUTTI_CODEC_ITEMS_JSON_H

#include "common/base/arena.h"

/* The text of common/words/order_lines.h, in the arena. Of the first ORDER_LINES_MAX lines the
 * product is `product_id`, else `sku`, else `item_id`; the category `category`, else
 * `product_category`, else `item_category`. SPAN_NONE where there is nothing of it, or no readable
 * list. */
struct span items_json_lines(struct arena *arena, struct span items_json);

#endif
