"""Words of producers: how they are read, from docs/figures.md (Opt-outs) and docs/producers/README.md (Channels)."""

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


def fold(word):
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
