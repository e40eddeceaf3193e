"""Who is who: identifiers, anchors, evidence, and the profiles that follow from the set of evidence."""

import fnmatch
import hashlib
import itertools
import re
import unicodedata

from letters import ASCII_LOWER, domain_name, folded, in_ranges, is_blank, is_nothing, trimmed, without_nothing
from policy import duration
from words import CHANNELS, fold

HEX_DIGEST = re.compile(r"[0-9A-Fa-f]{32,128}")
SHA256_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
MAX_VALUE = 512  # bytes
ASCII_SPACE = " \t\n\v\f\r"
STRENGTHS = ("manual", "exact", "strong", "weak")
STRONGEST = 8  # of a touchpoint: they are linked with each other


def email_address(text):
    name, at, domain = without_nothing(text).rpartition("@")
    return folded(name) + at + domain_name(domain) if at else folded(domain)


def phone_character(character):
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Pd" or character in "\u2043\u2212\u30fc\uff70":
        return "-"
    if is_blank(character):
        return " "
    if is_nothing(character):
        return ""
    return chr(ord(character) - 0xFEE0) if in_ranges(character, (0xFF01, 0xFF5E)) else character


def phone_text(text):
    """What people copy, in the characters of a keyboard and without tel: in front."""
    text = "".join(map(phone_character, text)).strip(ASCII_SPACE)
    while text[:4].lower() == "tel:":
        text = text[4:].strip(ASCII_SPACE)
    return text


FOLDED = {"email": email_address, "phone": phone_text}


def phone_number(text, calling_code):
    """E.164 of what people write, or None where it cannot be one."""
    is_international = re.match(r"[ ()\-./]*\+", text)
    if is_international:
        text = text[is_international.end() :]
    digits = re.sub(r"[ ()\-./]", "", text.replace("(0)", ""))
    if not is_international:
        abroad = "00|011" if calling_code == "1" else "00"
        if found := re.match(abroad, digits):
            digits = digits[found.end() :]
        elif calling_code == "1" and len(digits) == 11 and digits.startswith("1"):
            pass  # its trunk prefix looks like the calling code
        else:
            digits = calling_code + digits.removeprefix("0")
    if not re.fullmatch(r"[0-9]{7,15}", digits):
        return None
    return "+" + digits


