/* log_limit.c: counts lines per kind and second. */
#include "common/runtime/log_limit.h"

#include <string.h>

enum { SECOND_US = 1000000 };

static bool is_same(const struct log_limit_slot *slot, int level, const char *event)
{
    return slot->level == level && slot->event[0] &&
           strncmp(slot->event, event, LOG_LIMIT_NAME - 1) == 0;
}

/* The slot of this kind, a free one, or the one idle for longest among those that owe no summary.
 */
static struct log_limit_slot *slot_of(struct log_limit *limit, int level, const char *event)
{
    struct log_limit_slot *victim = NULL;
    for (size_t i = 0; i < LOG_LIMIT_SLOTS; i++) {
        struct log_limit_slot *slot = &limit->slots[i];
        if (is_same(slot, level, event))
            return slot;
        if (slot->suppressed == 0 &&
            (victim == NULL || (victim->event[0] && slot->since_us < victim->since_us) ||
             (victim->event[0] && !slot->event[0])))
            victim = slot;
    }
    if (victim == NULL)
        return NULL;
    *victim = (struct log_limit_slot){.level = level};
    strncpy(victim->event, event, LOG_LIMIT_NAME - 1);
    return victim;
}

bool log_limit_pass(struct log_limit *limit, int level, const char *event, int64_t now_us)
{
    struct log_limit_slot *slot = slot_of(limit, level, event);
    if (slot == NULL)
        return true;
    if (slot->passed == 0 || now_us - slot->since_us >= SECOND_US) {
        slot->since_us = now_us;
        slot->passed = 0;
    }
    if (slot->passed >= LOG_LIMIT_BURST) {
        slot->suppressed++;
        return false;
    }
    slot->passed++;
    return true;
}

bool log_limit_due(struct log_limit *limit, int64_t now_us, struct log_limit_slot *out)
{
    for (size_t i = 0; i < LOG_LIMIT_SLOTS; i++) {
        struct log_limit_slot *slot = &limit->slots[i];
        if (slot->suppressed == 0 || (now_us != INT64_MAX && now_us - slot->since_us < SECOND_US))
            continue;
        *out = *slot;
        slot->suppressed = 0;
        return true;
    }
    return false;
}
