/* generation.c: see generation.h. */
#include "common/service/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/pack.h"
#include "common/codec/digest.h"

const struct setting policy_settings[] = {
    {"policy.dir", SETTING_TEXT, "policies", 0, 0, NULL,
     "Folder with identity.json, journey.json, contact.json, goals.json and channels.json."},
    {"identity.key_file", SETTING_TEXT, "", 0, 0, NULL,
     "File with the secret key of identifier hashes (16 to 64 bytes, or hexadecimal)."},
    {"identity.previous_key_file", SETTING_TEXT, "", 0, 0, NULL,
     "The key before it, while keys are exchanged (tutti identity rotate-key)."},
    {0},
};

const char *const policy_files[] = {"channels.json", "contact.json", "goals.json", "journey.json",
                                    NULL};

/* Held in shared mode by every service as long as it is connected; `tutti policy apply` takes it
 * exclusively. */
static const struct statement hold_lock = {
    "generation_hold_lock", "SELECT pg_try_advisory_lock_shared(" GENERATION_LOCK ")"};
/* The same for one transaction: holds off `tutti policy apply` even after a lost connection took
 * the session's lock with it. */
static const struct statement find_active_locked = {
    "generation_find_active_locked",
    "SELECT generation, number, pg_try_advisory_xact_lock_shared(" GENERATION_LOCK
    ") FROM tutti_meta.generations WHERE is_active"};
/* And holds off `tutti erase`. */
static const struct statement find_active_erasures = {
    "generation_find_active_erasures",
    "SELECT generation, number, pg_try_advisory_xact_lock_shared(" GENERATION_LOCK
    "), tutti_meta.hold_erasures() FROM tutti_meta.generations WHERE is_active"};
static const struct statement find_active = {
    "generation_find_active", "SELECT generation, number, is_complete, EXISTS (SELECT FROM "
                              "tutti_meta.reanchoring) FROM tutti_meta.generations "
                              "WHERE is_active"};

const char *generation_policy_path(struct arena *arena, const char *dir, const char *file)
{
    return arena_printf(arena, "%s/%s", dir, file);
}

enum outcome generation_read_file(struct strbuf *out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return err_set(err, OUTCOME_FATAL, "policy_unreadable", "%s: %s", path, strerror(errno));
    size_t n;
    do {
        strbuf_reserve(out, 65536);
        n = fread(out->ptr + out->len, 1, 65536, file);
        out->len += n;
    } while (n > 0);
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        return err_set(err, OUTCOME_FATAL, "policy_unreadable", "%s: cannot be read", path);
    return OUTCOME_OK;
}

enum outcome generation_hash(const char *dir, struct id *out, struct err *err)
{
    struct arena arena = {0};
    struct strbuf text = {.arena = &arena};
    enum outcome o = OUTCOME_OK;
    strbuf_addf(&text, "derivation %d\n", DERIVATION_VERSION);
    for (size_t i = 0; o == OUTCOME_OK && policy_files[i]; i++) {
        struct strbuf file = {.arena = &arena};
        o = generation_read_file(&file, generation_policy_path(&arena, dir, policy_files[i]), err);
        strbuf_addf(&text, "%s %zu\n", policy_files[i], file.len);
        strbuf_add(&text, file.ptr, file.len);
    }
    if (o == OUTCOME_OK)
        *out = digest_bytes(strbuf_span(&text));
    arena_free(&arena);
    return o;
}

/* *erasures may be NULL. */
static enum outcome read_active(struct db *db, struct arena *arena, bool lock,
                                struct generation *out, int64_t *erasures, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    enum outcome o = db_run(db,
                            erasures ? &find_active_erasures
                            : lock   ? &find_active_locked
                                     : &find_active,
                            &p, &r, NULL, err);
    if (o == OUTCOME_OK && db_rows(r) == 0)
        o = err_set(err, OUTCOME_FATAL, "no_generation",
                    "no policies are active: run `tutti policy apply`");
    if (o == OUTCOME_OK && lock && !db_bool(r, 0, 2))
        o = err_set(err, OUTCOME_RETRY, "policy_apply_running", "`tutti policy apply` is running");
    if (o == OUTCOME_OK && !lock && db_bool(r, 0, 3))
        o = err_set(err, OUTCOME_FATAL, "anchors_under_way",
                    "`tutti identity apply` did not give every fact its anchor: run it again with "
                    "the same policy");
    if (o == OUTCOME_OK && !lock && !db_bool(r, 0, 2))
        o = err_set(err, OUTCOME_FATAL, "policy_apply_interrupted",
                    "`tutti policy apply` did not finish: run it again");
    if (o == OUTCOME_OK)
        *out = (struct generation){db_uuid(r, 0, 0), db_int4(r, 0, 1)};
    if (o == OUTCOME_OK && erasures)
        *erasures = db_int8(r, 0, 3);
    return o;
}

static enum outcome hold_shared_lock(struct db *db, struct arena *arena, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    enum outcome o = db_run(db, &hold_lock, &p, &r, NULL, err);
    if (o == OUTCOME_OK && !db_bool(r, 0, 0))
        o = err_set(err, OUTCOME_FATAL, "policy_apply_running",
                    "`tutti policy apply` or `tutti identity apply` is running: start the services "
                    "when it is done");
    return o;
}

enum outcome generation_open(struct db *db, const struct config *config, struct generation *out,
                             struct err *err)
{
    struct arena arena = {0};
    struct id local;
    enum outcome o = generation_hash(config_text(config, "policy.dir"), &local, err);
    if (o == OUTCOME_OK)
        o = hold_shared_lock(db, &arena, err);
    if (o == OUTCOME_OK)
        o = read_active(db, &arena, false, out, NULL, err);
    arena_free(&arena);
    if (o == OUTCOME_OK && !id_equal(&local, &out->id))
        return err_set(err, OUTCOME_FATAL, "other_generation",
                       "the policies in %s are not the active ones: run `tutti policy apply`, or "
                       "start with the files that were applied",
                       config_text(config, "policy.dir"));
    return o;
}

enum outcome generation_still_active(struct db *db, struct arena *arena,
                                     const struct generation *generation, struct erased *erased,
                                     struct err *err)
{
    struct generation now;
    int64_t erasures;
    CHECK(read_active(db, arena, true, &now, erased ? &erasures : NULL, err));
    if (now.number != generation->number)
        return err_set(err, OUTCOME_FATAL, "generation_changed",
                       "other policies were activated: restart with the same files");
    return erased ? erased_check(db, erased, erasures, err) : OUTCOME_OK;
}
