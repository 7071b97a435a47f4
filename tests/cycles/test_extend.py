"""More time after a stage has closed: for one person and who writes about them, until the day, in the cycle's zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from appraisals.actions import open_missing
from appraisals.models import Appraisal
from evaluations.models import Evaluation
from goals.models import Goal
from pmcycle.access import today
from pmcycle.cycles import actions
from pmcycle.cycles.actions import stage_work
from pmcycle.cycles.models import Cycle, Extension, Participation, Stage, StageKind, open_today
from pmcycle.cycles.rules import CLOSED, OPEN, StageDates, fault_of_extension
from pmcycle.errors import Invalid
from pmcycle.people.models import User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals, evaluations, goals
from tests.open_items import open_items_of

pytestmark = pytest.mark.django_db


def close(cycle: Cycle, kind: str, due_on: date | None = None) -> Stage:
    """The stage is over for everybody."""
    stage = cycle.stages.get(kind=kind)
    stage.state, stage.due_on = Stage.State.CLOSED, due_on or today() - timedelta(days=3)
    stage.opens_on = min(stage.opens_on, stage.due_on)
    stage.save()
    return stage


def extension(stage: Stage, days: int, version: int = 1) -> dict[str, Any]:
    return {
        "stage": stage.pk,
        "due_on": today() + timedelta(days=days),
        "reason": "back from leave",
        "version": version,
    }


def to(name: str, part: Participation) -> str:
    return reverse(f"cycles:{name}", kwargs={"pk": part.pk})


def kinds_of(user: User) -> dict[str, date | None]:
    assert user.employee_id is not None
    return {item.kind: item.due_on for item in open_items_of(user.employee_id)}


def test_a_closed_stage_opens_for_one_person_and_their_manager_and_for_nobody_else(
    world: World, as_: SignedIn
) -> None:
    appraisals.open_stage(world.cycle)
    stage = close(world.cycle, "appraisal")
    own, theirs = (
        appraisals.self_appraisal(world.ana_part),
        appraisals.manager_appraisal(world.ana_part),
    )
    other = appraisals.self_appraisal(world.part["chen"])
    assert not {"appraisals:self", "appraisals:manager"} & set(
        kinds_of(world.ana) | kinds_of(world.bashir)
    )
    for user, row in ((world.ana, own), (world.bashir, theirs)):
        sent = as_(user).post(reverse("appraisals:submit", args=[row.pk]), appraisals.filled(row))
        assert sent.status_code == 409

    kim, given = as_(world.kim), extension(stage, 4)
    looked = kim.get(to("extend", world.ana_part), given).content.decode()
    assert "stays closed for everybody else" in looked
    assert kim.post(to("extend", world.ana_part), given).status_code == 302

    assert kinds_of(world.ana)["appraisals:self"] == given["due_on"]
    assert kinds_of(world.bashir) == {
        **kinds_of(world.bashir),
        "appraisals:manager": given["due_on"],
    }
    assert "appraisals:self" not in kinds_of(world.chen)
    ana, bashir = as_(world.ana), as_(world.bashir)
    assert (
        reverse("appraisals:write", args=[own.pk])
        in ana.get(reverse("appraisals:list")).content.decode()
    )
    assert (
        ana.post(reverse("appraisals:submit", args=[own.pk]), appraisals.filled(own)).status_code
        == 302
    )
    assert (
        bashir.post(
            reverse("appraisals:submit", args=[theirs.pk]), appraisals.filled(theirs)
        ).status_code
        == 302
    )
    assert (
        as_(world.chen)
        .post(reverse("appraisals:submit", args=[other.pk]), appraisals.filled(other))
        .status_code
        == 409
    )


def test_forms_of_a_closed_stage_are_offered_nowhere(world: World, as_: SignedIn) -> None:
    appraisals.open_stage(world.cycle)
    close(world.cycle, "appraisal")
    own = appraisals.self_appraisal(world.ana_part)
    assert (
        reverse("appraisals:write", args=[own.pk])
        not in as_(world.ana).get(reverse("appraisals:list")).content.decode()
    )
    page = as_(world.ana).get(reverse("appraisals:write", args=[own.pk])).content.decode()
    assert "Not open for writing" in page
    assert reverse("appraisals:submit", args=[own.pk]) + '"\n            data-autosave' not in page
    assert "Hand in</button>" not in page.replace("\n", "")


def test_with_more_time_goals_are_planned_and_evaluations_shared(
    world: World, as_: SignedIn
) -> None:
    goal = goals.propose(world.ana_part, world.ana, weight="100")
    evaluation = evaluations.make_evaluation(world.ana_part, world.part["bashir"].employee)
    closed = [close(world.cycle, kind) for kind in ("objectives", "evaluation")]
    bashir = as_(world.bashir)
    agree = (
        reverse("goals:agree_set", args=[world.ana_part.pk]),
        {"seen": f"{goal.pk}:{goal.version}"},
    )
    plan = reverse("goals:of", args=[world.ana_part.pk])
    listed = reverse("evaluations:list")
    writes = reverse("evaluations:write", args=[world.ana_part.pk])
    assert not {"goals:answer", "evaluations:write"} & set(kinds_of(world.bashir))
    assert bashir.post(*agree).status_code == 409
    assert agree[0] not in bashir.get(plan).content.decode()
    assert "Not open for writing" in bashir.get(writes).content.decode()
    assert (
        bashir.get(writes.replace(str(world.ana_part.pk), str(world.part["chen"].pk))).status_code
        == 409
    )
    assert not Evaluation.objects.filter(participation=world.part["chen"]).exists()
    for version, stage in enumerate(closed, start=1):
        actions.extend(
            world.ana_part, stage, due_on=today(), reason="leave", version=version, by=world.kim
        )
    assert kinds_of(world.bashir)["goals:answer"] == today()
    assert kinds_of(world.bashir)["evaluations:write"] == today()
    assert agree[0] in bashir.get(plan).content.decode()
    assert writes in bashir.get(listed).content.decode()
    assert bashir.post(*agree).status_code == 302
    assert Goal.objects.get(pk=goal.pk).state == "agreed"
    evaluation.refresh_from_db()
    from evaluations.actions import share

    assert share(evaluation, version=evaluation.version, by=world.bashir).state == "shared"


def test_more_time_is_not_offered_where_it_would_only_change_a_day(
    world: World, as_: SignedIn
) -> None:
    stage = world.cycle.stages.get(kind="incentives")
    kim, url = as_(world.kim), to("extend", world.ana_part)
    choice = f'<option value="{stage.pk}"'
    assert choice in kim.get(url).content.decode(), (
        "while it is open, whoever writes about them has more time"
    )
    close(world.cycle, "incentives")
    assert choice not in kim.get(url).content.decode()
    assert kim.post(url, extension(stage, 4)).status_code == 422
    stage.refresh_from_db()
    with pytest.raises(Invalid, match="done for everybody at once"):
        actions.extend(
            world.ana_part, stage, due_on=today(), reason="late", version=1, by=world.kim
        )
    assert not Extension.objects.exists()


@pytest.mark.parametrize("kind", StageKind.values)
def test_a_stage_is_for_one_person_where_its_acts_ask_for_their_day(kind: str) -> None:
    apps = [
        path.read_text()
        for app in ("goals", "appraisals", "incentives", "evaluations")
        for path in Path(app).rglob("*.py")
    ]
    asked = re.compile(rf"(open_today|standing)\([^()]*StageKind\.{kind.upper()}\b")
    assert any(asked.search(text) for text in apps) == stage_work()[kind].is_for_one


def test_a_shared_evaluation_is_not_taken_back_into_a_closed_stage(
    world: World, as_: SignedIn
) -> None:
    row = Evaluation.objects.get(pk=evaluations.shared_with_ana(world)["pk"])
    close(world.cycle, "evaluation")
    bashir, back = as_(world.bashir), reverse("evaluations:take_back", args=[row.pk])
    assert back not in bashir.get(reverse("evaluations:read", args=[row.pk])).content.decode()
    assert bashir.post(back, {"version": row.version}).status_code == 409
    row.refresh_from_db()
    assert row.state == "shared"


def test_forms_that_are_missing_are_laid_out_with_the_extension(world: World) -> None:
    appraisals.make_form(world.cycle)
    stage = close(world.cycle, "appraisal")
    assert open_missing() == 0
    assert not Appraisal.objects.exists()
    actions.extend(world.ana_part, stage, due_on=today(), reason="late", version=1, by=world.kim)
    assert set(Appraisal.objects.values_list("participation", "kind")) == {
        (world.ana_part.pk, "self"),
        (world.ana_part.pk, "manager"),
    }


@pytest.mark.parametrize(
    ("state", "days", "is_fine"),
    [
        ("open", 0, False),
        ("open", 10, False),
        ("open", 11, True),
        ("closed", -1, False),
        ("closed", 0, True),
        ("closed", 5, True),
        ("closed", 400, False),
    ],
)
def test_the_day_of_an_extension(state: str, days: int, is_fine: bool) -> None:
    on = date(2026, 6, 1)
    stage = StageDates("appraisal", "Appraisal", on, on + timedelta(days=10), 0, state)
    assert (fault_of_extension(on + timedelta(days=days), stage, on) == "") is is_fine


@pytest.mark.parametrize("days", [-1, 400])
def test_the_preview_refuses_what_the_act_refuses(world: World, as_: SignedIn, days: int) -> None:
    given = extension(close(world.cycle, "appraisal"), days)
    kim = as_(world.kim)
    assert kim.get(to("extend", world.ana_part), given).status_code == 422
    assert kim.post(to("extend", world.ana_part), given).status_code == 422
    assert not Extension.objects.exists()


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize(("minutes", "stands"), [(-1, OPEN), (1, CLOSED)])
def test_more_time_ends_with_its_day_where_the_cycle_is(
    world: World, zone: str, minutes: int, stands: str
) -> None:
    Cycle.objects.filter(pk=world.cycle.pk).update(zone=zone)
    stage = close(world.cycle, "appraisal")
    last = today() + timedelta(days=2)
    Extension.objects.create(
        participation=world.ana_part, stage=stage, due_on=last, reason="leave", by=world.kim
    )
    midnight = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone))
    with time_machine.travel(midnight + timedelta(minutes=minutes), tick=False):
        part = Participation.objects.select_related("cycle").get(pk=world.ana_part.pk)
        assert actions.standing([part], StageKind.APPRAISAL) == {part.pk: stands}
        listed = Participation.objects.filter(open_today(StageKind.APPRAISAL))
        assert list(listed.values_list("pk", flat=True)) == ([part.pk] if stands == OPEN else [])


def test_the_predicate_and_the_judgement_agree_whatever_the_state(world: World) -> None:
    people = list(Participation.objects.select_related("cycle"))
    Participation.objects.filter(pk=world.part["gita"].pk).update(state="left", left_on=today())
    for state in Stage.State:
        stage = world.cycle.stages.get(kind="appraisal")
        Stage.objects.filter(pk=stage.pk).update(state=state)
        for running in (True, False):
            Cycle.objects.filter(pk=world.cycle.pk).update(
                state=Cycle.State.RUNNING if running else Cycle.State.CLOSED
            )
            for days in (-1, 0, 1):
                Extension.objects.update_or_create(
                    participation=world.ana_part,
                    stage=stage,
                    defaults={
                        "due_on": today() + timedelta(days=days),
                        "reason": "x",
                        "by": world.kim,
                    },
                )
                people = list(Participation.objects.select_related("cycle"))
                judged = actions.standing(people, StageKind.APPRAISAL)
                listed = set(
                    Participation.objects.filter(open_today(StageKind.APPRAISAL)).values_list(
                        "pk", flat=True
                    )
                )
                assert listed == {pk for pk, how in judged.items() if how == OPEN}


def test_everybodys_later_day_overtakes_an_extension(world: World, as_: SignedIn) -> None:
    stage = world.cycle.stages.get(kind="objectives")
    actions.extend(
        world.ana_part,
        stage,
        due_on=stage.due_on + timedelta(days=3),
        reason="x",
        version=1,
        by=world.kim,
    )
    later = stage.due_on + timedelta(days=9)
    actions.postpone_stage(stage, due_on=later, reason="x", version=stage.version, by=world.kim)
    assert kinds_of(world.ana)["goals:propose"] == later
    page = (
        as_(world.ana).get(reverse("cycles:detail", kwargs={"pk": world.cycle.pk})).content.decode()
    )
    assert "your own day" not in page


@pytest.mark.django_db(transaction=True)
def test_two_extensions_at_the_same_moment_leave_one() -> None:
    world = build_world()
    stage = close(world.cycle, "appraisal")
    acts = [
        lambda days=days, by=by: actions.extend(
            world.ana_part,
            stage,
            due_on=today() + timedelta(days=days),
            reason="x",
            version=1,
            by=by,
        )
        for days, by in ((3, world.kim), (5, world.lea))
    ]
    assert refused(at_once(*acts)) == 1
    assert Extension.objects.count() == 1
