/* publisher.c: see publisher.h. */
#include "operations/topics/publisher.h"

#include <stdio.h>
#include <stdlib.h>

#include "operations/topics/topic_list.h"

enum { MAX_ROUTES = 64 };

struct route {
    char channel[64];
    int topic;
};

struct publisher {
    struct producer *producer; /* NULL: dry run */
    int fixed_topic;           /* -1: by channel */
    struct route routes[MAX_ROUTES];
    size_t route_count;
};

/* Without a topic of its own the first route, that of all other channels, is opened. */
static enum outcome open_topic(struct publisher *publisher, const char *topic, struct err *err)
{
    int index;
    CHECK(producer_topic(publisher->producer, topic ? topic : TOPIC_OTHER, &index, NULL, err));
    if (topic)
        publisher->fixed_topic = index;
    else
        publisher->routes[publisher->route_count++] = (struct route){.topic = index};
    return OUTCOME_OK;
}

enum outcome publisher_open(struct producer *producer, const char *topic, struct publisher **out,
                            struct err *err)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        abort();
    publisher->producer = producer;
    publisher->fixed_topic = -1;
    enum outcome outcome = producer ? open_topic(publisher, topic, err) : OUTCOME_OK;
    if (outcome == OUTCOME_OK)
        *out = publisher;
    else
        publisher_close(publisher);
    return outcome;
}

void publisher_close(struct publisher *publisher)
{
    free(publisher);
}

/* The first route is that of all other channels. */
static enum outcome find_route(struct publisher *publisher, struct span channel, int *topic,
                               struct err *err)
{
    *topic = publisher->routes[0].topic;
    for (size_t i = 1; i < publisher->route_count; i++)
        if (span_is(channel, publisher->routes[i].channel)) {
            *topic = publisher->routes[i].topic;
            return OUTCOME_OK;
        }
    struct arena arena = {0};
    const char *name = topic_of_channel(&arena, channel);
    enum outcome outcome = OUTCOME_OK;
    if (name && publisher->route_count < MAX_ROUTES) {
        int found;
        outcome = producer_topic(publisher->producer, name, &found, &(int32_t){0}, err);
        if (outcome == OUTCOME_OK)
            *topic = found;
        if (outcome != OUTCOME_RETRY) {
            struct route *route = &publisher->routes[publisher->route_count++];
            snprintf(route->channel, sizeof route->channel, SPAN_FMT, SPAN_ARG(channel));
            route->topic = *topic;
            outcome = OUTCOME_OK;
        }
    }
    arena_free(&arena);
    return outcome;
}

enum outcome publisher_send(struct publisher *publisher, struct span channel, struct span key,
                            struct span value, int64_t timestamp_ms, struct err *err)
{
    if (publisher->producer == NULL)
        return OUTCOME_OK;
    int topic = publisher->fixed_topic;
    if (topic < 0)
        CHECK(find_route(publisher, channel, &topic, err));
    return producer_send_at(publisher->producer, topic, key, value, timestamp_ms, err);
}

enum outcome publisher_finish(struct publisher *publisher, int timeout_ms, struct err *err)
{
    return publisher->producer ? producer_wait(publisher->producer, timeout_ms, NULL, NULL, err)
                               : OUTCOME_OK;
}
