"""What an act would leave open or held, and that somebody goes on over it with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Window
from django.utils.translation import gettext as _

from pmcycle.access import show
from pmcycle.cycles import rules
from pmcycle.cycles.actions.work import link, stage_work
from pmcycle.cycles.models import Acceptance, Cycle, Participation, Stage, StageKind
from pmcycle.cycles.rules import Accepting, Leftover
from pmcycle.errors import Invalid, LeftBehind
from pmcycle.people.models import User


def leftover(
    code: str,
    sentence: Callable[[int], str],
    rows: QuerySet[Any, Any],
    *,
    reader: User | None,
    person: str = "",
    name: str = "",
    sort: str = "",
    url_name: str = "cycles:life_line",
    pk: str = "pk",
    refuses: bool = False,
    refuses_end: bool = False,
    only_at_end: bool = False,
    without_own: bool = False,
) -> list[Leftover]:
    """One kind of leftover, or none, from the rows that are left: one statement whatever their number.

    `person` is the lookup of the employee who is named ("participation__employee"), or `name` (and `sort`)
    that of a thing's name; `pk` that of the key in the address `url_name`. `sentence` takes the count and gives
    a sentence with %(n)d in it. A list of people is a look of the `reader` at each of them whom they are shown.
    `without_own`: nobody learns from it how they stand themselves.
    """
    if without_own and reader is not None and reader.employee_id is not None:
        rows = rows.exclude(**{person: reader.employee_id})
    shown, sort = (f"{person}__name", f"{person}__sort_name") if person else (name, sort or name)
    ordered = rows.order_by(sort, "pk")
    found = list(
        ordered.annotate(leftover_total=Window(Count("*"))).values_list(
            shown, pk, "pk", "leftover_total"
        )[: rules.NAMES]
    )
    if not found:
        return []

    def named(those: Iterable[tuple[Any, Any]]) -> rules.Names:
        return tuple((str(who), link(url_name, pk=key)) for who, key in those)

    def note(keys: Iterable[Any]) -> None:
        if reader is not None and person:
            show(reader, rows.model._default_manager.filter(pk__in=list(keys)))

    def read(first: int, last: int) -> rules.Names:
        those = list(ordered.values_list(shown, pk, "pk")[first:last])
        note(own for _who, _key, own in those)
        return named((who, key) for who, key, _own in those)

    count = found[0][3]
    return [
        Leftover(
            code,
            sentence(count) % {"n": count},
            count,
            named((who, key) for who, key, _own, _total in found),
            refuses,
            refuses_end,
            only_at_end,
            read=read,
            note=lambda: note(own for _who, _key, own, _total in found),
        )
    ]


def leftovers_of_stage(stage: Stage, reader: User | None) -> list[Leftover]:
    """What would be left behind if this stage ended now, in a fixed number of statements.

    Who reads it does not learn of their own rating before its release; the clock (None) counts all.
    """
    found = [one for leave in stage_work()[stage.kind].leaves for one in leave(stage.cycle, reader)]
    return _as_far_as_they_may_go(
        [one for one in found if not one.only_at_end], stage.cycle, reader
    )


def leftovers_of_cycle(cycle: Cycle, reader: User | None) -> list[Leftover]:
    """What would be left behind if the whole cycle ended now, that of stages which are closed included."""
    found = [
        one
        for work in stage_work().values()
        for leave in work.leaves
        for one in leave(cycle, reader)
    ]
    return _as_far_as_they_may_go(rules.at_the_end(found), cycle, reader)


def _as_far_as_they_may_go(
    found: list[Leftover], cycle: Cycle, reader: User | None
) -> list[Leftover]:
    """The same, where the reader's own name leads home: nobody has the way to exceptions of their own."""
    part = (
        cycle.participations.filter(employee=reader.employee_id).first()
        if reader and found
        else None
    )
    if part is None:
        return found
    own, home = link("cycles:life_line", pk=part.pk), link("home:index")

    def led(names: rules.Names) -> rules.Names:
        return tuple((name, home if url == own else url) for name, url in names)

    def reader_of(one: Leftover) -> rules.ReadNames:
        return lambda first, last: led(one.part(first, last))

    return [replace(one, names=led(one.names), read=reader_of(one)) for one in found]


