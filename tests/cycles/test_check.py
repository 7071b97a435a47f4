"""The check before launch: every finding with its people, errors refuse, warnings are accepted with their count."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from pmcycle.access import today
from pmcycle.cycles import actions, rules
from pmcycle.cycles.models import AcceptedWarning, Cycle, RatingLevel, matching
from pmcycle.cycles.rules import Check, Finding, StageDates
from pmcycle.errors import Refused
from pmcycle.people.models import Absence, Employee, ReportingLine, User
from pmcycle.people.rules.calendar import Calendar
from tests.conftest import SignedIn, World
from tests.factories import cycles, people

pytestmark = pytest.mark.django_db
MONDAY = date(2030, 3, 4)


def stages(**changed: object) -> list[StageDates]:
    rows = [
        StageDates(
            kind,
            kind.title(),
            MONDAY + timedelta(days=28 * n),
            MONDAY + timedelta(days=28 * n + 18),
        )
        for n, kind in enumerate(("objectives", "appraisal", "incentives", "evaluation"))
    ]
    rows[1] = replace(rows[1], **changed)  # type: ignore[arg-type]
    return rows


def codes(
    rows: list[StageDates], *, today: date = MONDAY, overlap: bool = False
) -> set[tuple[str, bool]]:
    found = rules.date_findings(
        rows,
        first=MONDAY,
        last=MONDAY + timedelta(days=120),
        today=today,
        may_overlap=overlap,
        calendar=Calendar(holidays={MONDAY + timedelta(days=22): "Spring"}),
    )
    return {(f.code, f.is_error) for f in found}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, set()),
        (
            {"due_on": MONDAY + timedelta(days=26)},
            {("dates:day_off:appraisal", False), ("dates:order:appraisal", True)},
        ),
        ({"opens_on": MONDAY + timedelta(days=22)}, {("dates:day_off:appraisal", False)}),
        ({"opens_on": MONDAY + timedelta(days=14)}, {("dates:overlap:appraisal", True)}),
        ({"opens_on": MONDAY + timedelta(days=18)}, {("dates:overlap:appraisal", True)}),
        ({"due_on": MONDAY + timedelta(days=60)}, {("dates:overlap:incentives", True)}),
        (
            {"opens_on": MONDAY - timedelta(days=3)},
            {
                ("dates:sequence:appraisal", True),
                ("dates:before:appraisal", False),
                ("dates:late:appraisal", False),
            },
        ),
        (
            {"due_on": MONDAY + timedelta(days=252)},
            {("dates:after:appraisal", False), ("dates:overlap:incentives", True)},
        ),
    ],
)
def test_dates_that_do_not_fit_are_found(
    changed: dict[str, object], found: set[tuple[str, bool]]
) -> None:
    assert codes(stages(**changed)) == found


def test_what_is_past_refuses_and_overlap_may_be_allowed() -> None:
    assert ("dates:past:objectives", True) in codes(stages(), today=MONDAY + timedelta(days=19))
    assert codes(stages(opens_on=MONDAY + timedelta(days=14)), overlap=True) == set()


@given(st.dates(date(1999, 1, 1), date(2090, 1, 1)), st.integers(28, 1_000))
def test_planned_dates_are_always_in_order_and_never_on_a_day_off(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    monday = Calendar().workday(first)
    worked = Calendar(holidays={monday: "Spring", monday + timedelta(days=7): "Summer"})
    plan = list(rules.planned_dates(first, last, worked).values())
    flat = [day for opens, due, _grace in plan for day in (opens, due)]
    assert flat == sorted(flat)
    assert all(worked.works_on(day) for day in flat)
    assert all(later[0] > earlier[1] for earlier, later in itertools.pairwise(plan))


@given(st.dates(date(1999, 1, 1), date(2090, 1, 1)))
def test_a_year_later_is_the_same_day(day: date) -> None:
    later = rules.year_later(day)
    assert (later.year, later.month) == (day.year + 1, day.month)
    assert later.day == day.day or (day.month, day.day, later.day) == (2, 29, 28)


@pytest.mark.parametrize(
    ("text", "days"), [("7, 2", [7, 2]), ("", []), ("2;7;7", [7, 2]), (" 30 ", [30]), ("02", [2])]
)
def test_days_are_read_from_words(text: str, days: list[int]) -> None:
    assert rules.days_from_text(text) == days


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "٣"])
def test_days_that_are_no_days_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        rules.days_from_text(text)


def test_reminder_days_stand_around_the_due_day() -> None:
    assert rules.reminder_days(MONDAY, [7, 2], [1]) == [
        MONDAY - timedelta(days=7),
        MONDAY - timedelta(days=2),
        MONDAY + timedelta(days=1),
    ]
    assert rules.escalation_day(MONDAY, 5) == MONDAY + timedelta(days=5)
    assert rules.escalation_day(MONDAY, None) is None


def test_a_warning_that_has_grown_is_unsettled_again() -> None:
    finding = Finding("people:no_email", "3 people have no address.", count=3)
    assert Check([finding], 9, {}).unsettled == [finding]
    assert Check([finding], 9, {"people:no_email": 2}).unsettled == [finding]
    assert Check([finding], 9, {"people:no_email": 3}).unsettled == []
    assert Check([replace(finding, is_error=True)], 9, {}).unsettled == []


@pytest.fixture
def draft(world: World) -> Cycle:
    return cycles.make_draft("Next year", by=world.kim, starts_in=200)


def found(cycle: Cycle) -> dict[str, Finding]:
    return {f.code: f for f in actions.check(cycle).findings}


def of(user: User) -> Employee:
    assert user.employee is not None
    return user.employee


def test_whoever_has_no_manager_is_named(world: World, draft: Cycle) -> None:
    finding = found(draft)["people:no_manager"]
    assert (finding.count, finding.people, finding.is_error) == (1, ("Dora Kiss",), False)


def test_a_manager_who_left_or_is_away_is_found(world: World, draft: Cycle) -> None:
    gita = of(world.gita)
    Absence.objects.create(employee=gita, starts_on=today(), ends_on=today())
    assert found(draft)["people:manager_away"].people == ("Hugo Blanc",)
    gita.left_on = today() - timedelta(days=1)
    gita.save()
    assert found(draft)["people:manager_left"].people == ("Hugo Blanc",)


def test_a_circle_of_managers_refuses(world: World, draft: Cycle) -> None:
    ReportingLine.objects.create(employee=of(world.dora), manager=of(world.ana), starts_on=today())
    finding = found(draft)["people:loop"]
    assert finding.is_error
    assert set(finding.people) == {"Ana Popescu", "Bashir Nouri", "Dora Kiss"}


def test_missing_address_and_account_are_found(world: World, draft: Cycle) -> None:
    people.make_employee("Olga Late", world.sales, email="")
    rows = found(draft)
    assert rows["people:no_email"].people == ("Olga Late",)
    assert rows["people:no_account"].people == ("Olga Late",)


def test_the_same_people_in_a_running_cycle_are_found(world: World) -> None:
    overlapping = cycles.make_draft("Twin", by=world.kim)
    assert found(overlapping)["people:other_cycle"].count == 10
    later = cycles.make_draft("Later", by=world.kim, starts_in=200)
    assert "people:other_cycle" not in found(later)


def test_nobody_eligible_refuses(world: World, draft: Cycle) -> None:
    draft.population.locations = ["Atlantis"]
    draft.population.save()
    assert found(draft)["people:nobody"].is_error


def test_a_cycle_without_a_rule_takes_nobody_in(world: World, draft: Cycle) -> None:
    draft.population.delete()
    assert found(draft)["people:nobody"].is_error


def test_a_scale_of_one_level_refuses(world: World, draft: Cycle) -> None:
    RatingLevel.objects.filter(scale__cycle=draft, position__gt=1).delete()
    assert found(draft)["rating:levels"].is_error


def test_statements_of_the_check_do_not_grow(world: World, draft: Cycle) -> None:
    with CaptureQueriesContext(connection) as few:
        actions.check(draft)
    for number in range(30):
        people.make_employee(f"Extra Person{number}", world.sales)
    with CaptureQueriesContext(connection) as many:
        actions.check(draft)
    assert len(few) == len(many)


def test_a_warning_is_accepted_with_its_count(world: World, as_: SignedIn, draft: Cycle) -> None:
    url = reverse("cycles:accept_warning", kwargs={"pk": draft.pk})
    kim = as_(world.kim)
    assert kim.post(url, {"code": "people:no_manager", "count": 0}).status_code == 409, (
        "it holds for more"
    )
    assert kim.post(url, {"code": "people:never", "count": 1}).status_code == 409
    assert kim.post(url, {"code": "x", "count": "9" * 30}).status_code == 409
    assert kim.post(url, {"code": "people:no_manager", "count": 1}).status_code == 302
    assert AcceptedWarning.objects.get(cycle=draft).by == world.kim
    people.make_employee("Olga Late", world.sales)
    check = kim.get(reverse("cycles:configure", kwargs={"pk": draft.pk, "step": "check"}))
    assert b"more than when it was accepted" in check.content


def test_launch_is_refused_on_an_error_with_its_sentence(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    RatingLevel.objects.filter(scale__cycle=draft).delete()
    with pytest.raises(Refused, match="fewer than two levels"):
        actions.launch(draft, by=world.kim)
    answer = as_(world.kim).post(reverse("cycles:launch", kwargs={"pk": draft.pk}))
    assert answer.status_code == 409


@pytest.mark.parametrize("changed", [{"first_day": MONDAY, "last_day": MONDAY}])
def test_the_database_keeps_the_days_in_order(world: World, changed: dict[str, date]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Cycle.objects.create(name="Backwards", **changed)


def test_the_rule_takes_in_units_below_and_part_time_only_above_the_least(
    world: World, draft: Cycle
) -> None:
    below = people.make_unit("Paint shop", world.production)
    people.make_employee("Pia Paint", below, fte=Decimal("0.5"))
    everybody = {"unit_paths": [world.production.path]}
    assert matching(everybody, today()).filter(name="Pia Paint").exists()
    assert (
        not matching({**everybody, "minimum_fte": Decimal("0.6")}, today())
        .filter(name="Pia Paint")
        .exists()
    )
    assert not matching(
        {**everybody, "hired_on_or_before": today() - timedelta(days=5_000)}, today()
    ).exists()
    assert not matching({"employment_kinds": ["intern"]}, today()).exists()
