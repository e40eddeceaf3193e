/* order.h: an operator's order about who is who: its plan, and the order itself.
 *
 * Before a cut suppression must have read all that was said, and opt-outs and holds that one side
 * would lose are said again for it (carry.h): a cut never frees a person. */
#ifndef TUTTI_OPERATIONS_ORDERS_ORDER_H
#define TUTTI_OPERATIONS_ORDERS_ORDER_H

#include "operations/desk.h"
#include "operations/report.h"
#include "services/identity-resolver/store/identity_rules_store.h"

struct order_request {
    enum order_kind kind;
    const char *identifiers[2]; /* as a person names them; a release has one */
    const char *actor, *reason;
    bool executes;
    bool forces;                   /* ORDER_RELEASE: also what has very many links */
    const char *resolved_topic;    /* of what is said again */
    const char *suppression_group; /* the consumer group that must have read it */
    int32_t schema_id;             /* of the touchpoint schema */
};

struct order;

/* Reports what the order would change. Where it will be executed, waits for suppression first.
 * order_close is needed even after an error; *out may be NULL. Desk and request must live as long
 * as the order. REJECT "many_links", "same_identifier", "identifier_unknown". Of ORDER_SAME also
 * "other_types" and "not_unique": it is for two values of one unique type. */
enum outcome order_look(struct desk *desk, const struct order_request *request,
                        struct report *report, struct order **out, struct err *err);
/* Carries out what was reported. *version is that of the identity change, 0 if nothing moved. After
 * an error "the order is executed, but ..." the report says what may be missing. */
enum outcome order_execute(struct order *order, struct report *report, int64_t *version,
                           struct err *err);
void order_close(struct order *order);

#endif
