/* filter.c: asks a shape's attributes, and the lines of an order, what a filter wants to know. */
#include "services/journey-tracker/logic/filter.h"

#include "common/words/order_lines.h"

static char folded(char c, bool fold)
{
    return fold && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Greedy, with one point of return: the newest star. */
bool pattern_matches(struct span pattern, struct span text, bool fold)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && folded(pattern.ptr[p], fold) == folded(text.ptr[t], fold)) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool lists_equal(const struct span_list *a, const struct span_list *b)
{
    return spans_equal(a->items, a->count, b->items, b->count);
}

static bool texts_equal(struct span a, struct span b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && (a.ptr == NULL || span_equal(a, b));
}

static bool numbers_equal(const struct touch_filter *a, const struct touch_filter *b)
{
    return a->direction == b->direction && a->positive == b->positive &&
           a->has_score == b->has_score && a->score_min == b->score_min &&
           a->score_max == b->score_max;
}

bool filter_equal(const struct touch_filter *a, const struct touch_filter *b)
{
    return numbers_equal(a, b) && texts_equal(a->score_kind, b->score_kind) &&
           lists_equal(&a->events, &b->events) && lists_equal(&a->channels, &b->channels) &&
           lists_equal(&a->departments, &b->departments) &&
           lists_equal(&a->purposes, &b->purposes) && lists_equal(&a->networks, &b->networks) &&
           lists_equal(&a->campaigns, &b->campaigns) && lists_equal(&a->categories, &b->categories);
}

static bool lists(const struct span_list *list, struct span text)
{
    return list->count == 0 || span_list_has(list, text);
}

static bool lists_pattern(const struct span_list *list, struct span text)
{
    for (size_t i = 0; i < list->count && text.ptr; i++)
        if (pattern_matches(list->items[i], text, false))
            return true;
    return list->count == 0;
}

/* Itself or one of the categories above it: their names end where a `/` follows. */
static bool is_of_category(struct span pattern, struct span category)
{
    for (size_t i = 1; i <= category.len; i++)
        if ((i == category.len || category.ptr[i] == '/') &&
            pattern_matches(pattern, (struct span){category.ptr, i}, false))
            return true;
    return false;
}

static bool lists_category(const struct span_list *list, struct span category)
{
    for (size_t i = 0; i < list->count && category.len > 0; i++)
        if (is_of_category(list->items[i], category))
            return true;
    return false;
}

static bool asks_for(const struct touch_filter *f, const struct filter_subject *s)
{
    if (s->direction == DIRECTION_NONE && f->events.count == 0)
        return false;
    return (f->direction == DIRECTION_NONE || f->direction == s->direction) &&
           (f->score_kind.ptr == NULL ||
            (s->score_kind.ptr && span_equal(f->score_kind, s->score_kind))) &&
           lists(&f->events, s->event) && lists(&f->channels, s->channel) &&
           lists(&f->departments, s->department) && lists(&f->purposes, s->purpose) &&
           lists_pattern(&f->networks, s->network) && lists_pattern(&f->campaigns, s->campaign);
}

enum filter_answer filter_ask(const struct touch_filter *filter,
                              const struct filter_subject *subject)
{
    if (!asks_for(filter, subject))
        return FILTER_NO;
    if (filter->categories.count == 0 || lists_category(&filter->categories, subject->category))
        return FILTER_YES;
    return FILTER_BY_LINES;
}

bool filter_has_line(const struct touch_filter *filter, struct span lines)
{
    struct order_line line;
    for (int n = 0; n < ORDER_LINES_MAX && order_line_next(&lines, &line); n++)
        if (lists_category(&filter->categories, line.category))
            return true;
    return false;
}