class Identifiers:
    """Turns the raw identifiers of a touchpoint into (type, identifier_id) pairs."""

    def __init__(self, policy, key):
        self.policy, self.key = policy, key
        self.types = {entry["type"]: entry for entry in policy["types"]}
        blocked = policy.get("blocked", {})
        self.blocked = {value.translate(ASCII_LOWER) for value in blocked.get("values", [])}
        self.blocked_of = {
            kind: {self.fold(kind, value).translate(ASCII_LOWER) for value in values}
            for kind, values in blocked.get("types", {}).items()
        }
        self.patterns = [(entry.get("type"), re.compile(entry["pattern"], re.DOTALL)) for entry in blocked.get("patterns", [])]
        self.cache = {}

    def is_blocked(self, kind, value):
        bare = value.translate(ASCII_LOWER)
        while len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "'\"":
            bare = bare[1:-1].strip(ASCII_SPACE)
        if bare == "" or bare in self.blocked or bare in self.blocked_of.get(kind, ()):
            return True
        return any(only in (None, kind) and pattern.search(bare) for only, pattern in self.patterns)

    def normalise(self, kind, value, encoding="none"):
        """The canonical form (where digests must meet clear values, the digest), or None where it is blocked or unusable."""
        value = self.fold(kind, value).strip(ASCII_SPACE)
        if len(value.encode()) > MAX_VALUE or self.is_blocked(kind, value):
            return None
        if encoding != "none" and HEX_DIGEST.fullmatch(value):
            return value.translate(ASCII_LOWER)
        is_hashed, rule = bool(self.types[kind].get("match_hashed")), self.types[kind].get("normalise")
        if (is_hashed or rule == "email") and SHA256_DIGEST.fullmatch(value):
            return value.translate(ASCII_LOWER)
        clear = self.clear_form(rule, value)
        return hashlib.sha256(clear.encode()).hexdigest() if is_hashed and clear is not None else clear

    def fold(self, kind, value):
        """The value with the letters, blanks and digits that its type understands."""
        value = unicodedata.normalize("NFC", value)
        rule = self.types[kind].get("normalise")
        return FOLDED[rule](value) if rule in FOLDED else trimmed(value)

    def clear_form(self, rule, value):
        if rule == "email":
            name, _, domain = value.rpartition("@")
            if not name or not domain:
                return None
            return self.gmail(value) if self.policy.get("gmail_dots_and_plus") else value
        if rule == "phone":
            return phone_number(value, self.policy["default_calling_code"])
        return value

    @staticmethod
    def gmail(value):
        name, at, host = value.partition("@")
        if at and host in ("gmail.com", "googlemail.com"):
            folded = name.split("+")[0].replace(".", "")
            return folded + "@" + host if folded else value
        return value

    def is_scoped(self, kind):
        return self.types.get(kind, {}).get("scope") == "source"

    def identifier_id(self, kind, value, encoding="none", source=""):
        """BLAKE2b-128 keyed with the identity key of (type, 0x00, canonical value); None if not an identifier.

        Of a scoped type the source, 0x00 stands before the value."""
        scope = source or "" if self.is_scoped(kind) else None
        known = (kind, value, encoding, scope)
        if known not in self.cache:
            parts = self.parts(*known)
            message = parts and "\0".join(parts).encode()
            self.cache[known] = message and hashlib.blake2b(message, digest_size=16, key=self.key).digest()
        return self.cache[known]

    def parts(self, kind, value, encoding, scope):
        """What is hashed."""
        normal = self.normalise(kind, value, encoding) if kind in self.types and scope != "" else None
        if normal is None:
            return None
        return (kind, normal) if scope is None else (kind, scope, normal)

    def of(self, raw):
        """The identifiers of a touchpoint, {identifier_id: type}: those of linking types, or else the anchor alone."""
        found = {}
        former = [("user_id", raw["previous_id"], "none")] if self.may_alias(raw) and self.is_unique("user_id") else []
        for kind, value, encoding in [*raw_identifiers(raw), *former]:
            kind = self.type_of(kind)
            identifier = self.identifier_id(kind, value, encoding, raw.get("source"))
            if identifier is not None:
                found[identifier] = kind
        linking = {identifier: kind for identifier, kind in found.items() if self.types[kind].get("links", True)}
        if linking or not found:
            return linking
        anchor = self.anchor(found)
        return {anchor: found[anchor]}

    def is_unique(self, kind):
        return bool(self.types.get(kind, {}).get("unique"))

    def may_alias(self, raw):
        """Whether what the touchpoint says of a former id is believed: by its source, and its topic where that is known."""
        return names_former(raw) and any(
            entry["source"] == raw.get("source") and fnmatch.fnmatchcase(raw.get("topic", ""), entry.get("topic", "*"))
            for entry in self.policy.get("may_alias", [])
        )

    def aliases(self, raw, found):
        """Pairs of values of one unique type that the touchpoint says are one."""
        if not self.may_alias(raw):
            return []
        return [
            pair_of(one, two)
            for one, two in itertools.combinations(found, 2)
            if found[one] == found[two] and self.is_unique(found[one])
        ]

    def type_of(self, sent):
        """The policy's name of a type in any spelling; another text if it has none."""
        folded = fold(sent)
        named = [kind for kind in self.types if sent == kind] or [kind for kind in self.types if fold(kind) == folded]
        return min(named, key=lambda kind: self.types[kind]["rank"], default=CHANNELS.get(folded, sent))

    def anchor(self, found):
        """The strongest identifier; of several of one type the smallest id."""
        return min(found, key=lambda identifier: (self.types[found[identifier]]["rank"], identifier), default=None)


def names_former(raw):
    return raw.get("type") in ("alias", "merge") and bool(raw.get("previous_id"))


def raw_identifiers(raw):
    for field in ("user_id", "anonymous_id", "session_id"):
        if raw.get(field) is not None:
            yield field, raw[field], "none"
    device = raw.get("device") or {}
    if device.get("id") is not None:
        yield "device_id", device["id"], "none"
    if names_former(raw):
        yield "anonymous_id", raw["previous_id"], "none"
    for entry in raw.get("identifiers") or []:
        if fold(entry.get("collection") or "") in ("", "users"):
            yield entry["type"], entry["value"], entry.get("encoding") or "none"


