/* anchors_drain.c: nothing is left to be read that names former anchors. */
#include "operations/reanchor/anchors.h"

#include <inttypes.h>

#include "common/bus/admin.h"
#include "reanchor_sql.h"

static enum outcome check_outboxes(struct db *db, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_anchors_waiting, NULL, &r, NULL, err));
    int64_t waiting = db_int8(r, 0, 0);
    return waiting == 0 ? OUTCOME_OK
                        : err_set(err, OUTCOME_REJECT, "outbox_waiting",
                                  "%" PRId64 " messages wait to be published: start the services, "
                                  "let them catch up, stop them",
                                  waiting);
}

static enum outcome check_erasures(struct db *db, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_anchors_erasures, NULL, &r, NULL, err));
    bool is_open = db_bool(r, 0, 0);
    return is_open ? err_set(err, OUTCOME_REJECT, "erasure_incomplete",
                             "an erasure was interrupted: run `tutti erase` again first")
                   : OUTCOME_OK;
}

static enum outcome find_ends(struct desk *desk, struct admin *admin, const char *topic,
                              int64_t **ends, int32_t *count, struct err *err)
{
    struct topic_settings settings;
    CHECK(admin_describe(admin, &topic, 1, &settings, err));
    if (settings.partitions == 0)
        return err_set(err, OUTCOME_FATAL, "no_topic", "there is no topic %s", topic);
    *count = settings.partitions;
    *ends = arena_array(desk->arena, int64_t, (size_t)settings.partitions);
    return admin_topic_ends(admin, topic, *ends, *count, err);
}

static enum outcome check_group(struct admin *admin, const char *topic, const char *group,
                                const int64_t *ends, int32_t count, struct err *err)
{
    int64_t behind = 0;
    CHECK(admin_group_behind(admin, group, topic, ends, count, &behind, err));
    return behind == 0 ? OUTCOME_OK
                       : err_set(err, OUTCOME_REJECT, "lag",
                                 "the group %s has not read %" PRId64
                                 " records of %s: start the services, let them catch up, stop "
                                 "identity-resolver first",
                                 group, behind, topic);
}

/* The ends of the resolved topic are found last: they are where its records are deleted to. */
static enum outcome drain_topics(struct desk *desk, struct admin *admin,
                                 const struct readers *readers, struct err *err)
{
    const char *topics[] = {readers->changes_topic, readers->resolved_topic};
    const char *groups[] = {readers->journey_group, readers->suppression_group};
    int64_t *ends = NULL;
    int32_t count = 0;
    for (size_t t = 0; t < 2; t++) {
        CHECK(find_ends(desk, admin, topics[t], &ends, &count, err));
        for (size_t g = 0; g < 2; g++)
            CHECK(check_group(admin, topics[t], groups[g], ends, count, err));
    }
    return admin_delete_records(admin, readers->resolved_topic, ends, count, err);
}

enum outcome anchors_drain(struct desk *desk, const struct readers *readers, struct err *err)
{
    struct admin *admin = NULL;
    CHECK(check_erasures(desk->db, err));
    CHECK(check_outboxes(desk->db, err));
    CHECK(admin_open(desk->config, &admin, err));
    enum outcome outcome = drain_topics(desk, admin, readers, err);
    admin_close(admin);
    return outcome;
}
