/* door_requests.c: see door_requests.h. */
#include "door/door_requests.h"

#include "common/base/pack.h"
#include "common/codec/avro/json_to_avro.h"
#include "common/codec/touchpoint_key.h"
#include "common/words/words.h"

enum { PREFIX = 5 };

enum outcome door_schema_open(const struct config *config, struct arena *arena,
                              struct door_schema *out, struct err *err)
{
    const struct avro_plan *plan;
    out->id = (int32_t)config_int(config, "door.schema.id");
    CHECK(shape_set_open(config, &out->shapes, err));
    CHECK(shape_set_get(out->shapes, out->id, &out->shape, err));
    CHECK(shape_set_plan(out->shapes, out->id, &plan, err));
    if (plan == NULL)
        return err_set(err, OUTCOME_FATAL, "schema_unusable",
                       "door.schema.id: %d is no schema of touchpoints", out->id);
    return touchpoint_check_open(config, plan, arena, &out->check, err);
}

void door_schema_close(struct door_schema *schema)
{
    shape_set_close(schema->shapes);
}

/* What the pipeline would not decide about is refused here, before it is sent. */
static enum outcome check_kind(const struct touchpoint *tp, struct err *err)
{
    if (!event_is(event_of(tp->event_name, tp->type), EVENT_CONTACT_REQUESTED))
        return err_set(err, OUTCOME_REJECT, "no_request", "event_name: expected \"%s\"",
                       event_word(EVENT_CONTACT_REQUESTED));
    if (tp->is_test)
        return err_set(err, OUTCOME_REJECT, "is_test", "is_test: test touchpoints are not decided");
    return OUTCOME_OK;
}

static enum outcome encode(const struct door_schema *schema, struct arena *arena,
                           struct json_t *tree, struct door_request *out, struct err *err)
{
    struct strbuf value = {.arena = arena};
    struct touchpoint tp;
    pack_byte(&value, 0);
    pack_be32(&value, (uint32_t)schema->id);
    CHECK(json_to_avro(schema->shape, tree, &value, err));
    out->value = strbuf_span(&value);
    if (out->value.len > DOOR_REQUEST_MAX)
        return err_set(err, OUTCOME_REJECT, "value_too_large", "larger than %d bytes",
                       DOOR_REQUEST_MAX);
    const struct span payload = {out->value.ptr + PREFIX, out->value.len - PREFIX};
    CHECK(touchpoint_check(&schema->check, payload, err));
    CHECK(touchpoint_decode(schema->check.plan, payload, &tp, err));
    CHECK(check_kind(&tp, err));
    touchpoint_event_id(tp.source, tp.message_id, &out->id);
    out->channel = tp.channel;
    out->department = tp.department.ptr ? tp.department : SPAN("");
    out->key = arena_copy(arena, touchpoint_json_strongest_identifier(tree));
    return OUTCOME_OK;
}

static enum outcome encode_list(const struct door_schema *schema, struct arena *arena,
                                struct json_t *list, struct door_requests *out, struct err *err)
{
    size_t count = json_tree_count(list);
    if (!json_tree_is_list(list) || count == 0 || count > DOOR_MOST_REQUESTS)
        return err_set(err, OUTCOME_REJECT, "json_invalid",
                       "requests: expected a list of 1 to %d touchpoints", DOOR_MOST_REQUESTS);
    for (size_t i = 0; i < count; i++)
        if (encode(schema, arena, json_tree_item(list, i), arena_push(arena, out), err) !=
            OUTCOME_OK)
            return err_prefix(err, "requests[%zu]", i);
    return OUTCOME_OK;
}

static enum outcome encode_choice(const struct door_schema *schema, struct arena *arena,
                                  struct json_t *request, struct json_t *channels,
                                  struct door_requests *out, struct err *err)
{
    size_t count = json_tree_count(channels);
    out->is_choice = out->is_list = true;
    if (!json_tree_is_list(channels) || count == 0 || count > DOOR_MOST_CHANNELS)
        return err_set(err, OUTCOME_REJECT, "json_invalid",
                       "channels: expected a list of 1 to %d names", DOOR_MOST_CHANNELS);
    if (request == NULL || json_tree_member(request, "channel"))
        return err_set(err, OUTCOME_REJECT, "json_invalid",
                       "request: expected a touchpoint without a channel");
    for (size_t i = 0; i < count; i++) {
        if (!json_tree_put_text(request, "channel", json_tree_item(channels, i)))
            return err_set(err, OUTCOME_REJECT, "json_invalid",
                           "channels[%zu]: expected a name, and request an object", i);
        CHECK(encode(schema, arena, request, arena_push(arena, out), err));
    }
    return OUTCOME_OK;
}

static enum outcome read_tree(const struct door_schema *schema, struct arena *arena,
                              struct json_t *tree, struct door_requests *out, struct err *err)
{
    struct json_t *list = json_tree_member(tree, "requests");
    struct json_t *channels = json_tree_member(tree, "channels");
    if (channels)
        return encode_choice(schema, arena, json_tree_member(tree, "request"), channels, out, err);
    out->is_list = list != NULL;
    return list ? encode_list(schema, arena, list, out, err)
                : encode(schema, arena, tree, arena_push(arena, out), err);
}

enum outcome door_requests_read(const struct door_schema *schema, struct arena *arena,
                                struct span body, struct door_requests *out, struct err *err)
{
    struct json_t *tree;
    *out = (struct door_requests){0};
    CHECK(json_tree_parse(body, &tree, err));
    enum outcome outcome = read_tree(schema, arena, tree, out, err);
    json_tree_free(tree);
    return outcome;
}
