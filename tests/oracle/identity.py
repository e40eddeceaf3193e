"""Who is who: identifiers, anchors, links and the profiles that follow from the set of links."""

import hashlib
import re
import unicodedata

HEX_DIGEST = re.compile(r"[0-9A-Fa-f]{32,128}")
ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
MAX_VALUE = 512  # bytes
ASCII_SPACE = " \t\n\v\f\r"


def phone_number(text, calling_code):
    """E.164 of what people write, or None where it cannot be one."""
    digits = re.sub(r"[ ()\-./]", "", text.removeprefix("+"))
    if not text.startswith("+"):
        if digits.startswith("00"):
            digits = digits[2:]
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
        self.patterns = [(entry.get("type"), re.compile(entry["pattern"])) for entry in blocked.get("patterns", [])]
        self.cache = {}

    def is_blocked(self, kind, value):
        bare = value.translate(ASCII_LOWER)
        while len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "'\"":
            bare = bare[1:-1].strip(ASCII_SPACE)
        if bare == "" or bare in self.blocked:
            return True
        return any(only in (None, kind) and pattern.search(bare) for only, pattern in self.patterns)

    def normalise(self, kind, value, encoding="none"):
        """The normalised value, or None where it is blocked or unusable."""
        value = unicodedata.normalize("NFC", value.strip(ASCII_SPACE))
        if len(value.encode()) > MAX_VALUE or self.is_blocked(kind, value):
            return None
        if encoding != "none" and HEX_DIGEST.fullmatch(value):
            return value.translate(ASCII_LOWER)
        rule = self.types[kind].get("normalise")
        if rule == "email":
            value = value.translate(ASCII_LOWER)
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

    def identifier_id(self, kind, value, encoding="none"):
        """BLAKE2b-128 keyed with the identity key of (type, 0x00, normalised value); None if not an identifier."""
        known = (kind, value, encoding)
        if known not in self.cache:
            normal = self.normalise(kind, value, encoding) if kind in self.types else None
            message = None if normal is None else kind.encode() + b"\0" + normal.encode()
            self.cache[known] = message and hashlib.blake2b(message, digest_size=16, key=self.key).digest()
        return self.cache[known]

    def of(self, raw):
        """The identifiers of a touchpoint, {identifier_id: type}: those of linking types, or else the anchor alone."""
        found = {}
        for kind, value, encoding in raw_identifiers(raw):
            identifier = self.identifier_id(kind, value, encoding)
            if identifier is not None:
                found[identifier] = kind
        linking = {identifier: kind for identifier, kind in found.items() if self.types[kind].get("links", True)}
        if linking or not found:
            return linking
        anchor = self.anchor(found)
        return {anchor: found[anchor]}

    def anchor(self, found):
        """The strongest identifier; of several of one type the smallest id."""
        return min(found, key=lambda identifier: (self.types[found[identifier]]["rank"], identifier), default=None)


def raw_identifiers(raw):
    for field in ("user_id", "anonymous_id", "session_id"):
        if raw.get(field) is not None:
            yield field, raw[field], "none"
    device = raw.get("device") or {}
    if device.get("id") is not None:
        yield "device_id", device["id"], "none"
    if raw.get("type") == "alias" and raw.get("previous_id") is not None:
        yield "anonymous_id", raw["previous_id"], "none"
    for entry in raw.get("identifiers") or []:
        if (entry.get("collection") or "users") == "users":
            yield entry["type"], entry["value"], entry.get("encoding") or "none"


class IdentityMap:
    """Every identifier and link seen; `resolve` gives today's profile of each identifier."""

    def __init__(self, identifiers):
        self.identifiers = identifiers
        self.kinds, self.first_seen, self.links = {}, {}, {}
        self.profile = {}

    def see(self, found, anchor, occurred_at):
        for identifier, kind in found.items():
            self.kinds[identifier] = kind
            self.first_seen[identifier] = min(occurred_at, self.first_seen.get(identifier, occurred_at))
            if identifier != anchor:
                pair = (min(anchor, identifier), max(anchor, identifier))
                self.links[pair] = min(occurred_at, self.links.get(pair, occurred_at))

    def resolve(self):
        """Accepts the links one by one, oldest first, and names each component after its oldest member."""
        group = {identifier: {identifier} for identifier in self.kinds}
        for pair in sorted(self.links, key=lambda pair: (self.links[pair], link_hash(pair))):
            one, two = group[pair[0]], group[pair[1]]
            if one is two or not self.may_unite(one, two):
                continue
            if len(one) < len(two):
                one, two = two, one
            one |= two
            for identifier in two:
                group[identifier] = one
        for members in {id(members): members for members in group.values()}.values():
            oldest = min(members, key=lambda identifier: (self.first_seen[identifier], identifier))
            self.profile.update(dict.fromkeys(members, oldest))
        return self.profile

    def may_unite(self, one, two):
        limit = self.identifiers.policy.get("max_identifiers")
        if limit and len(one) + len(two) > limit:
            return False
        kinds = [self.kinds[identifier] for identifier in (*one, *two) if self.is_unique(identifier)]
        return len(kinds) == len(set(kinds))

    def is_unique(self, identifier):
        return bool(self.identifiers.types[self.kinds[identifier]].get("unique"))


def link_hash(pair):
    return hashlib.blake2b(pair[0] + pair[1], digest_size=16).digest()
