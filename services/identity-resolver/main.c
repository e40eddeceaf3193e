/* main.c: tutti-identity-resolver: who is it? It reads touchpoints, and sends resolved touchpoints
 * and identity changes.
 *
 *   resolver_service.c           the service: settings, opening, a batch
 *   resolver_self.h              its structure and a batch's events
 *   resolver_decode.c            records -> events
 *   resolver_publish.c           events and identity changes -> topics
 *   resolver_metrics.c           the metrics of its own
 *
 *   policy/   identity_policy.c  policies/identity.json; identity_blocked.c: its blocked values
 *             identity_policy_warnings.c  settings without an effect
 *             resolver_signals.c which touchpoints bind everyone whom they name (contact.json)
 *   keys/     identity_touchpoint.c  touchpoint -> keyed identifiers, strongest first
 *             identity_keys.c    the keys of identifier hashes, and where their exchange stands
 *             id_finder.c        from a hash to an id, after an exchange of keys
 *   store/    identity_store.c, identity_rules_store.c  the statements of sql/
 *             resolver_cache.c   what is known to be in the database
 *   resolve/  resolve.c          what the cache covers, and looking up what it does not
 *             resolve_hashes.c   looking up hashes, after an exchange of keys
 *             resolve_work.h     the working set of a transaction
 *             resolve_transact.c the transaction for what is new; reviews and sweeps. Its steps:
 *             resolve_policy.c   the active policy
 *             resolve_load.c     locked and read: members, links, orders
 *             resolve_degree.c   quarantine
 *             resolve_plain.c    parts of a batch that no stored link can change
 *             resolve_closure.c  neighbours, until none joins
 *             resolve_graph.c    as graphs for the logic, and back
 *             resolve_sort.c     the orders that the working set is kept in
 *             resolve_write.c    what differs, written once
 *   logic/    pure: normalising, blocked values, links -> profiles */
#include "services/identity-resolver/resolver_service.h"

int main(int argc, char **argv)
{
    return service_main(&resolver_service, argc, argv);
}
