"""Supplementary runs: for whom a run left out, by the same rules, from what is left, by two people, once."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.urls import reverse

from evaluations.actions.counting import figures_of
from incentives import actions, rules
from incentives.models import Award, FactSheet, Pool, Run, Statement
from pmcycle.cycles.models import Acceptance, Cycle, Participation
from pmcycle.errors import Refused
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import cycles, incentives, people


def opened(world: World, run: Run) -> Run:
    return actions.open_supplement(run.plan, by=world.kim)


def calculated(world: World, run: Run) -> Run:
    return actions.calculate(opened(world, run), by=world.kim)


def through(world: World, run: Run, *managers: Any) -> Run:
    """From calculated to released, as the first one."""
    run = actions.open_recommending(run, version=None, by=world.kim)
    for manager in managers:
        incentives.hand_in(run, manager, world.lea)
    incentives.approve(run, world.lea)
    incentives.release(run, world.kim)
    run.refresh_from_db()
    return run


def page_of(world: World, as_: SignedIn, user: Any = None, **query: Any) -> str:
    url = reverse("incentives:run", kwargs={"pk": world.cycle.pk})
    return as_(user or world.kim).get(url, query).content.decode()


def test_who_has_no_released_rating_is_left_out_by_name_and_gets_no_statement(
    world: World, as_: SignedIn
) -> None:
    run = incentives.released_without(world, "hugo", "chen")
    assert incentives.award_of(world.part["hugo"]).is_left_out
    assert not Statement.objects.filter(
        participation__in=[world.part["hugo"], world.part["chen"]]
    ).exists()
    assert Statement.objects.filter(run=run).count() == len(world.part) - 2
    page = page_of(world, as_)
    assert "Left out so far" in page
    for name in ("Hugo Blanc", "Chen Wei"):
        assert name in page
    assert "No released rating" in page
    assert "Open a supplementary run" in page
    accepted = Acceptance.objects.filter(cycle=world.cycle, code="incentives:no_rating")
    assert {(a.act.partition(":")[0], a.count) for a in accepted} == {
        ("approve_run", 2),
        ("release_run", 2),
    }


def test_they_follow_in_a_supplementary_run_with_their_own_statement_and_file(
    world: World, as_: SignedIn
) -> None:
    first = incentives.released_without(world, "hugo")
    exported = actions.export_payroll(first, "csv", by=world.kim)
    url = reverse("incentives:open_supplement", kwargs={"pk": world.cycle.pk})
    assert as_(world.kim).post(url).status_code == 302
    run = Run.objects.get(number=2)
    assert (run.supplements, run.plan_version, run.state) == (first, first.plan_version, "draft")
    incentives.rate(world.part["hugo"])
    run = actions.calculate(run, by=world.kim)
    assert set(Award.objects.filter(run=run).values_list("participation", flat=True)) == {
        world.part["hugo"].pk
    }
    run = through(world, run, world.gita)
    assert run.state == "released"
    statement = incentives.statement_of(world.part["hugo"])
    assert (statement.run, statement.snapshot["total"]) == (run, "2600.00")
    page = (
        as_(world.hugo)
        .get(reverse("incentives:statement", kwargs={"pk": statement.pk}))
        .content.decode()
    )
    assert "$1,040.00" in page
    assert "Supplementary run 1" in page
    second = actions.export_payroll(run, "csv", by=world.kim)
    assert (second.rows, second.total) == (2, Decimal("2600.00"))
    assert exported.total + second.total == Award.objects.aggregate(s=Sum("amount"))["s"]
    assert bytes(exported.content) == bytes(
        actions.export_payroll(first, "csv", by=world.kim).content
    )
    assert "First run: " in page_of(world, as_)


def test_every_amount_of_a_supplementary_run_recomputes(world: World) -> None:
    run = calculated_for(world, "hugo")
    assert run.plan_version
    sheets = dict(FactSheet.objects.filter(run=run).values_list("participation", "facts"))
    assert set(sheets) == {world.part["hugo"].pk}
    for component in rules.components_of(run.plan_version.content):
        award = Award.objects.get(run=run, component=component.id)
        person = rules.person_from(sheets[award.participation_id])
        assert (
            rules.recompute(component, person, award.trace.get("part"), currency="USD")
            == award.guideline
            > 0
        )


def calculated_for(world: World, *keys: str, **options: Any) -> Run:
    """A calculated supplementary run for people who are rated by now."""
    first = incentives.released_without(world, *keys, **options)
    for key in keys:
        incentives.rate(world.part[key])
    return calculated(world, first)


def test_a_rise_of_the_first_run_counts_in_the_pay_before(world: World) -> None:
    plan = incentives.write_plan(world)
    bonus = plan.components.get(kind="bonus")
    incentives.make_rule(bonus, "1", [{"fact": "goal_score", "op": "at_least", "value": "50"}])
    bonus.rules.filter(position__lt=3).delete()
    first = incentives.released(world, plan=plan)
    statement = incentives.statement_of(world.ana_part)
    assert [a["why"] for a in statement.snapshot["awards"]] == ["", "no_goal_score"]
    run = opened(world, first)
    # Another cause than before, so that something is decided: the person leaves it to the rules again.
    assert next(w.causes for w in actions.waiting(plan)) == ["No goal score"]
    run = actions.calculate(run, by=world.kim)
    assert set(Award.objects.filter(run=run).values_list("component__kind", flat=True)) == {"bonus"}
    assert statement.snapshot["pay_after"] == "53040.00"


# --- Causes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "op", "value", "why"),
    [
        ("goal_score", "at_least", "50", "no_goal_score"),
        ("compa_ratio", "less_than", "100", "no_compa_ratio"),
        ("grade", "is_not", "G4", "no_grade"),
    ],
)
def test_a_missing_fact_is_said_and_never_taken_as_nothing(
    world: World, as_: SignedIn, fact: str, op: str, value: str, why: str
) -> None:
    Participation.objects.filter(pk=world.ana_part.pk).update(grade="")
    plan = incentives.make_plan(world.cycle, by=world.kim)
    bonus = incentives.make_component(plan, "bonus")
    incentives.make_rule(bonus, "2", [{"fact": fact, "op": op, "value": value}])
    incentives.make_rule(bonus, "1")
    run = incentives.calculated(world, plan=plan)
    award = incentives.award_of(world.ana_part, "bonus")
    assert (award.ineligible_why, award.amount) == (why, Decimal(0))
    page = as_(world.kim).get(reverse("incentives:award", kwargs={"pk": award.pk})).content.decode()
    assert str(rules.WHY[why]) in page
    assert "not decided" in page
    assert "$0.00" not in page
    assert f"incentives:{why}" in {one.code for one in actions.left_of_approval(run, world.lea)}


def test_a_rule_that_comes_too_late_asks_for_nothing(world: World) -> None:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    bonus = incentives.make_component(plan, "bonus")
    incentives.make_rule(bonus, "2", [{"fact": "months_worked", "op": "at_least", "value": "0"}])
    incentives.make_rule(bonus, "1", [{"fact": "goal_score", "op": "at_least", "value": "50"}])
    incentives.calculated(world, plan=plan)
    assert incentives.award_of(world.ana_part, "bonus").ineligible_why == ""


def test_who_never_promised_anything_is_no_missing_fact(world: World) -> None:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    bonus = incentives.make_component(plan, "bonus")
    incentives.make_rule(bonus, "2", [{"fact": "promises_kept", "op": "at_least", "value": "80"}])
    incentives.calculated(world, plan=plan)
    assert incentives.award_of(world.ana_part, "bonus").ineligible_why == "no_rule"


def test_who_joined_late_and_whose_entry_has_ended_follow_too(world: World) -> None:
    entry = incentives.in_effect(world, effect="zero")
    first = incentives.released(world)
    assert incentives.award_of(world.ana_part).ineligible_why == "restrained"
    assert actions.waiting(first.plan) == []
    actions.decide(entry, "lifted", "It was another file.", version=None, by=world.lea)
    late = people.make_employee("Late Joiner", world.production)
    people.pay(late)
    assert world.bashir.employee
    incentives.rate(cycles.take_part(world.cycle, late, world.bashir.employee))
    assert {(w.participation.employee.name, *w.causes) for w in actions.waiting(first.plan)} == {
        ("Ana Popescu", "The entry that took it away has ended"),
        ("Late Joiner", "Joined after the calculation"),
    }
    run = calculated(world, first)
    given = Award.objects.filter(run=run).values_list(
        "participation__employee__name", "component__kind"
    )
    assert set(given) == {
        ("Ana Popescu", "merit"),
        ("Late Joiner", "merit"),
        ("Late Joiner", "bonus"),
    }


def test_a_review_that_was_upheld_follows_where_nothing_was_given(world: World) -> None:
    incentives.rate(world.ana_part, 2)
    for key, part in world.part.items():
        if key not in ("ana", "hugo"):
            incentives.rate(part)
    first = incentives.released(world)
    assert incentives.award_of(world.ana_part).ineligible_why == "no_rule"
    incentives.rate(world.ana_part, incentives.MEETS)
    run = calculated(world, first)
    assert incentives.award_of(world.ana_part).run == run
    assert incentives.award_of(world.ana_part).amount == Decimal("1040.00")


def test_nobody_reads_at_the_end_of_the_cycle_that_they_are_left_out_themselves(
    world: World,
) -> None:
    incentives.released_without(world, "kim", "hugo")
    names = {
        reader.name: [
            name for name, _url in actions.left_of_incentives(world.cycle, reader)[0].names
        ]
        for reader in (world.kim, world.lea)
    }
    assert names == {"Kim Larsen": ["Hugo Blanc"], "Lea Roth": ["Hugo Blanc", "Kim Larsen"]}


def test_an_entry_can_restrain_what_no_run_has_given_yet(world: World, as_: SignedIn) -> None:
    first = incentives.released_without(world, "ana")
    assert actions.left_of_incentives(world.cycle, world.kim)[0].code == "incentives:left_out"
    entry = incentives.in_effect(world, effect="zero")
    page = (
        as_(world.lea)
        .get(reverse("incentives:restraint", kwargs={"pk": entry.pk}))
        .content.decode()
    )
    assert "Lift it" in page
    incentives.rate(world.ana_part)
    run = calculated(world, first)
    assert incentives.award_of(world.ana_part).ineligible_why == "restrained"
    assert incentives.award_of(world.ana_part, "bonus").amount > 0
    through(world, run, world.bashir)
    with pytest.raises(Refused, match="approved"):
        incentives.in_effect(world, kind="bonus")


# --- Once, in order, by two people -------------------------------------------------------------------


def test_an_open_run_is_named_and_a_second_is_refused(world: World, as_: SignedIn) -> None:
    incentives.rate(world.ana_part)
    run = incentives.calculated(world)
    url = reverse("incentives:open_supplement", kwargs={"pk": world.cycle.pk})
    answer = as_(world.kim).post(url)
    assert answer.status_code == 409
    assert "is still open" in answer.content.decode()
    with pytest.raises(IntegrityError, match="run_one_open_per_plan"), transaction.atomic():
        Run.objects.create(plan=run.plan, number=2, supplements=run)


def test_refused_while_nobody_is_left_out(world: World) -> None:
    first = incentives.released(world)
    with pytest.raises(Refused, match="Nobody is left out"):
        opened(world, first)


def test_the_refusal_to_calculate_again_names_the_way_out(world: World, as_: SignedIn) -> None:
    incentives.released_without(world, "hugo")
    answer = as_(world.kim).post(reverse("incentives:calculate", kwargs={"pk": world.cycle.pk}))
    assert answer.status_code == 409
    assert "Open a supplementary run" in answer.content.decode()


def test_it_takes_two_people_again(world: World) -> None:
    run = actions.open_recommending(calculated_for(world, "hugo"), version=None, by=world.kim)
    with pytest.raises(Refused, match="second person"):
        incentives.approve(run, world.kim)
    incentives.approve(run, world.lea)
    with pytest.raises(Refused, match="Another person"):
        incentives.ask_for_release(run, world.lea)


def test_an_award_is_given_once_in_all_runs(world: World) -> None:
    run = calculated_for(world, "hugo")
    first = Award.objects.filter(run__number=1, participation=world.ana_part).first()
    assert first
    first.pk, first.run = None, run
    with pytest.raises(IntegrityError, match="award_given_once"), transaction.atomic():
        first.save(force_insert=True)


def test_what_is_held_stays_in_its_run_and_is_not_calculated_again(world: World) -> None:
    entry = incentives.in_effect(world)
    run = calculated_for(world, "hugo")
    assert not Award.objects.filter(run=run, participation=world.ana_part).exists()
    actions.decide(entry, "lifted", "Settled.", version=None, by=world.lea)
    assert not incentives.award_of(world.ana_part).is_held


def test_calculating_it_again_takes_in_who_is_rated_by_then(world: World) -> None:
    first = incentives.released_without(world, "hugo", "chen")
    incentives.rate(world.part["hugo"])
    run = calculated(world, first)
    assert incentives.award_of(world.part["chen"]).is_left_out
    incentives.rate(world.part["chen"])
    actions.calculate(run, by=world.kim)
    assert incentives.award_of(world.part["chen"]).amount > 0
    assert incentives.award_of(world.part["chen"]).run == run


def test_the_stage_does_not_close_over_a_half_finished_supplement(world: World) -> None:
    calculated_for(world, "hugo")
    with pytest.raises(Refused, match="not released"):
        actions.close_incentives(world.cycle)


def test_the_figures_count_a_person_once_whatever_the_runs(world: World) -> None:
    through(world, calculated_for(world, "hugo"), world.gita)
    rewards = figures_of(world.cycle)["rewards"]
    assert {(r["label"], r["people"]) for r in rewards} == {("Merit rise", 10), ("Bonus", 10)}


# --- What is left of the pools -----------------------------------------------------------------------


def dividing(world: World, pool: str) -> Any:
    plan = incentives.make_plan(world.cycle, by=world.kim)
    merit = incentives.make_component(plan, "merit", distributes_pool=True)
    incentives.make_rule(merit, "2", incentives.at_least(3))
    incentives.make_pool(merit, pool)
    return plan


def test_a_pool_that_was_handed_out_whole_is_raised_first(world: World, as_: SignedIn) -> None:
    plan = dividing(world, "10000.01")
    first = incentives.released_without(world, "hugo", "chen", plan=plan)
    assert Award.objects.aggregate(s=Sum("amount"))["s"] == Decimal("10000.01")
    merit = plan.components.get()
    with pytest.raises(Refused, match="can be raised"):
        actions.set_pools(merit, Decimal(13000), {}, version=None, by=world.kim)
    run = opened(world, first)
    for key in ("hugo", "chen"):
        incentives.rate(world.part[key])
    with pytest.raises(Refused, match=r"Nothing is left of the pool.*Raise the pool"):
        actions.calculate(run, by=world.kim)
    with pytest.raises(Refused, match="cannot hold less"):
        actions.set_pools(merit, Decimal(9000), {}, version=None, by=world.kim)
    actions.set_pools(merit, Decimal("12345.67"), {}, version=None, by=world.kim)
    run = through(world, actions.calculate(run, by=world.kim), world.gita, world.bashir)
    spent = dict(Award.objects.order_by().values_list("run__number").annotate(s=Sum("amount")))
    assert spent == {1: Decimal("10000.01"), 2: Decimal("2345.66")}
    assert Pool.objects.get().amount == sum(spent.values())
    assert actions.export_payroll(run, "csv", by=world.kim).total == Decimal("2345.66")


def test_the_supplement_divides_as_the_reference_does(world: World) -> None:
    plan = dividing(world, "10000.01")
    first = incentives.released_without(world, "hugo", "chen", plan=plan)
    run = opened(world, first)
    incentives.rate(world.part["hugo"])
    incentives.rate(world.part["chen"], 4)
    actions.set_pools(plan.components.get(), Decimal("11000.04"), {}, version=None, by=world.kim)
    actions.calculate(run, by=world.kim)
    assert run.plan_version
    pool = Pool.objects.get()
    wanted = rules.calculate(
        rules.components_of(run.plan_version.content),
        [rules.person_from(s.facts) for s in FactSheet.objects.filter(run=run)],
        [rules.Pool(pool.pk, pool.component_id, "", Decimal("1000.03"))],
        currency="USD",
    )
    got = {(a.component_id, a.participation_id): a.guideline for a in Award.objects.filter(run=run)}
    assert got == {key: outcome.guideline for key, outcome in wanted.items()}


def test_what_all_runs_give_together_does_not_overspend_a_pool(world: World, as_: SignedIn) -> None:
    # Ten people at 2 % of 52,000 are 10,400; the pool has one rise less.
    plan = incentives.make_plan(world.cycle, by=world.kim)
    merit = incentives.make_component(plan, "merit", band_percent="100")
    incentives.make_rule(merit, "2", incentives.at_least(3))
    incentives.make_pool(merit, "9999")
    run = actions.open_recommending(
        calculated_for(world, "hugo", plan=plan), version=None, by=world.kim
    )
    incentives.hand_in(run, world.gita, world.lea)
    with pytest.raises(Refused, match=r"overspent by \$401.00"):
        incentives.approve(run, world.lea)
    award = incentives.award_of(world.part["hugo"])
    actions.decide_team(run, world.gita.employee, "returned", "Too much.", by=world.lea)  # type: ignore[arg-type]
    sheet = as_(world.gita).get(reverse("incentives:sheet", kwargs={"pk": run.pk})).content.decode()
    assert 'data-left="-401.00"' in sheet
    actions.adjust(award, Decimal(639), "", version=None, by=world.gita)
    incentives.hand_in(run, world.gita, world.lea)
    incentives.approve(run, world.lea)
    assert Award.objects.aggregate(s=Sum("amount"))["s"] == Decimal(9999)


# --- Who sees it -------------------------------------------------------------------------------------


def test_a_partner_reads_only_their_units_and_nobody_themselves_before_the_release(
    world: World, as_: SignedIn
) -> None:
    for key, part in world.part.items():
        if key not in ("hugo", "chen", "kim"):
            incentives.rate(part)
    run = incentives.recommending(world)
    everybody = {"Hugo Blanc", "Chen Wei", "Kim Larsen"}
    for reader, sees in (
        (world.kim, everybody - {"Kim Larsen"}),
        (world.jan, {"Hugo Blanc"}),
        (world.lea, everybody),
    ):
        assert {
            w.participation.employee.name for w in actions.waiting(run.plan, seen_by=reader)
        } == sees
        page = page_of(world, as_, reader)
        assert {name for name in everybody if f">{name}</a>" in page} == sees
    named = [name for one in actions.left_of_approval(run, world.kim) for name, _url in one.names]
    assert "Kim Larsen" not in " ".join(n for n in named if "handed in" not in n)


# --- At the same moment ------------------------------------------------------------------------------


@pytest.fixture
def first(transactional_db: None) -> Run:
    return incentives.released_without(build_world(), "hugo")


def of(run: Run, key: str) -> Any:
    from pmcycle.people.models import User

    return User.objects.select_related("employee").get(employee__name__startswith=key)


def test_two_who_open_a_supplement_at_once_open_one(first: Run) -> None:
    kim, lea = of(first, "Kim"), of(first, "Lea")
    results = at_once(
        lambda: actions.open_supplement(first.plan, by=kim),
        lambda: actions.open_supplement(first.plan, by=lea),
    )
    assert refused(results) == 1
    assert Run.objects.filter(plan=first.plan).count() == 2


def _recommending(first: Run) -> Run:
    kim = of(first, "Kim")
    incentives.rate(Participation.objects.get(employee__name="Hugo Blanc"))
    run = actions.calculate(actions.open_supplement(first.plan, by=kim), by=kim)
    return actions.open_recommending(run, version=None, by=kim)


def test_of_two_approvals_at_once_one_counts(first: Run) -> None:
    run, lea = _recommending(first), of(first, "Lea")
    results = at_once(lambda: incentives.approve(run, lea), lambda: incentives.approve(run, lea))
    assert refused(results) == 1
    run.refresh_from_db()
    assert run.state == "approved"


def test_a_pool_that_is_lowered_at_the_moment_of_the_approval_is_never_overspent(
    first: Run,
) -> None:
    run, kim, lea = _recommending(first), of(first, "Kim"), of(first, "Lea")
    pool = Pool.objects.get(component__kind="merit")
    spent = Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"]
    results = at_once(
        lambda: incentives.approve(run, lea),
        lambda: actions.set_pools(pool.component, spent - 1, {}, version=None, by=kim),
    )
    assert refused(results) == 1
    pool.refresh_from_db()
    run.refresh_from_db()
    assert (run.state == "approved") == (pool.amount >= spent)


def test_who_is_rated_at_the_moment_of_an_approval_is_in_the_run_or_waits_for_the_next(
    transactional_db: None,
) -> None:
    world = build_world()
    for key, part in world.part.items():
        if key != "hugo":
            incentives.rate(part)
    run = incentives.recommending(world)
    incentives.hand_in(run, world.dora, world.lea)
    barrier = threading.Event()

    def rate() -> None:
        incentives.rate(world.part["hugo"])
        barrier.set()

    results = at_once(lambda: incentives.approve(run, world.lea), rate)
    assert refused(results) == 0
    assert barrier.is_set()
    incentives.release(run, world.kim)
    assert not Statement.objects.filter(participation=world.part["hugo"]).exists()
    assert [(w.participation, w.is_ready) for w in actions.waiting(run.plan)] == [
        (world.part["hugo"], True)
    ]
    supplement = calculated(world, run)
    assert (
        Award.objects.filter(run=supplement, participation=world.part["hugo"], amount__gt=0).count()
        == 2
    )
    assert Cycle.objects.get(pk=world.cycle.pk).state == "running"
