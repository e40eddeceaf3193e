/* schema_set.c: schemas by id: from files, from the registry, remembered with their plans. */
#include "common/codec/schema/schema_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/codec/avro/avro_schema.h"
#include "common/codec/framing.h"
#include "common/codec/messages.h"
#include "common/codec/schema/disk_cache.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/schema/refusals.h"
#include "common/codec/schema/registry_client.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"

#define REMEMBER_US (30 * US_PER_SECOND)

/* One schema. Its failure, if any, is remembered as it was first told. */
struct entry {
    struct span text;
    struct avro_plan *plan; /* NULL: unusable */
    struct err *failure;
};

struct schema_set {
    struct arena arena;      /* texts and failures */
    struct map entries;      /* int32_t -> struct entry */
    struct refusals missing; /* int32_t: ids that the registry refused */
    struct map guids;        /* struct id -> int32_t */
    struct refusals unknown; /* struct id: GUIDs that the registry refused */
    struct map fingerprints; /* uint64_t -> int32_t */
    struct map composed;     /* int32_t -> struct span, texts of resolved touchpoints */
    struct registry *registry;
    char *cache_dir;
    int32_t raw_id;
    int64_t remember_us; /* a refusal */
};

static enum outcome add_failure(struct schema_set *set, int32_t id, struct span text,
                                const struct err *failure)
{
    struct entry *entry = map_put(&set->entries, &id, NULL);
    *entry = (struct entry){.text = text, .failure = arena_new(&set->arena, struct err)};
    *entry->failure = *failure;
    return failure->outcome;
}

static void add_fingerprint(struct schema_set *set, int32_t id, struct span text)
{
    struct arena scratch = {0};
    struct strbuf canonical = {.arena = &scratch};
    struct avro_schema schema;
    if (avro_schema_parse(&scratch, text, &schema, NULL) == OUTCOME_OK) {
        avro_schema_canonical(&schema, &canonical);
        uint64_t fingerprint = avro_fingerprint(strbuf_span(&canonical));
        *(int32_t *)map_put(&set->fingerprints, &fingerprint, NULL) = id;
    }
    arena_free(&scratch);
}

/* Compiles and remembers a schema whose text lives in the set's arena. */
static enum outcome add_schema(struct schema_set *set, int32_t id, struct span text,
                               struct err *err)
{
    struct avro_plan *plan;
    struct err failure;
    if (avro_plan_compile(text, &plan, &failure)) {
        if (err)
            *err = failure;
        return add_failure(set, id, text, &failure);
    }
    struct entry *entry = map_put(&set->entries, &id, NULL);
    *entry = (struct entry){.text = text, .plan = plan};
    add_fingerprint(set, id, text);
    return OUTCOME_OK;
}

/* Loads "path" or "builtin:name"; a configured schema that cannot be used stops the start. */
static enum outcome add_file(struct schema_set *set, int32_t id, struct span path, struct err *err)
{
    const char *name = arena_copy(&set->arena, path).ptr;
    bool builtin = strncmp(name, "builtin:", 8) == 0;
    struct span text = builtin ? embedded_schema(name + 8) : read_file(name, &set->arena);
    if (text.ptr == NULL)
        return err_set(err, OUTCOME_FATAL, "config_invalid", "schema.files: %s: %s", name,
                       builtin ? "no such built-in schema" : strerror(errno));
    if (add_schema(set, id, text, err)) {
        err_prefix(err, "schema.files: %s", name);
        return err->outcome = OUTCOME_FATAL;
    }
    return OUTCOME_OK;
}

/* Cuts the next "key=value" off a comma-separated list; false at its end. */
static bool next_pair(struct span *list, struct span *key, struct span *value)
{
    *list = span_trim(*list);
    const char *comma = memchr(list->ptr, ',', list->len);
    struct span pair = {list->ptr, comma ? (size_t)(comma - list->ptr) : list->len};
    size_t used = pair.len + (comma != NULL);
    *list = (struct span){list->ptr + used, list->len - used};
    const char *equals = memchr(pair.ptr, '=', pair.len);
    size_t key_len = equals ? (size_t)(equals - pair.ptr) : pair.len;
    *key = span_trim((struct span){pair.ptr, key_len});
    *value = equals ? span_trim((struct span){equals + 1, pair.len - key_len - 1}) : SPAN("");
    return pair.len > 0;
}

