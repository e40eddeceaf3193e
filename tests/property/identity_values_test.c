/* identity_values_test.c: the canonical forms of values must be what the oracle, which shares no
 * code with it, finds in Python's tables of Unicode.
 *
 * Without arguments it runs tests/oracle/identity_values.py, which calls this program again:
 *   --values  reads one [type, value, encoding] per line of standard input, and writes the form, or
 *             null where the value is not usable */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/policy/identity_fold.h"
#include "tests/support/identity_policies.h"

enum { SKIPPED = 77 };

static void die(const char *what)
{
    fprintf(stderr, "identity_values_test: %s\n", what);
    exit(1);
}

static struct span text_at(const json_t *row, size_t i)
{
    const json_t *text = json_array_get(row, i);
    if (!json_is_string(text))
        die("expected three texts");
    return (struct span){json_string_value(text), json_string_length(text)};
}

static json_t *answer(const struct identity_policy *policy, struct arena *arena, const json_t *row)
{
    const struct identity_type *type = identity_find_type(policy, text_at(row, 0));
    struct identity_value value;
    if (!identity_normalise(policy, type, identity_fold(arena, type, text_at(row, 1)),
                            !span_is(text_at(row, 2), "none"), arena, &value))
        return json_null();
    struct span form = identity_canonical(&value, arena);
    return json_stringn(form.ptr, form.len);
}

static int answer_all(void)
{
    struct arena arena = {0}, own = {0};
    struct identity_policy policy = identity_shipped_policy(&own, "identity.json");
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        json_t *row = json_loads(line, 0, NULL), *form = answer(&policy, &arena, row);
        if (form == NULL || json_dumpf(form, stdout, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) < 0)
            die("cannot write");
        putchar('\n');
        json_decref(form);
        json_decref(row);
        arena_reset(&arena);
    }
    free(line);
    arena_free(&arena);
    arena_free(&own);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--values") == 0)
        return answer_all();
    const char *python = TUTTI_SOURCE_DIR "/.venv/bin/python";
    if (access(python, X_OK) != 0) {
        fprintf(stderr, "skipped: %s is not there, run dev/setup\n", python);
        return SKIPPED;
    }
    execl(python, python, TUTTI_SOURCE_DIR "/tests/oracle/identity_values.py", argv[0],
          (char *)NULL);
    die("cannot start Python");
}
