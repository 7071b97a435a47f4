"""People's names as files write them: read into one form, and compared in any usual order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words that begin a family name rather than end a given one ("Anna von Massenbach").
PARTICLES = frozenset(
    [
        "al",
        "bin",
        "da",
        "dal",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "dos",
        "du",
        "el",
        "ibn",
        "la",
        "le",
        "lo",
        "mac",
        "san",
        "st",
        "ten",
        "ter",
        "van",
        "von",
        "vom",
        "zu",
        "zum",
        "zur",
    ]
)
# Letters that carry no accent which could be taken off, and are written this way in plain letters.
PLAIN = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "Œ": "Oe",
        "ı": "i",
        "þ": "th",
        "ð": "d",
    }
)
# Names in these letters are written with the family name first, whoever writes them.
# What stands behind a name after a comma and is no name.
SUFFIXES = frozenset(
    [
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "phd",
        "ph d",
        "md",
        "m d",
        "mba",
        "esq",
        "cpa",
        "dds",
        "rn",
        "pe",
        "msc",
        "bsc",
    ]
)
FAMILY_FIRST = re.compile(r"^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u3005 ]+$")
WITHIN_WORD = re.compile("['’`´]")
NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Name:
    """A name in its two parts, with single spaces. Either part may be empty."""

    given: str
    family: str

    @property
    def shown(self) -> str:
        """The name as people say it: "Brandon R LeBlanc", "山田 太郎"."""
        parts = (self.given, self.family)
        return " ".join(parts[::-1] if FAMILY_FIRST.match("".join(parts)) else parts).strip()

    @property
    def sorted_by(self) -> str:
        """The name as lists are sorted: "LeBlanc, Brandon R"."""
        return f"{self.family}, {self.given}" if self.given and self.family else self.shown


def tidy(text: str) -> str:
    """`text` with every run of white space as one space and none at its ends."""
    return " ".join(text.split())


def parse_name(text: str, *, family_first: bool = False) -> Name:
    """Read "Last, First M", "Last,First" or "First M. Last".

    Where no comma says, the last word is the family name, or with `family_first` the first one, as it
    is in Chinese, Japanese and Korean letters.
    """
    text, suffix = _without_suffix(tidy(text))
    if suffix:
        name = parse_name(text, family_first=family_first)
        return Name(name.given, f"{name.family} {suffix}")
    if "," in text:
        family, _comma, given = text.partition(",")
        return Name(tidy(given), tidy(family))
    words = text.split()
    if len(words) < 2:
        return Name("", text)
    if family_first or FAMILY_FIRST.match(text):
        end = 1
        while end < len(words) - 1 and words[end - 1].casefold() in PARTICLES:
            end += 1
        return Name(" ".join(words[end:]), " ".join(words[:end]))
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in PARTICLES:
        start -= 1
    return Name(" ".join(words[:start]), " ".join(words[start:]))


def _without_suffix(text: str) -> tuple[str, str]:
    """A name without what is appended to it after a comma, and that: "Ann Ash" and "PhD"."""
    name, _comma, last = text.rpartition(",")
    is_suffix = bool(name.strip()) and NO_WORD.sub(" ", plain(last)).strip() in SUFFIXES
    return (name.strip(), last.strip()) if is_suffix else (text, "")


def is_open(text: str) -> bool:
    """Whether only the order of the file tells which of its words are the family name: "Henry James"."""
    text, _suffix = _without_suffix(tidy(text))
    return "," not in text and len(text.split()) > 1 and not FAMILY_FIRST.match(tidy(text))


def plain(text: str) -> str:
    """`text` without accents and case, so that two spellings of one name are equal."""
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words_of(text: str) -> list[str]:
    """The letters-only words of a name: hyphens part words, dots and apostrophes vanish.

    A name in Chinese, Japanese or Korean letters is one word, because its parts are often not parted.
    """
    if FAMILY_FIRST.match(text):
        return [plain("".join(text.split()))] if text.strip() else []
    return NO_WORD.sub(" ", WITHIN_WORD.sub("", plain(text))).split()


def key_of(text: str) -> str:
    """What two spellings of one name have in common: its words in order of the alphabet, initials left out.

    "LeBlanc, Brandon  R" and "Brandon R. LeBlanc" have the same key; empty for a name without a word.
    """
    words = words_of(text)
    return " ".join(sorted(w for w in words if len(w) > 1) or sorted(words))


def initials_of(text: str) -> frozenset[str]:
    """The single letters in a name."""
    return frozenset(w for w in words_of(text) if len(w) == 1)


def may_be_same(one: str, other: str) -> bool:
    """Whether two names of the same key can be one person: their initials, if both have any, must meet."""
    mine, theirs = initials_of(one), initials_of(other)
    return not mine or not theirs or bool(mine & theirs)


def same_order(one: str, other: str) -> bool:
    """Whether given and family name are the same way round in both ("Henry James" is not "James Henry")."""
    a, b = parse_name(one), parse_name(other)
    return key_of(a.family) == key_of(b.family) and key_of(a.given) == key_of(b.given)


def pick(wanted: str, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Narrow `found` (reference, name) pairs of the key of `wanted` down to those that can be meant.

    One left is the person; several have to be settled by hand; none means that the name is unknown.
    """
    left = [pair for pair in found if may_be_same(wanted, pair[1])]
    if len(left) > 1:
        ordered = [pair for pair in left if same_order(wanted, pair[1])]
        left = ordered or left
    if len(left) > 1 and initials_of(wanted):
        exact = [pair for pair in left if initials_of(pair[1]) == initials_of(wanted)]
        left = exact or left
    return left


def closest(wanted: str, names: Iterable[tuple[str, str]], limit: int = 5) -> list[tuple[str, str]]:
    """The `limit` (reference, name) pairs whose names are written most like `wanted`, the likest first."""
    key = key_of(wanted)
    scored = [(SequenceMatcher(None, key, key_of(name)).ratio(), ref, name) for ref, name in names]
    scored.sort(key=lambda s: (-s[0], s[2], s[1]))
    return [(ref, name) for score, ref, name in scored[:limit] if score >= 0.5]


PATTERNS = ("first.last", "flast", "first_last", "firstlast", "first", "last.first")


def address(name: Name, pattern: str, domain: str, taken: set[str]) -> str:
    """An e-mail address built from a name by one of PATTERNS; numbered from 2 on if somebody has it already.

    Empty if the name has no letter that an address can carry.
    """
    first = "".join(c for c in "".join(words_of(name.given)[:1]) if c.isascii() and c.isalnum())
    last = "".join(c for c in "".join(words_of(name.family)) if c.isascii() and c.isalnum())
    if not first or not last:
        local = first or last
    else:
        local = {
            "first.last": f"{first}.{last}",
            "flast": f"{first[0]}{last}",
            "first_last": f"{first}_{last}",
            "firstlast": f"{first}{last}",
            "first": first,
            "last.first": f"{last}.{first}",
        }[pattern]
    if not local:
        return ""
    local = local[:60]
    number, found = 2, f"{local}@{domain}"
    while found in taken:
        found, number = f"{local}{number}@{domain}", number + 1
    return found