static bool parse_id(struct span text, int32_t *out)
{
    int64_t v = 0;
    for (size_t i = 0; i < text.len && v <= INT32_MAX; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *out = (int32_t)v;
    return text.len > 0 && v > 0 && v <= INT32_MAX - RESOLVED_ID_BASE;
}

static enum outcome add_files(struct schema_set *set, const char *files, struct err *err)
{
    struct span list = span_of(files ? files : ""), key, value;
    while (next_pair(&list, &key, &value)) {
        int32_t id;
        if (!parse_id(key, &id) || value.len == 0)
            return err_set(err, OUTCOME_FATAL, "config_invalid",
                           "schema.files: expected id=path, got " SPAN_FMT, SPAN_ARG(key));
        if (add_file(set, id, value, err))
            return OUTCOME_FATAL;
    }
    int32_t first = 1;
    if (set->registry == NULL && map_find(&set->entries, &first) == NULL)
        return add_file(set, first, SPAN("builtin:touchpoint"), err);
    return OUTCOME_OK;
}

static enum outcome add_guids(struct schema_set *set, const char *guids, struct err *err)
{
    struct span list = span_of(guids ? guids : ""), key, value;
    while (next_pair(&list, &key, &value)) {
        struct id guid;
        int32_t id;
        if (!id_from_uuid(key, &guid) || !parse_id(value, &id))
            return err_set(err, OUTCOME_FATAL, "config_invalid",
                           "schema.guids: expected guid=id, got " SPAN_FMT, SPAN_ARG(key));
        *(int32_t *)map_put(&set->guids, &guid, NULL) = id;
    }
    return OUTCOME_OK;
}

static enum outcome fill(struct schema_set *set, const struct schema_set_options *options,
                         struct err *err)
{
    map_init(&set->entries, NULL, sizeof(int32_t), sizeof(struct entry));
    refusals_init(&set->missing, sizeof(int32_t));
    refusals_init(&set->unknown, sizeof(struct id));
    map_init(&set->guids, NULL, sizeof(struct id), sizeof(int32_t));
    map_init(&set->fingerprints, NULL, sizeof(uint64_t), sizeof(int32_t));
    map_init(&set->composed, NULL, sizeof(int32_t), sizeof(struct span));
    set->raw_id = options->raw_id;
    set->remember_us = options->retry_us > 0 ? options->retry_us : REMEMBER_US;
    set->cache_dir = strdup(options->cache_dir ? options->cache_dir : "");
    struct registry_options registry = {options->urls, options->user_info, options->bearer_token,
                                        options->ca_location, options->timeout_us};
    if (options->urls && *options->urls && registry_open(&registry, &set->registry, err))
        return OUTCOME_FATAL;
    if (add_files(set, options->files, err) || add_guids(set, options->guids, err))
        return OUTCOME_FATAL;
    return OUTCOME_OK;
}

enum outcome schema_set_open_with(const struct schema_set_options *options, struct schema_set **out,
                                  struct err *err)
{
    struct schema_set *set = calloc(1, sizeof *set);
    *out = NULL;
    if (set == NULL)
        return err_set(err, OUTCOME_FATAL, "out_of_memory", "out of memory");
    enum outcome outcome = fill(set, options, err);
    if (outcome)
        schema_set_close(set);
    else
        *out = set;
    return outcome;
}

void schema_set_close(struct schema_set *set)
{
    struct entry *entry;
    if (set == NULL)
        return;
    for (size_t i = 0; (entry = map_next(&set->entries, &i, NULL));)
        avro_plan_free(entry->plan);
    map_free(&set->entries);
    refusals_free(&set->missing);
    refusals_free(&set->unknown);
    map_free(&set->guids);
    map_free(&set->fingerprints);
    map_free(&set->composed);
    registry_close(set->registry);
    arena_free(&set->arena);
    free(set->cache_dir);
    free(set);
}

bool schema_set_has_registry(const struct schema_set *set)
{
    return set->registry != NULL;
}

static void keep_on_disk(struct schema_set *set, const char *name, struct span text)
{
    struct err err;
    if (disk_cache_put(set->cache_dir, name, text, &err))
        log_event(LOG_WARN, "schema_cache_unwritable", "message", err.message, NULL);
}

static bool may_be_on_disk(enum outcome outcome, const struct err *err)
{
    return outcome == OUTCOME_RETRY ||
           (outcome == OUTCOME_REJECT && strcmp(err->code, "schema_unavailable") == 0);
}

/* Asks the registry; while it is down, or cannot give this schema, the disk. */
static enum outcome fetch(struct schema_set *set, int32_t id, struct err *err)
{
    struct span text;
    char name[40];
    snprintf(name, sizeof name, "schema-%d.avsc", (int)id);
    enum outcome outcome = registry_schema(set->registry, id, &set->arena, &text, err);
    if (outcome == OUTCOME_OK) {
        keep_on_disk(set, name, text);
        return add_schema(set, id, text, err);
    }
    if (may_be_on_disk(outcome, err)) {
        text = disk_cache_get(set->cache_dir, name, &set->arena);
        if (text.ptr)
            return add_schema(set, id, text, err);
    }
    err_prefix(err, "schema id %d", (int)id);
    if (outcome == OUTCOME_REJECT)
        refusals_add(&set->missing, &id, err, clock_monotonic_us() + set->remember_us);
    return outcome;
}

static enum outcome unknown(int32_t id, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                   "schema id %d is in no file and no registry is configured", (int)id);
}

