/* main.c: tutti-journey-tracker: where are they? Resolved touchpoints in, signed diffs and stage
 * changes out.
 *
 *   journey_service.c       the service: decode, apply, publish, scan
 *   journey_flush.c         a flush split by profile; the fast transaction
 *   journey_saving.c        what both transactions write: rows, checkpoints, diffs, messages
 *   journey_convert.c       between what is stored and what the derivation works on
 *   journey_cache.c         anchors and states as last seen
 *   journey_policy.c        policies/journey.json and goals.json, and the readers of policy/
 *   journey_said.c          what facts say of customers: rows of traits
 *   journey_policy_warnings.c  what can hardly be meant
 *   journey_policy_store.c  ... as rows, for the views
 *   journey_moves.c         for operators: moves without Kafka
 *   journey_sweep.c         for operators: every profile derived again under other policies
 *
 *   slow/   journey_slow.c   the slow transaction under locks. Its steps:
 *           journey_slow_facts.c   (a) which facts are new
 *           journey_slow_locks.c   (b) anchors and (c) states, locked
 *           journey_slow_derive.c  (d) what each profile becomes
 *           journey_range.c  deriving a range of a timeline again
 *   store/  journey_store.c  facts, derived rows, checkpoints
 *           journey_lanes.c  numbers of the diffs, the two outboxes
 *           journey_dictionary.c   texts as small numbers
 *           journey_shapes.c combinations of low-cardinality attributes
 *   policy/ journey_filter.c the one language of filters
 *           journey_channels.c, journey_traits.c, journey_segments.c  a policy file each
 *   sql/    the statements
 *   logic/  pure: the derivation of a timeline as an automaton */
#include "services/journey-tracker/journey_service.h"

int main(int argc, char **argv)
{
    return service_main(&journey_service, argc, argv);
}
