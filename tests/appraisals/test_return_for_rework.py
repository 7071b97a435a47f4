"""Sending a submitted appraisal back, and opening one again: with a reason, and with nothing lost."""

from __future__ import annotations

import pytest
from django.db import Error, IntegrityError, transaction
from django.urls import reverse

from appraisals.models import Return, Submission
from pmcycle.activity.models import Event, Notice
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make


def url(pk: int, verb: str = "return_for_rework") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": pk})


def test_the_managers_manager_returns_it_and_version_one_stays(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part)
    theirs = make.manager_appraisal(world.ana_part)
    data = {"version": theirs.version, "why": "The second goal is not rated by what it says."}
    assert as_(world.dora).post(url(theirs.pk), data).status_code == 302
    theirs.refresh_from_db()
    assert theirs.submitted_at is None
    assert Submission.objects.get(appraisal=theirs).number == 1
    assert Notice.objects.filter(
        recipient=world.bashir, title="An appraisal came back to you"
    ).exists()
    assert Event.objects.filter(verb="returned").exists()
    make.hand_in(theirs)
    assert Submission.objects.filter(appraisal=theirs).count() == 2


def test_the_author_reads_the_reason_where_they_write(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part)
    theirs = make.manager_appraisal(world.ana_part)
    as_(world.kim).post(
        url(theirs.pk), {"version": theirs.version, "why": "Please name an example."}
    )
    page = (
        as_(world.bashir)
        .get(reverse("appraisals:write", kwargs={"pk": theirs.pk}))
        .content.decode()
    )
    assert "Please name an example." in page


def test_hr_opens_a_self_appraisal_again(world: World, as_: SignedIn) -> None:
    pk = make.own_submitted(world)["pk"]
    own = make.self_appraisal(world.ana_part)
    assert (
        as_(world.kim)
        .post(url(pk, "reopen"), {"version": own.version, "why": "Ana asked."})
        .status_code
        == 302
    )
    assert as_(world.ana).get(reverse("appraisals:write", kwargs={"pk": pk})).status_code == 200


def test_without_a_reason_it_stays_where_it_is(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part)
    theirs = make.manager_appraisal(world.ana_part)
    assert (
        as_(world.dora).post(url(theirs.pk), {"version": theirs.version, "why": "  "}).status_code
        == 422
    )
    assert not Return.objects.exists()


def test_after_the_release_nothing_goes_back(world: World, as_: SignedIn) -> None:
    make.released(world)
    theirs = make.manager_appraisal(world.ana_part)
    data = {"version": theirs.version, "why": "Too late."}
    assert as_(world.dora).post(url(theirs.pk), data).status_code == 409


def test_the_database_keeps_reason_and_order(world: World) -> None:
    make.rate(world.ana_part)
    theirs = make.manager_appraisal(world.ana_part)
    with pytest.raises(IntegrityError), transaction.atomic():
        Return.objects.create(appraisal=theirs, kind="returned", number=1, why="", by=world.dora)
    Return.objects.create(appraisal=theirs, kind="returned", number=1, why="Once.", by=world.dora)
    with pytest.raises(IntegrityError), transaction.atomic():
        Return.objects.create(
            appraisal=theirs, kind="returned", number=1, why="Twice.", by=world.dora
        )
    with pytest.raises(Error), transaction.atomic():
        Return.objects.update(why="Otherwise.")


def test_nobody_proposes_their_own_rating_in_the_database_either(world: World) -> None:
    make.open_stage(world.cycle)
    own = make.self_appraisal(world.ana_part)
    own.level = make.level(world.cycle)
    with pytest.raises(IntegrityError), transaction.atomic():
        own.save()
