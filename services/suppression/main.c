/* main.c: tutti-suppression: may we? Contact requests in, one verdict each out.
 *
 *   suppression_service.c     the service: decode, apply, publish
 *   suppression_touchpoint.c  which touchpoints matter, and what of them the ledger keeps
 *   suppression_transact.c    the transaction: its steps, the decisions, what is written
 *   suppression_locks.c       its facts and locks
 *   suppression_ledger.c      what it reads under them
 *   suppression_profile.c     verdicts, outcomes and revocations of one profile
 *   suppression_store.c, sql/ its statements
 *   suppression_moves.c       for operators: moves without Kafka
 *   policy/                   policies/contact.json
 *   logic/                    pure: rules, caps, verdicts; read contact.h first
 *   logic/rules/              one file per kind of rule */
#include "services/suppression/suppression_service.h"

int main(int argc, char **argv)
{
    return service_main(&suppression_service, argc, argv);
}
