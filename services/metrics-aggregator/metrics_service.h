/* metrics_service.h: metrics-aggregator as the pipeline sees it. */
#ifndef TUTTI_METRICS_SERVICE_H
#define TUTTI_METRICS_SERVICE_H

#include "common/service/service.h"

extern const struct service metrics_service;

#endif
