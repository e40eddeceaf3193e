/* topic_list.h: the topics that an installation needs, and how they should be set. */
#ifndef TUTTI_OPERATIONS_TOPICS_TOPIC_LIST_H
#define TUTTI_OPERATIONS_TOPICS_TOPIC_LIST_H

#include "common/base/arena.h"
#include "common/bus/admin.h"
#include "common/runtime/config.h"

#define TOPIC_OTHER "touchpoints.other.v1"

/* topics.input, topics.replication, and the names of our own topics as the services have them:
 * topic.resolved, topic.identity.changes, topic.diffs, topic.stages, topic.opportunities,
 * topic.decisions */
extern const struct setting topic_list_settings[];

struct name_list {
    const char **items;
    size_t count, capacity;
};

/* The names of a list that commas separate, such as topics.input; in the arena. */
struct name_list topic_names(struct arena *arena, const char *list);

struct topic_list {
    size_t count;
    const char **names;
    struct topic_settings *wanted; /* 0 or "" where nothing is asked for */
};

enum { DEFAULT_PARTITIONS = 8, DIFF_PARTITIONS = 4 };

/* Input topics of the setting topics.input, our own, and one .dlq for each that a service consumes;
 * in the arena. partitions is for touchpoints and resolved touchpoints, retention for input.
 */
void topic_list_build(const struct config *config, struct arena *arena, int32_t partitions,
                      struct duration retention, struct topic_list *out);

/* What differs, as text, "" if nothing: "partitions 4 instead of 8". */
const char *topic_difference(struct arena *arena, const struct topic_settings *wanted,
                             const struct topic_settings *found);

/* The topic of a channel: touchpoints.<channel>.v1; SPAN_NONE if the name could be no topic. In the
 * arena. */
const char *topic_of_channel(struct arena *arena, struct span channel);

#endif
