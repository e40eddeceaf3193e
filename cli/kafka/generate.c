/* generate.c: `tutti generate`: a made-up company's touchpoints, as JSON lines or straight to
 * Kafka. */
#include <errno.h>
#include <inttypes.h>

#include "cli/kafka/obey.h"
#include "cli/progress.h"
#include "common/codec/avro/avro_to_json.h"
#include "common/codec/avro/touchpoint_writer.h"
#include "common/codec/json_write.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/touchpoint_key.h"
#include "common/runtime/stop.h"
#include "data/generator.h"

struct run {
    struct call *call;
    struct generator_options options;
    struct generator *generator;
    struct avro_shape *shape; /* for JSON */
    struct outlet outlet;     /* for Kafka */
    struct obey *obey;        /* with --obey */
    int32_t schema_id;
    enum record_key key;
    struct progress progress;
};

static enum outcome print_item(struct run *run, const struct generated *item, struct strbuf *value,
                               struct strbuf *line, struct err *err)
{
    strbuf_reset(value);
    strbuf_reset(line);
    touchpoint_write(value, &item->touchpoint);
    struct span rest = strbuf_span(value);
    CHECK(avro_to_json(run->shape, &rest, AVRO_PRINT_SHORT, line, err));
    strbuf_add(line, "\n", 1);
    if (!call_has(run->call, "dry-run") && fwrite(line->ptr, 1, line->len, stdout) != line->len)
        return err_set(err, OUTCOME_FATAL, "stdout", "cannot write to stdout");
    return OUTCOME_OK;
}

static enum outcome send_item(struct run *run, const struct generated *item, struct strbuf *value,
                              struct err *err)
{
    const struct touchpoint *t = &item->touchpoint;
    strbuf_reset(value);
    touchpoint_write_framed(value, run->schema_id, t);
    struct span key = run->key == KEY_NONE         ? SPAN_NONE
                      : run->key == KEY_MESSAGE_ID ? t->message_id
                                                   : touchpoint_strongest_identifier(t);
    if (run->obey) {
        obey_add(run->obey, item, key, strbuf_span(value));
        return OUTCOME_OK;
    }
    return outlet_send(&run->outlet, t->channel, key, strbuf_span(value), err);
}

static enum outcome emit(struct run *run, struct err *err)
{
    struct strbuf value = {0}, line = {0};
    static struct generated item;
    enum outcome outcome = OUTCOME_OK;
    while (outcome == OUTCOME_OK && !stop_requested() && generator_next(run->generator, &item)) {
        outcome = run->outlet.publisher ? send_item(run, &item, &value, err)
                                        : print_item(run, &item, &value, &line, err);
        progress_step(&run->progress, 1);
    }
    strbuf_free(&value);
    strbuf_free(&line);
    if (outcome == OUTCOME_OK && run->outlet.publisher)
        outcome = outlet_finish(&run->outlet, err);
    return outcome == OUTCOME_OK && stop_requested()
               ? err_set(err, OUTCOME_FATAL, "stopped", "stopped")
               : outcome;
}

static void write_person(struct run *run, FILE *out, uint32_t person, struct strbuf *line)
{
    struct arena arena = {0};
    struct touchpoint_identifier list[GENERATOR_IDENTIFIERS];
    size_t count = generator_identifiers(run->generator, &arena, person, list);
    strbuf_reset(line);
    strbuf_addf(line, "{\"person\":%" PRIu32 ",\"identifiers\":[", person);
    for (size_t i = 0; i < count; i++) {
        strbuf_addf(line, "%s{\"type\":", i ? "," : "");
        json_add_text(line, list[i].type);
        strbuf_addf(line, ",\"value\":");
        json_add_text(line, list[i].value);
        strbuf_addf(line, "}");
    }
    strbuf_addf(line, "]}\n");
    fwrite(line->ptr, 1, line->len, out);
    arena_free(&arena);
}

static enum outcome write_truth(struct run *run, const char *path, struct err *err)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return err_set(err, OUTCOME_FATAL, "truth_file", "%s: %s", path, strerror(errno));
    struct strbuf line = {0};
    for (uint32_t person = 0; person < run->options.people; person++)
        write_person(run, out, person, &line);
    strbuf_free(&line);
    bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad)
        return err_set(err, OUTCOME_FATAL, "truth_file", "%s: cannot be written", path);
    return OUTCOME_OK;
}

/* Opens what the touchpoints go to: Kafka, or lines of JSON. */
static enum outcome open_target(struct run *run, struct err *err)
{
    struct call *call = run->call;
    const char *topic = call_option(call, "topic");
    if (!call_has(call, "produce"))
        return avro_shape_open(embedded_schema("touchpoint"), &run->shape, err);
    if (topic && strcmp(topic, "auto") == 0)
        topic = NULL;
    CHECK(outlet_open(call, topic, call_has(call, "dry-run"), &run->outlet, err));
    const char *prefix = call_option(call, "group-prefix");
    return call_has(call, "obey")
               ? obey_open(call, topic, prefix ? prefix : "", &run->outlet, &run->obey, err)
               : OUTCOME_OK;
}

