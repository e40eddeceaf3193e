/* avro_fastavro_test.c: fastavro, an independent implementation, writes random touchpoints and
 * messages; we read the same.
 *
 * Without arguments it runs avro_fastavro.py, which calls this program again:
 *   --dump SCHEMA FRAMES          decodes touchpoints and prints one JSON line each
 *   --recode KIND FRAMES OUTPUT   decodes our own messages and encodes them again
 * FRAMES is a file of (u32be length, bytes). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/codec/avro/avro_plan.h"
#include "common/codec/messages.h"
#include "common/codec/schema/disk_cache.h"

enum { SKIPPED = 77 };

static void die(const char *what)
{
    fprintf(stderr, "avro_fastavro_test: %s\n", what);
    exit(1);
}

static struct span must_read(struct arena *arena, const char *path)
{
    struct span text = read_file(path, arena);
    if (text.ptr == NULL)
        die(path);
    return text;
}

static bool next_frame(struct unpack *u, struct span *frame)
{
    if (u->at == u->end)
        return false;
    uint32_t size = unpack_be32(u);
    *frame = unpack_bytes(u, size);
    if (u->failed)
        die("the file of frames is damaged");
    return true;
}

static json_t *text_json(struct span s)
{
    return s.ptr ? json_stringn(s.ptr, s.len) : json_null();
}

static void add_field(json_t *out, const struct touchpoint *t, const struct plan_field *f)
{
    const char *at = (const char *)t + f->offset;
    if (f->group == GROUP_IDENTIFIER)
        return;
    if (f->want == WANT_TEXT && ((const struct span *)(const void *)at)->ptr)
        json_object_set_new(out, f->path, text_json(*(const struct span *)(const void *)at));
    else if ((f->want == WANT_LONG || f->want == WANT_TIME) &&
             *(const int64_t *)(const void *)at != LONG_ABSENT)
        json_object_set_new(out, f->path, json_integer(*(const int64_t *)(const void *)at));
}

static json_t *identifiers_json(const struct touchpoint *t)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < t->identifier_count; i++) {
        const struct touchpoint_identifier *each = &t->identifiers[i];
        json_t *one = json_array();
        json_array_append_new(one, text_json(each->type));
        json_array_append_new(one, text_json(each->value));
        json_array_append_new(one, text_json(each->encoding));
        json_array_append_new(one, text_json(each->collection));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *consent_json(struct span consent)
{
    json_t *map = json_object();
    struct span key;
    bool value;
    char name[512];
    while (consent_next(&consent, &key, &value)) {
        snprintf(name, sizeof name, SPAN_FMT, SPAN_ARG(key));
        json_object_set_new(map, name, json_boolean(value));
    }
    return map;
}

static void print_touchpoint(const struct touchpoint *t)
{
    json_t *out = json_object();
    struct id id;
    char uuid[37];
    for (size_t i = 0; i < plan_field_count; i++)
        add_field(out, t, &plan_fields[i]);
    json_object_set_new(out, "identifiers", identifiers_json(t));
    if (t->consent.ptr)
        json_object_set_new(out, "consent", consent_json(t->consent));
    json_object_set_new(out, "is_test", json_boolean(t->is_test));
    json_object_set_new(out, "is_bot", json_boolean(t->is_bot));
    json_object_set_new(out, "has_contact", json_boolean(t->has_contact));
    touchpoint_event_id(t->source, t->message_id, &id);
    id_to_uuid(&id, uuid);
    json_object_set_new(out, "event_id", json_string(uuid));
    char *line = json_dumps(out, JSON_COMPACT);
    puts(line);
    free(line);
    json_decref(out);
}

static int dump(const char *schema_path, const char *frames_path)
{
    static struct touchpoint t;
    struct arena arena = {0};
    struct avro_plan *plan;
    struct err err;
    struct span frame;
    if (avro_plan_compile(must_read(&arena, schema_path), &plan, &err))
        die(err.message);
    struct unpack u = unpack_of(must_read(&arena, frames_path));
    while (next_frame(&u, &frame)) {
        if (avro_plan_decode(plan, frame, &t, &err))
            printf("{\"reject\":\"%s\"}\n", err.code);
        else
            print_touchpoint(&t);
    }
    avro_plan_free(plan);
    arena_free(&arena);
    return 0;
}

static enum outcome recode_one(struct arena *arena, const char *kind, struct span value,
                               struct strbuf *out, struct err *err)
{
    struct identity_change change;
    struct journey_diff diff;
    struct stage_change_message stage;
    struct opportunity_change_message opportunity;
    struct contact_decision_message decision;
    enum outcome outcome = OUTCOME_FATAL;
    if (strcmp(kind, "identity_change") == 0 &&
        (outcome = identity_change_decode(arena, value, &change, err)) == OUTCOME_OK)
        identity_change_encode(out, &change);
    else if (strcmp(kind, "journey_diff") == 0 &&
             (outcome = journey_diff_decode(value, &diff, err)) == OUTCOME_OK)
        journey_diff_encode(out, &diff);
    else if (strcmp(kind, "stage_change") == 0 &&
             (outcome = stage_change_decode(value, &stage, err)) == OUTCOME_OK)
        stage_change_encode(out, &stage);
    else if (strcmp(kind, "opportunity_change") == 0 &&
             (outcome = opportunity_change_decode(value, &opportunity, err)) == OUTCOME_OK)
        opportunity_change_encode(out, &opportunity);
    else if (strcmp(kind, "contact_decision") == 0 &&
             (outcome = contact_decision_decode(value, &decision, err)) == OUTCOME_OK)
        contact_decision_encode(out, &decision);
    return outcome;
}

static int recode(const char *kind, const char *frames_path, const char *output_path)
{
    struct arena arena = {0};
    struct strbuf out = {0}, all = {0};
    struct err err = {.message = "unknown kind"};
    struct span frame;
    struct unpack u = unpack_of(must_read(&arena, frames_path));
    while (next_frame(&u, &frame)) {
        strbuf_reset(&out);
        if (recode_one(&arena, kind, frame, &out, &err))
            die(err.message);
        pack_be32(&all, (uint32_t)out.len);
        strbuf_add(&all, out.ptr, out.len);
    }
    FILE *file = fopen(output_path, "wb");
    if (file == NULL || fwrite(all.ptr, 1, all.len, file) != all.len || fclose(file))
        die(output_path);
    strbuf_free(&out);
    strbuf_free(&all);
    arena_free(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--dump") == 0)
        return dump(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "--recode") == 0)
        return recode(argv[2], argv[3], argv[4]);
    const char *python = TUTTI_SOURCE_DIR "/.venv/bin/python";
    if (access(python, X_OK) != 0) {
        fprintf(stderr, "skipped: %s is not there, run dev/setup\n", python);
        return SKIPPED;
    }
    execl(python, python, TUTTI_SOURCE_DIR "/tests/property/avro_fastavro.py", argv[0],
          (char *)NULL);
    die("cannot start Python");
}
