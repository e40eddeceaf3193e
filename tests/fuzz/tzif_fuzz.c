/* tzif_fuzz.c: any bytes as a time zone file: what is accepted is a table in order, and what its
 * clock shows is found again. */
#include <stdlib.h>

#include "common/base/tzif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_at(const struct zone *zone, struct instant t)
{
    struct zone_time time = zone_time(zone, t);
    struct instant first, midnight = zone_midnight(zone, time.day),
                          next = zone_next(zone, t, time.second);
    must(time.second >= 0 && time.second < DAY_SECONDS);
    must(zone_instants(zone, time, &first) > 0 && first.us <= t.us);
    must(midnight.us <= t.us && zone_day(zone, midnight) >= time.day);
    must(next.us >= t.us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Where days are 32-bit numbers and nothing saturates. */
    const int64_t far = INT64_C(1000000) * US_PER_DAY;
    struct arena arena = {0};
    struct zone zone;
    if (tzif_read(&arena, (struct span){(const char *)data, size}, &zone, NULL) == OUTCOME_OK) {
        check_at(&zone, (struct instant){0});
        for (uint32_t i = 0; i < zone.count; i++) {
            must(i == 0 || zone.at[i].us >= zone.at[i - 1].us);
            must(zone.offset[i] != (i ? zone.offset[i - 1] : zone.first));
            if (zone.at[i].us > -far && zone.at[i].us < far)
                check_at(&zone, (struct instant){zone.at[i].us / US_PER_SECOND * US_PER_SECOND});
        }
    }
    arena_free(&arena);
    return 0;
}
