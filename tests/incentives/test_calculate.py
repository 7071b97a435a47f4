"""Calculating a run: equal to the reference line by line, in a fixed number of statements, and again harmless."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incentives import actions, rules, tasks
from incentives.actions.calculating import PARTS_OF_CALCULATION
from incentives.actions.releasing import PARTS_OF_RELEASE
from incentives.models import Award, AwardLine, Component, FactSheet, Plan, Pool, Rule, Run
from pmcycle.activity.models import Event, Job
from pmcycle.cycles import actions as of_cycle
from pmcycle.cycles.models import Cycle, Participation
from pmcycle.errors import Refused
from pmcycle.people.models import Absence, Salary, Unit
from tests.at_once import meanwhile
from tests.conftest import SignedIn, World, build_world
from tests.factories import cycles, incentives, people


def random_people(world: World, count: int, dice: random.Random) -> None:
    """People with every kind of history: part-time, late, left, on leave, unpaid, without pay or rating."""
    boss, top = world.bashir.employee, world.dora.employee
    assert boss
    assert top
    day, period = world.cycle.first_day, (world.cycle.last_day - world.cycle.first_day).days
    for _number in range(count):
        hired = day + timedelta(days=dice.randint(-900, period - 1))
        fte = Decimal(dice.choice(["1", "0.8", "0.5", "0.625"]))
        person = people.make_employee(
            f"Random {Participation.objects.count()}",
            dice.choice([world.production, world.sales, world.hr]),
            hired_on=hired,
            grade=dice.choice(["G2", "G3", "G4"]),
            fte=fte,
        )
        if dice.random() < 0.9:
            annual = Decimal(dice.randint(2_000_000, 14_000_000)) / 100
            currency = "EUR" if dice.random() < 0.05 else "USD"
            Salary.objects.create(
                employee=person,
                amount=annual,
                annual=annual,
                currency=currency,
                fte=fte,
                effective_from=hired,
            )
            if dice.random() < 0.3 and hired < day + timedelta(days=period - 30):
                Salary.objects.create(
                    employee=person,
                    amount=annual,
                    annual=annual,
                    currency=currency,
                    fte=1,
                    effective_from=max(hired, day) + timedelta(days=dice.randint(1, 25)),
                )
        if dice.random() < 0.4:
            start = day + timedelta(days=dice.randint(-20, period))
            Absence.objects.create(
                employee=person,
                is_paid=dice.random() < 0.4,
                starts_on=start,
                ends_on=start + timedelta(days=dice.randint(0, 60))
                if dice.random() < 0.8
                else None,
            )
        part = cycles.take_part(world.cycle, person, boss, top)
        if dice.random() < 0.1:
            part.state, part.left_on = (
                Participation.State.LEFT,
                max(hired, day + timedelta(days=90)),
            )
            part.save()
        if dice.random() < 0.92:
            incentives.rate(part, dice.randint(1, 5))


def rich_plan(world: World, *, pool: str) -> Plan:
    """Components of every make: first match and all, with a pool and without, floors, caps, restraint."""
    plan = incentives.make_plan(world.cycle, by=world.kim)
    merit = incentives.make_component(
        plan, "merit", band_percent="20", distributes_pool=True, minimum="250.00", maximum="3000.00"
    )
    incentives.make_rule(merit, "4.25", incentives.at_least(5))
    incentives.make_rule(
        merit,
        "3",
        [*incentives.at_least(3), {"fact": "months_worked", "op": "at_least", "value": "6"}],
    )
    incentives.make_rule(merit, "1.125", incentives.at_least(2))
    incentives.make_rule(
        merit, "0", [{"fact": "rating", "op": "at_most", "value": "1"}], effect="zero"
    )
    incentives.make_pool(merit, pool)
    incentives.make_pool(merit, "7000.01", world.sales)
    bonus = incentives.make_component(
        plan,
        "bonus",
        band_percent="12.5",
        match=Component.Match.ALL,
        rounding="10",
        unpaid_leave_counts=True,
    )
    incentives.make_rule(bonus, "2.5", incentives.at_least(3))
    incentives.make_rule(
        bonus, "500", [{"fact": "grade", "op": "is", "value": "G4"}], basis=Rule.Basis.FIXED
    )
    incentives.make_rule(
        bonus,
        "33.3333",
        [{"fact": "days_absent", "op": "more_than", "value": "20"}],
        effect="reduce",
    )
    incentives.make_rule(
        bonus,
        "1",
        [{"fact": "unit", "op": "is_not", "value": str(world.production.pk)}],
        basis=Rule.Basis.PERCENT_OF_PAY,
    )
    incentives.make_pool(bonus, "1000000", world.production)
    extra = incentives.make_component(
        plan, "one_off", band_percent="0", prorate=False, distributes_pool=True, rounding="1"
    )
    incentives.make_rule(extra, "1", [{"fact": "fte", "op": "less_than", "value": "1"}])
    incentives.make_rule(extra, "0", [{"fact": "rating", "op": "is", "value": "2"}], effect="hold")
    incentives.make_pool(extra, "1234")
    incentives.publish(plan, world.lea)
    return plan


def stored_people(run: Run) -> list[rules.Person]:
    return [
        rules.person_from(sheet.facts)
        for sheet in FactSheet.objects.filter(run=run).order_by("participation")
    ]


def plain_pools(plan: Plan) -> list[rules.Pool]:
    return [
        rules.Pool(p.pk, p.component_id, p.unit.path if p.unit else "", p.amount)
        for p in Pool.objects.filter(component__plan=plan).select_related("unit")
    ]


def content(run: Run) -> list[rules.Component]:
    assert run.plan_version
    return rules.components_of(run.plan_version.content)


@pytest.mark.parametrize(("seed", "pool"), [(1, "40000.00"), (2, "123456.79"), (3, "3000000.00")])
def test_every_amount_equals_the_reference(world: World, seed: int, pool: str) -> None:
    random_people(world, 120, random.Random(seed))
    incentives.rate(world.ana_part, 4)
    incentives.in_effect(world, effect="reduce", kind="bonus")
    plan = rich_plan(world, pool=pool)
    run = actions.calculate(Run.objects.create(plan=plan), by=world.kim)
    wanted = rules.calculate(content(run), stored_people(run), plain_pools(plan), currency="USD")
    awards = {(a.component_id, a.participation_id): a for a in Award.objects.filter(run=run)}
    assert awards.keys() == wanted.keys()
    wrong = []
    for key, outcome in wanted.items():
        award = awards[key]
        got = (
            award.guideline,
            award.low,
            award.high,
            award.pool_id,
            award.is_held,
            award.ineligible_why,
            award.trace["hits"],
        )
        said = outcome.weighed
        expected = (
            outcome.guideline,
            outcome.low,
            outcome.high,
            outcome.pool,
            said.held,
            said.why,
            list(said.hits),
        )
        if got != expected or Decimal(award.trace["gross"]) != said.gross:
            wrong.append((key, got, expected))
    assert wrong == []


def test_the_facts_of_time_equal_the_reference(world: World) -> None:
    random_people(world, 120, random.Random(7))
    run = actions.calculate(Run.objects.create(plan=rich_plan(world, pool="50000")), by=world.kim)
    first, last = world.cycle.first_day, world.cycle.last_day
    for sheet in FactSheet.objects.filter(run=run).select_related("participation__employee"):
        part = sheet.participation
        end = min(last, part.left_on or last)
        leave = part.employee.absences.filter(is_paid=False)
        parts = rules.segments(
            max(first, part.hired_on),
            end,
            fte=part.fte,
            changes={s.effective_from: s.fte for s in part.employee.salaries.all()},
            unpaid=[(a.starts_on, min(a.ends_on or end, end)) for a in leave if a.starts_on <= end],
        )
        days = (last - first).days + 1
        assert Decimal(sheet.facts["share_worked"]) == rules.share_of(
            parts, days, unpaid_counts=False
        )
        assert Decimal(sheet.facts["share_all"]) == rules.share_of(parts, days, unpaid_counts=True)
        assert sheet.facts["segments"] == [
            {
                "from": s.starts_on.isoformat(),
                "to": s.ends_on.isoformat(),
                "days": s.days,
                "unpaid": s.unpaid,
                "fte": f"{s.fte:.3f}",
            }
            for s in parts
        ]


def test_a_divided_pool_is_spent_to_the_cent(world: World) -> None:
    random_people(world, 60, random.Random(4))
    run = actions.calculate(
        Run.objects.create(plan=rich_plan(world, pool="41234.57")), by=world.kim
    )
    merit = Component.objects.get(kind="merit")
    spent = dict(
        Award.objects.filter(run=run, component=merit).values_list("pool").annotate(s=Sum("amount"))
    )
    assert spent == {p.pk: p.amount for p in Pool.objects.filter(component=merit)}


def test_the_number_of_statements_does_not_grow(world: World) -> None:
    plan = rich_plan(world, pool="40000")
    counts = []
    for more in (5, 60):
        random_people(world, more, random.Random(more + 100))
        Run.objects.get_or_create(plan=plan)
        run = Run.objects.select_related("plan").get()
        with CaptureQueriesContext(connection) as seen:
            actions.calculate(run, by=world.kim)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[0] <= 30


def test_again_with_the_same_facts_writes_nothing(world: World) -> None:
    run = incentives.calculated(world)
    lines, versions = (
        AwardLine.objects.count(),
        list(Award.objects.order_by("pk").values_list("pk", "version")),
    )
    actions.calculate(run, by=world.kim)
    assert AwardLine.objects.count() == lines
    assert list(Award.objects.order_by("pk").values_list("pk", "version")) == versions


def test_a_changed_rating_reverses_the_line_and_writes_a_new_one(world: World) -> None:
    run = incentives.calculated(world)
    award = incentives.award_of(world.ana_part)
    before = award.amount
    incentives.rate(world.ana_part, incentives.EXCEEDS)
    actions.calculate(run, by=world.kim)
    award.refresh_from_db()
    assert award.amount == before * 2
    assert [(line.kind, line.amount) for line in award.lines.all()] == [
        ("calculated", before),
        ("reversal", -before),
        ("calculated", before * 2),
    ]
    assert award.lines.aggregate(s=Sum("amount"))["s"] == award.amount


def test_a_recommendation_stays_where_its_guideline_stays(world: World) -> None:
    run = incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    actions.adjust(award, award.high, "", version=None, by=world.bashir)
    actions.calculate(run, by=world.kim)
    award.refresh_from_db()
    assert award.amount == award.high


def test_only_released_ratings_count(world: World) -> None:
    plan = incentives.write_plan(world)
    incentives.rate(world.part["chen"])
    incentives.publish(plan, world.lea)
    actions.calculate(Run.objects.create(plan=plan), by=world.kim)
    assert incentives.award_of(world.ana_part).ineligible_why == "no_rating"
    assert incentives.award_of(world.part["chen"]).ineligible_why == ""


def test_an_entry_in_effect_holds_cuts_or_zeroes(world: World) -> None:
    run = incentives.calculated(world)
    full = incentives.award_of(world.ana_part).amount
    incentives.in_effect(world, effect="hold", kind="merit")
    incentives.in_effect(world, effect="reduce", kind="bonus")
    whole = incentives.award_of(world.ana_part, "bonus").amount
    actions.calculate(run, by=world.kim)
    merit, bonus = incentives.award_of(world.ana_part), incentives.award_of(world.ana_part, "bonus")
    assert (merit.amount, merit.is_held) == (full, True)
    assert (bonus.amount, bonus.is_held) == (whole / 2, False)


def test_an_entry_that_is_only_proposed_changes_nothing(world: World) -> None:
    run = incentives.calculated(world)
    incentives.restraint(world, effect="zero")
    before = incentives.award_of(world.ana_part).amount
    actions.calculate(run, by=world.kim)
    assert incentives.award_of(world.ana_part).amount == before > 0


def test_an_approved_run_is_never_touched(world: World) -> None:
    run = incentives.approved(world)
    with pytest.raises(Refused, match="approved"):
        actions.calculate(run, by=world.kim)


def test_refused_while_a_team_is_handed_in(world: World) -> None:
    run = incentives.recommending(world)
    actions.hand_in(run, "", by=world.bashir)
    with pytest.raises(Refused, match="Return their sheets"):
        actions.calculate(run, by=world.kim)


def test_refused_before_the_rules_are_published(world: World, as_: SignedIn) -> None:
    incentives.write_plan(world)
    answer = as_(world.kim).post(reverse("incentives:calculate", kwargs={"pk": world.cycle.pk}))
    assert answer.status_code == 409
    assert "not published" in answer.content.decode()


def test_refused_where_the_least_amounts_exceed_the_pool(world: World) -> None:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    merit = incentives.make_component(plan, "merit", distributes_pool=True, minimum="500")
    incentives.make_rule(merit, "2")
    incentives.make_pool(merit, "600")
    incentives.publish(plan, world.lea)
    with pytest.raises(Refused, match="cannot pay everybody the least"):
        actions.calculate(Run.objects.create(plan=plan), by=world.kim)


def test_hr_asks_and_the_worker_calculates(world: World, as_: SignedIn) -> None:
    incentives.rate_all(world)
    incentives.publish(incentives.write_plan(world), world.lea)
    url = reverse("incentives:calculate", kwargs={"pk": world.cycle.pk})
    answer = as_(world.kim).post(url)
    again = as_(world.kim).post(url)
    job = Job.objects.get(kind=actions.CALCULATE)
    assert answer["Location"] == again["Location"] == reverse("activity:job", kwargs={"pk": job.pk})
    tasks.calculate_waiting()
    job.refresh_from_db()
    assert (job.state, Run.objects.get().state) == ("done", "calculated")
    assert Award.objects.count() == 20
    assert Event.objects.filter(verb="calculated").count() == 1


def test_tells_how_many_people_are_calculated_and_released(world: World) -> None:
    told: list[int] = []
    run = incentives.calculated(world)
    actions.calculate(run, by=world.kim, step=told.append)
    assert (len(told), told[-1], told) == (PARTS_OF_CALCULATION, 10, sorted(told))
    incentives.approved(world, plan=run.plan)
    told.clear()
    actions.release(run, by=world.kim, step=told.append)
    assert (len(told), told[-1], told) == (PARTS_OF_RELEASE, 10, sorted(told))


def test_conditions_are_parameters_never_code(world: World) -> None:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    bonus = incentives.make_component(plan, "bonus")
    evil = "G3'); DROP TABLE incentives_award; --"
    incentives.make_rule(bonus, "2", [{"fact": "grade", "op": "is", "value": evil}])
    incentives.publish(plan, world.lea)
    actions.calculate(Run.objects.create(plan=plan), by=world.kim)
    assert set(Award.objects.values_list("ineligible_why", flat=True)) == {"no_rule"}


def test_a_unit_below_is_within(world: World) -> None:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    bonus = incentives.make_component(plan, "bonus")
    top = Unit.objects.get(parent=None)
    incentives.make_rule(bonus, "2", [{"fact": "unit", "op": "is", "value": str(top.pk)}])
    incentives.publish(plan, world.lea)
    run = actions.calculate(Run.objects.create(plan=plan), by=world.kim)
    assert not Award.objects.filter(run=run, ineligible_why="no_rule").exists()


def test_a_cycle_that_closes_at_the_moment_of_a_calculation_is_left_without_one(
    transactional_db: None,
) -> None:
    world = build_world()
    incentives.rate_all(world)
    plan = incentives.write_plan(world)
    incentives.publish(plan, world.lea)
    run = Run.objects.create(plan=plan, number=1)

    def close() -> None:
        left = cycles.accepting(of_cycle.leftovers_of_cycle(world.cycle, world.kim))
        of_cycle.close(world.cycle, accepted=left, version=None, by=world.kim)

    result = meanwhile(
        lambda: actions.calculate(run, by=world.kim),
        hold=lambda: Cycle.objects.select_for_update(no_key=True).get(pk=world.cycle.pk),
        change=close,
    )
    assert isinstance(result, Refused)
    run.refresh_from_db()
    assert (run.state, Award.objects.count()) == ("draft", 0)
