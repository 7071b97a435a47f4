"""Rights and state are judged again under the lock, at the moment of the write.

Each act here is let in, comes to wait for a row that somebody else holds, and finds another world when it
gets it. It is refused, says so with what was typed, and leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from appraisals import actions as appraising
from appraisals.models import Appraisal, Rating, ReleasedResult
from goals.models import Goal
from pmcycle.access import today
from pmcycle.cycles import actions as cycling
from pmcycle.cycles.models import Cycle, Extension, Participation, Stage, StageKind
from pmcycle.people.actions import accounts
from pmcycle.people.models import ApiToken, Employee, Role, RoleGrant, User
from tests.at_once import meanwhile
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories import cycles, goals
from tests.goals.test_api import post, with_token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    world = build_world()
    make.open_stage(world.cycle)
    return world


def holding_ana(world: World) -> Callable[[], Any]:
    return lambda: Participation.objects.select_for_update(no_key=True).get(pk=world.ana_part.pk)


def hand_in(world: World, as_: SignedIn, user: User, row: Appraisal) -> Callable[[], Any]:
    browser, data = as_(user), make.filled(row, text="Rejects are down to 2 %.")
    return lambda: browser.post(reverse("appraisals:submit", args=[row.pk]), data)


def to_gita(world: World) -> Any:
    gita = Employee.objects.get(user=world.gita)
    return cycling.transfer(
        world.ana_part, gita, on=today(), reason="A new team", version=None, by=world.lea
    )


def close(cycle: Cycle) -> None:
    Cycle.objects.filter(pk=cycle.pk).update(state="closed", closed_at=cycle.launched_at)


def end_the_role(user: User) -> None:
    RoleGrant.objects.filter(user=user).update(ends_on=today() - timedelta(days=1))


def test_what_is_handed_in_while_a_release_runs_is_in_it_or_refused(
    world: World, as_: SignedIn
) -> None:
    make.hand_in(make.manager_appraisal(world.ana_part))
    own = make.self_appraisal(world.ana_part)
    release = make.ask_for_release(world.cycle, world.kim)
    appraising.approve_release(release, by=world.lea)
    answer = meanwhile(
        hand_in(world, as_, world.ana, own),
        hold=lambda: appraising.release(release),
        change=lambda: None,
    )
    assert answer.status_code == 409
    assert "Rejects are down to 2 %." in answer.content.decode()
    own.refresh_from_db()
    assert (own.submitted_at, ReleasedResult.objects.get().snapshot["self"]) == (None, None)


def test_a_release_waits_for_whoever_is_handing_in(world: World) -> None:
    make.hand_in(make.manager_appraisal(world.ana_part))
    own = make.self_appraisal(world.ana_part)
    release = make.ask_for_release(world.cycle, world.kim)
    appraising.approve_release(release, by=world.lea)
    meanwhile(
        lambda: appraising.release(release),
        hold=lambda: make.hand_in(own, text="Rejects are down to 2 %."),
        change=lambda: None,
    )
    assert "Rejects are down to 2 %." in str(ReleasedResult.objects.get().snapshot["self"])


def test_a_former_manager_rates_nobody_who_is_handed_over_at_this_moment(
    world: World, as_: SignedIn
) -> None:
    row = make.manager_appraisal(world.ana_part)
    answer = meanwhile(
        hand_in(world, as_, world.bashir, row),
        hold=holding_ana(world),
        change=lambda: to_gita(world),
    )
    assert answer.status_code == 409
    assert "Rejects are down to 2 %." in answer.content.decode()
    row.refresh_from_db()
    assert (row.submitted_at, Rating.objects.count()) == (None, 0)


def test_nor_does_the_action_alone_take_their_rating(world: World) -> None:
    row = make.manager_appraisal(world.ana_part)
    refused = meanwhile(
        lambda: make.hand_in(row), hold=holding_ana(world), change=lambda: to_gita(world)
    )
    assert "another manager" in refused.reason
    assert not Rating.objects.exists()


def test_a_former_manager_signs_no_goal(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    browser = as_(world.bashir)
    answer = meanwhile(
        lambda: browser.post(reverse("goals:accept", args=[goal.pk]), {"version": goal.version}),
        hold=holding_ana(world),
        change=lambda: to_gita(world),
    )
    assert answer.status_code == 409
    goal.refresh_from_db()
    assert goal.state == Goal.State.PROPOSED


def test_what_is_handed_in_while_the_stage_closes_is_refused(world: World, as_: SignedIn) -> None:
    own = make.self_appraisal(world.ana_part)
    stage = Stage.objects.get(cycle=world.cycle, kind=StageKind.APPRAISAL)
    left = cycles.accepting(cycling.leftovers_of_stage(stage, world.kim))
    answer = meanwhile(
        hand_in(world, as_, world.ana, own),
        hold=lambda: cycling.close_stage(
            stage, reason="", accepted=left, version=None, by=world.kim
        ),
        change=lambda: None,
    )
    assert answer.status_code == 409
    own.refresh_from_db()
    assert own.submitted_at is None


def test_a_goal_is_signed_in_no_cycle_that_closes_at_this_moment(
    world: World, as_: SignedIn
) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    browser = as_(world.bashir)
    answer = meanwhile(
        lambda: browser.post(reverse("goals:accept", args=[goal.pk]), {"version": goal.version}),
        hold=holding_ana(world),
        change=lambda: Cycle.objects.filter(pk=world.cycle.pk).update(
            state="closed", closed_at=world.cycle.launched_at
        ),
    )
    assert answer.status_code == 409


def extend(world: World, as_: SignedIn, user: User) -> Callable[[], Any]:
    browser, stage = as_(user), Stage.objects.get(cycle=world.cycle, kind=StageKind.APPRAISAL)
    data = {
        "stage": stage.pk,
        "due_on": (today() + timedelta(days=60)).isoformat(),
        "reason": "She was ill for long",
        "version": world.ana_part.version,
        "confirmed": "1",
    }
    return lambda: browser.post(reverse("cycles:extend", args=[world.ana_part.pk]), data)


def test_who_keeps_the_role_is_let_through(world: World, as_: SignedIn) -> None:
    answer = meanwhile(extend(world, as_, world.kim), hold=holding_ana(world), change=lambda: None)
    assert (answer.status_code, Extension.objects.count()) == (302, 1)


@pytest.mark.parametrize(
    "change",
    [end_the_role, lambda user: User.objects.filter(pk=user.pk).update(is_active=False)],
    ids=["role ended", "account closed"],
)
def test_nothing_is_written_by_somebody_whose_role_or_account_has_just_ended(
    world: World, as_: SignedIn, change: Callable[[User], Any]
) -> None:
    answer = meanwhile(
        extend(world, as_, world.kim), hold=holding_ana(world), change=lambda: change(world.kim)
    )
    assert answer.status_code == 409
    assert "not yours to do any more" in answer.content.decode()
    assert "She was ill for long" in answer.content.decode()
    assert not Extension.objects.exists()


def test_whoever_ends_a_role_waits_for_what_its_holder_is_writing(world: World) -> None:
    """The write comes first, and only then does the role end: not the other way round in the same moment."""
    grant = RoleGrant.objects.get(user=world.kim, role=Role.HR_ADMIN)

    def in_the_middle_of_a_write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM people_user WHERE id = %s FOR SHARE", [world.kim.pk])

    meanwhile(
        lambda: accounts.end_role(grant, by=world.lea),
        hold=in_the_middle_of_a_write,
        change=lambda: None,
    )
    assert not RoleGrant.objects.current().filter(user=world.kim, role=Role.HR_ADMIN).exists()


def test_a_token_that_is_revoked_at_this_moment_writes_nothing(world: World) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    row = goals.key_result(goal)
    client = with_token(world.ana, "goals:write")
    recorded = {"value": "5", "confidence": "on_track", "version": row.version}
    answer = meanwhile(
        lambda: post(client, "keyresult-record-progress", row.pk, **recorded),
        hold=lambda: Goal.objects.select_for_update().get(pk=goal.pk),
        change=lambda: ApiToken.objects.update(revoked_at=world.cycle.launched_at),
    )
    assert answer.status_code == 409
    assert "not yours to do any more" in answer.json()["detail"]
    row.refresh_from_db()
    assert str(row.current) == "8.0000"
