"""What people have to do and what an end names hold together: one company in which every kind of both stands."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

import incentives.actions
from pmcycle.activity.models import ToDo
from pmcycle.cycles.actions import stage_work
from pmcycle.people.models import Employee
from tests.conftest import World
from tests.factories import appraisals, evaluations, goals
from tests.factories import incentives as rewards
from tests.open_items import catch_up

pytestmark = pytest.mark.django_db

# Under which kinds of leftover an end names whom a to-do is about. What is about nobody, and a team that waits for its
# line, is named by the cycle.
NAMED = {
    "goals:propose": {"goals:unagreed"},
    "goals:answer": {"goals:unagreed"},
    "goals:answer_own": {"goals:unagreed"},
    "goals:complete": {"goals:uneven", "goals:unagreed"},
    "goals:change": {"goals:change"},
    "goals:change_own": {"goals:change"},
    "goals:confirm": {"goals:contribution"},
    "appraisals:self": {"appraisals:self"},
    "appraisals:manager": {"appraisals:unrated"},
    "appraisals:result": {"appraisals:unread"},
    "appraisals:appeal": {"appraisals:review"},
    "appraisals:release": {"appraisals:release"},
    "incentives:publish": {"incentives:unpublished"},
    "incentives:sheet": {"incentives:sheets"},
    "incentives:team": {"incentives:run"},
    "incentives:hand_out": {"incentives:run"},
    "incentives:approve": {"incentives:run"},
    "incentives:release": {"incentives:run"},
    "incentives:answer": {"incentives:restraint"},
    "incentives:decide": {"incentives:restraint"},
    "incentives:statement": {"incentives:unread"},
    "evaluations:write": {"evaluations:unwritten"},
    "evaluations:sign": {"evaluations:unsigned"},
}
# To-dos of a stage that no end waits for.
UNNAMED = {
    "goals:progress": "a gentle line without a day: saying nothing of a goal leaves nothing open",
    "incentives:supplement": "nothing is calculated in it: those for whom it is are named as left out",
}
# Kinds of leftover that wait for no act of somebody in particular, and why.
NOBODYS = {
    "appraisals:calibration": "whoever opened the session closes it; it has no day",
    "appraisals:first_mention": "held by the rule of first mention: nothing is to be done but to accept it",
    "appraisals:unreleased": "any HR admin asks for a release when it suits the company",
    "appraisals:may_ask": "a right of the person, and no duty",
    "incentives:uncalculated": "any HR admin calculates",
    "incentives:left_out": "a supplementary run is HR's to open or not",
    "incentives:held": "held until an entry or a rule is settled, after the end too",
}
# Of a kind that does wait for somebody: whom an end names without a to-do of anybody.
WITHOUT_A_MANAGER = "nobody leads them: the board says so, and HR hands them over"


def named(world: World) -> dict[str, set[str]]:
    """Whom the ends of all stages name, by kind of leftover."""
    found: dict[str, set[str]] = {}
    for work in stage_work().values():
        for leave in work.leaves:
            for one in leave(world.cycle, None):
                assert len(one.part(0, one.count)) == one.count
                found.setdefault(one.code, set()).update(
                    name for name, _url in one.part(0, one.count)
                )
    return found


def to_do(world: World) -> list[ToDo]:
    catch_up()
    rows = ToDo.objects.now(timezone.now()).filter(cycle=world.cycle, phase=ToDo.Phase.TODO)
    return list(rows.exclude(stage="").select_related("about"))


def who(row: ToDo, world: World) -> str:
    if row.kind == "appraisals:release":
        return row.name
    return row.about.name if row.about and row.kind != "incentives:team" else world.cycle.name


def hold_together(world: World) -> tuple[set[str], set[str]]:
    """Both ways; and the kinds of to-do and of leftover that were there."""
    ends, rows = named(world), to_do(world)
    for row in rows:
        if row.kind not in UNNAMED:
            led = set().union(*(ends.get(code, set()) for code in NAMED[row.kind]))
            assert who(row, world) in led, (
                f"{row.kind} of {who(row, world)} stands in no list of an end"
            )
    waiting: dict[str, set[str]] = {}
    for row in rows:
        for code in NAMED.get(row.kind, ()):
            waiting.setdefault(code, set()).add(who(row, world))
        if row.kind == "incentives:sheet":
            waiting.setdefault("incentives:run", set()).add(world.cycle.name)
    alone = {
        name
        for name in Employee.objects.filter(participations__cycle=world.cycle).values_list(
            "name", flat=True
        )
        if not Employee.objects.filter(
            name=name,
            participations__cycle=world.cycle,
            participations__assignments__ends_on=None,
            participations__assignments__isnull=False,
        ).exists()
    }
    for code, names in ends.items():
        if code not in NOBODYS:
            assert names - waiting.get(code, set()) <= alone, (
                f"{code}: {WITHOUT_A_MANAGER}, else a to-do"
            )
    return {row.kind for row in rows}, set(ends)


def test_whatever_somebody_has_to_do_is_named_at_an_end_and_what_is_named_somebody_has_to_do(
    world: World,
) -> None:
    kinds: set[str] = set()
    codes: set[str] = set()

    def look() -> None:
        of_people, of_ends = hold_together(world)
        kinds.update(of_people)
        codes.update(of_ends)

    ana, bashir = world.ana, world.bashir
    chen, hugo, gita = world.part["chen"], world.part["hugo"], world.part["gita"]
    appraisals.make_third_hr_admin(world)
    goals.propose(chen, world.chen)
    goals.propose(world.part["jan"], world.kim)
    goals.agree(hugo, world.hugo, world.gita)
    for by, other in ((ana, bashir), (bashir, ana)):
        goals.change(
            goals.agree(world.ana_part, ana, other if by == ana else bashir, weight="50"), by
        )
    goals.contribution(world.ana_part, ana, world.chen)
    plan = rewards.write_plan(world, by=world.kim)
    entry = rewards.restraint(world)
    appraisals.open_stage(world.cycle)
    evaluations.make_evaluation(world.ana_part, world.part["bashir"].employee, state="shared")
    look()

    rewards.publish(plan, world.lea)
    incentives.actions.answer(entry, "The system was down.", version=None, by=ana)
    appraisals.rate(chen)
    appraisals.appealed(world)
    appraisals.rate(hugo)
    appraisals.ask_for_release(world.cycle, world.kim)
    appraisals.rate(gita, "Partly meets")
    appraisals.make_session(world.cycle, world.kim)
    look()

    incentives.actions.decide(entry, "effective", "It holds.", version=None, by=world.kim)
    plan.refresh_from_db()
    run = rewards.calculated(world, plan=plan)
    look()

    run = incentives.actions.open_recommending(run, version=None, by=world.kim)
    look()

    incentives.actions.hand_in(run, "", by=bashir)
    look()

    incentives.actions.decide_team(
        run, world.part["bashir"].employee, "approved", "", by=world.dora
    )
    look()

    for manager in (world.gita, world.kim, world.dora):
        rewards.hand_in(run, manager, world.lea)
    look()

    run = rewards.approve(run, world.lea)
    look()

    rewards.release(run, world.kim)
    look()

    incentives.actions.open_supplement(plan, by=world.kim)
    look()

    assert kinds == NAMED.keys() | (kinds & UNNAMED.keys()), "every kind was there"
    expected: set[Any] = set().union(*NAMED.values()) | NOBODYS.keys()
    assert codes == expected, "every kind of leftover was there"
