"""Calibration: ratings side by side, moved with a reason, never over one's own case."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import Error, IntegrityError, transaction
from django.urls import reverse

from appraisals import actions
from appraisals.models import CalibrationMove, CalibrationSession, Rating
from pmcycle.activity.models import Event
from pmcycle.errors import Stale
from pmcycle.people.models import Role
from tests.at_once import at_once
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories import cycles, people


def url(session: CalibrationSession, verb: str = "calibration", **more: int) -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": session.pk, **more})


@pytest.fixture
def rating(world: World) -> Rating:
    make.make_goal(world.ana_part, world.ana)
    return make.rate(world.ana_part)


@pytest.fixture
def session(world: World, rating: Rating) -> CalibrationSession:
    return make.make_session(world.cycle, world.kim, world.production)


def move(
    world: World, session: CalibrationSession, rating: Rating, label: str = "Exceeds", **extra: Any
) -> tuple[str, dict[str, Any]]:
    data = {
        "version": rating.version,
        "level": make.level(world.cycle, label).pk,
        "reason": "Same output as Chen.",
        **extra,
    }
    return url(session, "move_rating", rating=rating.pk), data


def test_hr_opens_a_session_over_a_unit(world: World, rating: Rating, as_: SignedIn) -> None:
    data = {"name": "Production, first round", "units": [world.production.pk]}
    answer = as_(world.kim).post(
        reverse("appraisals:open_calibration", kwargs={"pk": world.cycle.pk}), data
    )
    session = CalibrationSession.objects.get()
    assert answer.headers["Location"] == url(session)
    page = as_(world.kim).get(url(session)).content.decode()
    assert "Ana Popescu" in page


def test_a_card_moves_with_its_reason_and_both_ratings_stay(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    where, data = move(world, session, rating)
    assert as_(world.kim).post(where, data).status_code == 302
    rating.refresh_from_db()
    assert (rating.proposed.label, rating.level.label) == ("Meets", "Exceeds")
    assert CalibrationMove.objects.get().reason == "Same output as Chen."
    assert Event.objects.get(verb="calibrated").about == world.ana.employee
    assert "manager: Meets" in as_(world.kim).get(url(session)).content.decode()


def test_the_form_to_move_opens_by_a_link(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    page = as_(world.kim).get(
        f"{url(session)}?case={rating.pk}&level={make.level(world.cycle, 'Exceeds').pk}"
    )
    assert "Move the rating of Ana Popescu" in page.content.decode()


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"reason": " "}, 422),
        ({"level": "0"}, 422),
        ({"version": 99}, 409),
        ({"reason": "a\x00"}, 422),
    ],
)
def test_a_move_that_does_not_fit_changes_nothing(
    world: World,
    session: CalibrationSession,
    rating: Rating,
    as_: SignedIn,
    extra: dict[str, Any],
    status: int,
) -> None:
    where, data = move(world, session, rating, **extra)
    assert as_(world.kim).post(where, data).status_code == status
    assert not CalibrationMove.objects.exists()


def test_it_does_not_move_to_where_it_stands(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    where, data = move(world, session, rating, "Meets")
    assert as_(world.kim).post(where, data).status_code == 422


def test_a_closed_session_moves_nothing(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    assert (
        as_(world.kim)
        .post(url(session, "close_calibration"), {"version": session.version})
        .status_code
        == 302
    )
    where, data = move(world, session, rating)
    assert as_(world.kim).post(where, data).status_code == 409


def test_nobody_moves_their_own_card_or_their_managers(world: World, as_: SignedIn) -> None:
    make.rate(world.part["kim"])
    make.rate(world.part["ines"])
    session = make.make_session(world.cycle, world.lea)
    own = Rating.objects.get(participation=world.part["kim"])
    where, data = move(world, session, own)
    assert as_(world.kim).post(where, data).status_code == 404
    people.grant(world.ines, "hr_admin")
    ines = make_user_again(world)
    where, data = move(world, session, own)
    assert as_(ines).post(where, data).status_code == 403
    assert not CalibrationMove.objects.exists()


def make_user_again(world: World) -> Any:
    from pmcycle.people.models import User

    return User.objects.select_related("employee").get(pk=world.ines.pk)


def test_a_card_of_another_unit_is_not_in_the_session(
    world: World, session: CalibrationSession, as_: SignedIn
) -> None:
    other = make.rate(world.part["hugo"])
    where, data = move(world, session, other)
    assert as_(world.kim).post(where, data).status_code == 404


def test_a_text_that_scores_otherwise_is_flagged(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    where, data = move(world, session, rating, "Outstanding")
    as_(world.kim).post(where, data)
    assert "the text scores 3" in as_(world.kim).get(url(session)).content.decode()


def test_the_person_learns_nothing_of_a_move(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    where, data = move(world, session, rating)
    as_(world.kim).post(where, data)
    assert not Rating.objects.visible_to(world.ana).exists()
    assert "Exceeds" not in as_(world.ana).get(reverse("appraisals:list")).content.decode()


def test_the_database_wants_a_reason_and_keeps_moves(
    world: World, session: CalibrationSession, rating: Rating
) -> None:
    new = make.level(world.cycle, "Exceeds")
    with pytest.raises(IntegrityError), transaction.atomic():
        CalibrationMove.objects.create(
            session=session, rating=rating, old=rating.proposed, new=new, reason="", by=world.kim
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        CalibrationMove.objects.create(
            session=session, rating=rating, old=new, new=new, reason="None.", by=world.kim
        )
    CalibrationMove.objects.create(
        session=session, rating=rating, old=rating.proposed, new=new, reason="Why.", by=world.kim
    )
    with pytest.raises(Error), transaction.atomic():
        CalibrationMove.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_two_people_moving_one_card_at_once_meet_one_conflict() -> None:
    world = build_world()
    rating = make.rate(world.ana_part)
    session = make.make_session(world.cycle, world.kim, world.production)
    exceeds, partly = (make.level(world.cycle, label).pk for label in ("Exceeds", "Partly meets"))
    move_it = partial(
        actions.move_rating, session, rating, reason="Compared.", version=rating.version
    )
    results = at_once(
        partial(move_it, exceeds, by=world.kim), partial(move_it, partly, by=world.lea)
    )
    assert [type(result) for result in results].count(Stale) == 1
    assert CalibrationMove.objects.count() == 1


def test_no_count_tells_hr_that_their_own_rating_was_moved(world: World, as_: SignedIn) -> None:
    make.open_stage(world.cycle)
    own = make.rate(world.part["kim"])
    whole = make.make_session(world.cycle, world.lea)
    actions.move_rating(
        whole, own, make.level(world.cycle, "Exceeds").pk, "Alike.", version=None, by=world.lea
    )
    sessions = reverse("appraisals:calibrations", kwargs={"pk": world.cycle.pk})
    assert "1 move" in as_(world.lea).get(sessions).content.decode()
    assert "0 moves" in as_(world.kim).get(sessions).content.decode()


def test_whoever_leads_the_person_or_reports_to_them_moves_no_rating_of_theirs(
    world: World, session: CalibrationSession, rating: Rating, as_: SignedIn
) -> None:
    for user in (world.dora, world.bashir, world.farid):
        people.grant(user, Role.HR_ADMIN)
    third = make.make_third_hr_admin(world)
    assert third.employee
    assert world.ana.employee
    cycles.take_part(world.cycle, third.employee, world.ana.employee)
    to, data = move(world, session, rating)
    for user in (world.dora, world.bashir, world.farid, third):
        user.__dict__.pop("standing", None)
        assert as_(user).post(to, data).status_code == 403
    assert as_(world.lea).post(to, data).status_code == 302
