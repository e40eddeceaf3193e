/* addresses.c: which addresses a request relies on, and the facts of one address. */
#include "services/suppression/logic/addresses.h"

#include <stdlib.h>

#include "common/base/pack.h"

enum { KEY_SIZE = 8 };

bool address_channels_have(struct span channels, struct span channel)
{
    struct span word;
    while (next_word(&channels, ' ', &word))
        if (span_equal(word, channel))
            return true;
    return false;
}

static int64_t key_at(struct span keys, size_t i)
{
    struct unpack u = unpack_of((struct span){keys.ptr + i * KEY_SIZE, KEY_SIZE});
    return (int64_t)unpack_be64(&u);
}

static bool keys_have(struct span keys, int64_t key)
{
    for (size_t i = 0; i < keys.len / KEY_SIZE; i++)
        if (key_at(keys, i) == key)
            return true;
    return false;
}

bool contact_names(const struct contact_fact *fact, int64_t address)
{
    return fact->anchor == address || keys_have(fact->others, address);
}

bool contact_has_address(const struct contact_fact *fact, int64_t address)
{
    return keys_have(fact->addresses, address);
}

bool addresses_named_by(const struct address_book *book, struct span channel,
                        const struct contact_fact *fact)
{
    for (size_t i = 0; book && i < book->known_count; i++)
        if (address_channels_have(book->known[i].channels, channel) &&
            contact_names(fact, id_short(&book->known[i].address_id)))
            return true;
    return false;
}

static int asked_compare(const void *a, const void *b)
{
    const struct asked_address *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return instant_compare(x->known_since, y->known_since);
}

/* Each once, with the earliest time. */
static void sort_asked(struct asked_addresses *asked)
{
    size_t kept = 0;
    if (asked->count > 1)
        qsort(asked->items, asked->count, sizeof *asked->items, asked_compare);
    for (size_t i = 0; i < asked->count; i++)
        if (kept == 0 || asked->items[kept - 1].address != asked->items[i].address)
            asked->items[kept++] = asked->items[i];
    asked->count = kept;
}

static struct asked_addresses known_addresses(const struct address_book *book, struct span channel,
                                              struct arena *arena)
{
    size_t room = book ? book->known_count : 0;
    struct asked_addresses known = {arena_array(arena, struct asked_address, room), 0, false};
    for (size_t i = 0; i < room; i++)
        if (address_channels_have(book->known[i].channels, channel))
            known.items[known.count++] = (struct asked_address){
                id_short(&book->known[i].address_id), book->known[i].first_at};
    sort_asked(&known);
    return known;
}

static struct instant known_since(const struct asked_addresses *known, int64_t address)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].address == address)
            return known->items[i].known_since;
    return INSTANT_NEVER;
}

struct asked_addresses addresses_asked(const struct address_book *book,
                                       const struct contact_fact *request, struct arena *arena)
{
    struct asked_addresses known = known_addresses(book, request->channel, arena);
    size_t count = request->addresses.len / KEY_SIZE;
    if (count == 0)
        return known;
    struct asked_addresses named = {arena_array(arena, struct asked_address, count), count, true};
    for (size_t i = 0; i < count; i++) {
        int64_t address = key_at(request->addresses, i);
        named.items[i] = (struct asked_address){address, known_since(&known, address)};
    }
    sort_asked(&named);
    return named;
}

static int words_compare(const void *key, const void *element)
{
    int64_t address = *(const int64_t *)key,
            other = ((const struct address_words *)element)->address;
    return (address > other) - (address < other);
}

static const struct address_words *words_of(const struct address_book *book, int64_t address)
{
    return book && book->word_count ? bsearch(&address, book->words, book->word_count,
                                              sizeof *book->words, words_compare)
                                    : NULL;
}

static int fact_compare(const void *a, const void *b)
{
    return contact_fact_order(*(const struct contact_fact *const *)a,
                              *(const struct contact_fact *const *)b);
}

static size_t drop_repeats(const struct contact_fact **facts, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !contact_is_repeat(facts[i], facts[kept - 1]))
            facts[kept++] = facts[i];
    return kept;
}

struct address_facts addresses_gather(const struct ledger *ledger, int64_t address,
                                      address_wants_fn *wants, const void *arg, struct arena *arena)
{
    const struct address_words *words = words_of(ledger->addresses, address);
    size_t count = 0, said = words ? words->count : 0;
    const struct contact_fact **items =
        arena_array(arena, const struct contact_fact *, ledger->fact_count + said);
    for (size_t i = 0; i < ledger->fact_count; i++)
        if (!contact_is_copy(ledger->facts[i]) && wants(ledger->facts[i], arg))
            items[count++] = ledger->facts[i];
    for (size_t i = 0; i < said; i++)
        items[count++] = words->facts[i];
    if (count > 1)
        qsort(items, count, sizeof *items, fact_compare);
    return (struct address_facts){items, drop_repeats(items, count)};
}
