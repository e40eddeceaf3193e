/* generator.h: the touchpoints of a made-up company, from a seed. The same options give the same
 * bytes.
 *
 * A profile makes distinct touchpoints in the order of their occurred_at. The generator then
 * decides when each one reaches the collector. 5 % are late (exponential, mean 6 h, at most 14
 * days); the others take up to 3 s. 1 % arrive a second time with the same bytes, 1 minute to 1
 * day later.
 *
 * What comes out is in the order of arrival; received_at is the first arrival. No clock, no I/O,
 * no random numbers of libc. */
#ifndef TUTTI_DATA_GENERATOR_H
#define TUTTI_DATA_GENERATOR_H

#include "common/base/arena.h"
#include "common/base/outcome.h"
#include "common/codec/touchpoint.h"

enum generator_profile {
    /* a bank with departments, products, applications, consent, contact requests and complaints */
    GENERATOR_BANK,
    /* a retailer's mix at speed: log-normal activity, 8 channels, about 260 bytes and 1.6
     * identifiers */
    GENERATOR_BENCH,
};

struct generator_options {
    enum generator_profile profile;
    uint32_t people; /* 1 .. 50,000,000 */
    uint64_t events; /* distinct touchpoints; duplicates come on top */
    uint64_t seed;
    int64_t days;         /* the span of occurred_at, 1 .. 3,650 */
    struct instant epoch; /* its start */
};

struct generator;

struct generated {
    struct touchpoint touchpoint; /* its texts are valid until the next call */
    struct instant emitted_at;    /* arrival: never decreases */
    uint64_t index;               /* of the distinct touchpoint, in the order of occurred_at */
    uint32_t person;
    bool is_late, is_duplicate;
};

/* FATAL with one clear line if an option is out of range. The bank keeps 32 bytes per touchpoint in
 * memory, the bench profile 12 bytes per person. */
enum outcome generator_open(const struct generator_options *options, struct generator **out,
                            struct err *err);
void generator_close(struct generator *generator);

/* The next arrival; false at the end. */
bool generator_next(struct generator *generator, struct generated *out);

/* Ground truth: every identifier that may stand for the person in this run, whether or not a
 * touchpoint used it. A shared device is listed under each person who uses it. Returns how many
 * were written to list (at most GENERATOR_IDENTIFIERS). */
enum { GENERATOR_IDENTIFIERS = 8 };
size_t generator_identifiers(const struct generator *generator, struct arena *arena,
                             uint32_t person,
                             struct touchpoint_identifier list[GENERATOR_IDENTIFIERS]);

#endif