def closed_to_what_is_left(cycle: Cycle) -> list[str]:
    """The names of running cycles that follow this one for some of its people, with objectives closed already."""
    later = Q(first_day__gt=cycle.first_day) | Q(first_day=cycle.first_day, pk__gt=cycle.pk)
    people = cycle.participations.filter(state=Participation.State.ACTIVE).values("employee")
    there = Participation.objects.filter(
        cycle=OuterRef("pk"), state=Participation.State.ACTIVE, employee__in=people
    )
    closed = Stage.objects.filter(
        cycle=OuterRef("pk"), kind=StageKind.OBJECTIVES, state=Stage.State.CLOSED
    )
    following = Cycle.objects.filter(
        later, Exists(there), Exists(closed), state=Cycle.State.RUNNING
    )
    return list(following.order_by("first_day", "pk").values_list("name", flat=True))


def accept_leftovers(
    cycle: Cycle,
    act: str,
    leftovers: Sequence[Leftover],
    accepted: Mapping[str, tuple[int, str]],
    *,
    by: User,
) -> list[dict[str, Any]]:
    """Go on over what is left, each kind with its reason; what of it stands in the event of the act.

    To be called by the act under the lock of what it judges, with the leftovers as they are then.
    Raises `LeftBehind` if one of them cannot be accepted, or is more than was read; `Invalid` on the field of
    a kind that has no reason. What `accepted` names beyond them is settled by now and passed over.
    """
    _refuse_what_refuses(leftovers)
    read = {code: Accepting(*what) for code, what in accepted.items()}
    grown = [
        _("%(title)s You had read %(read)d.") % {"title": one.title, "read": read[one.code].read}
        for one in leftovers
        if one.code in read and read[one.code].read < one.count
    ]
    if grown:
        raise LeftBehind(
            _("More is open now than when you read it.") + " " + " ".join(grown), leftovers
        )
    for one in leftovers:
        if one.code not in read or not read[one.code].reason.strip():
            raise Invalid(
                f"reason_{one.field}", _("Say why this may stay as it is: %s") % one.title
            )
    rows = Acceptance.objects.bulk_create(
        Acceptance(
            cycle=cycle,
            act=act,
            code=one.code,
            title=one.title,
            count=one.count,
            reason=read[one.code].reason.strip(),
            by=by,
        )
        for one in leftovers
    )
    return [{"code": row.code, "count": row.count, "reason": row.reason} for row in rows]


def refuse_what_is_not_read(everybody: Iterable[Leftover], leftovers: Sequence[Leftover]) -> None:
    """Raise `LeftBehind` while something refuses that is left out of what the reader reads, their own rating say.

    `everybody` is what nobody is spared (reader None), `leftovers` what the reader reads, both as they are under
    the lock of the act. The sentence does not say what it is, nor of what kind.
    """
    read = {one.code: one.count for one in leftovers}
    if any(one.refuses and one.count > read.get(one.code, 0) for one in everybody):
        words = _(
            "Something that you do not read here is still held. Another HR admin has to settle it, or to close."
        )
        raise LeftBehind(words, leftovers)


def accepted_of(cycle: Cycle, act: str) -> list[Acceptance]:
    """What was accepted for an act, by whom and why, in the order of the page that asked."""
    return list(Acceptance.objects.filter(cycle=cycle, act=act).select_related("by"))


def refuse_unless_accepted(cycle: Cycle, act: str, leftovers: Sequence[Leftover]) -> None:
    """For the second person: raise `LeftBehind` for what the first has not accepted for this act, or not so many of.

    `leftovers` are those that the first person would read now. The sentence counts nothing, because the
    second one's own could be among them.
    """
    _refuse_what_refuses(leftovers)
    known = dict(Acceptance.objects.filter(cycle=cycle, act=act).values_list("code", "count"))
    if any(known.get(one.code, 0) < one.count for one in leftovers):
        words = _(
            "More is open now than was accepted when this was asked for: withdraw it and ask again."
        )
        raise LeftBehind(words, leftovers)


def _refuse_what_refuses(leftovers: Iterable[Leftover]) -> None:
    leftovers = list(leftovers)
    against = [one.title for one in leftovers if one.refuses]
    if against:
        raise LeftBehind(" ".join([*against, _("Settle this first.")]), leftovers)
