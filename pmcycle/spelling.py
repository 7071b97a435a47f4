"""What is typed into a search field finds what is meant: without accents, apostrophes, case or the right ß.

One way for every search: `holding(typed, "name", "unit__name")` is the condition, `__holds`, `__begins` and
`__spelt` are its lookups. The database plains both sides, so that they cannot differ.
"""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Func, Lookup, Q, TextField

# Most text is ASCII, for which the short way will do. In all other, letters are parted from their marks (é is e and
# a mark), the marks go, those of Arabic and of direction too, and letters that have no parts are told one by one.
# Built of what PostgreSQL has, all of it immutable: no extension, and an index may hold it.
PLAIN = r"""(CASE WHEN octet_length({0}) = char_length({0}) THEN translate(lower({0}), '''`', '')
ELSE replace(replace(replace(replace(translate(lower(regexp_replace(normalize(translate({0},
'ẞ''`´’‘‛ʼʻ＇′', 'ß'), NFKD),
'[\u0300-\u036f\u0610-\u061c\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2066-\u2069]', '', 'g')),
'ıøłđħŧς', 'ioldhtσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th') END)"""

WORDS = 6
# How German and the Nordic languages write a letter that a keyboard lacks.
WRITTEN_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}


class Plain(Func):
    """A column as searches compare it, for an index."""

    arity = 1
    output_field = TextField()

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, Any]:
        sql, params = compiler.compile(self.source_expressions[0])
        return _plain(sql, params)


def _plain(sql: str, params: Any) -> tuple[str, list[Any]]:
    return PLAIN.format(sql), [*params] * PLAIN.count("{0}")


class _Plainly(Lookup[Any]):
    """Compares the plain forms of both sides, by the pattern of a subclass."""

    prepare_rhs = False
    pattern = ""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_params = _plain(*self.process_lhs(compiler, connection))
        right, right_params = self.process_rhs(compiler, connection)
        typed = [str(p).replace("\x00", "") for p in right_params]
        plain, plain_params = _plain(f"{right}::text", typed)
        return f"{left} {self.pattern.format(plain)}", [*left_params, *plain_params]


_LITERALLY = r"replace(replace(replace({0}, '\', '\\'), '%%', '\%%'), '_', '\_')"


@CharField.register_lookup
@TextField.register_lookup
class Holds(_Plainly):
    """The words stand somewhere in it."""

    lookup_name = "holds"
    pattern = f"LIKE '%%' || {_LITERALLY} || '%%'"


@CharField.register_lookup
@TextField.register_lookup
class Begins(_Plainly):
    """It begins with the words."""

    lookup_name = "begins"
    pattern = f"LIKE {_LITERALLY} || '%%'"


@CharField.register_lookup
@TextField.register_lookup
class Spelt(_Plainly):
    """It is the words, in some spelling."""

    lookup_name = "spelt"
    pattern = "= {0}"


def spellings(word: str) -> set[str]:
    """The word and how else it is written: Müller as Mueller, Joerg as Jorg, which also finds Jörg."""
    small = word.lower()
    out, back = small, small
    for letter, written in WRITTEN_OUT.items():
        out, back = out.replace(letter, written), back.replace(written, letter)
    return {word} | {other for other in (out, back) if other != small}


def holding(text: str, *fields: str) -> Q:
    """The condition that every word of `text` stands in one of the fields."""
    found = Q()
    for word in text.split()[:WORDS]:
        one = Q()
        for spelling in spellings(word):
            for name in fields:
                one |= Q(**{f"{name}__holds": spelling})
        found &= one
    return found


def holding_sql(column: str, text: str) -> tuple[str, dict[str, str]]:
    """The same condition for a statement written by hand, and its parameters by name."""
    found, given = [], dict[str, str]()
    for word in text.split()[:WORDS]:
        either = []
        for spelling in sorted(spellings(word)):
            name = f"word_{len(given)}"
            given[name] = spelling
            either.append(
                f"{PLAIN.format(column)} {Holds.pattern.format(PLAIN.format(f'%({name})s::text'))}"
            )
        found.append(f"({' OR '.join(either)})")
    return " AND ".join(found) or "true", given
