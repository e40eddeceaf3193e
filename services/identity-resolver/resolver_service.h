/* resolver_service.h: identity-resolver as the pipeline sees it. */
#ifndef TUTTI_RESOLVER_SERVICE_H
#define TUTTI_RESOLVER_SERVICE_H

#include "common/service/service.h"

extern const struct service resolver_service;

enum resolver_topic { RESOLVER_SENDS_RESOLVED, RESOLVER_SENDS_CHANGES };

typedef enum outcome resolver_take_fn(void *arg, enum resolver_topic topic, struct span key,
                                      struct span value, const struct header *headers,
                                      size_t header_count, struct err *err);

/* What `publish` sends of a batch that was applied, to a function: for a program that hands it on
 * itself. The spans are valid during the call. */
enum outcome resolver_messages(void *self, const struct batch *batch, resolver_take_fn *take,
                               void *arg, struct err *err);

#endif
