/* consent.c: the words of consent maps, what they say together, and which opt-outs a part of the
 * facts would lose. */
#include "services/suppression/logic/consent.h"

/* -------------------------------------------------------------------------------------------------
 * the stored text */

static bool is_plain(char c, bool is_clean)
{
    unsigned char byte = (unsigned char)c;
    return byte > ' ' && byte != '%' && byte != 0x7f && (byte < 0x80 || is_clean);
}

void consent_write(struct strbuf *out, struct span word, bool value)
{
    bool is_clean = span_is_clean_utf8(word);
    strbuf_addf(out, "%s%c", out->len ? " " : "", value ? '+' : '-');
    for (size_t i = 0; i < word.len; i++)
        if (is_plain(word.ptr[i], is_clean))
            pack_byte(out, (uint8_t)word.ptr[i]);
        else
            strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)word.ptr[i]);
}

/* Takes the next word, still with its %XX, and whether it is a yes. False at the end. */
static bool next_consent(struct span *rest, struct span *word, bool *value)
{
    if (!next_word(rest, ' ', word))
        return false;
    *value = *word->ptr == '+';
    *word = (struct span){word->ptr + 1, word->len - 1};
    return true;
}

bool consent_opts_out(struct span consent)
{
    struct span word;
    for (bool value; next_consent(&consent, &word, &value);)
        if (!value)
            return true;
    return false;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : 0;
}

/* SPAN_NONE if it is too long for any list. */
static struct span as_sent(struct span stored, char *buffer, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < stored.len; i++) {
        bool is_escape = stored.ptr[i] == '%' && i + 2 < stored.len;
        if (len == size)
            return SPAN_NONE;
        buffer[len++] =
            is_escape ? (char)(hex_digit(stored.ptr[i + 1]) * 16 + hex_digit(stored.ptr[i + 2]))
                      : stored.ptr[i];
        i += is_escape ? 2 : 0;
    }
    return (struct span){buffer, len};
}

/* -------------------------------------------------------------------------------------------------
 * what a word means */

/* The keys of one word. `one` and `buffer` hold what is not in the policy. */
struct meaning {
    struct span word; /* folded */
    const struct consent_key *keys;
    size_t count;
    struct consent_key one;
    char buffer[WORD_MAX];
};

static void means_one(struct meaning *out, enum consent_about about, struct span name)
{
    out->one = consent_key_of(about, name);
    out->keys = &out->one;
    out->count = 1;
}

