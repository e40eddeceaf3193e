/* resolver_service.h: identity-resolver as the pipeline sees it. */
#ifndef TUTTI_RESOLVER_SERVICE_H
#define TUTTI_RESOLVER_SERVICE_H

#include "common/service/service.h"

extern const struct service resolver_service;

#endif
