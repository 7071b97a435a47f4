"""Writing the plan: sentences with slots, their order, pools, and a second person who publishes."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incentives import actions
from incentives.models import Award, Component, Plan, PlanVersion, Pool, Rule
from pmcycle.activity.models import ToDo
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused
from pmcycle.people.models import Employee
from tests.conftest import SignedIn, World
from tests.factories import cycles, incentives, people


def rule_data(**changes: Any) -> dict[str, Any]:
    return {
        "act": "save",
        "effect": "give",
        "basis": "percent",
        "amount": "1.25",
        "version": "0",
        "c0-fact": "rating",
        "c0-op": "at_least",
        "c0-value": "exceeds",
        "c1-fact": "months_worked",
        "c1-op": "at_least",
        "c1-value": "6",
        **changes,
    }


def test_a_plan_is_begun_and_a_sentence_written(world: World, as_: SignedIn) -> None:
    client, pk = as_(world.kim), {"pk": world.cycle.pk}
    client.post(reverse("incentives:start_plan", kwargs=pk))
    client.post(reverse("incentives:add_component", kwargs=pk), {"kind": "bonus"})
    component = Component.objects.get()
    answer = client.post(reverse("incentives:add_rule", kwargs={"pk": component.pk}), rule_data())
    assert answer.status_code == 302
    assert Rule.objects.get().conditions == [
        {"fact": "rating", "op": "at_least", "value": "4"},
        {"fact": "months_worked", "op": "at_least", "value": "6"},
    ]
    page = client.get(reverse("incentives:plan", kwargs=pk)).content.decode()
    for slot in ("Exceeds", "1.25"):
        assert re.search(rf'class="slot"\s*>{slot}<', page)


def test_conditions_come_and_go_without_a_script(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    url = reverse("incentives:add_rule", kwargs={"pk": plan.components.order_by("pk")[0].pk})
    client = as_(world.kim)
    more = client.post(url, rule_data(act="add")).content.decode()
    assert 'name="c2-fact"' in more
    fewer = client.post(url, rule_data(act="remove-0")).content.decode()
    assert 'value="6"' in fewer
    assert 'name="c1-fact"' not in fewer
    assert Rule.objects.count() == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"c0-value": "Superb"},
        {"c1-value": "many"},
        {"c1-value": "1e99"},
        {"c0-op": "more_than"},
        {"amount": "-1"},
        {"amount": "0"},
        {"amount": "101"},
        {"effect": "reduce", "amount": "150"},
        {"c1-value": "\x00"},
        {"effect": "exec"},
    ],
)
def test_a_slot_that_cannot_be_read_is_named(
    world: World, as_: SignedIn, wrong: dict[str, str]
) -> None:
    plan = incentives.write_plan(world)
    url = reverse("incentives:add_rule", kwargs={"pk": plan.components.order_by("pk")[0].pk})
    assert as_(world.kim).post(url, rule_data(**wrong)).status_code == 422
    assert Rule.objects.count() == 4


def test_rules_are_put_in_order(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    first, second = plan.components.order_by("pk")[0].rules.order_by("position")
    as_(world.kim).post(
        reverse("incentives:move_rule", kwargs={"pk": second.pk}), {"direction": "up"}
    )
    assert list(first.component.rules.order_by("position").values_list("pk", flat=True)) == [
        second.pk,
        first.pk,
    ]


def test_a_second_person_publishes_and_a_change_needs_it_again(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    url = reverse("incentives:publish", kwargs={"pk": world.cycle.pk})
    assert as_(world.kim).post(url, {"version": plan.version}).status_code == 409
    assert as_(world.lea).post(url, {"version": plan.version}).status_code == 302
    rule = Rule.objects.order_by("pk")[0]
    as_(world.lea).post(
        reverse("incentives:edit_rule", kwargs={"pk": rule.pk}),
        rule_data(version=rule.version, amount="9"),
    )
    plan.refresh_from_db()
    assert not plan.is_published
    page = (
        as_(world.ana)
        .get(reverse("incentives:criteria", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    assert '<span class="slot">9</span>' not in page
    assert PlanVersion.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(drafted_by=world.kim, published_by=world.kim)


def test_pools_are_set_by_unit_and_their_sum_shown(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    merit = plan.components.order_by("pk")[0]
    url = reverse("incentives:set_pools", kwargs={"pk": merit.pk})
    data = {"version": merit.version, "whole": "100.10", f"unit_{world.sales.pk}": "50.05"}
    assert as_(world.kim).post(url, data).status_code == 302
    assert dict(Pool.objects.filter(component=merit).values_list("unit", "amount")) == {
        None: Decimal("100.10"),
        world.sales.pk: Decimal("50.05"),
    }
    page = (
        as_(world.kim)
        .get(reverse("incentives:plan", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    assert "$150.15" in page
    assert as_(world.kim).post(url, data).status_code == 409


def test_the_own_what_if_uses_only_own_facts(world: World, as_: SignedIn) -> None:
    incentives.publish(incentives.write_plan(world), world.lea)
    page = (
        as_(world.ana)
        .get(reverse("incentives:what_if", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    for amount in ("$1,040.00", "$2,080.00", "$2,600.00"):
        assert amount in page
    assert "$4,680.00" not in page, "a rise and a bonus are no sum"
    assert "Chen" not in page


def test_a_rehearsal_names_nobody_and_writes_nothing(world: World, as_: SignedIn) -> None:
    incentives.rate_all(world)
    incentives.write_plan(world)
    page = (
        as_(world.kim)
        .get(reverse("incentives:rehearse", kwargs={"pk": world.cycle.pk}))
        .content.decode()
    )
    assert "Ana Popescu" not in page
    assert "$26,000.00" in page
    assert not Plan.objects.filter(runs__isnull=False).exists()


def test_a_rehearsal_hands_out_the_pools_and_says_what_they_lack(
    world: World, as_: SignedIn
) -> None:
    incentives.rate_all(world)
    plan = incentives.make_plan(world.cycle, by=world.kim)
    whole = incentives.make_component(plan, "merit", distributes_pool=True)
    incentives.make_rule(whole, "2")
    incentives.make_pool(whole, "5000")
    free = incentives.make_component(plan, "bonus")
    incentives.make_rule(free, "10")
    incentives.make_pool(free, "100")
    found = actions.rehearse(plan, world.cycle)
    assert [(p["name"], p["given"] == 5000, p["left"] < 0) for p in found["pools"]] == [
        (whole.name, True, False),
        (free.name, False, True),
    ]
    given = sum(p["given"] for p in found["pools"])
    assert next(r for r in found["rows"] if r["kind"] == "all")["new"] == given
    url = reverse("incentives:rehearse", kwargs={"pk": world.cycle.pk})
    assert "too small" in as_(world.kim).get(url).content.decode()
    whole.minimum = Decimal(5000)
    whole.save()
    assert "cannot pay everybody the least" in as_(world.kim).get(url).content.decode()


def test_the_plan_comes_along_into_a_copied_cycle(world: World) -> None:
    incentives.write_plan(world)
    for number in range(6):
        people.make_employee(f"New Comer{number}", world.sales)
    new = cycles.make_draft("Next year", by=world.kim)
    actions.copy_plan(world.cycle, new, world.kim)
    copied = Plan.objects.get(cycle=new)
    assert copied.components.count() == 2
    assert Rule.objects.filter(component__plan=copied).count() == 4
    assert not copied.is_published
    with CaptureQueriesContext(connection) as asked:
        found = actions.check_plan(new, Employee.objects.all())
    assert [f.code for f in found] == ["incentives:unpublished", "incentives:no_pay"]
    unpaid = Employee.objects.filter(salaries=None).values_list("name", flat=True)
    assert (found[1].count, found[1].people) == (len(unpaid), tuple(unpaid[:5]))
    assert len(asked) == 2


def test_a_copied_plan_waits_for_a_second_person_as_long_as_the_draft_is_there(
    world: World, as_: SignedIn
) -> None:
    incentives.write_plan(world)
    kim = as_(world.kim)
    kim.post(reverse("cycles:create"), {"name": "The one after", "copy_of": world.cycle.pk})
    new = Cycle.objects.get(name="The one after")
    stages = {stage.kind: stage for stage in new.stages.all()}
    waits = ToDo.objects.get(kind="incentives:publish", cycle=new)
    assert (waits.recipient_id, waits.due_on) == (
        world.lea.employee_id,
        stages["incentives"].opens_on,
    )
    dates = {
        f"{kind}_{name}": getattr(stage, name)
        for kind, stage in stages.items()
        for name in ("opens_on", "due_on", "grace_days")
    }
    dates["incentives_opens_on"] += timedelta(days=1)
    data = {
        "name": new.name,
        "first_day": new.first_day,
        "last_day": new.last_day,
        "zone": new.zone,
        "currency": new.currency,
        "stages_may_overlap": "on",
        "version": new.version,
        **dates,
    }
    assert (
        kim.post(
            reverse("cycles:configure", kwargs={"pk": new.pk, "step": "stages"}), data
        ).status_code
        == 302
    )
    waits.refresh_from_db()
    assert waits.due_on == dates["incentives_opens_on"]
    new.refresh_from_db()
    gone = kim.post(reverse("cycles:discard", kwargs={"pk": new.pk}), {"version": new.version})
    assert gone.status_code == 302
    assert not Cycle.objects.filter(pk=new.pk).exists()


def test_a_draft_whose_rules_are_published_is_not_discarded(world: World, as_: SignedIn) -> None:
    incentives.write_plan(world)
    kim = as_(world.kim)
    kim.post(reverse("cycles:create"), {"name": "The one after", "copy_of": world.cycle.pk})
    new = Cycle.objects.get(name="The one after")
    incentives.publish(Plan.objects.get(cycle=new), world.lea)
    gone = kim.post(reverse("cycles:discard", kwargs={"pk": new.pk}), {"version": new.version})
    assert gone.status_code == 409
    assert "stays as it was" in gone.content.decode()
    assert Cycle.objects.filter(pk=new.pk).exists()


def test_the_stage_does_not_close_over_half_finished_money(world: World) -> None:
    incentives.recommending(world)
    with pytest.raises(Refused, match="not released"):
        actions.close_incentives(world.cycle)


def test_a_pool_never_holds_less_than_managers_recommend_from(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    pool = Pool.objects.filter(awards__run=run, awards__amount__gt=0).distinct()[0]
    given = Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"]
    url = reverse("incentives:set_pools", kwargs={"pk": pool.component_id})
    answer = as_(world.kim).post(
        url, {"version": pool.component.version, "whole": str(given - Decimal("0.01"))}
    )
    assert answer.status_code == 422
    assert "is given of this pool" in answer.content.decode()
    exactly = {"version": pool.component.version, "whole": str(given)}
    assert as_(world.kim).post(url, exactly).status_code == 302
    pool.refresh_from_db()
    assert pool.amount == given


def test_the_database_refuses_a_pool_below_what_is_given(world: World) -> None:
    run = incentives.recommending(world)
    pool = Pool.objects.filter(awards__run=run, awards__amount__gt=0).distinct()[0]
    given = Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"]
    with pytest.raises(IntegrityError, match="pool_covers_what_is_given"), transaction.atomic():
        Pool.objects.filter(pk=pool.pk).update(amount=given - Decimal("0.01"))
    Pool.objects.filter(pk=pool.pk).update(amount=given)


def test_an_overspent_pool_is_raised_little_by_little_and_never_lowered(
    world: World, as_: SignedIn
) -> None:
    """Percentages overspent it when they were calculated; no run is approved before it holds them."""
    plan = incentives.write_plan(world, pool="100")
    incentives.recommending(world, plan=plan)
    pool = Pool.objects.filter(component__plan=plan)[0]
    url = reverse("incentives:set_pools", kwargs={"pk": pool.component_id})
    for money, status in (("99", 422), ("100", 302), ("150", 302), ("149", 422)):
        pool.component.refresh_from_db()
        data = {"version": pool.component.version, "whole": money}
        assert as_(world.kim).post(url, data).status_code == status, money
    pool.refresh_from_db()
    assert pool.amount == 150


def test_what_was_only_calculated_is_calculated_again_from_a_lower_pool(world: World) -> None:
    """Where a component hands out its whole pool: there calculating again makes it fit."""
    plan = incentives.write_plan(world)
    plan.components.update(distributes_pool=True)
    run = incentives.calculated(world, plan=plan)
    pool = Pool.objects.filter(awards__run=run, awards__amount__gt=0).distinct()[0]
    given = Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"]
    actions.set_pools(pool.component, given - 1, {}, version=None, by=world.kim)
    with pytest.raises(Refused, match="Calculate it again"):
        actions.open_recommending(run, version=None, by=world.kim)
    actions.calculate(run, by=world.kim)
    actions.open_recommending(run, version=None, by=world.kim)
    assert Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"] == given - 1


def test_the_money_of_a_unit_is_taken_back_into_the_whole(world: World, as_: SignedIn) -> None:
    merit = incentives.write_plan(world).components.order_by("pk")[0]
    url = reverse("incentives:set_pools", kwargs={"pk": merit.pk})
    apart = {"version": merit.version, "whole": "100", f"unit_{world.sales.pk}": "50"}
    assert as_(world.kim).post(url, apart).status_code == 302
    merit.refresh_from_db()
    assert as_(world.kim).post(url, {"version": merit.version, "whole": "150"}).status_code == 302
    assert dict(Pool.objects.filter(component=merit).values_list("unit", "amount")) == {
        None: Decimal(150)
    }
