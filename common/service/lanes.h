/* lanes.h: a lane is the number of an input partition, over all input topics of a service. It says
 * which instance publishes what another one left in an outbox: the owner of the partition. */
#ifndef TUTTI_SERVICE_LANES_H
#define TUTTI_SERVICE_LANES_H

#include <stddef.h>
#include <stdint.h>

enum { LANES_PER_TOPIC = 1 << 20 };

/* topic is the index of the input topic. */
static inline int32_t lane_of(int topic, int32_t partition)
{
    return topic * LANES_PER_TOPIC + partition;
}

/* The lanes of the assigned partitions. Starts as zero. */
struct lanes {
    int32_t *items;
    size_t count;
};

/* Takes over a complete new assignment (service.h). */
void lanes_assign(struct lanes *lanes, const int *topics, const int32_t *partitions, size_t count);
void lanes_free(struct lanes *lanes);

#endif
