/* ledger.h: what a new contact policy means for the ledger that suppression has. */
#ifndef TUTTI_OPERATIONS_POLICIES_LEDGER_H
#define TUTTI_OPERATIONS_POLICIES_LEDGER_H

#include "common/service/generation.h"
#include "operations/desk.h"

/* Fills the ledger with the stored touchpoints that the rules of contact.json ask for, as if they
 * had always done so, then judges all open grants again. The generation must be the active one, and
 * no service may run. Doing it again changes nothing. */
enum outcome policy_renew_ledger(struct desk *desk, const char *dir,
                                 const struct generation *generation, struct err *err);

#endif
