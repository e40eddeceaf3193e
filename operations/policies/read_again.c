/* read_again.c: see read_again.h. Reading again is safe at any time, so offsets say what is
 * missing.
 */
#include "operations/policies/read_again.h"

#include <inttypes.h>
#include <string.h>

#include "common/bus/admin.h"
#include "operations/patience.h"
#include "policies_sql.h"

struct groups {
    const struct readers *readers;
    struct admin *admin;
    int32_t partitions;
    int64_t *stored; /* journey-tracker's offsets, 0 where it has none */
    int64_t *read;   /* suppression's */
};

static enum outcome find_offsets(struct desk *desk, struct groups *g, bool is_used, struct err *err)
{
    bool has_read = false;
    size_t count = (size_t)g->partitions;
    g->stored = arena_array(desk->arena, int64_t, count);
    g->read = arena_array(desk->arena, int64_t, count);
    CHECK(admin_group_offsets(g->admin, g->readers->journey_group, g->readers->resolved_topic,
                              g->stored, g->partitions, err));
    CHECK(admin_group_offsets(g->admin, g->readers->suppression_group, g->readers->resolved_topic,
                              g->read, g->partitions, err));
    for (size_t p = 0; p < count; p++)
        has_read = has_read || g->read[p] >= 0;
    return has_read || !is_used
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "group_unknown",
                         "suppression has stored touchpoints, but the group %s has committed "
                         "nothing of the topic %s: name them with --group and --topic",
                         g->readers->suppression_group, g->readers->resolved_topic);
}

/* How many records come again. */
static int64_t step_back(struct groups *g)
{
    int64_t again = 0;
    for (int32_t p = 0; p < g->partitions; p++) {
        int64_t stored = g->stored[p] < 0 ? 0 : g->stored[p];
        again += g->read[p] > stored ? g->read[p] - stored : 0;
        if (g->read[p] > stored || g->read[p] < 0)
            g->read[p] = g->read[p] < 0 ? 0 : stored;
    }
    return again;
}

/* Also where nothing moves: that it is taken shows that no instance is there, which might still
 * commit what it read by the other policies. */
static enum outcome commit(struct desk *desk, const struct groups *g, struct err *err)
{
    struct patience patience = patience_of(desk);
    enum outcome outcome = OUTCOME_RETRY;
    bool lasts = true;
    while (outcome == OUTCOME_RETRY && lasts) {
        outcome = admin_group_alter(g->admin, g->readers->suppression_group,
                                    g->readers->resolved_topic, g->read, g->partitions, err);
        lasts = outcome == OUTCOME_RETRY && strcmp(err->code, "group_busy") == 0 &&
                patience_lasts(&patience, "Kafka to notice that every instance ended");
    }
    return outcome;
}

static enum outcome set_back(struct desk *desk, struct groups *g, bool is_used, struct err *err)
{
    struct topic_settings settings;
    const char *topic = g->readers->resolved_topic;
    CHECK(admin_describe(g->admin, &topic, 1, &settings, err));
    g->partitions = settings.partitions;
    if (g->partitions == 0)
        return is_used ? err_set(err, OUTCOME_FATAL, "no_topic",
                                 "there is no topic %s: name it with --topic", topic)
                       : OUTCOME_OK;
    CHECK(find_offsets(desk, g, is_used, err));
    int64_t again = step_back(g);
    CHECK(commit(desk, g, err));
    if (again > 0)
        desk_note(desk,
                  "suppression reads %" PRId64
                  " touchpoints again, which journey-tracker has not stored yet",
                  again);
    return OUTCOME_OK;
}

enum outcome policy_read_again(struct desk *desk, const struct readers *readers, struct err *err)
{
    struct groups g = {.readers = readers};
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_policy_was_read, NULL, &r, NULL, err));
    bool is_used = db_bool(r, 0, 1);
    if (!db_bool(r, 0, 0))
        return OUTCOME_OK;
    CHECK(admin_open(desk->config, &g.admin, err));
    enum outcome outcome = set_back(desk, &g, is_used, err);
    admin_close(g.admin);
    return outcome;
}
