/* main.c: tutti-journey-tracker: where are they? Resolved touchpoints in, signed diffs and stage
 * changes out.
 *
 *   journey_service.c       the service: decode, apply, publish, scan
 *   journey_flush.c         a flush split by profile; the fast transaction (COPY, compare-and-swap)
 *   journey_slow.c          the slow transaction (duplicates, moves, late events) under locks; its
 *                           steps: journey_slow_facts.c (a), _locks.c (b) and (c), _derive.c (d)
 *   journey_range.c         deriving a range of a timeline again
 *   journey_saving.c        what both write: rows, checkpoints, numbered diffs, stage messages
 *   journey_convert.c       between what is stored and what derive works on
 *   journey_cache.c         anchors and states as last seen
 *   journey_dictionary.c    texts as small numbers
 *   journey_shapes.c        combinations of low-cardinality attributes
 *   journey_store.c, journey_lanes.c, sql/   statements
 *   journey_policy.c        policies/journey.json, goals.json, channels.json
 *   journey_policy_store.c  ... as rows, for the views
 *   journey_moves.c, journey_sweep.c         for operators: moves without Kafka, a new generation
 *   logic/                  pure: derive(timeline) as an automaton */
#include "services/journey-tracker/journey_service.h"

int main(int argc, char **argv)
{
    return service_main(&journey_service, argc, argv);
}
