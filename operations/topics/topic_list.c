/* topic_list.c: what each topic should be, and how one differs from it; see topic_list.h. */
#include "operations/topics/topic_list.h"
#include "common/service/topic_names.h"

#include <inttypes.h>

const struct setting topic_list_settings[] = {
    {"topics.input", SETTING_TEXT,
     "touchpoints.web.v1,touchpoints.app.v1,touchpoints.email.v1,touchpoints.sms.v1,touchpoints."
     "pos.v1,touchpoints.call_center."
     "v1,"
     "touchpoints.crm.v1,touchpoints.direct_mail.v1,touchpoints.ads.v1,touchpoints.other.v1",
     0, 0, NULL, "Topics that channel systems write touchpoints to, separated by commas."},
    {"topics.replication", SETTING_INT, "-1", -1, 100, NULL,
     "Replicas of a new topic; -1 is the broker's default."},
    {"topic.resolved", SETTING_TEXT, OUR_TOPIC_RESOLVED, 0, 0, NULL,
     "As identity-resolver has it."},
    {"topic.identity.changes", SETTING_TEXT, OUR_TOPIC_IDENTITY_CHANGES, 0, 0, NULL,
     "As identity-resolver has it."},
    {"topic.diffs", SETTING_TEXT, OUR_TOPIC_DIFFS, 0, 0, NULL, "As journey-tracker has it."},
    {"topic.stages", SETTING_TEXT, OUR_TOPIC_STAGES, 0, 0, NULL, "As journey-tracker has it."},
    {"topic.opportunities", SETTING_TEXT, OUR_TOPIC_OPPORTUNITIES, 0, 0, NULL,
     "As journey-tracker has it."},
    {"topic.decisions", SETTING_TEXT, OUR_TOPIC_DECISIONS, 0, 0, NULL, "As suppression has it."},
    {.name = NULL},
};

enum { OURS = 9 }; /* topics of our own, with their .dlq */

static const struct duration internal_retention = {14 * US_PER_DAY},
                             dead_letter_retention = {90 * US_PER_DAY};

/* How far a producer's timestamp may be ahead of the broker's clock on an input topic. */
enum { FUTURE_MS = 3600000 };

static void add(const struct config *config, struct topic_list *list, const char *name,
                int32_t partitions, struct duration retention)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return;
    list->names[list->count] = name;
    list->wanted[list->count++] = (struct topic_settings){
        .partitions = partitions,
        .replicas = (int32_t)config_int(config, "topics.replication"),
        .retention_ms = retention.us / 1000,
        .cleanup = "delete",
        .compression = "producer",
    };
}

static void add_consumed(const struct config *config, struct arena *arena, struct topic_list *list,
                         const char *name, int32_t partitions, struct duration retention)
{
    add(config, list, name, partitions, retention);
    add(config, list, arena_printf(arena, "%s.dlq", name), 1, dead_letter_retention);
}

static void add_input(const struct config *config, struct arena *arena, struct topic_list *list,
                      const char *name, int32_t partitions, struct duration retention)
{
    size_t before = list->count;
    add_consumed(config, arena, list, name, partitions, retention);
    if (list->count > before)
        list->wanted[before].future_ms = FUTURE_MS;
}

static void add_own(const struct config *config, struct arena *arena, struct topic_list *list,
                    int32_t partitions)
{
    const struct duration kept = internal_retention;
    add_consumed(config, arena, list, config_text(config, "topic.resolved"), partitions, kept);
    add_consumed(config, arena, list, config_text(config, "topic.identity.changes"), 1, kept);
    add_consumed(config, arena, list, config_text(config, "topic.diffs"), DIFF_PARTITIONS, kept);
    add(config, list, config_text(config, "topic.stages"), DIFF_PARTITIONS, kept);
    add(config, list, config_text(config, "topic.opportunities"), DIFF_PARTITIONS, kept);
    add(config, list, config_text(config, "topic.decisions"), DIFF_PARTITIONS, kept);
}

struct name_list topic_names(struct arena *arena, const char *list)
{
    struct name_list names = {0};
    while (*list) {
        size_t length = strcspn(list, ",");
        struct span name = span_trim((struct span){list, length});
        if (name.len > 0)
            *arena_push(arena, &names) = arena_printf(arena, SPAN_FMT, SPAN_ARG(name));
        list += length + (list[length] == ',');
    }
    return names;
}

void topic_list_build(const struct config *config, struct arena *arena, int32_t partitions,
                      struct duration retention, struct topic_list *out)
{
    struct name_list inputs = topic_names(arena, config_text(config, "topics.input"));
    size_t room = 2 * inputs.count + OURS;
    *out = (struct topic_list){.names = arena_array(arena, const char *, room),
                               .wanted = arena_array(arena, struct topic_settings, room)};
    for (size_t i = 0; i < inputs.count; i++)
        add_input(config, arena, out, inputs.items[i], partitions, retention);
    add_own(config, arena, out, partitions);
}

static const char *days(struct arena *arena, int64_t ms)
{
    if (ms < 0)
        return "for ever";
    return ms % 86400000 ? arena_printf(arena, "%" PRId64 " ms", ms)
                         : arena_printf(arena, "%" PRId64 " d", ms / 86400000);
}

const char *topic_difference(struct arena *arena, const struct topic_settings *wanted,
                             const struct topic_settings *found)
{
    const char *text = "";
    if (found->partitions != wanted->partitions)
        text = arena_printf(arena, "partitions %d instead of %d", found->partitions,
                            wanted->partitions);
    if (wanted->replicas > 0 && found->replicas != wanted->replicas)
        text = arena_printf(arena, "%s%sreplicas %d instead of %d", text, *text ? ", " : "",
                            found->replicas, wanted->replicas);
    if (found->retention_ms != wanted->retention_ms)
        text = arena_printf(arena, "%s%sretention %s instead of %s", text, *text ? ", " : "",
                            days(arena, found->retention_ms), days(arena, wanted->retention_ms));
    if (wanted->future_ms > 0 && found->future_ms > wanted->future_ms)
        text = arena_printf(arena, "%s%smessage.timestamp.after.max.ms %" PRId64 " above %" PRId64,
                            text, *text ? ", " : "", found->future_ms, wanted->future_ms);
    if (strcmp(found->cleanup, wanted->cleanup) != 0)
        text = arena_printf(arena, "%s%scleanup.policy %s instead of %s", text, *text ? ", " : "",
                            found->cleanup, wanted->cleanup);
    if (strcmp(found->compression, wanted->compression) != 0)
        text = arena_printf(arena, "%s%scompression.type %s instead of %s", text, *text ? ", " : "",
                            found->compression, wanted->compression);
    return text;
}

const char *topic_of_channel(struct arena *arena, struct span channel)
{
    if (channel.len == 0 || channel.len > 60)
        return NULL;
    for (size_t i = 0; i < channel.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", channel.ptr[i]) == NULL ||
            channel.ptr[i] == '\0')
            return NULL;
    return arena_printf(arena, "touchpoints." SPAN_FMT ".v1", SPAN_ARG(channel));
}
