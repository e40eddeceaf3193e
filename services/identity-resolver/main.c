/* main.c: tutti-identity-resolver: who is it? Touchpoints in, resolved touchpoints and identity
 * changes out.
 *
 *   resolver_service.c      the service: settings, opening, a batch; with resolver_decode.c and
 * resolver_publish.c identity_touchpoint.c   touchpoint -> keyed identifiers, strongest first
 *   identity_keys.c         the keys of identifier hashes, and where their exchange stands
 *   id_finder.c, resolve_hashes.c   from a hash to an id, once keys were exchanged
 *   resolver_cache.c        what is known to be in the database: the steady state needs no more
 *   resolve.c               what the cache covers, the batch as identifiers and links
 *   resolve_transact.c      the transaction for what is new; reviews and sweeps. Its steps:
 *   resolve_policy.c        the active policy
 *   resolve_load.c          locked and read: members, links, orders
 *   resolve_degree.c        quarantine
 *   resolve_closure.c       neighbours, until none joins
 *   resolve_graph.c         as graphs for the logic, and back
 *   resolve_write.c         what differs, written once
 *   identity_store.c, identity_rules_store.c, sql/   the statements
 *   resolver_metrics.c      what it tells of itself
 *   identity_policy.c       policies/identity.json; identity_policy_warnings.c: what it asks for in
 * vain logic/                  pure: normalising, blocked values, links -> profiles */
#include "services/identity-resolver/resolver_service.h"

int main(int argc, char **argv)
{
    return service_main(&resolver_service, argc, argv);
}
