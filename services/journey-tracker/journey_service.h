/* journey_service.h: journey-tracker as the pipeline sees it. */
#ifndef TUTTI_JOURNEY_SERVICE_H
#define TUTTI_JOURNEY_SERVICE_H

#include "common/service/service.h"

extern const struct service journey_service;

#endif
