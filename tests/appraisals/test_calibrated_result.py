"""A result says that it was set in calibration; by whom and why, to who may see the session."""

from __future__ import annotations

import pytest
from django.urls import reverse

from appraisals import actions
from appraisals.models import ReleasedResult
from pmcycle.people.models import User
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.pages import flat

REASON = "Same output as Chen."


@pytest.fixture
def moved(world: World) -> ReleasedResult:
    """Ana's rating, which Lea moved in a session over Production and Kim and Omar released."""
    rating = make.rate(world.ana_part)
    session = make.make_session(world.cycle, world.lea, world.production)
    actions.move_rating(
        session,
        rating,
        make.level(world.cycle, "Exceeds").pk,
        REASON,
        version=rating.version,
        by=world.lea,
    )
    actions.close_calibration(session, version=session.version, by=world.lea)
    make.release_all(world.cycle, world.kim, make.make_third_hr_admin(world))
    return ReleasedResult.objects.get(participation=world.ana_part)


def page(as_: SignedIn, who: User, result: ReleasedResult) -> str:
    return flat(as_(who).get(reverse("appraisals:result", args=[result.pk])))


@pytest.mark.parametrize("who", ["ana", "bashir", "dora"])
def test_who_reads_the_result_reads_that_it_was_calibrated_and_no_more(
    world: World, moved: ReleasedResult, as_: SignedIn, who: str
) -> None:
    text = page(as_, getattr(world, who), moved)
    assert "Set in calibration" in text
    assert REASON not in text
    assert world.lea.name not in text


@pytest.mark.parametrize("who", ["kim", "ines"])
def test_hr_of_the_unit_reads_by_whom_and_why(
    world: World, moved: ReleasedResult, as_: SignedIn, who: str
) -> None:
    text = page(as_, getattr(world, who), moved)
    assert "From “Meets” to “Exceeds”" in text
    assert REASON in text
    assert world.lea.name in text


def test_nothing_is_said_where_the_managers_rating_stands(world: World, as_: SignedIn) -> None:
    result = make.released(world)
    assert "Set in calibration" not in page(as_, world.ana, result)
    assert "Set in calibration" not in page(as_, world.kim, result)
