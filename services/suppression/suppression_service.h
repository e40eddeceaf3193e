/* suppression_service.h: the service as its main and its tests see it. */
#ifndef TUTTI_SUPPRESSION_SERVICE_H
#define TUTTI_SUPPRESSION_SERVICE_H

#include "common/service/service.h"

extern const struct service suppression_service;

#endif
