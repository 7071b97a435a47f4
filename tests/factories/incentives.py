"""Reward plans, runs and entries for tests; runs are made by the actions, because these decide the amounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from appraisals.models import Release, ReleasedResult
from feedback.models import Entry
from incentives import actions
from incentives.models import (
    Award,
    Component,
    Plan,
    Pool,
    RestraintEntry,
    Rule,
    Run,
    Statement,
)
from pmcycle.access import today
from pmcycle.cycles.models import Cycle, Participation, RatingLevel
from pmcycle.people.models import Unit, User
from tests.factories.cycles import accepting
from tests.factories.feedback import make_entry

if TYPE_CHECKING:
    from tests.conftest import World

MEETS, EXCEEDS = 3, 4


def at_least(position: int) -> list[dict[str, Any]]:
    return [{"fact": "rating", "op": "at_least", "value": str(position)}]


def make_plan(cycle: Cycle, *, by: User | None = None) -> Plan:
    return Plan.objects.create(cycle=cycle, drafted_by=by)


def make_component(plan: Plan, kind: str = "bonus", name: str = "", **fields: Any) -> Component:
    return Component.objects.create(
        plan=plan, kind=kind, name=name or str(Component.Kind(kind).label), **fields
    )


def make_rule(
    component: Component,
    amount: str = "2",
    conditions: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Rule:
    position = component.rules.count() + 1
    return Rule.objects.create(
        component=component, position=position, amount=amount, conditions=conditions or [], **fields
    )


def make_pool(component: Component, amount: str, unit: Unit | None = None) -> Pool:
    return Pool.objects.create(
        component=component, amount=amount, unit=unit, currency=component.plan.cycle.currency
    )


def rate(
    participation: Participation, position: int = MEETS, *, by: User | None = None
) -> ReleasedResult:
    """A released result, written directly."""
    level = RatingLevel.objects.get(scale__cycle=participation.cycle, position=position)
    asked = by or User.objects.order_by("pk").first()
    release = Release.objects.filter(cycle=participation.cycle).first() or Release.objects.create(
        cycle=participation.cycle, requested_by=asked, withdrawn_at=participation.launched_at
    )
    number = ReleasedResult.objects.filter(participation=participation).count() + 1
    snapshot = {
        "person": participation.employee.name,
        "job_title": participation.job_title,
        "unit": str(participation.unit),
        "cycle": participation.cycle.name,
        "rated_by": "",
        "set_in_calibration": False,
        "score": None,
        "trace": {},
        "rating": {"label": level.label, "meaning": level.meaning, "position": level.position},
        "scale": [],
        "manager": None,
        "self": None,
        "mentions": [],
    }
    return ReleasedResult.objects.create(
        participation=participation,
        number=number,
        release=release,
        level=level,
        snapshot=snapshot,
        sha256="0" * 64,
        reason="A review." if number > 1 else "",
    )


def rate_all(world: World, position: int = MEETS) -> None:
    for participation in world.part.values():
        rate(participation, position)


def write_plan(world: World, *, pool: str = "20000", by: User | None = None) -> Plan:
    """Merit and bonus as most companies have them: by rating, the first rule that fits; drafted by Kim."""
    plan = make_plan(world.cycle, by=by or world.kim)
    merit = make_component(plan, "merit", band_percent="20")
    make_rule(merit, "4", at_least(EXCEEDS))
    make_rule(merit, "2", at_least(MEETS))
    make_pool(merit, pool)
    bonus = make_component(plan, "bonus", band_percent="10")
    make_rule(bonus, "5", at_least(EXCEEDS))
    make_rule(bonus, "3", at_least(MEETS))
    make_pool(bonus, pool)
    return plan


def publish(plan: Plan, by: User) -> None:
    plan.refresh_from_db()
    actions.publish(plan, version=None, by=by)


def calculated(world: World, *, plan: Plan | None = None) -> Run:
    """A run that Kim has calculated, from rules that Lea has published; everybody is rated."""
    if not ReleasedResult.objects.filter(participation__cycle=world.cycle).exists():
        rate_all(world)
    plan = plan or write_plan(world)
    if not plan.is_published:
        publish(plan, world.lea)
    run, _made = Run.objects.get_or_create(plan=plan, number=1)
    return actions.calculate(run, by=world.kim)


def recommending(world: World, *, plan: Plan | None = None) -> Run:
    return actions.open_recommending(calculated(world, plan=plan), version=None, by=world.kim)


def approved(world: World, *, plan: Plan | None = None) -> Run:
    """Bashir, Dora's and Kim's teams are handed in and approved; Lea approves the run."""
    run = recommending(world, plan=plan)
    for manager in (world.bashir, world.gita, world.kim, world.dora):
        hand_in(run, manager, world.lea)
    return approve(run, world.lea)


def hand_in(run: Run, manager: User, above: User) -> None:
    """A team is handed in and approved by its line."""
    assert manager.employee
    actions.hand_in(run, "", by=manager)
    actions.decide_team(run, manager.employee, "approved", "", by=above)


def approve(run: Run, by: User, **options: Any) -> Run:
    """Approve over whatever is open or held, each kind with a reason."""
    accepted = accepting(actions.left_of_approval(run, by))
    return actions.approve(run, accepted=accepted, by=by, **{"version": None, **options})


def ask_for_release(run: Run, by: User) -> None:
    """What the button does: the release is asked for, over whatever is open or held; a worker does it."""
    actions.request_release(
        run, accepted=accepting(actions.left_of_release(run, by)), version=None, by=by
    )


def released(world: World, *, plan: Plan | None = None) -> Run:
    run = approved(world, plan=plan)
    return release(run, world.kim)


def release(run: Run, by: User) -> Run:
    ask_for_release(run, by)
    actions.release(run, by=by)
    run.refresh_from_db()
    return run


def award_of(participation: Participation, kind: str = "merit") -> Award:
    """What the newest run says."""
    return Award.objects.filter(participation=participation, component__kind=kind).latest(
        "run__number"
    )


def statement_of(participation: Participation) -> Statement:
    return Statement.objects.filter(participation=participation).latest("run__number")


def told(world: World, *, days_ago: int = 30, participation: Participation | None = None) -> Entry:
    """Something Bashir said to Ana a month ago."""
    assert world.bashir.employee
    part = participation or world.ana_part
    return make_entry(
        part,
        world.bashir.employee,
        world.bashir.employee,
        "The audit files are late.",
        days_ago=days_ago,
    )


def restraint(
    world: World,
    *,
    effect: str = "hold",
    kind: str = "merit",
    by: User | None = None,
    **fields: Any,
) -> RestraintEntry:
    """An entry about Ana, proposed by Bashir."""
    values: dict[str, Any] = {
        "answer_by": today() + timedelta(days=7),
        "lapses_on": today() + timedelta(days=60),
        "facts": "Three audit files were late.",
        "percent": Decimal(50) if effect == "reduce" else None,
        "entry": told(world),
        **fields,
    }
    return RestraintEntry.objects.create(
        participation=world.ana_part,
        component_kind=kind,
        effect=effect,
        proposed_by=by or world.bashir,
        **values,
    )


def in_effect(world: World, **fields: Any) -> RestraintEntry:
    entry = restraint(world, **fields)
    entry = actions.answer(entry, "The system was down.", version=None, by=world.ana)
    return actions.decide(
        entry, "effective", "The files were due all the same.", version=None, by=world.kim
    )


# --- what the access table opens -------------------------------------------------------------------


def cycle_of(world: World) -> dict[str, Any]:
    return {"pk": world.cycle.pk}


def participation_of_ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana_part.pk}


def cycle_with_draft(world: World) -> dict[str, Any]:
    write_plan(world)
    return {"pk": world.cycle.pk}


def cycle_with_published(world: World) -> dict[str, Any]:
    publish(write_plan(world), world.lea)
    return {"pk": world.cycle.pk}


def component_of_plan(world: World) -> dict[str, Any]:
    return {"pk": write_plan(world).components.order_by("pk")[0].pk}


def rule_of_plan(world: World) -> dict[str, Any]:
    return {"pk": write_plan(world).components.order_by("pk")[0].rules.order_by("position")[0].pk}


def cycle_calculated(world: World) -> dict[str, Any]:
    calculated(world)
    return {"pk": world.cycle.pk}


def cycle_with_left_out(world: World) -> dict[str, Any]:
    """Released, and Hugo had no rating."""
    released_without(world, "hugo")
    return {"pk": world.cycle.pk}


def released_without(world: World, *unrated: str, plan: Plan | None = None) -> Run:
    """A first run that is released, in which these people had no released rating."""
    for key, participation in world.part.items():
        if key not in unrated:
            rate(participation)
    return released(world, plan=plan)


def run_recommending(world: World) -> dict[str, Any]:
    return {"pk": recommending(world).pk}


def run_handed_in(world: World) -> dict[str, Any]:
    run = recommending(world)
    actions.hand_in(run, "", by=world.bashir)
    assert world.bashir.employee
    return {"pk": run.pk, "manager": world.bashir.employee.pk}


def team_handed_in(world: World) -> dict[str, Any]:
    """Bashir's, with Ana in it."""
    return {"pk": actions.hand_in(recommending(world), "", by=world.bashir).pk}


