/* decode.c: nanoseconds per touchpoint, of the compiled plan and of avro-c's generic decoder. No
 * arguments; one line per case. */
#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/codec/schema/embedded.h"
#include "common/codec/touchpoint.h"

enum { BUFFER = 4096, VARIANTS = 512, PASSES = 2000, GENERIC_PASSES = 100 };

struct sample {
    char bytes[BUFFER];
    size_t len;
};

static void die(const char *what)
{
    fprintf(stderr, "bench-decode: %s\n", what);
    exit(1);
}

static avro_value_t field(avro_value_t record, const char *name)
{
    avro_value_t value, branch;
    if (avro_value_get_by_name(&record, name, &value, NULL))
        die(name);
    if (avro_value_get_type(&value) != AVRO_UNION)
        return value;
    avro_value_set_branch(&value, 1, &branch);
    return branch;
}

static void set_text(avro_value_t record, const char *name, const char *text)
{
    avro_value_t value = field(record, name);
    avro_value_set_string(&value, text);
}

static void set_long(avro_value_t record, const char *name, int64_t number)
{
    avro_value_t value = field(record, name);
    avro_value_set_long(&value, number);
}

static void set_nulls(avro_value_t record)
{
    size_t count;
    avro_value_get_size(&record, &count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t value, branch;
        avro_value_get_by_index(&record, i, &value, NULL);
        if (avro_value_get_type(&value) == AVRO_UNION)
            avro_value_set_branch(&value, 0, &branch);
    }
}

static void add_identifier(avro_value_t record, const char *type, const char *text)
{
    avro_value_t list = field(record, "identifiers"), element;
    avro_value_append(&list, &element, NULL);
    set_text(element, "type", type);
    set_text(element, "value", text);
    set_text(element, "encoding", "none");
    set_text(element, "collection", "users");
}

static void fill(avro_value_t record, unsigned i)
{
    char text[64];
    avro_value_reset(&record);
    set_nulls(record);
    snprintf(text, sizeof text, "5f2c1a90-7b7e-4c7b-9a51-%012u", i);
    set_text(record, "message_id", text);
    set_text(record, "source", "urn:shop:web");
    set_text(record, "type", "track");
    set_text(record, "channel", i % 3 ? "web" : "app");
    set_long(record, "occurred_at", 1700000000000000 + i * 1000003);
    set_text(record, "event_name", i % 2 ? "Product Viewed" : "Order Completed");
    set_text(record, "direction", "inbound");
    set_text(record, "department", "online_shop");
    set_text(record, "session_id", "s-81726354");
    snprintf(text, sizeof text, "visitor-%08u", i * 77);
    set_text(record, "anonymous_id", text);
    if (i % 5 < 3)
        add_identifier(record, "email", "someone.else@example.com");
    avro_value_t page = field(record, "page");
    set_nulls(page);
    set_text(page, "path", "/printers/inkjet/4711");
    set_text(record, "product_id", "SKU-00012345");
    set_text(record, "product_category", "printers/inkjet");
    if (i % 3 == 0) {
        set_long(record, "value_micros", 129990000);
        set_text(record, "currency", "EUR");
    }
}

static avro_value_iface_t *open_interface(struct span text, avro_schema_t *schema)
{
    if (avro_schema_from_json_length(text.ptr, text.len, schema))
        die(avro_strerror());
    return avro_generic_class_from_schema(*schema);
}

static void encode(avro_value_t *record, struct sample *sample)
{
    avro_writer_t writer = avro_writer_memory(sample->bytes, sizeof sample->bytes);
    if (avro_value_write(writer, record))
        die(avro_strerror());
    sample->len = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *name, double seconds, size_t records, size_t bytes)
{
    printf("%-28s %8.1f ns/record  %6.1f bytes/record\n", name, seconds * 1e9 / (double)records,
           (double)bytes / (double)VARIANTS);
}

static void bench_plan(const struct sample *samples, struct span schema, size_t bytes)
{
    struct avro_plan *plan;
    struct touchpoint t;
    struct err err;
    if (avro_plan_compile(schema, &plan, &err))
        die(err.message);
    double start = now();
    for (unsigned pass = 0; pass < PASSES; pass++)
        for (unsigned i = 0; i < VARIANTS; i++)
            if (avro_plan_decode(plan, (struct span){samples[i].bytes, samples[i].len}, &t, &err))
                die(err.message);
    report("compiled plan", now() - start, (size_t)PASSES * VARIANTS, bytes);
    avro_plan_free(plan);
}

static void bench_event_id(size_t bytes)
{
    struct id id = {{0}};
    double start = now();
    for (unsigned i = 0; i < 200 * VARIANTS; i++)
        touchpoint_event_id(SPAN("urn:shop:web"),
                            (struct span){(const char *)id.bytes, sizeof id.bytes}, &id);
    report("event id (BLAKE2b)", now() - start, 200 * VARIANTS, bytes);
}

static void bench_generic(const struct sample *samples, avro_value_t *record, size_t bytes)
{
    double start = now();
    for (unsigned pass = 0; pass < GENERIC_PASSES; pass++)
        for (unsigned i = 0; i < VARIANTS; i++) {
            avro_reader_t reader = avro_reader_memory(samples[i].bytes, (int64_t)samples[i].len);
            avro_value_reset(record);
            if (avro_value_read(reader, record))
                die(avro_strerror());
            avro_reader_free(reader);
        }
    report("avro-c generic", now() - start, (size_t)GENERIC_PASSES * VARIANTS, bytes);
}

int main(void)
{
    struct span text = embedded_schema("touchpoint");
    struct sample *samples = calloc(VARIANTS, sizeof *samples);
    avro_schema_t schema;
    avro_value_t record;
    size_t bytes = 0;
    avro_value_iface_t *interface = open_interface(text, &schema);
    if (samples == NULL || interface == NULL || avro_generic_value_new(interface, &record))
        die("out of memory");
    for (unsigned i = 0; i < VARIANTS; i++) {
        fill(record, i);
        encode(&record, &samples[i]);
        bytes += samples[i].len;
    }
    bench_plan(samples, text, bytes);
    bench_event_id(bytes);
    bench_generic(samples, &record, bytes);
    avro_value_decref(&record);
    avro_value_iface_decref(interface);
    avro_schema_decref(schema);
    free(samples);
    return 0;
}
