/* readers.h: who reads the resolved touchpoints, by the names that Kafka knows. */
#ifndef TUTTI_OPERATIONS_READERS_H
#define TUTTI_OPERATIONS_READERS_H

struct readers {
    const char *resolved_topic, *changes_topic;
    const char *journey_group, *suppression_group;
};

#endif
