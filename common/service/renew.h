/* renew.h: a service that runs on under policies that were activated meanwhile. */
#ifndef TUTTI_SERVICE_RENEW_H
#define TUTTI_SERVICE_RENEW_H

#include "common/service/service.h"

/* True for the error of a transaction that found another generation active. */
bool renew_is_due(const struct err *err);
/* Outside of a transaction: the policies of the database from now on, by `renew`, or by close() and
 * open(). RETRY: call it again before anything else of the service. */
enum outcome renew_service(const struct service *service, struct service_context *context,
                           void *self, struct err *err);

#endif
