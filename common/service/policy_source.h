/* policy_source.h: where a program reads the policies from: the files of policy.dir, or the texts
 * that were applied, which the database keeps (tutti_meta.generations).
 *
 * A service that runs while others are activated cannot have their files, so it goes on with the
 * texts. */
#ifndef TUTTI_SERVICE_POLICY_SOURCE_H
#define TUTTI_SERVICE_POLICY_SOURCE_H

#include "common/base/arena.h"
#include "common/codec/json.h"
#include "common/runtime/config.h"
#include "common/store/db.h"

struct policy_text {
    const char *file; /* "journey.json" */
    struct span text;
};

struct policy_source {
    const char *dir; /* policy.dir */
    bool is_database;
    /* What policy_source_fetch found, in the arena; number 0: nothing yet. */
    int32_t number; /* of the generation */
    struct policy_text *texts;
    size_t count;
    struct arena arena;
};

/* As policy.dir and policy.from say. Free it, also where nothing was fetched. */
struct policy_source policy_source_of(const struct config *config);
/* The files of a folder; nothing to free. */
struct policy_source policy_source_folder(const char *dir);
void policy_source_free(struct policy_source *source);

/* Fetches the texts of the active generation in place of what was fetched before; with files there
 * is nothing to do. Texts that were handed out become invalid. FATAL "no_generation". */
enum outcome policy_source_fetch(struct db *db, struct policy_source *source, struct err *err);
/* A document, in the arena or borrowed from the source. NULL where it may be absent and is. */
enum outcome policy_source_read(const struct policy_source *source, struct arena *arena,
                                const char *file, const struct json **out, struct err *err);

#endif
