/* pipeline_check.c: what --check-config asks of the input topics. */
#include "common/service/pipeline_internal.h"

enum outcome pipeline_check(const struct service *service, const struct config *config,
                            struct err *err)
{
    struct arena arena = {0};
    const char **topics = arena_array(&arena, const char *, pipeline_count_topics(service) + 1);
    enum outcome outcome = pipeline_read_topics(service, config, topics, err);
    if (outcome == OUTCOME_OK)
        outcome = consumer_check_start(config, topics, err);
    arena_free(&arena);
    return outcome;
}
