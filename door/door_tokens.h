/* door_tokens.h: who may ask: the tokens of door.tokens.file, and how often each was used lately.
 *
 * A line of the file is one token, its four fields separated by blanks:
 *
 *     <SHA-256 of the token, hexadecimal> <department> <channels> <rights>
 *
 * department is one name, or * for every one. channels and rights are lists with commas, or *.
 * Empty lines and lines that begin with # say nothing. */
#ifndef TUTTI_DOOR_TOKENS_H
#define TUTTI_DOOR_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/base/outcome.h"

enum door_right {
    RIGHT_DECIDE = 1,  /* ask for a contact, and read what became of it */
    RIGHT_PEEK = 2,    /* ask without an effect */
    RIGHT_PROFILE = 4, /* answers name the customer's profile */
    RIGHT_CLAIM = 8,   /* claim a grant, to act on it at once */
    RIGHT_ALL = 15,
};

struct door_token {
    uint8_t hash[32];
    struct span department, channels; /* as in the file */
    unsigned rights;
    double allowance; /* requests that it may make now */
    int64_t filled_us;
};

struct door_tokens {
    struct arena arena;
    struct door_token *items;
    size_t count, capacity;
};

/* FATAL "tokens_invalid" with the line and what is wrong, or as private_file_open: the file may not
 * be readable by everybody. *out is as it was after an error; else it is replaced. */
enum outcome door_tokens_read(const char *path, struct door_tokens *out, struct err *err);
void door_tokens_free(struct door_tokens *tokens);

/* The token of an Authorization header ("Bearer ..."); NULL: none of them. All are compared, each
 * in the same time. header may be NULL. */
struct door_token *door_tokens_find(struct door_tokens *tokens, const char *header);

bool door_token_may(const struct door_token *token, struct span department, struct span channel);
/* Takes one request from the allowance, which grows by `rate` in a second up to two seconds' worth;
 * false: there is none left. */
bool door_token_take(struct door_token *token, double rate, int64_t now_us);

#endif