class Rules:
    """What the identity policy says about links and profiles."""

    def __init__(self, policy):
        self.types = {entry["type"]: entry for entry in policy["types"]}
        self.max_identifiers = policy.get("max_identifiers", 100)
        self.max_degree = policy.get("max_degree", 1000)
        self.pairs = {frozenset(entry["types"]): entry for entry in policy.get("pairs", [])}
        self.windows = {}
        for kind, entry in self.types.items():
            if "window" in entry.get("limit", {}):
                self.windows[kind] = duration(entry["limit"]["window"])

    def counted(self, kinds):
        """How many of them count towards max_identifiers and max_degree."""
        return sum(self.types[kind].get("counts", True) for kind in kinds)

    def rank(self, kind):
        return self.types[kind]["rank"]

    def is_unique(self, kind):
        return bool(self.types[kind].get("unique"))

    def limit(self, kind):
        """(how many of this type, within how many microseconds), either may be None."""
        return self.types[kind].get("limit", {}).get("count"), self.windows.get(kind)

    def max_links(self, kind):
        return self.types[kind].get("max_links", {})

    def may_link(self, one, two):
        return self.pairs.get(frozenset((one, two)), {}).get("links", True)

    def strength(self, one, two):
        return STRENGTHS.index(self.pairs.get(frozenset((one, two)), {}).get("strength", "exact"))


def pair_of(one, two):
    return (min(one, two), max(one, two))


def link_hash(pair):
    return hashlib.blake2b(pair[0] + pair[1], digest_size=16).digest()


