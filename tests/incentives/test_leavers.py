"""Who leaves between the calculation and the money gets none of it, with the cause, and the pool has it back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incentives import actions
from incentives.actions.leavers import leave_out_leavers
from incentives.actions.recommending import pools_of
from incentives.models import Award, AwardLine, Run, Statement
from pmcycle.access import today
from pmcycle.activity.models import Event
from pmcycle.cycles import tasks
from pmcycle.cycles.models import Participation
from pmcycle.people.models import Employee
from tests.conftest import SignedIn, World
from tests.factories import incentives

pytestmark = pytest.mark.django_db


def leaves(world: World, *keys: str) -> None:
    """By the company's record; the clock has not come by yet."""
    people = [world.part[key].employee_id for key in keys]
    Employee.objects.filter(pk__in=people).update(left_on=today() - timedelta(days=1))


def handed_in(world: World) -> Run:
    run = incentives.recommending(world)
    for manager in (world.bashir, world.gita, world.kim, world.dora):
        actions.hand_in(run, "", by=manager)
        assert manager.employee
        actions.decide_team(run, manager.employee, "approved", "", by=world.lea)
    return run


def spent(run: Run) -> Decimal:
    return sum((row["spent"] for row in pools_of(run)), Decimal(0))


def test_an_award_is_not_approved_for_who_has_left(world: World, as_: SignedIn) -> None:
    run = handed_in(world)
    before, hers = (
        spent(run),
        Award.objects.filter(participation=world.ana_part).aggregate(s=Sum("amount"))["s"],
    )
    assert hers > 0
    leaves(world, "ana")
    url = reverse("incentives:approve", kwargs={"pk": run.pk})
    assert as_(world.lea).post(url, {"version": run.version}).status_code == 302
    world.ana_part.refresh_from_db()
    assert world.ana_part.state == "left"
    for award in Award.objects.filter(participation=world.ana_part):
        assert (award.amount, award.ineligible_why) == (Decimal(0), "left")
        assert award.lines.aggregate(s=Sum("amount"))["s"] == 0, "line for line"
    assert spent(run) == before - hers, "the pool has it back"
    assert Event.objects.filter(verb="award_left_out", about=world.ana.employee).count() == 2
    assert Event.objects.get(verb="approved").data["leavers"] == 2
    assert incentives.award_of(world.part["chen"]).amount > 0


def test_an_award_is_not_released_for_who_left_after_the_approval(
    world: World, as_: SignedIn
) -> None:
    run = incentives.approved(world)
    award = incentives.award_of(world.ana_part)
    before, amount = spent(run), award.amount
    assert amount > 0
    leaves(world, "ana")
    incentives.release(run, by=world.kim)
    lines = AwardLine.objects.filter(award=award).values_list("kind", "amount", "reason")
    assert list(lines) == [("calculated", amount, ""), ("reversal", -amount, "has left")]
    ledger = as_(world.kim).get(reverse("incentives:award", args=[award.pk])).content.decode()
    assert "<br>has left" in ledger, "with its cause"
    hers = AwardLine.objects.filter(award__participation=world.ana_part, kind="reversal")
    assert spent(run) == before + sum(hers.values_list("amount", flat=True))
    for row in pools_of(run):
        lines_of_pool = AwardLine.objects.filter(award__pool=row["pool"]).aggregate(
            s=Sum("amount")
        )["s"]
        assert lines_of_pool + row["left"] == row["pool"].amount, "line by line the pool is whole"
    statement = Statement.objects.get(participation=world.ana_part)
    assert statement.snapshot["total"] == "0.00"
    assert {a["why"] for a in statement.snapshot["awards"]} == {"left"}
    actions.export_payroll(Run.objects.get(pk=run.pk), "csv", by=world.kim)
    assert not Award.objects.filter(
        participation=world.ana_part, payroll_batch__isnull=False
    ).exists()


