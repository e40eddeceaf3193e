/* produce.c: `tutti produce`: JSON lines in the shape of a schema to Kafka. */
#include <errno.h>
#include <inttypes.h>

#include "cli/kafka/line_sender.h"
#include "common/codec/schema/shape_set.h"

static FILE *open_input(const char *path)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return stdin;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        complain("%s: %s", path, strerror(errno));
    return in;
}

/* The checks of the pipeline; our own messages have none. */
static enum outcome open_check(struct call *call, struct shape_set *shapes,
                               struct line_sender *sender, struct err *err)
{
    const struct avro_plan *plan;
    CHECK(shape_set_plan(shapes, sender->schema_id, &plan, err));
    if (plan == NULL)
        return OUTCOME_OK;
    struct touchpoint_check *check = arena_new(&call->arena, struct touchpoint_check);
    sender->check = check;
    return touchpoint_check_open(call->config, plan, &call->arena, check, err);
}

static enum outcome send_with(struct call *call, struct shape_set *shapes,
                              struct line_sender *sender, const char *topic, FILE *in,
                              struct err *err)
{
    bool dry_run = call_has(call, "dry-run");
    CHECK(shape_set_get(shapes, sender->schema_id, &sender->shape, err));
    if (dry_run)
        CHECK(open_check(call, shapes, sender, err));
    CHECK(outlet_open(call, topic, dry_run, &sender->outlet, err));
    progress_start(&sender->progress, dry_run ? "records encoded" : "records sent", 0);
    enum outcome outcome = line_sender_run(sender, in, err);
    progress_end(&sender->progress);
    outlet_close(&sender->outlet);
    return outcome;
}

static enum outcome send_all(struct call *call, struct line_sender *sender, const char *topic,
                             FILE *in, struct err *err)
{
    struct shape_set *shapes;
    CHECK(shape_set_open(call->config, &shapes, err));
    enum outcome outcome = send_with(call, shapes, sender, topic, in, err);
    shape_set_close(shapes);
    return outcome;
}

static enum exit_status run_produce(struct call *call)
{
    const char *topic = call_option(call, "topic");
    struct line_sender sender = {.schema_id = 1};
    int64_t schema_id;
    if (topic == NULL)
        return misuse(call, "--topic is missing (a name, or auto)");
    if (!call_number(call, "schema-id", 1, INT32_MAX, 1, &schema_id) ||
        !outlet_key_option(call, &sender.key))
        return EXIT_USAGE;
    sender.schema_id = (int32_t)schema_id;
    FILE *in = open_input(call_argument(call, 0));
    if (in == NULL)
        return EXIT_FAILED;
    struct err err = {0};
    enum outcome outcome =
        send_all(call, &sender, strcmp(topic, "auto") == 0 ? NULL : topic, in, &err);
    if (in != stdin)
        fclose(in);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    if (sender.bad)
        complain("%" PRIu64 " bad lines were left out", sender.bad);
    return sender.bad ? EXIT_FAILED : EXIT_DONE;
}

static const struct option options[] = {
    {"topic", "NAME|auto", "Where to; auto is touchpoints.<channel>.v1, or touchpoints.other.v1."},
    {"key", "WHICH", "identifier (the strongest, default), message_id or none."},
    {"schema-id", "N", "Schema of the lines (1)."},
    {"dry-run", NULL, "Check as the services do and report, but send nothing."},
    {NULL, NULL, NULL},
};

const struct command command_produce = {
    .name = "produce",
    .arguments = "[FILE]",
    .summary = "Send JSON lines in the shape of the touchpoint schema to Kafka",
    .details = "Fields that are null may be left out; times are microseconds since 1970 or RFC "
               "3339 text. A bad line is reported\n"
               "with its number and left out, and the exit status is 1 at the end. Without FILE, "
               "or with -, stdin is read.",
    .options = options,
    .max_arguments = 1,
    .run = run_produce,
};
