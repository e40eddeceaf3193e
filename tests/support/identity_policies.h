/* identity_policies.h: the identity policies of tests: the shipped one, or any text. */
#ifndef TUTTI_TESTS_IDENTITY_POLICIES_H
#define TUTTI_TESTS_IDENTITY_POLICIES_H

#include <stdio.h>
#include <stdlib.h>

#include "services/identity-resolver/policy/identity_policy.h"

/* policies/<file>; ends the program with the error if it cannot be read. */
static inline struct identity_policy identity_shipped_policy(struct arena *arena, const char *file)
{
    struct identity_policy policy;
    struct err err = {0};
    const char *path = arena_printf(arena, "%s/policies/%s", TUTTI_SOURCE_DIR, file);
    if (identity_policy_read(arena, path, &policy, &err) != OUTCOME_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return policy;
}

/* A policy as text, named identity.json in errors. */
static inline enum outcome identity_policy_of(struct arena *arena, const char *text,
                                              struct identity_policy *out, struct err *err)
{
    return identity_policy_parse(arena, span_of(text), "identity.json", out, err);
}

#endif
