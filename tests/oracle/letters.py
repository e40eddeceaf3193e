"""What people mean by the letters and blanks of an address, and by the name of a host."""

import functools
import re
import unicodedata

ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def in_ranges(character, *ranges):
    return any(first <= ord(character) <= last for first, last in ranges)


def is_blank(character):
    """Unicode's separators, white space among the controls, and the empty Braille cell."""
    return unicodedata.category(character) in ("Zs", "Zl", "Zp") or character in "\t\n\v\f\r\x85\u2800"


def is_nothing(character):
    """Blanks, control and format characters, and letters and marks that are not seen: joiners, fillers, variants, tags."""
    unseen = ((0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164))
    unseen += ((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF))
    return is_blank(character) or unicodedata.category(character) in ("Cc", "Cf") or in_ranges(character, *unseen)


def without_nothing(text):
    return "".join(character for character in text if not is_nothing(character))


def trimmed(text):
    """Without white space, and blanks and invisible characters of Unicode, at both ends."""

    def is_edge(character):
        return character in " \t\n\v\f\r" or (not character.isascii() and is_nothing(character))

    while text and is_edge(text[0]):
        text = text[1:]
    while text and is_edge(text[-1]):
        text = text[:-1]
    return text


def folded(text):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def a_label(label):
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def domain_name(text):
    """Compatible letters are one; the sharp s and the final sigma are letters of their own."""
    text = without_nothing(unicodedata.normalize("NFKC", text)).replace("\u1e9e", "\u00df")
    text = "".join(one if one in "\u00df\u03c2" else one.casefold() for one in text)
    return ".".join(map(a_label, re.split("[.\u3002]", unicodedata.normalize("NFKC", text))))


@functools.cache
def host_name(text):
    """One form for all spellings of a host: lower case, ASCII, no dot at the end."""
    return domain_name(text).rstrip(".")