static enum outcome told_before(const struct err *failure, struct err *err)
{
    if (err)
        *err = *failure;
    return failure->outcome;
}

/* The entry of id in memory, fetched if necessary. Usable or not: see its plan and failure. */
static enum outcome find_entry(struct schema_set *set, int32_t id, struct entry **out,
                               struct err *err)
{
    *out = map_find(&set->entries, &id);
    if (*out)
        return (*out)->failure ? told_before((*out)->failure, err) : OUTCOME_OK;
    if (set->registry == NULL || id <= 0)
        return unknown(id, err);
    const struct err *refused = refusals_find(&set->missing, &id, clock_monotonic_us());
    if (refused)
        return told_before(refused, err);
    enum outcome outcome = fetch(set, id, err);
    *out = map_find(&set->entries, &id);
    return outcome;
}

enum outcome schema_set_plan(struct schema_set *set, int32_t schema_id,
                             const struct avro_plan **out, struct err *err)
{
    struct entry *entry;
    CHECK(find_entry(set, schema_id, &entry, err));
    *out = entry->plan;
    return OUTCOME_OK;
}

static enum outcome find_guid(struct schema_set *set, const struct id *guid, int32_t *out,
                              struct err *err)
{
    char uuid[37], name[64], number[16];
    const int32_t *known = map_find(&set->guids, guid);
    if (known) {
        *out = *known;
        return OUTCOME_OK;
    }
    id_to_uuid(guid, uuid);
    if (set->registry == NULL)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id", "GUID %s is not in schema.guids",
                       uuid);
    const struct err *refused = refusals_find(&set->unknown, guid, clock_monotonic_us());
    if (refused)
        return told_before(refused, err);
    snprintf(name, sizeof name, "guid-%s.id", uuid);
    enum outcome outcome = registry_id_of_guid(set->registry, guid, out, err);
    if (outcome == OUTCOME_OK) {
        snprintf(number, sizeof number, "%d", (int)*out);
        keep_on_disk(set, name, span_of(number));
    } else if (may_be_on_disk(outcome, err) &&
               parse_id(disk_cache_get(set->cache_dir, name, &set->arena), out)) {
        outcome = OUTCOME_OK;
    }
    if (outcome == OUTCOME_REJECT)
        refusals_add(&set->unknown, guid, err, clock_monotonic_us() + set->remember_us);
    CHECK(outcome);
    *(int32_t *)map_put(&set->guids, guid, NULL) = *out;
    return OUTCOME_OK;
}

