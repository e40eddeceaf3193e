/* policy_source.c: see policy_source.h. */
#include "common/service/policy_source.h"

#include <string.h>

#include "common/service/generation.h"
#include "service_sql.h"

struct policy_source policy_source_folder(const char *dir)
{
    return (struct policy_source){.dir = dir};
}

struct policy_source policy_source_of(const struct config *config)
{
    return (struct policy_source){.dir = config_text(config, "policy.dir"),
                                  .is_database = config_text(config, "policy.from")[0] == 'd'};
}

void policy_source_free(struct policy_source *source)
{
    arena_free(&source->arena);
    source->texts = NULL;
    source->count = 0;
    source->number = 0;
}

static void take_row(struct policy_source *source, const struct db_result *r, int row)
{
    if (db_is_null(r, row, 1))
        return;
    source->texts[source->count++] =
        (struct policy_text){arena_copy(&source->arena, db_bytes(r, row, 1)).ptr,
                             arena_copy(&source->arena, db_bytes(r, row, 2))};
}

static enum outcome fetch(struct db *db, struct arena *arena, struct policy_source *source,
                          struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_generation_texts, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(err, OUTCOME_FATAL, "no_generation",
                       "no policies are active: run `tutti policy apply`");
    source->number = db_int4(r, 0, 0);
    source->texts = arena_array(&source->arena, struct policy_text, (size_t)db_rows(r));
    for (int i = 0; i < db_rows(r); i++)
        take_row(source, r, i);
    return OUTCOME_OK;
}

enum outcome policy_source_fetch(struct db *db, struct policy_source *source, struct err *err)
{
    struct arena arena = {0};
    if (!source->is_database)
        return OUTCOME_OK;
    policy_source_free(source);
    enum outcome outcome = fetch(db, &arena, source, err);
    arena_free(&arena);
    return outcome;
}

enum outcome policy_source_read(const struct policy_source *source, struct arena *arena,
                                const char *file, const struct json **out, struct err *err)
{
    *out = NULL;
    if (!source->is_database)
        return generation_lacks_file(source->dir, file)
                   ? OUTCOME_OK
                   : json_read_file(arena, generation_policy_path(arena, source->dir, file), out,
                                    err);
    for (size_t i = 0; i < source->count; i++)
        if (strcmp(source->texts[i].file, file) == 0)
            return json_parse_file(arena, source->texts[i].text, file, out, err);
    return generation_may_lack(file)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "policy_unreadable",
                         "%s is not among the policies that were applied", file);
}
