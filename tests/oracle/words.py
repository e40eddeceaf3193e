"""Words of producers: how they are read, from docs/figures.md (Opt-outs) and docs/producers/README.md (Channels)."""

import functools

OTHER_WORDS = {
    "web": ["website", "web site"],
    "app": ["mobile app"],
    "email": ["e-mail", "emails", "e-mails", "electronic mail"],
    "sms": ["text", "texts", "text message", "text messages"],
    "push": ["push notification", "push notifications", "mobile push", "web push"],
    "pos": ["point of sale"],
    "call_center": ["call centre", "callcenter", "callcentre", "call", "calls", "phone", "phone call", "phone calls", "telephone"],
    "crm": [],
    "chat": ["live chat"],
    "ads": [],
    "direct_mail": ["directmail", "post", "postal", "postal mail", "letter", "letters"],
    "search": [],
    "comparison_site": [],
    "social": ["social media"],
    "iot": [],
    "other": [],
    "branch": [],
}
ALL = {"all", "*", "all_channels"}
LEAVE_ALL = ("web", "crm", "pos", "branch", "search", "comparison_site", "iot", "other")


# blanks and hyphens that people paste, and what nobody sees
BLANKS = {0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
HYPHENS = {*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63}
UNSEEN = {0xAD, 0x034F, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF}
LOOKALIKES = {
    **dict.fromkeys(BLANKS, " "),
    **dict.fromkeys(HYPHENS, "-"),
    **dict.fromkeys(UNSEEN, None),
    **{point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)},
}


@functools.cache
def fold(word):
    word = word.translate(LOOKALIKES)
    return "".join("_" if c == "-" or c in " \t\n\v\f\r" else c.lower() if c.isascii() else c for c in word.strip(" \t\n\v\f\r"))


CHANNELS = {fold(word): channel for channel, others in OTHER_WORDS.items() for word in [channel, *others]}


class Words:
    """What words mean under a contact policy."""

    def __init__(self, policy):
        self.channels = {**{fold(name): fold(name) for name in policy.get("channels", [])}, **CHANNELS}
        self.classes = {fold(name): name for name in policy.get("classes", {})}
        self.mapped = {fold(word): as_list(means) for word, means in policy.get("consent_words", {}).items()}
        self.leaves = {"app": ["push"], **dict.fromkeys(LEAVE_ALL, ["all"])}
        self.leaves |= {self.channel(name): as_list(means) for name, means in policy.get("unsubscribe_from", {}).items()}

    def channel(self, word):
        """Its name, None for a channel that is neither built in nor declared."""
        return self.channels.get(fold(word))

    def reported(self, channel, event):
        """The channel that a report of delivery is about; None: its event does not say."""
        own = self.channel(channel) or channel
        if own != "app" and own not in LEAVE_ALL:
            return own
        words = event.split(" ")
        starts = (self.channel(" ".join(words[:n])) for n in range(1, len(words)))
        return next((one for one in starts if one), None)

    def meanings(self, word):
        """Of a word of a consent map: a set of ("channel", name), ("class", name), "all"."""
        word = fold(word)
        if word in self.channels:
            return {("channel", self.channels[word])}
        if word in ALL:
            return {"all"}
        if word in self.classes:
            return {("class", self.classes[word])}
        return set().union(*(self.meanings(target) for target in self.mapped.get(word, [])))

    def unsubscribed(self, channel):
        """What `Unsubscribed` on the channel leaves."""
        name = self.channel(channel)
        return set().union(*(self.meanings(target) for target in self.leaves.get(name, [name or channel])))


def as_list(value):
    return value if isinstance(value, list) else [value]
