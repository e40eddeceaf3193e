/* consumer_topics.c: topic names and their indexes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus/consumer_internal.h"

static void add(struct topic_names *topics, const char *name)
{
    char labels[320];
    size_t count = topics->count + 1;
    topics->names = realloc(topics->names, count * sizeof *topics->names);
    topics->consumed = realloc(topics->consumed, count * sizeof *topics->consumed);
    topics->unread = realloc(topics->unread, count * sizeof *topics->unread);
    if (!topics->names || !topics->consumed || !topics->unread ||
        !(topics->names[topics->count] = strdup(name)))
        abort();
    snprintf(labels, sizeof labels, "topic=\"%s\"", name);
    bool is_pattern = name[0] == '^';
    topics->consumed[topics->count] =
        is_pattern ? NULL
                   : metric_counter("records_consumed_total", labels, "Records taken from Kafka.");
    topics->unread[topics->count] =
        is_pattern ? NULL
                   : metric_gauge("kafka_topic_unread", labels,
                                  "1: the topic is not read, because it cannot be read safely.");
    topics->count = count;
}

int topic_names_index(struct topic_names *topics, const char *name)
{
    for (size_t i = 0; i < topics->count; i++) {
        if (strcmp(topics->names[i], name) == 0)
            return (int)i;
    }
    add(topics, name);
    return (int)topics->count - 1;
}

void topic_names_free(struct topic_names *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        free(topics->names[i]);
    free(topics->names);
    free(topics->consumed);
    free(topics->unread);
}