static enum outcome find_fingerprint(struct schema_set *set, uint64_t fingerprint, int32_t *out,
                                     struct err *err)
{
    const int32_t *known = map_find(&set->fingerprints, &fingerprint);
    struct entry *ignored;
    if (known == NULL && set->raw_id && find_entry(set, set->raw_id, &ignored, err) == OUTCOME_OK)
        known = map_find(&set->fingerprints, &fingerprint);
    if (known == NULL)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                       "no schema of schema.files has fingerprint %016llx",
                       (unsigned long long)fingerprint);
    *out = *known;
    return OUTCOME_OK;
}

static enum outcome find_id(struct schema_set *set, const struct frame *frame, int32_t *out,
                            struct err *err)
{
    switch (frame->names) {
    case FRAME_NAMES_GUID:
        return find_guid(set, &frame->guid, out, err);
    case FRAME_NAMES_FINGERPRINT:
        return find_fingerprint(set, frame->fingerprint, out, err);
    case FRAME_NAMES_NOTHING:
        *out = set->raw_id;
        return set->raw_id ? OUTCOME_OK
                           : err_set(err, OUTCOME_FATAL, "config_invalid",
                                     "raw framing needs schema.raw.id");
    case FRAME_NAMES_ID:
        break;
    }
    *out = frame->schema_id;
    return OUTCOME_OK;
}

enum outcome schema_set_unframe(struct schema_set *set, enum framing framing, struct span value,
                                struct span header_schema_id, struct framed *out, struct err *err)
{
    struct frame frame;
    CHECK(frame_split(framing, value, header_schema_id, &frame, err));
    CHECK(find_id(set, &frame, &out->schema_id, err));
    out->payload = frame.payload;
    return schema_set_plan(set, out->schema_id, &out->plan, err);
}

static struct span our_own(int32_t id)
{
    switch (id) {
    case SCHEMA_IDENTITY_CHANGE:
        return embedded_schema("identity_change");
    case SCHEMA_JOURNEY_DIFF:
        return embedded_schema("journey_diff");
    case SCHEMA_STAGE_CHANGE:
        return embedded_schema("stage_change");
    case SCHEMA_OPPORTUNITY_CHANGE:
        return embedded_schema("opportunity_change");
    case SCHEMA_CONTACT_DECISION:
        return embedded_schema("contact_decision");
    default:
        return SPAN_NONE;
    }
}

/* The header's record with one more field whose type is the writer's schema. */
static enum outcome compose(struct schema_set *set, int32_t id, struct span writer,
                            struct span *out, struct err *err)
{
    const struct span *known = map_find(&set->composed, &id);
    struct span header = embedded_schema("resolved_header");
    const char *end = header.ptr ? memrchr(header.ptr, ']', header.len) : NULL;
    if (end == NULL)
        return err_set(err, OUTCOME_FATAL, "schema_unusable",
                       "the built-in schema resolved_header is malformed");
    if (known == NULL) {
        struct span text = span_of(arena_printf(
            &set->arena, SPAN_FMT ", {\"name\": \"touchpoint\", \"type\": " SPAN_FMT "}%s",
            (int)(end - header.ptr), header.ptr, SPAN_ARG(writer), end));
        struct span *slot = map_put(&set->composed, &id, NULL);
        *slot = text;
        known = slot;
    }
    *out = *known;
    return OUTCOME_OK;
}

enum outcome schema_set_text(struct schema_set *set, int32_t schema_id, struct span *out,
                             struct err *err)
{
    bool resolved = schema_id > RESOLVED_ID_BASE;
    int32_t id = resolved ? schema_id - RESOLVED_ID_BASE : schema_id;
    struct entry *entry;
    *out = resolved ? SPAN_NONE : our_own(id);
    if (out->ptr)
        return OUTCOME_OK;
    enum outcome outcome = find_entry(set, id, &entry, err);
    if (outcome && (entry == NULL || entry->text.ptr == NULL))
        return outcome;
    *out = entry->text; /* also of a schema that is no touchpoint's */
    return resolved ? compose(set, schema_id, entry->text, out, err) : OUTCOME_OK;
}
