/* nearest.c: keeps the name with the smallest edit distance so far. */
#include "common/base/nearest.h"

struct nearest nearest_start(struct span wanted, unsigned most)
{
    return (struct nearest){.wanted = wanted, .most = most, .distance = most};
}

void nearest_consider(struct nearest *nearest, struct span name)
{
    unsigned distance = span_distance(nearest->wanted, name);
    bool is_first = nearest->name.ptr == NULL;
    if (is_first ? distance > nearest->most : distance >= nearest->distance)
        return;
    nearest->name = name;
    nearest->distance = distance;
}
