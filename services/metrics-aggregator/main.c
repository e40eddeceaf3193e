/* main.c: tutti-metrics-aggregator: how do we do? Numbered diffs in, sums for the reports out.
 *
 *   metrics_service.c       the service: decode, apply; it sends nothing
 *   metrics_flush.c         the one transaction: lock lanes, take each number once, write sums
 *   metrics_store.c, sql/   its statements
 *   logic/sequence.c        pure: which number is next, repeated or missing
 *   logic/late.c            pure: which periods of a cell are closed
 *   logic/merge.c           pure: cells of many diffs -> one sum per lane and cell */
#include "services/metrics-aggregator/metrics_service.h"

int main(int argc, char **argv)
{
    return service_main(&metrics_service, argc, argv);
}
