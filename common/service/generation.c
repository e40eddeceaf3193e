/* generation.c: hashes the policy files, and compares them with the generation that the database
 * says is active. */
#include "common/service/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/pack.h"
#include "common/codec/digest.h"
#include "service_sql.h"

const struct setting policy_settings[] = {
    {"policy.dir", SETTING_TEXT, "policies", 0, 0, NULL,
     "Folder with identity.json, journey.json, contact.json, goals.json and channels.json, and "
     "with orchestration.json, referrers.json, segments.json, traits.json and targets.json where "
     "there "
     "are any."},
    {"policy.from", SETTING_CHOICE, "files", 0, 0, "files|database",
     "Where the policies are read from: the files of policy.dir, which must be the ones that were "
     "applied, or what was applied, as the database keeps it."},
    {"identity.key_file", SETTING_TEXT, "", 0, 0, NULL,
     "File with the secret key of identifier hashes (16 to 64 bytes, or hexadecimal)."},
    {"identity.previous_key_file", SETTING_TEXT, "", 0, 0, NULL,
     "The key before it, while keys are exchanged (tutti identity rotate-key)."},
    {0},
};

const char *const policy_files[] = {"channels.json", "contact.json",       "goals.json",
                                    "journey.json",  "orchestration.json", "referrers.json",
                                    "segments.json", "traits.json",        NULL};
static const char *const may_be_absent[] = {"orchestration.json", "referrers.json", "segments.json",
                                            "traits.json", "targets.json"};

const char *generation_policy_path(struct arena *arena, const char *dir, const char *file)
{
    return arena_printf(arena, "%s/%s", dir, file);
}

bool generation_may_lack(const char *file)
{
    for (size_t i = 0; i < sizeof may_be_absent / sizeof *may_be_absent; i++)
        if (strcmp(file, may_be_absent[i]) == 0)
            return true;
    return false;
}

bool generation_lacks_file(const char *dir, const char *file)
{
    struct arena arena = {0};
    bool lacks = generation_may_lack(file) &&
                 access(generation_policy_path(&arena, dir, file), F_OK) != 0 && errno == ENOENT;
    arena_free(&arena);
    return lacks;
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

static enum outcome hash_files(struct arena *arena, const char *dir, const struct id *zones,
                               struct id *out, struct err *err)
{
    struct strbuf text = {.arena = arena};
    strbuf_addf(&text, "derivation %d\nzones ", DERIVATION_VERSION);
    strbuf_add(&text, zones->bytes, sizeof zones->bytes);
    for (size_t i = 0; policy_files[i]; i++) {
        struct strbuf file = {.arena = arena};
        if (generation_lacks_file(dir, policy_files[i]))
            continue;
        CHECK(
            generation_read_file(&file, generation_policy_path(arena, dir, policy_files[i]), err));
        strbuf_addf(&text, "%s %zu\n", policy_files[i], file.len);
        strbuf_add(&text, file.ptr, file.len);
    }
    *out = digest_bytes(strbuf_span(&text));
    return OUTCOME_OK;
}

enum outcome generation_hash(const char *dir, struct generation *generation, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = hash_files(&arena, dir, &generation->zones, &generation->id, err);
    arena_free(&arena);
    return outcome;
}

/* The row of the active generation, with what else the statement asks for. */
static enum outcome find_active(struct db *db, struct arena *arena,
                                const struct statement *statement, struct db_result **row,
                                struct generation *out, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    CHECK(db_run(db, statement, &p, row, NULL, err));
    if (db_rows(*row) == 0)
        return err_set(err, OUTCOME_FATAL, "no_generation",
                       "no policies are active: run `tutti policy apply`");
    *out = (struct generation){.id = db_uuid(*row, 0, 0), .number = db_int4(*row, 0, 1)};
    return OUTCOME_OK;
}

static enum outcome read_complete(struct db *db, struct arena *arena, struct generation *out,
                                  struct err *err)
{
    struct db_result *r = NULL;
    CHECK(find_active(db, arena, &sql_generation_find_active, &r, out, err));
    if (db_bool(r, 0, 3))
        return err_set(err, OUTCOME_FATAL, "anchors_under_way",
                       "`tutti identity apply` did not give every fact its anchor: run it again "
                       "with the same policy");
    if (!db_bool(r, 0, 2))
        return err_set(err, OUTCOME_FATAL, "policy_apply_interrupted",
                       "`tutti policy apply` did not finish: run it again");
    if (!db_is_null(r, 0, 4))
        out->zones = db_uuid(r, 0, 4);
    out->slot = db_int2(r, 0, 5);
    return OUTCOME_OK;
}

enum outcome generation_use_slot(struct db *db, int16_t slot, struct err *err)
{
    return db_session_change(db, "search_path", slot == 0 ? "slot_0" : "slot_1", err);
}

enum outcome generation_find_zones(struct db *db, struct arena *arena, struct id *out,
                                   struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_generation_find_active, &p, &r, NULL, err));
    *out = db_rows(r) == 0 || db_is_null(r, 0, 4) ? (struct id){{0}} : db_uuid(r, 0, 4);
    return OUTCOME_OK;
}

static enum outcome changed(struct err *err)
{
    return err_set(err, OUTCOME_RETRY, "generation_changed", "other policies were activated");
}

/* The source is the active generation. */
static enum outcome compare(struct arena *arena, const struct policy_source *source,
                            const struct generation *active, struct err *err)
{
    struct id local;
    if (source->is_database)
        return source->number == active->number ? OUTCOME_OK : changed(err);
    CHECK(hash_files(arena, source->dir, &active->zones, &local, err));
    return id_equal(&local, &active->id)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "other_generation",
                         "the policies in %s are not the active ones: run `tutti policy apply`, "
                         "or start with the files that were applied",
                         source->dir);
}

static enum outcome join(struct db *db, struct arena *arena, const struct policy_source *source,
                         struct generation *out, struct err *err)
{
    CHECK(read_complete(db, arena, out, err));
    return compare(arena, source, out, err);
}

enum outcome generation_open(struct db *db, const struct policy_source *source,
                             struct generation *out, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = join(db, &arena, source, out, err);
    arena_free(&arena);
    return outcome;
}

enum outcome generation_check(struct db *db, struct arena *arena,
                              const struct generation *generation, struct err *err)
{
    struct generation now = {0};
    struct db_result *r = NULL;
    CHECK(find_active(db, arena, &sql_generation_find_active, &r, &now, err));
    return now.number == generation->number ? OUTCOME_OK : changed(err);
}

enum outcome generation_still_active(struct db *db, struct arena *arena,
                                     const struct generation *generation, struct erased *erased,
                                     struct err *err)
{
    struct generation now = {0};
    struct db_result *r = NULL;
    CHECK(find_active(db, arena,
                      erased ? &sql_generation_find_active_erasures
                             : &sql_generation_find_active_locked,
                      &r, &now, err));
    if (now.number != generation->number)
        return changed(err);
    return erased ? erased_check(db, erased, db_int8(r, 0, 2), err) : OUTCOME_OK;
}
