/* already_bought.c: denies an offer of a product, or of its category, that the customer bought,
 * until one of `until` takes it back or its time is over. */
#include "common/words/order_lines.h"
#include "services/suppression/logic/rules/lasting.h"

enum { MATCH_ANY, MATCH_PRODUCT, MATCH_CATEGORY };

struct bought {
    struct lasting lasting;
    int match;
    struct rule_lengths categories; /* for_category */
};

static const struct bought defaults = {.lasting = {.lasts = DURATION_NONE}, .match = MATCH_ANY};

/* ---- what a fact names: its own product, then those of its order's lines ---- */

struct products {
    struct order_line own;
    struct span lines;
};

static struct products products_of(const struct contact_fact *fact)
{
    return (struct products){{fact->product_id, fact->product_category}, fact->lines};
}

static bool is_named(const struct order_line *line)
{
    return line->product_id.len > 0 || line->category.len > 0;
}

static bool next_product(struct products *rest, struct order_line *line)
{
    *line = rest->own;
    rest->own = (struct order_line){SPAN_NONE, SPAN_NONE};
    return is_named(line) || order_line_next(&rest->lines, line);
}

/* ---- taken back ---- */

/* By the product where both name one, else by the category. */
static bool is_same_product(const struct order_line *returned, const struct order_line *bought)
{
    if (returned->product_id.len > 0 && bought->product_id.len > 0)
        return span_equal(returned->product_id, bought->product_id);
    return category_covers(returned->category, bought->category);
}

/* A return takes back the products that it names. One that names none takes back its order. */
static bool takes_back(const struct contact_fact *end, const struct contact_fact *purchase,
                       const struct order_line *bought)
{
    struct products rest = products_of(end);
    struct order_line line;
    bool names_any = false;
    while (next_product(&rest, &line)) {
        names_any = true;
        if (is_same_product(&line, bought))
            return true;
    }
    return !names_any && end->order_id.len > 0 && span_equal(end->order_id, purchase->order_id);
}

/* An event of `on` with a negative value gives back, as one of `until` does. */
static bool is_purchase(const struct contact_rule *rule, const struct contact_fact *fact)
{
    return rule_is_triggered(rule, fact) && !(fact->flags & CONTACT_IS_NEGATIVE);
}

static bool is_return(const struct contact_rule *rule, const struct contact_fact *fact)
{
    return names_contain(&rule->until, fact->event) ||
           (fact->flags & CONTACT_IS_NEGATIVE && rule_is_triggered(rule, fact));
}

static bool is_taken_back(const struct contact_rule *rule, const struct question *q,
                          const struct contact_fact *purchase, const struct order_line *bought)
{
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (!contact_is_copy(f) && is_return(rule, f) && lasting_comes_after(purchase, f) &&
            takes_back(f, purchase, bought))
            return true;
    }
    return false;
}

/* ---- what is asked for ---- */

static bool is_wanted(const struct bought *own, const struct contact_fact *wanted,
                      const struct order_line *bought)
{
    bool by_product = own->match != MATCH_CATEGORY && wanted->product_id.len > 0 &&
                      span_equal(wanted->product_id, bought->product_id);
    return by_product || (own->match != MATCH_PRODUCT &&
                          category_covers(wanted->product_category, bought->category));
}

/* The longest category of `for_category` that covers the product's counts, else `for`. */
static struct instant end_of(const struct contact_rule *rule, const struct contact_fact *purchase,
                             const struct order_line *bought)
{
    const struct bought *own = rule->own;
    const struct rule_length *best = NULL;
    for (size_t i = 0; i < own->categories.count; i++) {
        const struct rule_length *one = &own->categories.items[i];
        if (category_covers(one->name, bought->category) &&
            (best == NULL || one->name.len > best->name.len))
            best = one;
    }
    return best ? instant_plus(purchase->at, best->length) : lasting_end(rule, purchase->at);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    struct instant until = INSTANT_FIRST;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        struct products rest = products_of(f);
        if (contact_is_copy(f) || !is_purchase(rule, f))
            continue;
        for (struct order_line line; next_product(&rest, &line);) {
            struct instant end = end_of(rule, f, &line);
            if (!is_wanted(rule->own, q->request, &line) || instant_compare(end, until) < 0 ||
                is_taken_back(rule, q, f, &line))
                continue;
            cause = f;
            until = end;
        }
    }
    lasting_judge(q, cause, until, SPAN("not bought"), finding);
}

/* ---- the row ---- */

static bool is_path(struct span path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '/' && (i == 0 || i + 1 == path.len || path.ptr[i - 1] == '/'))
            return false;
    return path.len > 0;
}

static const char *check(const struct contact_rule *rule)
{
    const struct bought *own = rule->own;
    for (size_t i = 0; i < own->categories.count; i++)
        if (!is_path(own->categories.items[i].name))
            return "for_category: a category has an empty part";
    return NULL;
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "for_category",
     KEY_LENGTHS,
     .is_positive = true,
     .offset = offsetof(struct bought, categories)},
    {.name = "match",
     KEY_CHOICE,
     .words = "any|product|category",
     .offset = offsetof(struct bought, match)},
    {.name = "until", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_already_bought = {
    .name = "already_bought",
    .cause = "purchase",
    .revokes = REVOKES_ON_SIGNAL,
    .wants_product = true,
    .ignores_copies = true,
    .keys = keys,
    .own_size = sizeof(struct bought),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
};
