/* cat.c: `tutti cat`: records of a topic as JSON lines, whatever their framing. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/command.h"
#include "common/bus/reader.h"
#include "common/codec/avro/avro_to_json.h"
#include "common/codec/json_write.h"
#include "common/codec/schema/shape_set.h"
#include "common/runtime/stop.h"

enum { POLL_MS = 200 };

struct cat {
    struct reader *reader;
    struct shape_set *shapes;
    const char *topic;
    enum avro_print print;
    int32_t raw_id; /* schema of values without a prefix; 0: none */
    bool envelope;
    uint64_t printed, limit, unreadable; /* limit 0: none */
};

static enum outcome shape_of(struct cat *cat, struct span *value, const struct avro_shape **shape,
                             struct err *err)
{
    struct unpack in = unpack_of(*value);
    if (cat->raw_id > 0)
        return shape_set_get(cat->shapes, cat->raw_id, shape, err);
    uint8_t magic = unpack_byte(&in);
    if (magic == 0 && value->len >= 5) {
        int32_t id = (int32_t)unpack_be32(&in);
        *value = (struct span){value->ptr + 5, value->len - 5};
        return shape_set_get(cat->shapes, id, shape, err);
    }
    if (magic == 0xc3 && unpack_byte(&in) == 0x01 && value->len >= 10) {
        uint64_t fingerprint = __builtin_bswap64(unpack_be64(&in)); /* little-endian on the wire */
        *value = (struct span){value->ptr + 10, value->len - 10};
        return shape_set_by_fingerprint(cat->shapes, fingerprint, shape, err);
    }
    return err_set(err, OUTCOME_REJECT, "bad_magic",
                   "no framing that we know: the first byte is 0x%02x", magic);
}

static enum outcome add_avro(struct cat *cat, struct span value, struct strbuf *out,
                             struct err *err)
{
    const struct avro_shape *shape = NULL;
    CHECK(shape_of(cat, &value, &shape, err));
    CHECK(avro_to_json(shape, &value, cat->print, out, err));
    return value.len ? err_set(err, OUTCOME_REJECT, "avro_trailing_bytes",
                               "%zu bytes follow the value", value.len)
                     : OUTCOME_OK;
}

/* What cannot be read is shown with the reason and the bytes, never left out. */
static enum outcome add_value(struct cat *cat, struct span value, struct strbuf *out)
{
    struct err err = {0};
    size_t before = out->len;
    if (value.ptr == NULL) {
        strbuf_addf(out, "null");
        return OUTCOME_OK;
    }
    if (value.len && (value.ptr[0] == '{' || value.ptr[0] == '[') && json_add_compact(out, value))
        return OUTCOME_OK;
    if (add_avro(cat, value, out, &err) == OUTCOME_OK)
        return OUTCOME_OK;
    cat->unreadable++;
    out->len = before;
    strbuf_addf(out, "{\"unreadable\":");
    json_add_text(out, span_of(err.message));
    strbuf_addf(out, ",\"hex\":");
    json_add_hex(out, value);
    strbuf_addf(out, "}");
    return OUTCOME_REJECT;
}

static void add_bytes(struct strbuf *out, struct span bytes)
{
    if (bytes.ptr == NULL)
        strbuf_addf(out, "null");
    else if (span_is_clean_utf8(bytes))
        json_add_text(out, bytes);
    else
        json_add_hex(out, bytes);
}

static void add_envelope(struct cat *cat, const struct record *record, struct strbuf *out)
{
    char time[40];
    struct header header;
    instant_format((struct instant){record->timestamp_ms * 1000}, time);
    strbuf_addf(out,
                "{\"topic\":\"%s\",\"partition\":%d,\"offset\":%" PRId64
                ",\"timestamp\":\"%s\",\"key\":",
                cat->topic, record->partition, record->offset, time);
    add_bytes(out, record->key);
    strbuf_addf(out, ",\"headers\":{");
    for (size_t i = 0; reader_header(cat->reader, i, &header); i++) {
        strbuf_addf(out, "%s", i ? "," : "");
        json_add_text(out, span_of(header.name));
        strbuf_addf(out, ":");
        add_bytes(out, header.value);
    }
    strbuf_addf(out, "},\"value\":");
}

