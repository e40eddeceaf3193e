/* order_lines.h: the products of an order as one short text, and what it means that one category
 * covers another.
 *
 * common/codec/items_json.h makes the text: one line for each line of the order that names a
 * product or a category, "product<1f>category<0a>", either of which may be empty. */
#ifndef TUTTI_WORDS_ORDER_LINES_H
#define TUTTI_WORDS_ORDER_LINES_H

#include "common/base/span.h"

/* An order's later lines are not read. */
enum { ORDER_LINES_MAX = 64 };

struct order_line {
    struct span product_id, category; /* len 0: not named */
};

/* Takes the next line from *rest; false at the end. */
bool order_line_next(struct span *rest, struct order_line *line);

/* Categories are paths, their parts separated by `/`: a category covers itself and all below it, so
 * "home" covers "home/ovens", and neither "homes" nor "home" covers the other. An empty one covers
 * nothing. */
bool category_covers(struct span category, struct span other);

#endif
