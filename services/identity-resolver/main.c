/* main.c: tutti-identity-resolver: who is it? Touchpoints in, resolved touchpoints and identity changes out.
 *
 *   resolver_service.c      the service: decode, apply, publish
 *   identity_touchpoint.c   touchpoint -> keyed identifiers, strongest first
 *   resolver_cache.c        what is known to be in the database: the steady state needs no more
 *   resolve.c, _graph.c     the transaction for what is new
 *   identity_store.c, sql/  its statements
 *   identity_policy.c       policies/identity.json
 *   logic/                  pure: normalising, blocked values, links -> profiles */
#include "services/identity-resolver/resolver_service.h"

int main(int argc, char **argv)
{
    return service_main(&resolver_service, argc, argv);
}
