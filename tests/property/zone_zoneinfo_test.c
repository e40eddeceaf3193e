/* zone_zoneinfo_test.c: every zone of this host's time zone database against the standard library
 * of Python, an independent implementation; zone_zoneinfo.py asks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/map.h"
#include "common/base/pack.h"
#include "common/base/tzif.h"
#include "tests/support/random.h"

#define FOLDER "/usr/share/zoneinfo"

struct party {
    struct arena arena;
    struct map zones; /* from the hash of a name to its zone */
    size_t answers;
};

static struct span read_bytes(struct arena *arena, const char *path)
{
    struct strbuf bytes = {.arena = arena};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    size_t n;
    do {
        strbuf_reserve(&bytes, 4096);
        n = fread(bytes.ptr + bytes.len, 1, 4096, file);
        bytes.len += n;
    } while (n > 0);
    fclose(file);
    return strbuf_span(&bytes);
}

static const struct zone *zone_of(struct party *party, const char *name)
{
    struct err err = {0};
    struct id key = hash128(span_of(name));
    bool is_new;
    struct zone *zone = map_put(&party->zones, &key, &is_new);
    if (is_new) {
        const char *path = arena_printf(&party->arena, FOLDER "/%s", name);
        if (tzif_read(&party->arena, read_bytes(&party->arena, path), zone, &err) != OUTCOME_OK)
            fail_msg("%s: %s", name, err.message);
    }
    return zone;
}

static struct instant at(long long seconds)
{
    return (struct instant){seconds * US_PER_SECOND};
}

static long long seconds_of(struct instant t)
{
    return (long long)(t.us / US_PER_SECOND);
}

static void check(const char *line, long long ours, long long theirs)
{
    if (ours != theirs)
        fail_msg("we say %lld: %s", ours, line);
}

static void answer(struct party *party, const char *line)
{
    char what[16], name[64];
    long long a, b, c;
    int n = sscanf(line, "%15s %63s %lld %lld %lld", what, name, &a, &b, &c);
    const struct zone *zone = zone_of(party, n >= 4 ? name : "UTC");
    if (n == 4 && strcmp(what, "offset") == 0)
        check(line, zone_offset(zone, at(a)), b);
    else if (n == 4 && strcmp(what, "midnight") == 0)
        check(line, seconds_of(zone_midnight(zone, (int32_t)a)), b);
    else if (n == 5 && strcmp(what, "next") == 0)
        check(line, seconds_of(zone_next(zone, at(a), (int32_t)b)), c);
    else
        fail_msg("no answer: %s", line);
    party->answers++;
}

static void every_zone_equals_the_standard_library(void **state)
{
    struct random random = random_from_environment();
    struct party party = {0};
    char command[128], line[256];
    map_init(&party.zones, &party.arena, sizeof(struct id), sizeof(struct zone));
    snprintf(command, sizeof command, ".venv/bin/python tests/property/zone_zoneinfo.py %llu",
             (unsigned long long)(random.state % 1000000007));
    FILE *answers = popen(command, "r"); // NOLINT(cert-env33-c)
    assert_non_null(answers);
    while (fgets(line, sizeof line, answers))
        answer(&party, line);
    assert_int_equal(pclose(answers), 0);
    printf("%zu answers about %zu names\n", party.answers, party.zones.count);
    assert_true(party.answers > 100000 && party.zones.count > 300);
    arena_free(&party.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_equals_the_standard_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