def run_approved(world: World) -> dict[str, Any]:
    return {"pk": approved(world).pk}


def award_before_release(world: World) -> dict[str, Any]:
    recommending(world)
    return {"pk": award_of(world.ana_part).pk}


def award_released(world: World) -> dict[str, Any]:
    released(world)
    return {"pk": award_of(world.ana_part).pk}


def statement_of_ana(world: World) -> dict[str, Any]:
    released(world)
    return {"pk": statement_of(world.ana_part).pk}


def export_of_run(world: World) -> dict[str, Any]:
    return {"pk": actions.export_payroll(released(world), "csv", by=world.kim).pk}


def run_released(world: World) -> dict[str, Any]:
    return {"pk": released(world).pk}


def restraint_of_ana(world: World) -> dict[str, Any]:
    return {"pk": restraint(world).pk}


def many_more(world: World, count: int) -> None:
    """More people on Bashir's team, rated; the run is calculated again."""
    from tests.factories import cycles, people

    assert world.bashir.employee
    assert world.dora.employee
    for _number in range(count):
        person = people.make_employee(
            f"Person {Participation.objects.count() + 1}", world.production
        )
        people.pay(person)
        rate(cycles.take_part(world.cycle, person, world.bashir.employee, world.dora.employee))
    if not ReleasedResult.objects.filter(participation=world.ana_part).exists():
        rate_all(world)
    plan = Plan.objects.filter(cycle=world.cycle).first() or write_plan(world, pool="900000")
    if not plan.is_published:
        publish(plan, world.lea)
    run = actions.calculate(Run.objects.get_or_create(plan=plan, number=1)[0], by=world.kim)
    if run.state == Run.State.CALCULATED:
        actions.open_recommending(run, version=None, by=world.kim)


def run_in_recommendation(world: World) -> dict[str, Any]:
    return {"pk": Run.objects.get(plan__cycle=world.cycle).pk}


def merit_of_ana(world: World) -> dict[str, Any]:
    return {"pk": award_of(world.ana_part).pk}


def released_statement(world: World) -> dict[str, Any]:
    return {"pk": statement_of(world.ana_part).pk}
