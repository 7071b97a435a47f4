"""What approving or releasing a reward run would leave open or held, by name, and whom the run leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appraisals.models import FIRST_MENTION, Appeal, Rating
from incentives import rules
from incentives.actions.leaving import left_restraints
from incentives.actions.recommending import outstanding
from incentives.actions.supplementing import not_in_a_run
from incentives.models import Award, Run
from pmcycle.access import show
from pmcycle.cycles.actions import leftover, link
from pmcycle.cycles.models import Participation
from pmcycle.cycles.rules import NAMES, Leftover, ReadNames
from pmcycle.people.models import User

TEAM = "incentives:team"


def act_of(verb: str, run: Run) -> str:
    """Under what the acceptances of an act on a run are kept; `verb` is approve_run or release_run."""
    return f"{verb}:{run.pk}"


def left_of_approval(run: Run, reader: User) -> list[Leftover]:
    """What an approval would go on over: who is left out and why, what is undecided, teams, what is held."""
    return [*_left_out(run, reader), *_undecided(run, reader), *_teams(run), *_held(run, reader)]


def left_of_release(run: Run, reader: User) -> list[Leftover]:
    """What a release would go on over: who gets no statement and why, what is undecided, what is held."""
    return [*_left_out(run, reader), *_undecided(run, reader), *_held(run, reader)]


def _left_out(run: Run, reader: User) -> list[Leftover]:
    """People by the first fact that is missing, and who is in no run. One statement for all causes.

    A rating that is held by its first mention is a kind of its own. Nobody learns here how they stand themselves.
    """
    cycle = run.plan.cycle
    awards = (
        Award.objects.left_out().filter(run=run, participation=OuterRef("pk")).order_by("component")
    )
    held = Rating.objects.releasable(cycle, timezone.now()).filter(
        FIRST_MENTION, participation=OuterRef("pk")
    )
    kind = Case(
        When(
            Exists(awards.filter(ineligible_why="no_rating")) & Exists(held),
            then=Value("first_mention"),
        ),
        When(Exists(awards), then=Subquery(awards.values("ineligible_why")[:1])),
        default=Value("not_in_run"),
    )
    out = (
        Participation.objects.filter(
            Exists(awards) | Q(pk__in=not_in_a_run(run.plan).values("pk")), cycle=cycle
        )
        .exclude(employee=reader.employee_id)
        .annotate(kind=kind)
    )
    rows = (
        out.annotate(
            place=Window(RowNumber(), partition_by="kind", order_by=["employee__sort_name", "pk"]),
            total=Window(Count("*"), partition_by="kind"),
        )
        .filter(place__lte=NAMES)
        .order_by("kind", "place")
        .values_list("kind", "pk", "employee__name", "total")
    )

    def reader_of(code: str) -> ReadNames:
        of_kind = (
            out.filter(kind=code)
            .order_by("employee__sort_name", "pk")
            .values_list("pk", "employee__name")
        )

        def read(first: int, last: int) -> list[tuple[str, str]]:
            those = list(of_kind[first:last])
            note(those)
            return [_to_timeline(pk, name) for pk, name in those]

        return read

    def note(those: Sequence[tuple[int, str]]) -> None:
        show(reader, Participation.objects.filter(pk__in=[pk for pk, _name in those]))

    found: dict[str, tuple[int, list[tuple[int, str]]]] = {}
    for code, pk, name, total in rows:
        found.setdefault(code, (total, []))[1].append((pk, name))
    words = {"first_mention": _held_back, "not_in_run": _joined, "left": _back}
    return [
        Leftover(
            f"incentives:{code}",
            words.get(code, _out(code))(n) % {"n": n},
            n,
            tuple(_to_timeline(pk, name) for pk, name in those),
            read=reader_of(code),
            note=partial(note, those),
        )
        for code, (n, those) in found.items()
    ]


def _to_timeline(pk: int, name: str) -> tuple[str, str]:
    return name, link("cycles:life_line", pk=pk)


def _undecided(run: Run, reader: User) -> list[Leftover]:
    reviews = Appeal.objects.to_decide().filter(result__participation__cycle=run.plan.cycle_id)
    return [
        *leftover(
            "incentives:review",
            _reviews,
            reviews,
            reader=reader,
            person="result__participation__employee",
            url_name="appraisals:appeal",
        ),
        *left_restraints(run.plan.cycle, reader),
    ]


def _teams(run: Run) -> list[Leftover]:
    missing = outstanding(run)
    if not missing:
        return []
    sheet = link("incentives:sheet", pk=run.pk)
    names = tuple(
        (
            f"{manager.name} ({_('handed in') if act == 'submitted' else _('not handed in')})",
            f"{sheet}?team={manager.pk}",
        )
        for manager, act in missing
    )
    n = len(names)
    return [
        Leftover(TEAM, _teams_words(n) % {"n": n}, n, names[:NAMES], read=lambda a, b: names[a:b])
    ]


def _held(run: Run, reader: User) -> list[Leftover]:
    return leftover(
        "incentives:held",
        _amounts,
        Award.objects.filter(run=run, is_held=True),
        person="participation__employee",
        url_name="incentives:award",
        reader=reader,
        without_own=True,
    )


# --- In words ----------------------------------------------------------------------------------------


def _out(why: str) -> Callable[[int], str]:
    """Whom a missing fact leaves out, and what follows for them."""

    def words(n: int) -> str:
        sentence = ngettext(
            "%(n)d person is left out: %(why)s. They follow in a supplementary run.",
            "%(n)d people are left out: %(why)s. They follow in a supplementary run.",
            n,
        )
        cause = str(rules.WHY.get(why, why))
        return sentence.replace("%(why)s", cause[0].lower() + cause[1:])

    return words


def _held_back(n: int) -> str:
    return ngettext(
        "%(n)d person is left out: a low rating is held, nothing is cited that they were told in time.",
        "%(n)d people are left out: a low rating is held, nothing is cited that they were told in time.",
        n,
    )


def _back(n: int) -> str:
    return ngettext(
        "%(n)d person is left out: they had left and are back. They follow in a supplementary run.",
        "%(n)d people are left out: they had left and are back. They follow in a supplementary run.",
        n,
    )


def _joined(n: int) -> str:
    return ngettext(
        "%(n)d person is in no run: they joined after the calculation.",
        "%(n)d people are in no run: they joined after the calculation.",
        n,
    )


def _reviews(n: int) -> str:
    return ngettext(
        "%(n)d review of a rating is not decided.", "%(n)d reviews of a rating are not decided.", n
    )


def _teams_words(n: int) -> str:
    return ngettext(
        "%(n)d team is not approved by its line. The guideline amounts stand then.",
        "%(n)d teams are not approved by their line. The guideline amounts stand then.",
        n,
    )


def _amounts(n: int) -> str:
    return ngettext(
        "%(n)d amount is held: it stays reserved and is not paid until it is settled.",
        "%(n)d amounts are held: they stay reserved and are not paid until they are settled.",
        n,
    )
