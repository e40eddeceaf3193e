/* outlet.c: see outlet.h. */
#include "cli/kafka/outlet.h"

enum { WAIT_MS = 60000 };

enum outcome outlet_open(const struct call *call, const char *topic, bool dry_run,
                         struct outlet *out, struct err *err)
{
    *out = (struct outlet){0};
    if (!dry_run)
        CHECK(producer_open(call->config, &out->producer, err));
    return publisher_open(out->producer, topic, &out->publisher, err);
}

void outlet_close(struct outlet *outlet)
{
    publisher_close(outlet->publisher);
    if (outlet->producer)
        producer_close(outlet->producer);
    *outlet = (struct outlet){0};
}

enum outcome outlet_send(const struct outlet *outlet, struct span channel, struct span key,
                         struct span value, struct err *err)
{
    return publisher_send(outlet->publisher, channel, key, value, 0, err);
}

enum outcome outlet_finish(const struct outlet *outlet, struct err *err)
{
    return publisher_finish(outlet->publisher, WAIT_MS, err);
}

bool outlet_key_option(const struct call *call, enum record_key *out)
{
    static const char *const words[] = {"identifier", "message_id", "none"};
    const char *text = call_option(call, "key");
    *out = KEY_IDENTIFIER;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (enum record_key)i;
            return true;
        }
    if (text)
        complain("--key: expected identifier, message_id or none, got \"%.40s\"", text);
    return text == NULL;
}
