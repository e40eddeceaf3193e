/* suppression_preferred.c: see suppression_preferred.h. */
#include "services/suppression/suppression_preferred.h"

#include "common/words/preferences.h"
#include "suppression_sql.h"

enum { MOST_PREFERRED = 32 };

static void read_channels(const struct contact_policy *policy, struct arena *arena,
                          struct span preferences, struct contact_names *out)
{
    struct preference channels;
    struct span channel;
    if (!preference_find(preferences, SPAN("channels"), &channels))
        return;
    out->items = arena_array(arena, struct span, MOST_PREFERRED);
    while (out->count < MOST_PREFERRED && preference_field(&channels, &channel))
        policy_channel(policy, channel, &out->items[out->count++]);
}

enum outcome suppression_preferred(const struct suppression *suppression, struct arena *arena,
                                   const struct id *profile_id, struct contact_names *out,
                                   struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *out = (struct contact_names){0};
    params_init(&p, arena);
    params_uuid(&p, profile_id);
    CHECK(db_run(suppression->db, &sql_find_preferred, &p, &r, NULL, err));
    if (db_rows(r) > 0)
        read_channels(&suppression->policy, arena, arena_copy(arena, db_bytes(r, 0, 0)), out);
    return OUTCOME_OK;
}