def test_nothing_more_is_recommended_for_who_has_left(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    Participation.objects.filter(pk=world.ana_part.pk).update(state="left", left_on=today())
    url = reverse("incentives:adjust", kwargs={"pk": award.pk})
    sent = as_(world.bashir).post(
        url, {"amount": award.high, "reason": "", "version": award.version}
    )
    assert sent.status_code == 409


def test_who_is_back_before_the_approval_is_calculated_in_again(world: World) -> None:
    run = incentives.calculated(world)
    amount = incentives.award_of(world.ana_part).amount
    leaves(world, "ana")
    actions.calculate(run, by=world.kim)
    assert incentives.award_of(world.ana_part).ineligible_why == "left"
    Employee.objects.update(left_on=None)
    actions.calculate(run, by=world.kim)
    assert incentives.award_of(world.ana_part).amount == amount
    lines = AwardLine.objects.filter(award=incentives.award_of(world.ana_part))
    assert list(lines.values_list("kind", flat=True)) == ["calculated", "reversal", "calculated"]


def comes_back(world: World, key: str) -> None:
    """By the company's record, and the clock has come by."""
    Employee.objects.filter(pk=world.part[key].employee_id).update(left_on=None)
    tasks.open_due()
    world.part[key].refresh_from_db()
    assert world.part[key].state == "active"


def test_who_is_back_after_the_approval_gets_no_statement_of_nothing_and_follows(
    world: World, as_: SignedIn
) -> None:
    run = handed_in(world)
    amount = incentives.award_of(world.ana_part).amount
    leaves(world, "ana")
    run = incentives.approve(run, world.lea)
    assert actions.waiting(run.plan) == [], "nobody waits for who has left"
    comes_back(world, "ana")
    left = {one.code: one for one in actions.left_of_release(run, world.kim)}
    assert left["incentives:left"].names[0][0] == "Ana Popescu"
    assert "are back" in left["incentives:left"].title
    run = incentives.release(run, world.kim)
    assert not Statement.objects.filter(participation=world.ana_part).exists()
    url = reverse("incentives:run", kwargs={"pk": world.cycle.pk})
    assert "Had left at the calculation, and is back" in as_(world.kim).get(url).content.decode()
    out = as_(world.kim).get(url, {"show": "out"}).content.decode()
    assert "Ana Popescu" in out
    assert "incentives:left_out" in {
        one.code for one in actions.left_of_incentives(world.cycle, world.kim)
    }
    supplement = actions.calculate(actions.open_supplement(run.plan, by=world.kim), by=world.kim)
    assert set(Award.objects.filter(run=supplement).values_list("participation", flat=True)) == {
        world.ana_part.pk
    }
    assert incentives.award_of(world.ana_part).amount == amount
    leaves(world, "ana")
    actions.calculate(supplement, by=world.kim)
    assert incentives.award_of(world.ana_part).ineligible_why == "left", "and leaves again"


def test_who_is_back_without_a_rating_waits_for_it_as_anybody(world: World) -> None:
    incentives.rate(world.part["chen"])
    run = incentives.calculated(world)
    leaves(world, "ana")
    run = actions.calculate(run, by=world.kim)
    run = actions.open_recommending(run, version=None, by=world.kim)
    run = incentives.release(incentives.approve(run, world.lea), world.kim)
    comes_back(world, "ana")
    supplement = actions.calculate(actions.open_supplement(run.plan, by=world.kim), by=world.kim)
    award = incentives.award_of(world.ana_part)
    assert (award.run, award.ineligible_why) == (supplement, "no_rating")


def test_it_takes_the_same_number_of_statements_however_many_left(world: World) -> None:
    run = Run.objects.select_related("plan__cycle").get(pk=handed_in(world).pk)

    def counted(*keys: str) -> int:
        leaves(world, *keys)
        with CaptureQueriesContext(connection) as found:
            assert leave_out_leavers(run, by=world.lea) == 2 * len(keys)
        return len(found)

    assert counted("ana") == counted("chen", "hugo", "ines")
    assert leave_out_leavers(run, by=world.lea) == 0, "once"
