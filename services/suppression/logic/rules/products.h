/* products.h: what the kinds share that look at products: an event about a product closes offers of
 * it for some time, until another one takes it back. */
#ifndef TUTTI_CONTACT_PRODUCTS_H
#define TUTTI_CONTACT_PRODUCTS_H

#include "services/suppression/logic/rules/lasting.h"

/* What an event and an offer must share. */
enum products_match {
    PRODUCTS_ANY,      /* the product, or the category */
    PRODUCTS_PRODUCT,  /* the product */
    PRODUCTS_CATEGORY, /* the category of the event covers that of the offer */
};

struct products {
    struct lasting lasting;
    int match; /* enum products_match */
    struct rule_lengths categories;
};

/* By the customer's own events alone. none: what the record calls it when no event closes. */
void products_ask(const struct contact_rule *rule, const struct question *question,
                  struct span none, struct finding *finding);

#endif
