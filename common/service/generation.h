/* generation.h: the active generation of policies: one hash over the policy files and the version
 * of the derivation.
 *
 * The database says which generation is active (tutti_meta.generations). A service whose local
 * files differ refuses to start and names `tutti policy apply`. Every transaction that derives
 * reads the active number again under its locks (generation_still_active), so replicas of a rolling
 * restart never re-derive against each other. While it runs, a service holds a standing lock of
 * tutti_meta.presence (service_main.c), which `tutti policy apply` takes alone.
 *
 * This is domain, not loop. It stands here because all four services and `tutti` open a generation
 * in the same way, and because the one statement that every writing transaction begins with reads
 * the generation and holds the erasures (erased.h) together. */
#ifndef TUTTI_SERVICE_GENERATION_H
#define TUTTI_SERVICE_GENERATION_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/pack.h"
#include "common/runtime/config.h"
#include "common/service/erased.h"
#include "common/service/policy_source.h"
#include "common/store/db.h"

/* The table that running services lock, and that is locked alone by what works without them. */
#define PRESENCE_LOCK "tutti_meta.presence"

enum { DERIVATION_VERSION = 1 }; /* grows whenever the same facts and policies give other figures */

/* policy.dir, identity.key_file: the same for all programs */
extern const struct setting policy_settings[];

struct generation {
    struct id id;
    int32_t number;  /* tutti_meta.generations.number: what state rows carry */
    struct id zones; /* its time zones (zones.h); all zeros: it knows UTC only */
    int16_t slot;    /* where what is derived under it stands: slot_0 or slot_1 */
};

/* Names of the policy files of a generation, NULL-ended. Two are not among them: identity.json
 * changes profiles, not what is derived from them, and its versions are in identity.policies;
 * nothing is derived from targets.json. */
extern const char *const policy_files[];

/* Path of a policy file below policy.dir, in the arena. */
const char *generation_policy_path(struct arena *arena, const char *dir, const char *file);
/* Whether a policy file is not there though the folder is whole: referrers.json, segments.json,
 * traits.json and targets.json may be absent, and then say nothing. */
bool generation_lacks_file(const char *dir, const char *file);
/* The same of a file that is not looked for. */
bool generation_may_lack(const char *file);
/* Appends the bytes of a file. FATAL "policy_unreadable" naming it. */
enum outcome generation_read_file(struct strbuf *out, const char *path, struct err *err);
/* Hash of the files of a directory and of the time zones that generation->zones names, into
 * generation->id. FATAL naming a file that cannot be read. */
enum outcome generation_hash(const char *dir, struct generation *generation, struct err *err);
/* The time zones of the active generation; all zeros if there is none. */
enum outcome generation_find_zones(struct db *db, struct arena *arena, struct id *out,
                                   struct err *err);
/* Statements of this connection that name a derived table without its schema mean the table of the
 * slot, from now on and after every reconnect. Outside of a transaction only. */
enum outcome generation_use_slot(struct db *db, int16_t slot, struct err *err);
/* Reads the active generation. FATAL if there is none, or if it differs from the files of the
 * source. RETRY "generation_changed" if it is not the one whose
 * texts the source fetched. */
enum outcome generation_open(struct db *db, const struct policy_source *source,
                             struct generation *out, struct err *err);
/* The same look without a lock, for who derives nothing: it may be over at once. */
enum outcome generation_check(struct db *db, struct arena *arena,
                              const struct generation *generation, struct err *err);
/* Inside a transaction: RETRY "generation_changed" if another generation is active by now. With
 * `erased` it must come before any other lock: the same statement holds the erasures, and it
 * answers as erased_check does. NULL: for a service that stores nothing about people. */
enum outcome generation_still_active(struct db *db, struct arena *arena,
                                     const struct generation *generation, struct erased *erased,
                                     struct err *err);

#endif