static void print_record(struct cat *cat, const struct record *record, struct strbuf *out)
{
    strbuf_reset(out);
    if (cat->envelope)
        add_envelope(cat, record, out);
    add_value(cat, record->value, out);
    strbuf_addf(out, "%s\n", cat->envelope ? "}" : "");
    fwrite(out->ptr, 1, out->len, stdout);
    cat->printed++;
}

static enum outcome copy_records(struct cat *cat, bool stop_at_end, struct err *err)
{
    struct strbuf out = {0};
    struct record record;
    bool at_end = false;
    err->outcome = OUTCOME_OK;
    while (!stop_requested() && err->outcome == OUTCOME_OK && !(at_end && stop_at_end) &&
           !(cat->limit && cat->printed >= cat->limit)) {
        if (reader_next(cat->reader, POLL_MS, &record, &at_end, err))
            print_record(cat, &record, &out);
        else
            fflush(stdout);
        if (ferror(stdout))
            err_set(err, OUTCOME_FATAL, "stdout", "cannot write to stdout");
    }
    strbuf_free(&out);
    return err->outcome;
}

static bool read_from(const struct call *call, int64_t *from)
{
    const char *text = call_option(call, "from");
    *from = READER_BEGINNING;
    if (text == NULL || strcmp(text, "beginning") == 0)
        return true;
    *from = READER_END;
    if (strcmp(text, "end") == 0)
        return true;
    return call_number(call, "from", 0, INT64_MAX, 0, from);
}

static enum outcome run_steps(struct call *call, struct cat *cat, int32_t partition, int64_t from,
                              struct err *err)
{
    CHECK(shape_set_open(call->config, &cat->shapes, err));
    CHECK(reader_open(call->config, cat->topic, partition, from, &cat->reader, err));
    return copy_records(cat, call_has(call, "exit"), err);
}

static enum exit_status run_cat(struct call *call)
{
    struct cat cat = {.topic = call_argument(call, 0),
                      .envelope = call_has(call, "envelope"),
                      .print = call_has(call, "all-fields") ? AVRO_PRINT_ALL : AVRO_PRINT_SHORT};
    int64_t from, limit, raw_id, partition;
    if (call_has(call, "topic"))
        cat.topic = call_option(call, "topic");
    if (cat.topic == NULL)
        return misuse(call, "--topic is missing");
    if (!read_from(call, &from) || !call_number(call, "count", 1, INT64_MAX, 0, &limit) ||
        !call_number(call, "raw", 1, INT32_MAX, 0, &raw_id) ||
        !call_number(call, "partition", 0, INT32_MAX, -1, &partition))
        return EXIT_USAGE;
    cat.limit = (uint64_t)limit;
    cat.raw_id = (int32_t)raw_id;
    struct err err = {0};
    enum outcome outcome = run_steps(call, &cat, (int32_t)partition, from, &err);
    reader_close(cat.reader);
    shape_set_close(cat.shapes);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    if (cat.unreadable)
        warn("%" PRIu64 " values could not be read", cat.unreadable);
    return EXIT_DONE;
}

static const struct option options[] = {
    {"topic", "NAME", "The topic (or the argument)."},
    {"from", "WHERE", "beginning (default), end, or an offset."},
    {"partition", "N", "Only this partition."},
    {"count", "N", "Stop after N records."},
    {"exit", NULL, "Stop at the end of the topic instead of waiting for more."},
    {"envelope", NULL,
     "With topic, partition, offset, timestamp, key and headers around each value."},
    {"all-fields", NULL, "Also the fields that are null or at their default."},
    {"raw", "SCHEMA-ID", "The values have no prefix; this is their schema."},
    {NULL, NULL, NULL},
};

const struct command command_cat = {
    .name = "cat",
    .arguments = "[TOPIC]",
    .summary = "Print the records of a topic as JSON lines",
    .details = "Reads Confluent-framed and single-object Avro, our own messages and resolved "
               "touchpoints, and JSON. Ids are printed\n"
               "as UUIDs, other bytes as hex digits. A value that cannot be read is printed with "
               "the reason and its bytes.",
    .options = options,
    .max_arguments = 1,
    .run = run_cat,
};
