/* line_sender.c: see line_sender.h. */
#include "cli/kafka/line_sender.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/codec/avro/json_to_avro.h"
#include "common/codec/touchpoint_key.h"
#include "common/runtime/stop.h"

enum { MAX_VALUE = 900 * 1024, REPORTED_LINES = 100, PREFIX = 5 };

static struct span key_of(const struct line_sender *sender, struct json_t *record)
{
    return sender->key == KEY_NONE         ? SPAN_NONE
           : sender->key == KEY_MESSAGE_ID ? touchpoint_json_text(record, "message_id")
                                           : touchpoint_json_strongest_identifier(record);
}

static void report(struct line_sender *sender, uint64_t number, const char *why)
{
    progress_pause(&sender->progress);
    if (++sender->bad <= REPORTED_LINES)
        complain("line %" PRIu64 ": %s", number, why);
    if (sender->bad == REPORTED_LINES)
        warn("further bad lines are only counted");
}

static enum outcome check_line(const struct line_sender *sender, struct span value, struct err *err)
{
    if (value.len > MAX_VALUE)
        return err_set(err, OUTCOME_REJECT, "value_too_large", "larger than 900 kB");
    if (sender->check == NULL)
        return OUTCOME_OK;
    const struct span payload = {value.ptr + PREFIX, value.len - PREFIX};
    return touchpoint_check(sender->check, payload, err);
}

static enum outcome send_line(struct line_sender *sender, struct span line, uint64_t number,
                              struct strbuf *value, struct err *err)
{
    struct json_t *record = NULL;
    strbuf_reset(value);
    pack_byte(value, 0);
    pack_be32(value, (uint32_t)sender->schema_id);
    if (json_text_to_avro(sender->shape, line, value, &record, err) != OUTCOME_OK) {
        report(sender, number, err->message);
        return OUTCOME_OK;
    }
    enum outcome outcome = OUTCOME_OK;
    if (check_line(sender, strbuf_span(value), err) != OUTCOME_OK) {
        report(sender, number, err->message);
    } else {
        outcome = outlet_send(&sender->outlet, touchpoint_json_text(record, "channel"),
                              key_of(sender, record), strbuf_span(value), err);
        sender->sent += outcome == OUTCOME_OK;
        progress_step(&sender->progress, 1);
    }
    json_tree_free(record);
    return outcome;
}

enum outcome line_sender_run(struct line_sender *sender, FILE *in, struct err *err)
{
    struct strbuf value = {0};
    char *line = NULL;
    size_t room = 0;
    enum outcome outcome = OUTCOME_OK;
    ssize_t length;
    for (uint64_t number = 1;
         outcome == OUTCOME_OK && !stop_requested() && (length = getline(&line, &room, in)) >= 0;
         number++) {
        struct span text = span_trim((struct span){line, (size_t)length});
        if (number == 1) /* what came before was the source's time to start */
            progress_start(&sender->progress, sender->progress.what, sender->progress.total);
        if (text.len)
            outcome = send_line(sender, text, number, &value, err);
    }
    if (outcome == OUTCOME_OK)
        outcome = outlet_finish(&sender->outlet, err);
    if (outcome == OUTCOME_OK && stop_requested())
        outcome =
            err_set(err, OUTCOME_FATAL, "stopped", "stopped after %" PRIu64 " lines", sender->sent);
    free(line);
    strbuf_free(&value);
    return outcome;
}
