/* products.c: see products.h. */
#include "services/suppression/logic/rules/products.h"

#include "common/words/order_lines.h"

/* ---- what a fact names: its own product, then those of its order's lines ---- */

struct named {
    struct order_line own;
    struct span lines;
};

static struct named products_of(const struct contact_fact *fact)
{
    return (struct named){{fact->product_id, fact->product_category}, fact->lines};
}

static bool is_named(const struct order_line *line)
{
    return line->product_id.len > 0 || line->category.len > 0;
}

static bool next_product(struct named *rest, struct order_line *line)
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
    struct named rest = products_of(end);
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

static bool is_wanted(const struct products *own, const struct contact_fact *wanted,
                      const struct order_line *named)
{
    bool by_product = own->match != PRODUCTS_CATEGORY && wanted->product_id.len > 0 &&
                      span_equal(wanted->product_id, named->product_id);
    return by_product || (own->match != PRODUCTS_PRODUCT &&
                          category_covers(wanted->product_category, named->category));
}

/* The longest of the rule's categories that covers the product's counts, else `for`. */
static struct instant end_of(const struct contact_rule *rule, const struct contact_fact *fact,
                             const struct order_line *named)
{
    const struct products *own = rule->own;
    const struct rule_length *best = NULL;
    for (size_t i = 0; i < own->categories.count; i++) {
        const struct rule_length *one = &own->categories.items[i];
        if (category_covers(one->name, named->category) &&
            (best == NULL || one->name.len > best->name.len))
            best = one;
    }
    return best ? instant_plus(fact->at, best->length) : lasting_end(rule, fact->at);
}

/* What closes longest; of two that close as long the later one. */
struct closer {
    const struct contact_fact *cause;
    struct instant until;
};

static void close_products(const struct contact_rule *rule, const struct question *q,
                           const struct contact_fact *fact, struct closer *closer)
{
    struct named rest = products_of(fact);
    for (struct order_line line; next_product(&rest, &line);) {
        struct instant until = end_of(rule, fact, &line);
        if (is_wanted(rule->own, q->request, &line) && instant_compare(until, closer->until) >= 0 &&
            !is_taken_back(rule, q, fact, &line))
            *closer = (struct closer){fact, until};
    }
}

void products_ask(const struct contact_rule *rule, const struct question *q, struct span none,
                  struct finding *finding)
{
    struct closer closer = {NULL, INSTANT_FIRST};
    for (size_t i = 0; i < q->ledger->fact_count; i++)
        if (!contact_is_copy(q->ledger->facts[i]) && is_purchase(rule, q->ledger->facts[i]))
            close_products(rule, q, q->ledger->facts[i], &closer);
    lasting_judge(q, closer.cause, closer.until, none, finding);
}
