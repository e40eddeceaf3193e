/* topic_list.c: see topic_list.h. */
#include "cli/topic_list.h"

#include <inttypes.h>

enum { OURS = 8 }; /* topics of our own, with their .dlq */

static const struct duration internal_retention = {14 * US_PER_DAY},
                             dead_letter_retention = {90 * US_PER_DAY};

static void add(struct call *call, struct topic_list *list, const char *name, int32_t partitions,
                struct duration retention)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return;
    list->names[list->count] = name;
    list->wanted[list->count++] = (struct topic_settings){
        .partitions = partitions,
        .replicas = (int32_t)config_int(call->config, "topics.replication"),
        .retention_ms = retention.us / 1000,
        .cleanup = "delete",
        .compression = "producer",
    };
}

static void add_consumed(struct call *call, struct topic_list *list, const char *name,
                         int32_t partitions, struct duration retention)
{
    add(call, list, name, partitions, retention);
    add(call, list, arena_printf(&call->arena, "%s.dlq", name), 1, dead_letter_retention);
}

void topic_list_build(struct call *call, int32_t partitions, struct duration retention,
                      struct topic_list *out)
{
    const char *at = config_text(call->config, "topics.input");
    size_t room = 2 + OURS;
    for (const char *comma = at; (comma = strchr(comma, ',')); comma++)
        room += 2;
    *out = (struct topic_list){.names = arena_array(&call->arena, const char *, room),
                               .wanted = arena_array(&call->arena, struct topic_settings, room)};
    while (*at) {
        size_t length = strcspn(at, ",");
        struct span name = span_trim((struct span){at, length});
        if (name.len)
            add_consumed(call, out, arena_printf(&call->arena, SPAN_FMT, SPAN_ARG(name)),
                         partitions, retention);
        at += length + (at[length] == ',');
    }
    add_consumed(call, out, TOPIC_RESOLVED, partitions, internal_retention);
    add_consumed(call, out, TOPIC_IDENTITY_CHANGES, 1, internal_retention);
    add_consumed(call, out, TOPIC_DIFFS, DIFF_PARTITIONS, internal_retention);
    add(call, out, TOPIC_STAGES, DIFF_PARTITIONS, internal_retention);
    add(call, out, TOPIC_DECISIONS, DIFF_PARTITIONS, internal_retention);
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
