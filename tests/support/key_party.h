/* key_party.h: instances of identity-resolver as far as they hash identifiers, and the steps of an
 * exchange of their key. Keys and values are numbers. */
#ifndef TUTTI_TESTS_KEY_PARTY_H
#define TUTTI_TESTS_KEY_PARTY_H

#include "services/identity-resolver/resolve/resolve.h"

enum { NO_KEY = -1 };

struct party {
    struct resolver resolver; /* the caller sets its db */
    struct id_finder finder;
    struct arena arena; /* of the batch: one touchpoint */
    struct sighting sighting;
};

/* Before and after a test: an empty schema identity, parties that know no policy; what they hold is
 * freed. */
void parties_set_up(struct db *db, struct party *parties, size_t count);
void parties_tear_down(struct party *parties, size_t count);

/* The settings only; previous may be NO_KEY. */
void party_give(struct party *party, int current, int previous);
/* A start with an empty cache; refused as identity-resolver would be. */
enum outcome party_start(struct party *party, int current, int previous, struct err *err);

/* A touchpoint with these values: hashed, with all ids known; then stored, if it is not covered.
 * see does both, and looks before which keys are at work; must_see again and again, as the pipeline
 * does. */
enum outcome party_decode(struct party *party, const int *values, size_t count, int64_t at,
                          struct err *own);
enum outcome party_store(struct party *party, struct err *own);
enum outcome party_see(struct party *party, const int *values, size_t count, int64_t at,
                       struct err *own);
void party_must_see(struct party *party, const int *values, size_t count, int64_t at);

struct id party_hash(int key, int value);
struct id party_fingerprint(int key);

/* From key `number` to the next; `number` is the current one from then on; the one before `number`
 * is forgotten. */
void party_announce(struct db *db, int number);
void party_make_current(struct db *db, int number);
void party_finish(struct db *db, int number);

#endif
