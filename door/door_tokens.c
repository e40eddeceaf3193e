/* door_tokens.c: see door_tokens.h. */
#include "door/door_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/digest.h"
#include "common/runtime/private_file.h"

#define SETTING "door.tokens.file"

enum { FIELDS = 4, ALLOWANCE_SECONDS = 2 };

static const struct {
    const char *name;
    unsigned right;
} rights[] = {{"decide", RIGHT_DECIDE},
              {"peek", RIGHT_PEEK},
              {"claim", RIGHT_CLAIM},
              {"profile", RIGHT_PROFILE}};

static bool is_listed(struct span list, struct span item)
{
    if (span_is(list, "*"))
        return true;
    while (list.len)
        if (span_equal(span_trim(span_take(&list, ',')), item))
            return true;
    return false;
}

static bool read_hash(struct span text, uint8_t hash[32])
{
    if (text.len != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        char pair[3] = {text.ptr[2 * i], text.ptr[2 * i + 1], '\0'}, *end;
        hash[i] = (uint8_t)strtoul(pair, &end, 16);
        if (*end != '\0' || pair[0] == '-' || pair[0] == '+' || pair[0] == ' ')
            return false;
    }
    return true;
}

static bool read_rights(struct span list, unsigned *out)
{
    if (span_is(list, "*")) {
        *out = RIGHT_ALL;
        return true;
    }
    while (list.len) {
        struct span word = span_trim(span_take(&list, ','));
        size_t i = 0, count = sizeof rights / sizeof *rights;
        while (i < count && !span_is(word, rights[i].name))
            i++;
        if (i == count)
            return false;
        *out |= rights[i].right;
    }
    return *out != 0;
}

static size_t split(struct span line, struct span fields[FIELDS + 1])
{
    size_t count = 0;
    for (line = span_trim(line); line.len && count <= FIELDS; line = span_trim(line)) {
        size_t n = 0;
        while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t')
            n++;
        fields[count++] = (struct span){line.ptr, n};
        line = (struct span){line.ptr + n, line.len - n};
    }
    return count;
}

static const char *read_line(struct door_tokens *tokens, struct span line)
{
    struct span fields[FIELDS + 1];
    struct door_token token = {0};
    if (split(line, fields) != FIELDS)
        return "expected four fields: hash, department, channels, rights";
    if (!read_hash(fields[0], token.hash))
        return "the first field is no SHA-256 in hexadecimal (sha256sum prints one)";
    if (!read_rights(fields[3], &token.rights))
        return "the rights are decide, peek, claim and profile, separated by commas, or *";
    token.department = arena_copy(&tokens->arena, fields[1]);
    token.channels = arena_copy(&tokens->arena, fields[2]);
    *arena_push(&tokens->arena, tokens) = token;
    return NULL;
}

static enum outcome read_lines(FILE *file, const char *path, struct door_tokens *tokens,
                               struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    const char *wrong = NULL;
    unsigned number = 0;
    while (wrong == NULL && (length = getline(&line, &room, file)) >= 0) {
        struct span text = span_trim((struct span){line, (size_t)length});
        number++;
        if (text.len && text.ptr[0] != '#')
            wrong = read_line(tokens, text);
    }
    free(line);
    return wrong ? err_set(err, OUTCOME_FATAL, "tokens_invalid", SETTING ": %s:%u: %s", path,
                           number, wrong)
                 : OUTCOME_OK;
}

enum outcome door_tokens_read(const char *path, struct door_tokens *out, struct err *err)
{
    FILE *file;
    struct door_tokens tokens = {0};
    CHECK(private_file_open(SETTING, path, &file, err));
    enum outcome outcome = read_lines(file, path, &tokens, err);
    fclose(file);
    if (outcome == OUTCOME_OK && tokens.count == 0)
        outcome = err_set(err, OUTCOME_FATAL, "tokens_invalid",
                          SETTING ": %s has no token: nobody could ask", path);
    if (outcome != OUTCOME_OK) {
        arena_free(&tokens.arena);
        return outcome;
    }
    door_tokens_free(out);
    *out = tokens;
    return OUTCOME_OK;
}

void door_tokens_free(struct door_tokens *tokens)
{
    arena_free(&tokens->arena);
    *tokens = (struct door_tokens){0};
}

struct door_token *door_tokens_find(struct door_tokens *tokens, const char *header)
{
    static const char scheme[] = "Bearer ";
    struct door_token *found = NULL;
    uint8_t hash[32];
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return NULL;
    digest_sha256(span_trim(span_of(header + sizeof scheme - 1)), hash);
    for (size_t i = 0; i < tokens->count; i++)
        if (digest_equal(tokens->items[i].hash, hash, sizeof hash))
            found = &tokens->items[i];
    return found;
}

bool door_token_may(const struct door_token *token, struct span department, struct span channel)
{
    return (span_is(token->department, "*") || span_equal(token->department, department)) &&
           is_listed(token->channels, channel);
}

bool door_token_take(struct door_token *token, double rate, int64_t now_us)
{
    double most = rate * ALLOWANCE_SECONDS;
    if (token->filled_us == 0)
        token->allowance = most;
    else
        token->allowance += rate * (double)(now_us - token->filled_us) / (double)US_PER_SECOND;
    token->filled_us = now_us;
    if (token->allowance > most)
        token->allowance = most;
    if (token->allowance < 1)
        return false;
    token->allowance -= 1;
    return true;
}
