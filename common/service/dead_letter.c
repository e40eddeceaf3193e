/* dead_letter.c: finds the dead letter topic of each input topic, builds the headers and sends. */
#include "common/service/dead_letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"

enum { LONGEST_TOPIC = 249, LONGEST_MESSAGE = 640 };

struct dead_letters {
    struct producer *producer;
    const char *service, *suffix;
    int *targets; /* producer's topic of each input topic, -1 until known */
    size_t count;
};

struct dead_letters *dead_letters_new(struct producer *producer, const char *service,
                                      const char *suffix)
{
    struct dead_letters *letters = calloc(1, sizeof *letters);
    if (!letters)
        abort();
    letters->producer = producer;
    letters->service = service;
    letters->suffix = suffix;
    return letters;
}

void dead_letters_free(struct dead_letters *letters)
{
    if (!letters)
        return;
    free(letters->targets);
    free(letters);
}

static int *target_of(struct dead_letters *letters, size_t topic)
{
    if (topic >= letters->count) {
        letters->targets = realloc(letters->targets, (topic + 1) * sizeof *letters->targets);
        if (!letters->targets)
            abort();
        for (; letters->count <= topic; letters->count++)
            letters->targets[letters->count] = -1;
    }
    return &letters->targets[topic];
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_len = strlen(text), end_len = strlen(end);
    return end_len > 0 && text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

enum outcome dead_letters_check_input(const char *name, const char *suffix, struct err *err)
{
    return ends_with(name, suffix)
               ? err_set(err, OUTCOME_FATAL, "topic_invalid",
                         "input topic %s is a dead letter topic; end its pattern with $", name)
               : OUTCOME_OK;
}

enum outcome dead_letters_topic(struct dead_letters *letters, int topic, const char *name,
                                struct err *err)
{
    char target_name[2 * LONGEST_TOPIC];
    int *target = target_of(letters, (size_t)topic);
    if (*target >= 0)
        return OUTCOME_OK;
    CHECK(dead_letters_check_input(name, letters->suffix, err));
    snprintf(target_name, sizeof target_name, "%s%s", name, letters->suffix);
    return producer_topic(letters->producer, target_name, target, NULL, err);
}

static void count_letter(const struct record *record, const char *topic_name, const char *code,
                         const char *detail)
{
    char labels[400];
    snprintf(labels, sizeof labels, "topic=\"%s\",reason=\"%s\"", topic_name, code);
    metric_add(
        metric_counter("dead_letters_total", labels, "Records that went to a dead letter topic."),
        1);
    log_event(LOG_WARN, "dead_letter", "topic", topic_name, "partition", log_int(record->partition),
              "offset", log_int(record->offset), "code", code, detail ? "message" : NULL, detail,
              NULL);
}

/* Sends a record that is too large to be produced again without its value. */
static enum outcome forward(struct dead_letters *letters, int target, struct span key,
                            const struct record *record, struct header *headers, size_t count,
                            struct err *err)
{
    enum outcome outcome =
        producer_forward(letters->producer, target, key, record, headers, count, err);
    if (outcome != OUTCOME_REJECT)
        return outcome;
    char size[24];
    struct record without = *record;
    snprintf(size, sizeof size, "%zu", record->value.len);
    without.value = SPAN_NONE;
    headers[count] = (struct header){"tutti.value.omitted", span_of(size)};
    outcome = producer_forward(letters->producer, target, key, &without, headers, count + 1, err);
    if (outcome != OUTCOME_REJECT)
        return outcome;
    without.handle = NULL; /* its headers are too large, too */
    return producer_forward(letters->producer, target, key, &without, headers, count + 1, err);
}

enum outcome dead_letters_send(struct dead_letters *letters, const struct record *record,
                               const char *topic_name, const char *code, const char *detail,
                               struct err *err)
{
    CHECK(dead_letters_topic(letters, record->topic, topic_name, err));
    char key[2 * LONGEST_TOPIC], partition[16], offset[24], message[LONGEST_MESSAGE];
    snprintf(key, sizeof key, "%s-%d-%lld", topic_name, record->partition,
             (long long)record->offset);
    snprintf(partition, sizeof partition, "%d", record->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)record->offset);
    snprintf(message, sizeof message, "%s refused the record: %s%s%s", letters->service, code,
             detail ? ": " : "", detail ? detail : "");
    struct header headers[8] = {
        {"__connect.errors.topic", span_of(topic_name)},
        {"__connect.errors.partition", span_of(partition)},
        {"__connect.errors.offset", span_of(offset)},
        {"__connect.errors.exception.class.name", SPAN("tutti.RecordRefused")},
        {"__connect.errors.exception.message", span_of(message)},
        {"tutti.error.code", span_of(code)},
        {"tutti.original.key", record->key},
    };
    CHECK(forward(letters, *target_of(letters, (size_t)record->topic), span_of(key), record,
                  headers, 7, err));
    count_letter(record, topic_name, code, detail);
    return OUTCOME_OK;
}
