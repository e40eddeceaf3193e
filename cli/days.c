/* days.c: see days.h. */
#include "cli/days.h"

#include "cli/session.h"
#include "common/base/instant.h"

#include <string.h>

/* False and a message if the option is no day. */
static bool read_day(const struct call *call, const char *name, const char **day,
                     struct instant *begin)
{
    *day = call_option(call, name);
    if (*day == NULL ||
        (strlen(*day) == strlen("2017-12-31") && instant_parse(span_of(*day), begin)))
        return true;
    complain("--%s: expected a day such as 2017-12-31, got \"%.40s\"", name, *day);
    return false;
}

bool call_days(const struct call *call, const char **first, const char **last)
{
    struct instant begin, end;
    if (!read_day(call, "from", first, &begin) || !read_day(call, "to", last, &end))
        return false;
    if (*first && *last && begin.us > end.us) {
        complain("--from %s is after --to %s", *first, *last);
        return false;
    }
    return true;
}
