/* generator_people.c: who the made-up people are: their identifiers, who logs in when, whose device
 * it is. */
#include "data/generator_internal.h"

void text_begin(struct texts *texts)
{
    texts->start = texts->len;
}

void text_add(struct texts *texts, struct span s)
{
    size_t room = sizeof texts->bytes - texts->len, len = s.len < room ? s.len : room;
    memcpy(texts->bytes + texts->len, s.ptr, len);
    texts->len += len;
}

void text_number(struct texts *texts, uint64_t v, int width)
{
    char digits[24], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + v % 10);
        v /= 10;
        width--;
    } while (v || width > 0);
    text_add(texts, (struct span){at, (size_t)(digits + sizeof digits - at)});
}

/* 16 digits. */
static void add_hex(struct texts *texts, uint64_t v)
{
    char digits[16];
    for (int i = 15; i >= 0; i--, v >>= 4)
        digits[i] = "0123456789abcdef"[v & 15];
    text_add(texts, (struct span){digits, sizeof digits});
}

struct span text_end(struct texts *texts)
{
    return (struct span){texts->bytes + texts->start, texts->len - texts->start};
}

struct span text_event_id(struct texts *texts, const struct touchpoint *t)
{
    struct id id;
    char uuid[37];
    touchpoint_event_id(t->source, t->message_id, &id);
    id_to_uuid(&id, uuid);
    text_begin(texts);
    text_add(texts, (struct span){uuid, 36});
    return text_end(texts);
}

double person_weight(const struct generator *g, uint32_t number)
{
    struct random r = random_of(g->options.seed, STREAM_WEIGHT, number);
    return exp(1.5 * random_normal(&r));
}

struct person person_of(const struct generator *g, uint32_t number)
{
    struct random r = random_of(g->options.seed, STREAM_PERSON, number);
    double draw = random_unit(&r);
    struct person person = {.number = number, .known_from = INT64_MIN, .device_of = number};
    if (draw < g->profile->joins) {
        person.knowledge = PERSON_JOINS;
        person.known_from =
            g->options.epoch.us + (int64_t)((0.1 + 0.8 * random_unit(&r)) * (double)g->span_us);
    } else if (draw < g->profile->joins + g->profile->anonymous) {
        person.knowledge = PERSON_ANONYMOUS;
        person.known_from = INT64_MAX;
    }
    struct random pair = random_of(g->options.seed, STREAM_PERSON, UINT64_C(1) << 40 | number / 2);
    if (random_chance(&pair, g->profile->shares_device))
        person.device_of = number & ~UINT32_C(1);
    return person;
}

static void add_token(const struct generator *g, struct texts *texts, uint32_t number,
                      enum id_kind kind)
{
    struct random r = random_of(g->options.seed, STREAM_TOKEN, (uint64_t)number * 16 + kind);
    add_hex(texts, random_next(&r));
}

static struct span id_text(const struct generator *g, struct texts *texts,
                           const struct person *person, enum id_kind kind)
{
    text_begin(texts);
    switch (kind) {
    case ID_USER:
        text_add(texts, SPAN("u"));
        text_number(texts, person->number, 8);
        break;
    case ID_EMAIL:
        text_add(texts, SPAN("customer"));
        text_number(texts, person->number, 1);
        text_add(texts, SPAN("@example.com"));
        break;
    case ID_PHONE:
        text_add(texts, SPAN("+1"));
        text_number(texts, UINT64_C(2012000000) + person->number, 10);
        break;
    case ID_LOYALTY:
        text_add(texts, SPAN("L"));
        text_number(texts, person->number, 9);
        break;
    case ID_EXTERNAL:
        text_add(texts, SPAN("crm-"));
        text_number(texts, person->number, 1);
        break;
    case ID_DEVICE:
        add_token(g, texts, person->device_of, kind);
        break;
    case ID_COOKIE:
    case ID_SECOND_COOKIE:
        add_token(g, texts, person->number, kind);
        break;
    }
    return text_end(texts);
}

static struct span kind_name(enum id_kind kind)
{
    static const char *const names[] = {"user_id",     "email",     "phone",        "loyalty_id",
                                        "external_id", "device_id", "anonymous_id", "anonymous_id"};
    return span_of(names[kind]);
}

/* Where the schema has it: user_id and cookies in their own fields, the others into identifiers. */
static void put_id(const struct generator *g, struct texts *texts, const struct person *person,
                   enum id_kind kind, struct touchpoint *t)
{
    struct span text = id_text(g, texts, person, kind);
    if (kind == ID_USER)
        t->user_id = text;
    else if (kind == ID_COOKIE || kind == ID_SECOND_COOKIE)
        t->anonymous_id = text;
    else
        t->identifiers[t->identifier_count++] =
            (struct touchpoint_identifier){kind_name(kind), text, SPAN("none"), SPAN("users")};
}

/* What a channel knows of a person: an identifier of its own, and how often a second one comes with
 * it. */
static const struct {
    const char *channel;
    enum id_kind own, other;
    double other_share; /* of the touchpoints after log-in */
} knows[] = {
    {"web", ID_COOKIE, ID_USER, 0.85},   {"ads", ID_COOKIE, ID_USER, 0.10},
    {"app", ID_DEVICE, ID_USER, 0.90},   {"email", ID_EMAIL, ID_USER, 0.65},
    {"sms", ID_PHONE, ID_USER, 0.65},    {"call_center", ID_PHONE, ID_USER, 0.75},
    {"pos", ID_LOYALTY, ID_EMAIL, 0.50}, {"direct_mail", ID_EXTERNAL, ID_LOYALTY, 0.60},
    {"crm", ID_EXTERNAL, ID_USER, 0.90},
};

void person_identify(const struct generator *g, struct texts *texts, const struct person *person,
                     struct random *r, struct touchpoint *t)
{
    size_t channel = 0;
    while (channel + 1 < sizeof knows / sizeof *knows &&
           !span_is(t->channel, knows[channel].channel))
        channel++;
    enum id_kind own = knows[channel].own;
    bool known = t->occurred_at >= person->known_from, second_device = random_chance(r, 0.2);
    if (own == ID_COOKIE && second_device && known && person->knowledge == PERSON_KNOWN)
        own = ID_SECOND_COOKIE;
    put_id(g, texts, person, own, t);
    if (known && g->profile->knows_user)
        put_id(g, texts, person, ID_USER, t);
    else if (known && (random_chance(r, knows[channel].other_share) || t->consent.ptr))
        put_id(g, texts, person, knows[channel].other, t);
}

size_t generator_identifiers(const struct generator *g, struct arena *arena, uint32_t number,
                             struct touchpoint_identifier list[GENERATOR_IDENTIFIERS])
{
    struct person person = person_of(g, number);
    struct texts texts = {.len = 0};
    size_t count = 0;
    for (int kind = ID_USER; kind <= ID_SECOND_COOKIE; kind++) {
        bool of_everyone = kind == ID_DEVICE || kind == ID_COOKIE;
        bool of_known = person.knowledge == PERSON_KNOWN ||
                        (person.knowledge == PERSON_JOINS && kind != ID_SECOND_COOKIE);
        if (of_everyone || of_known)
            list[count++] = (struct touchpoint_identifier){
                kind_name((enum id_kind)kind),
                arena_copy(arena, id_text(g, &texts, &person, (enum id_kind)kind)), SPAN("none"),
                SPAN("users")};
    }
    return count;
}
