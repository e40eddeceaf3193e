/* catch_up.c: waits until suppression has stored everything that was said before a cut. */
#include "common/bus/admin.h"
#include "operations/orders/carry.h"
#include "operations/patience.h"

static enum outcome wait_for_group(struct desk *desk, struct admin *admin, const char *group,
                                   const char *topic, const int64_t *ends, int32_t count,
                                   struct err *err)
{
    struct patience patience = patience_of(desk);
    int64_t behind;
    for (;;) {
        CHECK(admin_group_behind(admin, group, topic, ends, count, &behind, err));
        if (behind == 0)
            return OUTCOME_OK;
        if (!patience_lasts(&patience, "suppression to read what was said before"))
            return err_set(err, OUTCOME_RETRY, "suppression_behind",
                           "the group %s has not read %lld records of %s: is suppression running?",
                           group, (long long)behind, topic);
    }
}

static enum outcome catch_up(struct desk *desk, struct admin *admin, const char *group,
                             const char *topic, struct err *err)
{
    struct topic_settings settings;
    CHECK(admin_describe(admin, &topic, 1, &settings, err));
    if (settings.partitions == 0)
        return err_set(err, OUTCOME_FATAL, "no_topic", "there is no topic %s", topic);
    int64_t *ends = arena_array(desk->arena, int64_t, (size_t)settings.partitions);
    CHECK(admin_topic_ends(admin, topic, ends, settings.partitions, err));
    return wait_for_group(desk, admin, group, topic, ends, settings.partitions, err);
}

enum outcome carry_catch_up(struct desk *desk, const char *group, const char *topic,
                            struct err *err)
{
    struct admin *admin;
    CHECK(admin_open(desk->config, &admin, err));
    enum outcome outcome = catch_up(desk, admin, group, topic, err);
    admin_close(admin);
    return outcome;
}
