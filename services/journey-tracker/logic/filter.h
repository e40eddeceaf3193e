/* filter.h: the one language in which goals and segments say which touches they mean.
 *
 * All conditions of a filter must hold. What a touch shares with many others is asked once per
 * shape (shape_compile); value and score are asked of the touch, and so are the categories of an
 * order's lines. A policy has at most FILTERS_MAX distinct filters: they are bits of a set. */
#ifndef TUTTI_JOURNEY_FILTER_H
#define TUTTI_JOURNEY_FILTER_H

#include "common/base/arena.h"
#include "common/words/words.h"

enum { FILTERS_MAX = 128, FILTER_TEXTS_MAX = 32 };

struct span_list {
    struct span *items;
    size_t count, capacity;
};

static inline bool span_list_has(const struct span_list *list, struct span text)
{
    for (size_t i = 0; i < list->count && text.ptr; i++)
        if (span_equal(list->items[i], text))
            return true;
    return false;
}

/* A filter without any condition matches every touch. */
struct touch_filter {
    struct span_list events, channels, departments, purposes;
    struct span_list networks, campaigns, categories; /* with patterns */
    enum direction direction;                         /* DIRECTION_NONE: both */
    bool positive;                                    /* the value is above 0 */
    struct span score_kind;                           /* SPAN_NONE: not asked */
    bool has_score;                                   /* the next two are asked */
    int16_t score_min, score_max;
};

struct filter_set {
    uint64_t word[FILTERS_MAX / 64];
};

static inline bool filter_set_has(const struct filter_set *set, unsigned filter)
{
    return set->word[filter / 64] >> filter % 64 & 1;
}

static inline void filter_set_add(struct filter_set *set, unsigned filter)
{
    set->word[filter / 64] |= UINT64_C(1) << filter % 64;
}

static inline bool filter_set_is_empty(const struct filter_set *set)
{
    return (set->word[0] | set->word[1]) == 0;
}

bool filter_equal(const struct touch_filter *a, const struct touch_filter *b);

/* What a shape has of the attributes that filters ask for. */
struct filter_subject {
    struct span event, channel, network, department, purpose, campaign, category, score_kind;
    enum direction direction; /* by the policy; DIRECTION_NONE: no touch */
};

/* BY_LINES: everything holds but the categories, which a line of the order may still have. */
enum filter_answer { FILTER_NO, FILTER_BY_LINES, FILTER_YES };

/* Value and score left aside. What is no touch matches only a filter that names its event. */
enum filter_answer filter_ask(const struct touch_filter *filter,
                              const struct filter_subject *subject);
/* Whether a line (order_lines.h) is of one of the filter's categories. */
bool filter_has_line(const struct touch_filter *filter, struct span lines);

/* Value and score of a touch; score INT16_MIN: it has none. */
static inline bool filter_admits(const struct touch_filter *filter, bool is_positive, int16_t score)
{
    if (filter->positive && !is_positive)
        return false;
    return !filter->has_score ||
           (score != INT16_MIN && score >= filter->score_min && score <= filter->score_max);
}

/* Compares the whole text with a pattern in which `*` stands for any run of characters; with fold,
 * ASCII case is ignored. */
bool pattern_matches(struct span pattern, struct span text, bool fold);

#endif