class IdentityMap:
    """All evidence; `resolve` gives today's profile of each identifier, who is quarantined, and what refused a link.

    Orders are what an operator asked for, oldest first: ("link", a, b), ("same", a, b), ("cut", a, b) or ("release", a)."""

    def __init__(self, policy):
        self.rules = Rules(policy)
        self.kinds, self.first_seen = {}, {}
        self.links = {}  # pair -> (is_indirect, occurred_at, event_id) of the touchpoint that shows it best
        self.orders = []
        self.aliases = set()  # pairs that a trusted source said are one value
        self.profile, self.quarantined, self.refused_by = {}, set(), {}

    # ------------------------------------------------------------------------------------------------ evidence

    def see(self, found, anchor, occurred_at, event_id):
        for identifier, kind in found.items():
            self.see_identifier(identifier, kind, occurred_at)
            if identifier != anchor:
                self.see_link(anchor, identifier, occurred_at, event_id)
        strongest = sorted(found, key=lambda identifier: (self.rules.rank(found[identifier]), identifier))[:STRONGEST]
        for one, two in itertools.combinations(strongest, 2):
            if anchor not in (one, two):
                self.see_link(one, two, occurred_at, event_id, is_indirect=True)

    def see_identifier(self, identifier, kind, occurred_at):
        self.kinds[identifier] = kind
        self.first_seen[identifier] = min(occurred_at, self.first_seen.get(identifier, occurred_at))

    def see_link(self, one, two, occurred_at, event_id, is_indirect=False):
        pair, seen = pair_of(one, two), (is_indirect, occurred_at, event_id)
        self.links[pair] = min(seen, self.links.get(pair, seen))

    def see_alias(self, one, two):
        self.aliases.add(pair_of(one, two))

    def order(self, kind, *identifiers):
        self.orders.append((kind, *identifiers))

    def is_unique(self, identifier):
        return self.rules.is_unique(self.kinds[identifier])

    def is_shared(self, profile):
        """Whether a profile is that of a quarantined identifier, which is alone in it."""
        return profile in self.quarantined

    # ------------------------------------------------------------------------------------------------ the rules

    def resolve(self):
        """Takes the links one by one in their order, and names each profile after its oldest member."""
        self.read_orders()
        self.quarantined = self.find_quarantined()
        self.cluster = {identifier: {identifier} for identifier in self.kinds}
        self.refused_by = {}
        for pair in sorted({*self.links, *self.manual}, key=self.place):
            self.refused_by[pair] = self.refusal(pair)
            if self.refused_by[pair] is None:
                self.unite(*pair)
        for members in {id(members): members for members in self.cluster.values()}.values():
            oldest = min(members, key=lambda identifier: (self.first_seen[identifier], identifier))
            self.profile.update(dict.fromkeys(members, oldest))
        return self.profile

    def read_orders(self):
        """Of the links and cuts of a pair the newest counts; a release stays. What is the same is linked, and one value."""
        newest = {pair_of(*order[1:]): order[0] for order in self.orders if order[0] != "release"}
        known = {pair: kind for pair, kind in newest.items() if pair[0] in self.kinds and pair[1] in self.kinds}
        self.manual = {pair for pair, kind in known.items() if kind != "cut"}
        self.one_value = self.aliases | {pair for pair, kind in known.items() if kind == "same"}
        self.cut_from = {}  # identifier -> those it is never in one profile with
        for (one, two), kind in known.items():
            if kind == "cut":
                self.cut_from.setdefault(one, set()).add(two)
                self.cut_from.setdefault(two, set()).add(one)
        self.released = {order[1] for order in self.orders if order[0] == "release"}

    def find_quarantined(self):
        """Degrees count observed links only, whatever becomes of them."""
        neighbours = {identifier: [] for identifier in self.kinds}
        for one, two in self.links:
            neighbours[one].append(two)
            neighbours[two].append(one)
        return {
            identifier
            for identifier, others in neighbours.items()
            if identifier not in self.released and self.has_too_many(identifier, others)
        }

    def has_too_many(self, identifier, neighbours):
        if self.rules.counted(self.kinds[other] for other in neighbours) > self.rules.max_degree:
            return True
        return any(
            sum(self.kinds[other] == kind for other in neighbours) > most
            for kind, most in self.rules.max_links(self.kinds[identifier]).items()
        )

    def place(self, pair):
        """Manual links first, then direct ones by strength and age, then indirect ones; equal ones by their ranks, then by hash."""
        kinds = [self.kinds[identifier] for identifier in pair]
        tie = (sorted(map(self.rules.rank, kinds)), link_hash(pair))
        if pair in self.manual:
            return (0, 0, 0, *tie)
        is_indirect, occurred_at, _ = self.links[pair]
        return (1 + is_indirect, self.rules.strength(*kinds), occurred_at, *tie)

    def refusal(self, pair):
        """The first rule that refuses the link, None if it is accepted."""
        one, two = pair
        if pair not in self.manual and not self.rules.may_link(self.kinds[one], self.kinds[two]):
            return "pair"
        if one in self.quarantined or two in self.quarantined:
            return "quarantine"
        if self.cluster[one] is self.cluster[two]:
            return None
        if self.is_cut(self.cluster[one], self.cluster[two]):
            return "cut"
        united = self.cluster[one] | self.cluster[two]
        if self.breaks_unique(united):
            return "unique"
        if self.breaks_limit(united, pair):
            return "limit"
        if self.rules.counted(self.kinds[identifier] for identifier in united) > self.rules.max_identifiers:
            return "max_identifiers"
        return None

    def is_cut(self, one, two):
        return any(not two.isdisjoint(self.cut_from.get(identifier, ())) for identifier in one)

    def breaks_unique(self, members):
        """Two values of a unique type that no chain of aliases among the members makes one."""
        by_kind = {}
        for identifier in members:
            if self.is_unique(identifier):
                by_kind.setdefault(self.kinds[identifier], set()).add(identifier)
        return any(len(values) > 1 and not self.are_one(values) for values in by_kind.values())

    def are_one(self, values):
        reached, open_ = set(), [min(values)]
        while open_:
            one = open_.pop()
            reached.add(one)
            open_ += [two for two in values - reached if pair_of(one, two) in self.one_value]
        return reached == values

    def breaks_limit(self, members, pair):
        """With a window, only members first seen within it before the link count, and for a manual link none."""
        for kind in {self.kinds[identifier] for identifier in members}:
            count, window = self.rules.limit(kind)
            if count is None or (window is not None and pair in self.manual):
                continue
            seen = [self.first_seen[identifier] for identifier in members if self.kinds[identifier] == kind]
            if window is not None:
                _, at, _ = self.links[pair]
                seen = [time for time in seen if at - window < time <= at]
            if len(seen) > count:
                return True
        return False

    def unite(self, one, two):
        if self.cluster[one] is self.cluster[two]:
            return
        small, large = sorted((self.cluster[one], self.cluster[two]), key=len)
        large |= small
        for identifier in small:
            self.cluster[identifier] = large