static enum outcome run_steps(struct run *run, struct err *err)
{
    const char *truth = call_option(run->call, "truth");
    CHECK(generator_open(&run->options, &run->generator, err));
    if (truth && !call_has(run->call, "dry-run"))
        CHECK(write_truth(run, truth, err));
    CHECK(open_target(run, err));
    progress_start(&run->progress, "touchpoints", run->options.events + run->options.events / 100);
    enum outcome outcome = emit(run, err);
    progress_end(&run->progress);
    if (outcome != OUTCOME_OK || run->obey == NULL)
        return outcome;
    struct obey_counts counts;
    CHECK(obey_run(run->obey, &counts, err));
    say("%" PRIu64 " touchpoints sent; %" PRIu64 " requests, %" PRIu64 " granted; %" PRIu64
        " contacts made as granted, %" PRIu64 " not made, %" PRIu64 " made without a grant",
        counts.sent, counts.requests, counts.granted, counts.obeyed, counts.withheld, counts.sins);
    return OUTCOME_OK;
}

static enum outcome run_all(struct run *run, struct err *err)
{
    enum outcome outcome = run_steps(run, err);
    obey_close(run->obey);
    outlet_close(&run->outlet);
    avro_shape_close(run->shape);
    generator_close(run->generator);
    return outcome;
}

static bool read_profile(struct call *call, struct generator_options *options)
{
    const char *profile = call_option(call, "profile"), *epoch = call_option(call, "epoch");
    options->profile = profile && strcmp(profile, "bench") == 0 ? GENERATOR_BENCH : GENERATOR_BANK;
    if (profile && strcmp(profile, "bench") != 0 && strcmp(profile, "bank") != 0) {
        complain("--profile: expected bank or bench, got \"%.40s\"", profile);
        return false;
    }
    if (!instant_parse(epoch ? span_of(epoch) : SPAN("2026-01-01T00:00:00Z"), &options->epoch)) {
        complain("--epoch: expected a time such as 2026-01-01T00:00:00Z, got \"%.40s\"", epoch);
        return false;
    }
    return true;
}

static enum exit_status run_generate(struct call *call)
{
    struct run run = {.call = call};
    bool is_bench = call_has(call, "profile") && strcmp(call_option(call, "profile"), "bench") == 0;
    int64_t people, events, seed, days, schema_id;
    if (call_has(call, "obey") && (!call_has(call, "produce") || call_has(call, "dry-run")))
        return misuse(call, "--obey needs --produce, and no --dry-run");
    if (!call_number(call, "people", 1, 50000000, is_bench ? 200000 : 2000, &people) ||
        !call_number(call, "events", 0, INT64_C(1) << 40, is_bench ? 2000000 : 50000, &events) ||
        !call_number(call, "seed", 0, INT64_MAX, 1, &seed) ||
        !call_number(call, "days", 1, 3650, is_bench ? 30 : 90, &days) ||
        !call_number(call, "schema-id", 1, INT32_MAX, 1, &schema_id) ||
        !read_profile(call, &run.options) || !outlet_key_option(call, &run.key))
        return EXIT_USAGE;
    run.options.people = (uint32_t)people;
    run.options.events = (uint64_t)events;
    run.options.seed = (uint64_t)seed;
    run.options.days = days;
    run.schema_id = (int32_t)schema_id;
    struct err err = {0};
    return run_all(&run, &err) == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

static const struct option options[] = {
    {"people", "N", "Number of people (bank 2000, bench 200000)."},
    {"events", "N",
     "Distinct touchpoints; 1 % duplicates come on top (bank 50000, bench 2000000)."},
    {"seed", "N", "The same seed gives the same bytes (1)."},
    {"days", "N", "Days that they spread over (bank 90, bench 30)."},
    {"epoch", "TIME", "When the first day begins (2026-01-01T00:00:00Z)."},
    {"profile", "NAME", "bank or bench."},
    {"truth", "FILE", "Also write who is who: one line per person, with all identifiers."},
    {"produce", NULL, "Send to Kafka instead of printing lines."},
    {"topic", "NAME|auto", "produce: where to (auto)."},
    {"obey", NULL,
     "produce: ask before each contact, read the verdict, and send what was granted; a few send "
     "all the same."},
    {"group-prefix", "TEXT", "obey: stands before the names of the services' consumer groups."},
    {"key", "WHICH", "produce: identifier (default), message_id or none."},
    {"schema-id", "N", "produce: schema id in the prefix (1)."},
    {"dry-run", NULL, "Generate, but print and send nothing."},
    {NULL, NULL, NULL},
};

const struct command command_generate = {
    .name = "generate",
    .arguments = "",
    .summary = "Make up the touchpoints of a bank, or of a load test, from a seed",
    .details = "bank: mortgages, cards, insurance, consumer credit, branch, service and marketing "
               "with their applications, contact\n"
               "requests and sends, consents, complaints and referrals. bench: the mix of "
               "bench/pipeline. Both: log-ins that join an\n"
               "anonymous history, 5 % late touchpoints, 1 % duplicates; lines come in the order "
               "of arrival.",
    .options = options,
    .max_arguments = 0,
    .run = run_generate,
};
