"""What needs whom in incentives, and when it no longer does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from incentives import actions
from incentives.models import Approval, RestraintEntry, Run
from pmcycle.access import today
from pmcycle.activity.models import Notice, ToDo
from pmcycle.cycles import actions as of_cycle
from pmcycle.home import actions as clock
from pmcycle.people.actions import accounts
from pmcycle.people.models import Employee, Role, RoleGrant
from tests.conftest import SignedIn, World
from tests.factories import incentives, people
from tests.open_items import waiting as open_now


def waiting(world: World) -> set[tuple[str, str]]:
    names = {u.employee_id: key for key in world.part for u in [getattr(world, key)]} | {
        world.dora.employee_id: "dora"
    }
    return {
        (item.kind.removeprefix("incentives:"), names[item.recipient])
        for item in open_now("incentives")
    }


def test_from_the_plan_to_the_statement(world: World) -> None:
    plan = incentives.write_plan(world)
    assert waiting(world) == {("publish", "lea")}
    run = incentives.calculated(world, plan=plan)
    assert waiting(world) == {("hand_out", "kim")}
    actions.open_recommending(run, version=None, by=world.lea)
    assert waiting(world) == {("sheet", key) for key in ("bashir", "gita", "kim", "dora")}
    actions.hand_in(run, "", by=world.bashir)
    assert ("team", "dora") in waiting(world)
    assert ("sheet", "bashir") not in waiting(world)
    assert world.bashir.employee
    actions.decide_team(run, world.bashir.employee, "approved", "", by=world.dora)
    for manager in (world.gita, world.kim, world.dora):
        actions.hand_in(run, "", by=manager)
        assert manager.employee
        actions.decide_team(run, manager.employee, "approved", "", by=world.lea)
    assert waiting(world) == {("approve", "lea")}
    incentives.approve(run, world.lea)
    assert waiting(world) == {("release", "kim")}
    actions.release(run, by=world.kim)
    assert waiting(world) == {("statement", key) for key in world.part}
    actions.acknowledge(incentives.statement_of(world.ana_part), by=world.ana)
    assert ("statement", "ana") not in waiting(world)


def test_a_calculated_run_waits_to_be_handed_to_the_managers(world: World, as_: SignedIn) -> None:
    run = incentives.calculated(world)
    words = f"Hand the calculated rewards of “{world.cycle.name}” to the managers"
    page = as_(world.kim).get(reverse("home:index")).content.decode()
    item = reverse("incentives:one_run", args=[run.pk])
    assert words in page
    assert item in page
    assert words in {row["title"] for row in as_(world.kim).get("/api/v1/todos/").json()["results"]}
    shown = as_(world.kim).get(item, follow=True).content.decode()
    assert reverse("incentives:open_recommending", args=[run.pk]) in shown
    run = actions.calculate(run, by=world.lea)
    [row] = ToDo.objects.filter(kind="incentives:hand_out")
    assert row.done_at is None, "calculated again it still waits"
    url = reverse("incentives:open_recommending", args=[run.pk])
    assert as_(world.lea).post(url, {"version": run.version}).status_code == 302
    row.refresh_from_db()
    assert (row.done_by, row.dropped_why) == (world.lea, ""), "whoever does it has done it"
    assert words not in as_(world.kim).get(reverse("home:index")).content.decode()


def test_a_calculated_supplementary_run_is_handed_out_as_the_first_was(world: World) -> None:
    first = incentives.released_without(world, "hugo")
    incentives.rate(world.part["hugo"])
    second = actions.calculate(actions.open_supplement(first.plan, by=world.kim), by=world.kim)
    assert ("hand_out", "kim") in waiting(world)
    rows = ToDo.objects.filter(kind="incentives:hand_out").order_by("pk")
    assert [(row.subject_id, row.done_at is not None) for row in rows] == [
        (first.pk, True),
        (second.pk, False),
    ]


def test_a_run_to_hand_out_goes_to_whoever_is_left_in_hr(world: World) -> None:
    incentives.calculated(world)
    assert waiting(world) == {("hand_out", "kim")}
    accounts.end_role(RoleGrant.objects.get(user=world.kim, role=Role.HR_ADMIN), by=world.lea)
    assert waiting(world) == {("hand_out", "lea")}


def test_approved_statements_wait_for_somebody_else_in_hr_than_who_approved(
    world: World, as_: SignedIn
) -> None:
    run = incentives.approved(world)
    assert run.approved_by == world.lea
    page = as_(world.kim).get(reverse("home:index")).content.decode()
    assert f"Release the approved statements of “{world.cycle.name}”" in page
    item = reverse("incentives:one_run", args=[run.pk])
    assert item in page
    to = as_(world.kim).get(item).headers["Location"]
    assert to == f"{reverse('incentives:run', args=[world.cycle.pk])}?run=1"
    assert reverse("incentives:release", args=[run.pk]) in as_(world.kim).get(to).content.decode()
    assert (
        "Release the approved statements"
        not in as_(world.lea).get(reverse("home:index")).content.decode()
    )
    incentives.release(run, world.kim)
    row = ToDo.objects.get(kind="incentives:release")
    assert row.done_at
    assert row.done_by == world.kim


def test_a_release_goes_to_whoever_is_left_in_hr_when_the_first_one_goes(world: World) -> None:
    people.grant(world.chen, Role.HR_ADMIN)
    incentives.approved(world)
    ((kind, key),) = waiting(world)
    assert kind == "release"
    first = {"chen": world.chen, "kim": world.kim}
    (other,) = first.keys() - {key}
    accounts.end_role(RoleGrant.objects.get(user=first[key], role=Role.HR_ADMIN), by=world.lea)
    assert waiting(world) == {("release", other)}


def test_a_supplementary_run_waits_to_be_calculated(world: World, as_: SignedIn) -> None:
    first = incentives.released_without(world, "hugo")
    assert not {kind for kind, _who in waiting(world)} - {"statement"}
    actions.open_supplement(first.plan, by=world.lea)
    assert ("supplement", "kim") in waiting(world)
    page = as_(world.kim).get(reverse("home:index")).content.decode()
    assert f"Calculate the supplementary run of “{world.cycle.name}”" in page
    incentives.rate(world.part["hugo"])
    actions.calculate(Run.objects.get(number=2), by=world.lea)
    row = ToDo.objects.get(kind="incentives:supplement")
    assert row.done_at
    assert row.done_by == world.lea, "whoever does it has done it"
    assert {kind for kind, _who in waiting(world)} - {"statement"} == {"hand_out"}


def test_two_approved_runs_are_two_releases(world: World) -> None:
    """The supplementary run is through before the statements of the first are out."""
    for key in world.part.keys() - {"hugo"}:
        incentives.rate(world.part[key])
    first = incentives.approved(world)
    incentives.rate(world.part["hugo"])
    second = actions.calculate(actions.open_supplement(first.plan, by=world.kim), by=world.kim)
    second = actions.open_recommending(second, version=None, by=world.kim)
    incentives.hand_in(second, world.gita, world.lea)
    incentives.approve(second, world.lea)
    open_now("incentives")
    found = ToDo.objects.filter(kind="incentives:release", recipient=world.kim.employee).open()
    assert set(found.values_list("subject_id", flat=True)) == {first.pk, second.pk}
    incentives.release(first, world.kim)
    assert list(found.all().values_list("subject_id", flat=True)) == [second.pk]


def test_a_team_with_nobody_above_waits_for_somebody_in_hr_who_is_not_in_it(world: World) -> None:
    people.grant(world.chen, Role.HR_ADMIN)
    run = incentives.recommending(world)
    assert world.dora.employee
    hr = [
        u
        for u in (world.chen, world.kim, world.lea)
        if actions.may_decide(run, world.dora.employee, u)
    ]
    assert hr == [world.chen], "Kim and Lea are of the team"
    actions.hand_in(run, "", by=world.dora)
    assert ("team", "chen") in waiting(world)
    assert [n.recipient for n in Notice.objects.filter(kind="incentives:team")] == hr


def test_a_team_whose_facts_come_later_gets_its_sheet_with_the_next_calculation(
    world: World,
) -> None:
    incentives.rate(world.ana_part)
    run = incentives.recommending(world)
    assert ("sheet", "bashir") in waiting(world)
    assert ("sheet", "dora") not in waiting(world)
    incentives.rate(world.part["bashir"])
    actions.calculate(run, by=world.kim)
    assert ("sheet", "dora") in waiting(world)


def test_an_entry_waits_for_the_answer_and_then_for_the_decision(world: World) -> None:
    entry = incentives.restraint(world)
    assert waiting(world) == {("answer", "ana")}
    entry = actions.answer(entry, "No.", version=None, by=world.ana)
    assert {kind for kind, _who in waiting(world)} == {"decide"}
    actions.decide(entry, "lifted", "Settled.", version=None, by=world.kim)
    assert waiting(world) == set()


def test_nobody_is_asked_to_decide_about_themselves_or_what_they_may_not_open(world: World) -> None:
    people.grant(world.kim, Role.IT_ADMIN)
    people.grant(world.ana, Role.HR_ADMIN)
    entry = incentives.restraint(world)
    actions.answer(entry, "No.", version=None, by=world.ana)
    assert ("decide", "lea") in waiting(world)
    RestraintEntry.objects.filter(pk=entry.pk).update(proposed_by=world.lea)
    assert {kind for kind, _who in waiting(world)} == set(), "nobody is left who may"


def test_home_opens_for_everybody_while_managers_recommend(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    for user in (world.bashir, world.dora, world.ana, world.kim, world.mira, world.noor):
        assert as_(user).get(reverse("home:index")).status_code == 200
    assert "rewards for your team" in as_(world.bashir).get(reverse("home:index")).content.decode()


def test_a_sheet_that_the_approval_goes_on_over_was_not_done(world: World) -> None:
    run = incentives.recommending(world)
    for manager in (world.gita, world.kim, world.dora):
        incentives.hand_in(run, manager, world.lea)
    incentives.approve(run, world.lea)
    sheets = dict(
        ToDo.objects.filter(kind="incentives:sheet").values_list("recipient", "dropped_why")
    )
    assert sheets.pop(world.part["bashir"].employee_id) == "overtaken"
    assert set(sheets.values()) == {""}, "the others are done"


def test_the_item_to_approve_a_team_leads_to_that_team(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    assert world.bashir.employee
    actions.hand_in(run, "", by=world.bashir)
    team = f"{reverse('incentives:sheet', args=[run.pk])}?team={world.bashir.employee.pk}"
    assert [n.url for n in Notice.objects.filter(kind="incentives:team")] == [team]
    item = reverse("incentives:team", args=[Approval.objects.get().pk])
    assert item in as_(world.dora).get(reverse("home:index")).content.decode()
    assert item in {row["url"] for row in as_(world.dora).get("/api/v1/todos/").json()["results"]}
    assert as_(world.dora).get(item).headers["Location"] == team
    shown = as_(world.dora).get(team).content.decode()
    assert "that Bashir Nouri recommends" in " ".join(shown.split())


def test_two_teams_of_one_run_are_two_things_to_do_for_who_stands_above_both(
    world: World, as_: SignedIn
) -> None:
    run = incentives.recommending(world)
    for manager in (world.bashir, world.gita):
        actions.hand_in(run, "", by=manager)
    dora = ToDo.objects.filter(kind="incentives:team", recipient=world.dora.employee).open()
    assert {todo.named for todo in dora} == {world.bashir.employee, world.gita.employee}
    home = as_(world.dora).get(reverse("home:index")).content.decode()
    for manager in (world.bashir, world.gita):
        assert manager.employee
        assert f"Approve the rewards that {manager.name} recommends" in home
        handed_in = Approval.objects.get(manager=manager.employee)
        assert reverse("incentives:team", args=[handed_in.pk]) in home
    assert world.bashir.employee
    actions.decide_team(run, world.bashir.employee, "approved", "", by=world.dora)
    assert [todo.named for todo in dora.all()] == [world.gita.employee], "the other one stays"


@pytest.fixture
def tuesday() -> Iterator[datetime]:
    """A morning on which people work."""
    morning = datetime(2026, 3, 3, 9, tzinfo=UTC)
    with time_machine.travel(morning, tick=False):
        yield morning


def test_who_stands_above_two_teams_is_reminded_of_each(tuesday: datetime, world: World) -> None:
    due = (tuesday + timedelta(days=1)).date()
    world.cycle.stages.filter(kind="incentives").update(due_on=due)
    run = incentives.recommending(world)
    for manager in (world.bashir, world.gita):
        actions.hand_in(run, "", by=manager)
    clock.remind()
    clock.remind()
    told = Notice.objects.filter(
        kind="reminder", recipient=world.dora, subject_kind="incentives:team"
    )
    assert {notice.title for notice in told} == {
        "Approve the rewards that Bashir Nouri recommends",
        f"Approve the rewards that {world.gita.name} recommends",
    }
    assert len(told) == 2, "each once"


def test_who_is_to_hand_out_is_reminded(tuesday: datetime, world: World) -> None:
    due = (tuesday + timedelta(days=1)).date()
    world.cycle.stages.filter(kind="incentives").update(due_on=due)
    incentives.calculated(world)
    clock.remind()
    clock.remind()
    told = Notice.objects.filter(kind="reminder", subject_kind="incentives:hand_out")
    assert [(n.recipient, n.title) for n in told] == [
        (world.kim, f"Hand the calculated rewards of “{world.cycle.name}” to the managers")
    ]


def test_who_is_to_release_is_reminded(tuesday: datetime, world: World) -> None:
    due = (tuesday + timedelta(days=1)).date()
    world.cycle.stages.filter(kind="incentives").update(due_on=due)
    incentives.approved(world)
    clock.remind()
    told = Notice.objects.filter(kind="reminder", subject_kind="incentives:release")
    assert [(n.recipient, n.title) for n in told] == [
        (world.kim, f"Release the approved statements of “{world.cycle.name}”")
    ]


def test_a_team_that_came_back_and_was_handed_in_again_is_something_new_to_do(world: World) -> None:
    run = incentives.recommending(world)
    assert world.bashir.employee
    actions.hand_in(run, "", by=world.bashir)
    actions.decide_team(run, world.bashir.employee, "returned", "Look again.", by=world.dora)
    actions.hand_in(run, "", by=world.bashir)
    rows = ToDo.objects.filter(kind="incentives:team", recipient=world.dora.employee).order_by("pk")
    assert [row.done_at is not None for row in rows] == [True, False]


def without_sheet(world: World) -> set[str]:
    """Whom the end of the stage names for a team that is not handed in; it is exactly they who have it to do."""
    left = {one.code: one for one in actions.left_of_incentives(world.cycle, world.kim)}
    named = {name for name, _url in left["incentives:sheets"].names}
    open_now("incentives")
    asked = (
        ToDo.objects.filter(kind="incentives:sheet")
        .open()
        .values_list("recipient__name", flat=True)
    )
    assert named == set(asked)
    return named


def test_who_came_to_lead_by_a_transfer_is_named_for_the_team_too(world: World) -> None:
    """Also somebody who takes no part in the cycle; who handed the only person over is not asked any more."""
    run = incentives.recommending(world)
    assert without_sheet(world) == {
        u.name for u in (world.bashir, world.gita, world.kim, world.dora)
    }
    petra = people.make_user(people.make_employee("Petra Wolf", world.sales))
    assert petra.employee
    of_cycle.transfer(
        world.part["hugo"],
        petra.employee,
        on=today(),
        reason="Gita is on leave.",
        version=None,
        by=world.lea,
    )
    assert without_sheet(world) == {u.name for u in (world.bashir, petra, world.kim, world.dora)}
    incentives.hand_in(run, petra, world.lea)
    assert petra.name not in without_sheet(world)


def test_who_was_frozen_in_the_cycle_is_not_named_for_a_team(world: World) -> None:
    incentives.recommending(world)
    of_cycle.mark_left(
        world.part["gita"], left_on=today(), reason="Left.", version=None, by=world.lea
    )
    assert without_sheet(world) == {u.name for u in (world.bashir, world.kim, world.dora)}


def test_who_leaves_next_month_still_approves_and_is_still_named(world: World) -> None:
    run = incentives.recommending(world)
    for user in (world.lea, world.gita):
        Employee.objects.filter(user=user).update(left_on=today() + timedelta(days=30))
    left = {one.code: one for one in actions.left_of_incentives(world.cycle, world.kim)}
    assert world.gita.name in [name for name, _url in left["incentives:sheets"].names]
    for manager in (world.bashir, world.gita, world.kim, world.dora):
        incentives.hand_in(run, manager, world.lea)
    assert ("approve", "lea") in waiting(world)
