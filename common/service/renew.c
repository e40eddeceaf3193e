/* renew.c: see renew.h. */
#include "common/service/renew.h"

#include <string.h>

#include "common/runtime/log.h"

bool renew_is_due(const struct err *err)
{
    return err->outcome == OUTCOME_RETRY && strcmp(err->code, "generation_changed") == 0;
}

enum outcome renew_service(const struct service *service, struct service_context *context,
                           void *self, struct err *err)
{
    CHECK(db_ready(context->db, err));
    context->policies->is_database = true;
    if (service->renew) {
        CHECK(service->renew(self, err));
    } else {
        service->close(self);
        memset(self, 0, service->self_size);
        CHECK(service->open(context, self, err));
    }
    log_event(LOG_INFO, "policies_renewed", NULL);
    return OUTCOME_OK;
}
