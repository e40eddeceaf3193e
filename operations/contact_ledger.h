/* contact_ledger.h: what suppression stores about contacts, read as its rules see it. */
#ifndef TUTTI_OPERATIONS_CONTACT_LEDGER_H
#define TUTTI_OPERATIONS_CONTACT_LEDGER_H

#include "common/store/db.h"
#include "services/suppression/logic/contact.h"

/* The contact policy that the services work by; lives in the arena. FATAL "no_generation" if none
 * is active. */
enum outcome contact_ledger_policy(struct db *db, struct arena *arena,
                                   const struct contact_policy **out, struct err *err);

/* What a rule reads of a fact, from the columns occurred_at, event_id, event, channel, consent,
 * score, flags, received_at, source, case_id and order_id, the first of them at `column`. Texts are
 * copied into the arena. */
struct contact_fact contact_ledger_fact(struct arena *arena, const struct db_result *r, int row,
                                        int column);

#endif