static bool starts_with(struct span text, struct span prefix)
{
    return text.len > prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

/* "tips@sms" after the prefix. False: the channel is not known. */
static bool means_part(const struct contact_policy *policy, enum consent_about about,
                       struct span rest, struct meaning *out)
{
    const char *at = memchr(rest.ptr, '@', rest.len);
    struct span name = {rest.ptr, at ? (size_t)(at - rest.ptr) : rest.len}, channel = SPAN_NONE;
    if (at && !policy_channel(policy, (struct span){at + 1, rest.len - name.len - 1}, &channel))
        return false;
    means_one(out, about, name);
    out->one.channel = channel;
    return true;
}

/* Said with its prefix, a purpose or topic is one also where no rule names it. */
static bool is_purpose_or_topic(const struct contact_policy *policy, struct span folded,
                                struct meaning *out)
{
    const struct {
        struct span prefix;
        enum consent_about about;
        bool is_asked;
        const struct contact_names *names;
    } parts[] = {{SPAN("purpose:"), CONSENT_PURPOSE, policy->asks_purposes, &policy->purposes},
                 {SPAN("topic:"), CONSENT_TOPIC, policy->asks_topics, &policy->topics}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct span prefix = parts[i].prefix;
        if (starts_with(folded, prefix))
            return parts[i].is_asked &&
                   means_part(policy, parts[i].about,
                              (struct span){folded.ptr + prefix.len, folded.len - prefix.len}, out);
        if (names_contain(parts[i].names, folded))
            return means_part(policy, parts[i].about, folded, out);
    }
    return false;
}

/* A channel, everything, a class, a purpose, a topic, then what the policy says of the word. */
static void look_up(const struct contact_policy *policy, struct span sent, struct meaning *out)
{
    struct span folded = word_fold(sent, out->buffer), channel;
    const struct contact_class *class;
    const struct consent_meaning *mapped;
    out->word = folded;
    if (policy_channel(policy, folded, &channel))
        means_one(out, CONSENT_CHANNEL, channel);
    else if (word_is_all(folded))
        means_one(out, CONSENT_ALL, SPAN("all"));
    else if ((class = policy_class_named(policy, folded)) != NULL)
        means_one(out, CONSENT_CLASS, class->name);
    else if (is_purpose_or_topic(policy, folded, out))
        return;
    else if ((mapped = meaning_find(&policy->words, folded)) != NULL) {
        out->keys = mapped->keys;
        out->count = mapped->count;
    } else
        means_one(out, CONSENT_UNDEFINED, folded);
}

static void word_means(const struct contact_policy *policy, struct span stored, struct meaning *out)
{
    char sent[4 * WORD_MAX];
    look_up(policy, as_sent(stored, sent, sizeof sent), out);
}

/* What an `Unsubscribed` on this channel leaves. */
static void channel_means(const struct contact_policy *policy, struct span sent,
                          struct meaning *out)
{
    struct span channel;
    if (!policy_channel(policy, sent, &channel)) {
        look_up(policy, sent, out);
        return;
    }
    struct consent_meaning mapped = policy_unsubscribe_from(policy, channel);
    out->keys = mapped.keys;
    out->count = mapped.count;
    if (mapped.count == 0)
        means_one(out, CONSENT_CHANNEL, channel);
}

/* Leaving a topic or a purpose is not leaving the channel. */
static bool is_narrower(const struct meaning *meaning)
{
    return starts_with(meaning->word, SPAN("topic:")) ||
           starts_with(meaning->word, SPAN("purpose:"));
}

/* -------------------------------------------------------------------------------------------------
 * what one fact says */

struct words {
    bool no, yes;
};

struct said {
    struct words own, all;
    bool is_unconfirmed; /* a yes of the customer that the policy does not take for one */
};

static bool key_equal(struct consent_key a, struct consent_key b)
{
    return a.about == b.about && (a.about == CONSENT_ALL || span_equal(a.name, b.name)) &&
           span_equal(a.channel, b.channel);
}

static bool is_part(struct consent_key key)
{
    return key.about == CONSENT_PURPOSE || key.about == CONSENT_TOPIC;
}

/* A word that is wider than the key: everything, or a topic on all channels. Purposes and topics
 * are not channels: a word for all channels is not about them. */
static bool is_wider(struct consent_key word, struct consent_key key)
{
    if (!is_part(key))
        return word.about == CONSENT_ALL;
    return word.about == key.about && word.channel.len == 0 && key.channel.len > 0 &&
           span_equal(word.name, key.name);
}

static void add_word(struct said *said, const struct meaning *meaning, struct consent_key key,
                     bool value)
{
    for (size_t i = 0; i < meaning->count; i++) {
        bool is_all = is_wider(meaning->keys[i], key);
        if (!is_all && !key_equal(meaning->keys[i], key))
            continue;
        struct words *words = is_all ? &said->all : &said->own;
        words->yes = words->yes || value;
        words->no = words->no || !value;
    }
}

static void add_unsubscribed(const struct contact_policy *policy, const struct contact_fact *fact,
                             struct consent_key key, struct said *said)
{
    struct meaning meaning;
    bool speaks = said->own.no || said->own.yes;
    channel_means(policy, fact->channel, &meaning);
    for (size_t i = 0; i < meaning.count; i++)
        if (is_wider(meaning.keys[i], key))
            said->all.no = true;
        else if (!speaks && key_equal(meaning.keys[i], key))
            said->own.no = true;
}

/* A no is stronger than a yes, and the word for the key itself is stronger than that for
 * everything. The yes of a copy is another person's, and so is what it excepts from a no. */
static struct said weigh(const struct contact_fact *fact, struct said said)
{
    bool may_opt_in = !contact_is_copy(fact);
    if (said.own.no || said.own.yes)
        said.all = (struct words){false, false};
    said.own.yes = said.own.yes && !said.own.no && may_opt_in;
    said.all.yes = said.all.yes && !said.all.no && may_opt_in;
    return said;
}

/* The yes to a channel, or to everything where a channel is asked about, goes by what the policy
 * says of that channel, any other by what it says of the channel that it came from. */
static bool is_confirmed(const struct contact_policy *policy, const struct contact_fact *fact,
                         struct consent_key key)
{
    struct span from;
    policy_channel(policy, fact->channel, &from);
    const struct consent_proof *proof =
        &policy_consent(policy, key.about == CONSENT_CHANNEL ? key.name : from)->confirmed_by;
    if (!proof->is_wanted || instant_compare(fact->at, proof->since) < 0)
        return true;
    return (proof->sources.count == 0 || names_contain(&proof->sources, fact->source)) &&
           (proof->events.count == 0 || names_contain(&proof->events, fact->event)) &&
           (proof->channels.count == 0 || names_contain(&proof->channels, from));
}

/* A yes that does not count is as if it had not been said: it excepts nothing from a no. That of an
 * outbound touchpoint is the company's, that of a bot nobody's. */
static void drop_yes(const struct contact_policy *policy, const struct contact_fact *fact,
                     struct consent_key key, struct said *said)
{
    bool is_own = !(fact->flags & (CONTACT_IS_NOT_SAID | CONTACT_IS_COPY));
    if (!(said->own.yes || said->all.yes) || contact_is_copy(fact) ||
        (is_own && is_confirmed(policy, fact, key)))
        return;
    said->is_unconfirmed = is_own;
    said->own.yes = said->all.yes = false;
}

static struct said said_by(const struct contact_policy *policy, const struct contact_fact *fact,
                           struct consent_key key)
{
    struct said said = {{false, false}, {false, false}, false};
    struct span rest = fact->consent, word;
    bool is_narrowed = false;
    for (bool value; next_consent(&rest, &word, &value);) {
        struct meaning meaning;
        word_means(policy, word, &meaning);
        add_word(&said, &meaning, key, value);
        is_narrowed = is_narrowed || (!value && is_narrower(&meaning));
    }
    drop_yes(policy, fact, key, &said);
    if (event_is(fact->event, EVENT_UNSUBSCRIBED) && !is_narrowed)
        add_unsubscribed(policy, fact, key, &said);
    return weigh(fact, said);
}

/* -------------------------------------------------------------------------------------------------
 * what all facts say */

/* The newest fact of each word. A yes counts from when it was received, if that is earlier. */
struct newest {
    const struct contact_fact *no, *yes, *all_no, *all_yes, *center_yes, *unconfirmed;
};

static const struct contact_fact *later_yes(const struct contact_fact *a,
                                            const struct contact_fact *b)
{
    bool is_later = a && b && instant_compare(contact_frees_at(b), contact_frees_at(a)) < 0;
    return b == NULL || is_later ? a : b;
}

static void note(struct newest *newest, const struct contact_fact *fact, struct said said,
                 bool is_center)
{
    newest->no = said.own.no ? fact : newest->no;
    newest->yes = later_yes(newest->yes, said.own.yes ? fact : NULL);
    newest->all_no = said.all.no ? fact : newest->all_no;
    newest->all_yes = later_yes(newest->all_yes, said.all.yes ? fact : NULL);
    newest->unconfirmed = later_yes(newest->unconfirmed, said.is_unconfirmed ? fact : NULL);
    newest->center_yes = later_yes(newest->center_yes, said.all.yes && is_center ? fact : NULL);
}

static struct newest newest_of(const struct contact_policy *policy,
                               const struct contact_fact *const *facts, size_t count,
                               struct consent_key key)
{
    struct newest newest = {0};
    for (size_t i = 0; i < count; i++) {
        const struct contact_fact *fact = facts[i];
        if (fact->consent.len == 0 && !event_is(fact->event, EVENT_UNSUBSCRIBED))
            continue;
        note(&newest, fact, said_by(policy, fact, key),
             names_contain(&policy->preference_center, fact->event));
    }
    return newest;
}

static bool is_after(const struct contact_fact *yes, const struct contact_fact *no)
{
    return yes && instant_compare(contact_frees_at(yes), no->at) > 0;
}

struct consent_answer consent_ask(const struct contact_policy *policy,
                                  const struct contact_fact *const *facts, size_t count,
                                  struct consent_key key)
{
    struct newest n = newest_of(policy, facts, count, key);
    bool is_for_all = key.about != CONSENT_CLASS; /* "all" is about channels */
    bool is_left = n.no && !is_after(n.yes, n.no);
    if (is_left && (is_part(key) || !is_after(n.center_yes, n.no)))
        return (struct consent_answer){CONSENT_OUT, n.no,
                                       is_after(n.all_yes, n.no) ? n.all_yes : NULL, n.unconfirmed};
    if (is_for_all && n.all_no && !is_after(n.yes, n.all_no) && !is_after(n.all_yes, n.all_no))
        return (struct consent_answer){CONSENT_OUT, n.all_no, NULL, n.unconfirmed};
    const struct contact_fact *yes = later_yes(is_for_all ? n.all_yes : NULL, n.yes);
    return (struct consent_answer){yes ? CONSENT_IN : CONSENT_SILENT, yes, NULL, n.unconfirmed};
}

/* -------------------------------------------------------------------------------------------------
 * words without a meaning */

static size_t tell(const struct meaning *meaning, consent_told_fn *told, void *arg)
{
    if (meaning->count != 1 || meaning->keys->about != CONSENT_UNDEFINED)
        return 0;
    if (told)
        told(arg, meaning->keys->name);
    return 1;
}

size_t consent_undefined(const struct contact_policy *policy, const struct contact_fact *fact,
                         consent_told_fn *told, void *arg)
{
    size_t count = 0;
    struct meaning meaning;
    struct span rest = fact->consent, word;
    for (bool value; next_consent(&rest, &word, &value);) {
        word_means(policy, word, &meaning);
        count += tell(&meaning, told, arg);
    }
    if (!event_is(fact->event, EVENT_UNSUBSCRIBED))
        return count;
    channel_means(policy, fact->channel, &meaning);
    return count + tell(&meaning, told, arg);
}

/* -------------------------------------------------------------------------------------------------
 * what a part would lose */

static void add_keys(struct opt_outs *list, const struct meaning *meaning, struct arena *arena)
{
    for (size_t i = 0; i < meaning->count; i++) {
        struct consent_key key = meaning->keys[i];
        bool is_known = key.about == CONSENT_ALL || key.name.len == 0;
        for (size_t k = 0; k < list->count && !is_known; k++)
            is_known = key_equal(list->items[k].key, key);
        if (is_known)
            continue;
        key.name = arena_copy(arena, key.name);
        key.channel = arena_copy(arena, key.channel);
        *arena_push(arena, list) = (struct opt_out){key, NULL};
    }
}

/* Without their facts. */
static struct opt_outs named_keys(const struct contact_policy *policy,
                                  const struct contact_fact *const *facts, size_t count,
                                  struct arena *arena)
{
    struct opt_outs list = {0};
    struct meaning meaning;
    for (size_t i = 0; i < count; i++) {
        struct span rest = facts[i]->consent, word;
        for (bool value; next_consent(&rest, &word, &value);) {
            word_means(policy, word, &meaning);
            add_keys(&list, &meaning, arena);
        }
        if (!event_is(facts[i]->event, EVENT_UNSUBSCRIBED))
            continue;
        channel_means(policy, facts[i]->channel, &meaning);
        add_keys(&list, &meaning, arena);
    }
    *arena_push(arena, &list) = (struct opt_out){consent_key_of(CONSENT_ALL, SPAN("all")), NULL};
    return list;
}

struct opt_outs consent_opt_outs(const struct contact_policy *policy,
                                 const struct contact_fact *const *facts, size_t count,
                                 struct arena *arena)
{
    struct opt_outs list = named_keys(policy, facts, count, arena);
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct consent_key key = list.items[i].key;
        struct consent_answer answer = consent_ask(policy, facts, count, key);
        if (answer.word == CONSENT_OUT)
            list.items[kept++] = (struct opt_out){key, answer.fact};
    }
    list.count = kept;
    return list;
}

bool consent_is_lost(const struct contact_policy *policy, const struct opt_out *opt_out,
                     const struct contact_fact *const *part, size_t count)
{
    return consent_ask(policy, part, count, opt_out->key).word != CONSENT_OUT;
}
