/* order_lines.h: the lines of an order as two short texts, and what it means that one category
 * covers another.
 *
 * common/codec/items_json.h makes them, each with one line for one entry of the order: the lines
 * "product<1f>category<0a>", the amounts "quantity<1f>value<1f>margin<0a>" in millionths. Every
 * part may be empty. An entry that says nothing of them is an empty line; at the end there is none
 * such. */
#ifndef TUTTI_WORDS_ORDER_LINES_H
#define TUTTI_WORDS_ORDER_LINES_H

#include "common/base/span.h"

/* An order's later lines are not read. */
enum { ORDER_LINES_MAX = 64, ORDER_LINE_SEPARATOR = 0x1f };

struct order_line {
    struct span product_id, category; /* len 0: not named */
};

/* Takes the next line that names something from *rest; false at the end. */
bool order_line_next(struct span *rest, struct order_line *line);

/* Categories are paths, their parts separated by `/`: a category covers itself and all below it, so
 * "home" covers "home/ovens", and neither "homes" nor "home" covers the other. An empty one covers
 * nothing. */
bool category_covers(struct span category, struct span other);

#endif
