/* suppression_service.h: the service as its main and its tests see it. */
#ifndef TUTTI_SUPPRESSION_SERVICE_H
#define TUTTI_SUPPRESSION_SERVICE_H

#include "common/service/service.h"
#include "services/suppression/suppression_claim.h"
#include "services/suppression/suppression_preferred.h"

extern const struct service suppression_service;

/* suppression_claim, of an open service. */
enum outcome suppression_service_claim(const void *self, struct arena *arena, struct claim *claims,
                                       size_t count, struct instant now, struct err *err);
/* suppression_preferred, of an open service. */
enum outcome suppression_service_preferred(const void *self, struct arena *arena,
                                           const struct id *profile_id, struct contact_names *out,
                                           struct err *err);

#endif
