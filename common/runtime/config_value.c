/* config_value.c: numbers, sizes, durations and choices from text, with ranges and clear messages.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/runtime/config_internal.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", INT64_C(1) << 10},
    {"MB", INT64_C(1) << 20},
    {"GB", INT64_C(1) << 30},
    {"TB", INT64_C(1) << 40},
    {NULL, 0},
};
static const struct unit time_units[] = {
    {"ms", 1000},
    {"s", US_PER_SECOND},
    {"m", 60 * US_PER_SECOND},
    {"h", 3600 * US_PER_SECOND},
    {"d", US_PER_DAY},
    {NULL, 0},
};

static enum outcome bad(const struct entry *entry, struct err *err, const char *wanted)
{
    return err_set(err, OUTCOME_FATAL, "config_value", "%s: %s = \"%.80s\" is not %s", entry->where,
                   entry->name, entry->text, wanted);
}

/* Decimal digits, then a unit of the table (case does not matter where sizes are meant). */
static bool parse_with_unit(const char *text, const struct unit *units, bool any_case, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    while (*end == ' ')
        end++;
    for (const struct unit *u = units; u->name; u++)
        if ((any_case ? strcasecmp : strcmp)(end, u->name) == 0)
            return !__builtin_mul_overflow(n, u->factor, out);
    return false;
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)text[text[0] == '-']))
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_bool(const char *text, int64_t *out)
{
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0;
}

static bool parse_duration(const char *text, int64_t *out)
{
    struct duration duration;
    if (parse_with_unit(text, time_units, false, out))
        return true;
    if (strcmp(text, "0") == 0) {
        *out = 0;
        return true;
    }
    if (!duration_parse(span_of(text), &duration))
        return false;
    *out = duration.us;
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *word = choices; word && *word;) {
        size_t length = strcspn(word, "|");
        if (length == n && strncmp(word, text, n) == 0)
            return true;
        word += length + (word[length] == '|');
    }
    return false;
}

/* A number in the largest unit that divides it. */
static void unit_text(int64_t value, const struct unit *units, char *text, size_t size)
{
    const struct unit *best = &units[0];
    for (const struct unit *u = units; u->name; u++)
        if (value % u->factor == 0 && value != 0)
            best = u;
    snprintf(text, size, "%lld%s", (long long)(value / best->factor), best->name);
}

static void bound_text(enum setting_type type, int64_t value, char *text, size_t size)
{
    if (type == SETTING_DURATION)
        unit_text(value, time_units, text, size);
    else if (type == SETTING_BYTES)
        unit_text(value, byte_units, text, size);
    else
        snprintf(text, size, "%lld", (long long)value);
}

void config_range_text(const struct setting *setting, char *text, size_t size)
{
    char low[32], high[32];
    text[0] = '\0';
    if (setting->min == 0 && setting->max == 0)
        return;
    bound_text(setting->type, setting->min, low, sizeof low);
    bound_text(setting->type, setting->max, high, sizeof high);
    snprintf(text, size, "%s to %s", low, high);
}

static enum outcome check_range(const struct entry *entry, struct err *err)
{
    const struct setting *s = entry->setting;
    char range[80];
    if ((s->min == 0 && s->max == 0) || (entry->number >= s->min && entry->number <= s->max))
        return OUTCOME_OK;
    config_range_text(s, range, sizeof range);
    return err_set(err, OUTCOME_FATAL, "config_range", "%s: %s = %.80s is outside %s", entry->where,
                   entry->name, entry->text, range);
}

enum outcome config_parse_value(struct entry *entry, struct err *err)
{
    const struct setting *s = entry->setting;
    char wanted[200];
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_SECRET:
        return OUTCOME_OK;
    case SETTING_BOOL:
        return parse_bool(entry->text, &entry->number) ? OUTCOME_OK
                                                       : bad(entry, err, "true or false");
    case SETTING_CHOICE:
        snprintf(wanted, sizeof wanted, "one of %s", s->choices);
        return is_choice(s->choices, entry->text) ? OUTCOME_OK : bad(entry, err, wanted);
    case SETTING_INT:
        return parse_int(entry->text, &entry->number) ? check_range(entry, err)
                                                      : bad(entry, err, "a whole number");
    case SETTING_BYTES:
        return parse_with_unit(entry->text, byte_units, true, &entry->number)
                   ? check_range(entry, err)
                   : bad(entry, err, "a size such as 1000, 512kB or 64MB");
    case SETTING_DURATION:
        return parse_duration(entry->text, &entry->number)
                   ? check_range(entry, err)
                   : bad(entry, err, "a duration such as 250ms, 30s, 5m, 2h, 7d or PT30S");
    }
    abort();
}
