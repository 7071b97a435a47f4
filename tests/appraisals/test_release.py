"""Releasing results: two people, nobody their own, nothing before, a snapshot after."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appraisals import actions, tasks
from appraisals.models import FIRST_MENTION, Appraisal, Rating, Release, ReleasedResult
from pmcycle.activity.models import Event, Job, Notice
from pmcycle.cycles.models import Acceptance
from pmcycle.people.models import User
from tests.at_once import at_once, refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import appraisals as make
from tests.factories.cycles import reasons
from tests.factories.feedback import make_entry


def url(world: World, verb: str = "release") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": world.cycle.pk})


def ask(world: World, as_: SignedIn, user: User, **extra: object) -> Any:
    """What the page posts over everybody whom it shows as left out."""
    left = reasons(actions.left_of_release(world.cycle, user))
    return as_(user).post(url(world, "request_release"), {**left, **extra})


def approve(release: Release) -> str:
    return reverse("appraisals:approve_release", kwargs={"pk": release.pk})


@pytest.fixture
def rated(world: World) -> Rating:
    return make.rate(world.ana_part)


def test_one_asks_another_approves_and_a_job_writes_the_results(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    assert ask(world, as_, world.kim).status_code == 302
    release = Release.objects.get()
    answer = as_(world.lea).post(approve(release))
    job = Job.objects.get(kind=actions.JOB)
    assert answer.headers["Location"] == reverse("activity:job", kwargs={"pk": job.pk})
    page = reverse("appraisals:release", kwargs={"pk": world.cycle.pk})
    assert reverse("activity:job", args=[job.pk]) in as_(world.kim).get(page).content.decode()
    tasks.release_results()
    assert reverse("activity:job", args=[job.pk]) not in as_(world.kim).get(page).content.decode()
    result = ReleasedResult.objects.get()
    assert result.participation == world.ana_part
    assert result.snapshot["rating"]["label"] == "Meets"
    assert (
        Notice.objects.get(recipient=world.ana, kind="appraisals:result").title
        == "Your result is ready to read"
    )
    assert Event.objects.get(verb="released").data["sha256"] == result.sha256


def test_the_hash_is_of_the_snapshot_as_the_database_keeps_it(world: World) -> None:
    result = make.released(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT snapshot::text FROM appraisals_releasedresult WHERE id = %s", [result.pk]
        )
        text = cursor.fetchone()[0]
    assert hashlib.sha256(text.encode()).hexdigest() == result.sha256


def test_who_asked_cannot_approve(world: World, rated: Rating, as_: SignedIn) -> None:
    ask(world, as_, world.kim)
    release = Release.objects.get()
    assert as_(world.kim).post(approve(release)).status_code == 409
    release.approved_by = world.kim
    with pytest.raises(IntegrityError), transaction.atomic():
        release.save()


def test_the_approvers_own_result_waits_for_somebody_else(world: World, rated: Rating) -> None:
    make.rate(world.part["lea"])
    make.release_all(world.cycle, world.kim, world.lea)
    assert not ReleasedResult.objects.filter(participation=world.part["lea"]).exists()
    make.release_all(world.cycle, world.lea, world.kim)
    assert ReleasedResult.objects.filter(participation=world.part["lea"]).exists()


def test_a_low_rating_that_is_a_first_mention_stays_back(world: World, as_: SignedIn) -> None:
    make.rate(world.ana_part, "Partly meets")
    make.rate(world.part["chen"])
    page = as_(world.kim).get(url(world)).content.decode()
    assert "First mentions" in page
    make.release_all(world.cycle, world.kim, world.lea)
    assert set(ReleasedResult.objects.values_list("participation", flat=True)) == {
        world.part["chen"].pk
    }


def test_what_was_said_in_time_and_is_cited_opens_the_gate(world: World) -> None:
    make.rate(world.ana_part, "Partly meets")
    theirs = make.manager_appraisal(world.ana_part)
    bashir = make.employee(world.bashir)
    late = make_entry(world.ana_part, bashir, bashir, "Late.", days_ago=3)
    actions.cite(theirs, [late.pk], version=theirs.version, by=world.bashir)
    assert first_mentions(world) == 1
    her_own = make_entry(world.ana_part, bashir, make.employee(world.ana), "I know.", days_ago=40)
    theirs.refresh_from_db()
    actions.cite(theirs, [her_own.pk], version=theirs.version, by=world.bashir)
    assert first_mentions(world) == 1
    early = make_entry(world.ana_part, bashir, bashir, "The June report was late.", days_ago=30)
    theirs.refresh_from_db()
    actions.cite(theirs, [early.pk], version=theirs.version, by=world.bashir)
    assert first_mentions(world) == 0
    make.release_all(world.cycle, world.kim, world.lea)
    snapshot = ReleasedResult.objects.get().snapshot
    assert snapshot["mentions"][0]["entry"] == early.pk
    assert "June report" not in str(snapshot)


def first_mentions(world: World) -> int:
    from django.utils import timezone

    return Rating.objects.releasable(world.cycle, timezone.now()).filter(FIRST_MENTION).count()


def test_a_release_is_put_to_every_hr_admin_but_the_one_who_asked(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    third = make.make_third_hr_admin(world)
    ask(world, as_, world.kim)
    for user in (third, world.lea):
        assert url(world) in as_(user).get(reverse("home:index")).content.decode()
        assert Notice.objects.filter(recipient=user, kind="appraisals:release").exists()
    assert not Notice.objects.filter(recipient=world.kim, kind="appraisals:release").exists()


def test_hr_may_release_a_first_mention_with_a_written_reason(world: World) -> None:
    make.rate(world.ana_part, "Partly meets")
    make.release_all(world.cycle, world.kim, world.lea, accept="Agreed with Ana in person.")
    assert ReleasedResult.objects.filter(participation=world.ana_part).exists()


def test_nothing_to_release_is_refused(world: World, as_: SignedIn) -> None:
    make.open_stage(world.cycle)
    assert ask(world, as_, world.kim).status_code == 409


def test_a_second_question_for_the_same_cycle_is_refused(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    ask(world, as_, world.kim)
    assert ask(world, as_, world.lea).status_code == 409
    assert Release.objects.count() == 1


def test_withdrawn_it_cannot_be_approved(world: World, rated: Rating, as_: SignedIn) -> None:
    ask(world, as_, world.kim)
    release = Release.objects.get()
    where = reverse("appraisals:withdraw_release", kwargs={"pk": release.pk})
    assert as_(world.kim).post(where).status_code == 302
    assert as_(world.lea).post(approve(release)).status_code == 409


def test_nobody_previews_their_own_rating(world: World, as_: SignedIn) -> None:
    make.rate(world.part["kim"], "Outstanding")
    page = as_(world.kim).get(url(world)).content.decode()
    assert "Outstanding" not in page


@pytest.mark.parametrize(
    "name", ["appraisals:list", "home:index", "goals:list", "home:search", "activity:inbox"]
)
def test_before_the_release_nothing_leaks_on_any_page(
    world: World, as_: SignedIn, name: str
) -> None:
    make.open_stage(world.cycle)
    make.hand_in(
        make.manager_appraisal(world.ana_part), "Outstanding", text="Zebra stripes everywhere."
    )
    page = as_(world.ana).get(reverse(name), {"q": "Zebra"}).content.decode()
    assert "Outstanding" not in page
    assert "Zebra stripes" not in page


def test_before_the_release_the_rows_themselves_are_hidden(world: World, rated: Rating) -> None:
    mine = world.ana
    assert not Rating.objects.visible_to(mine).exists()
    assert not ReleasedResult.objects.visible_to(mine).exists()
    assert set(Appraisal.objects.visible_to(mine).values_list("kind", flat=True)) == {"self"}


def test_the_same_number_of_statements_for_one_and_for_ten(world: World) -> None:
    counts = []
    for keys in (["ana"], ["chen", "hugo", "bashir", "farid", "gita"]):
        for key in keys:
            make.rate(world.part[key])
        release = make.ask_for_release(world.cycle, world.kim)
        actions.approve_release(release, by=world.lea)
        with CaptureQueriesContext(connection) as seen:
            assert actions.release(release) == len(keys)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_repeated_job_writes_nothing_twice(world: World, rated: Rating) -> None:
    release = make.release_all(world.cycle, world.kim, world.lea)
    assert actions.release(release) == 1
    assert ReleasedResult.objects.count() == 1
    assert Notice.objects.filter(recipient=world.ana, kind="appraisals:result").count() == 1


def test_a_released_result_cannot_be_changed_or_deleted(world: World) -> None:
    make.released(world)
    with pytest.raises(Error), transaction.atomic():
        ReleasedResult.objects.update(sha256="0" * 64)
    with pytest.raises(Error), transaction.atomic():
        ReleasedResult.objects.all().delete()


def test_a_correction_needs_its_reason_in_the_database(world: World) -> None:
    result: Any = make.released(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReleasedResult.objects.create(
            participation=result.participation,
            number=2,
            release=result.release,
            level=result.level,
            snapshot={},
            sha256="0" * 64,
        )


def test_who_is_left_out_is_named_and_accepted_with_a_reason(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    page = " ".join(as_(world.kim).get(url(world)).content.decode().split())
    assert "8 people have no rating" in page
    assert reverse("cycles:life_line", kwargs={"pk": world.part["chen"].pk}) in page
    assert "A second HR admin is asked to release 1 result" in page, "it asks once more"
    assert ask(world, as_, world.kim, reason_appraisals_unrated=" ").status_code == 422
    assert ask(world, as_, world.kim, count_appraisals_unrated="7").status_code == 422
    assert not Release.objects.exists()
    assert (
        ask(world, as_, world.kim, reason_appraisals_unrated="They come in June.").status_code
        == 302
    )
    kept = Acceptance.objects.get()
    assert (kept.code, kept.count, kept.reason) == ("appraisals:unrated", 8, "They come in June.")
    assert Event.objects.get(verb="requested_release").data["left"][0]["count"] == 8
    theirs = as_(world.lea).get(url(world)).content.decode()
    assert "They come in June." in theirs
    assert "Chen" in theirs


def test_low_ratings_are_held_with_a_reason_or_released_with_one(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    make.rate(world.part["chen"], "Partly meets")
    neither = ask(world, as_, world.kim, reason_appraisals_first_mention="")
    assert neither.status_code == 422
    assert "Say why this may stay as it is" in neither.content.decode()
    both = ask(
        world,
        as_,
        world.kim,
        reason_appraisals_first_mention="",
        accepted_first_mentions="He knows.",
    )
    assert both.status_code == 302
    assert set(Acceptance.objects.values_list("code", flat=True)) == {"appraisals:unrated"}


def test_an_open_calibration_refuses_to_ask_and_to_approve(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    session = make.make_session(world.cycle, world.kim)
    page = as_(world.kim).get(url(world)).content.decode()
    assert reverse("appraisals:calibration", kwargs={"pk": session.pk}) in page
    assert ask(world, as_, world.kim).status_code == 409
    session.delete()
    release = make.ask_for_release(world.cycle, world.kim)
    make.make_session(world.cycle, world.kim)
    assert as_(world.lea).post(approve(release)).status_code == 409
    release.refresh_from_db()
    assert release.approved_at is None


def test_the_second_person_does_not_approve_over_more_than_was_accepted(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    make.rate(world.part["chen"])
    release = make.ask_for_release(world.cycle, world.kim)
    back = make.manager_appraisal(world.part["chen"])
    actions.return_for_rework(back, "Say more.", version=back.version, by=world.dora)
    answer = as_(world.lea).post(approve(release))
    assert answer.status_code == 409
    assert "withdraw it and ask again" in answer.content.decode()


def test_who_was_left_out_follows_in_a_further_release(
    world: World, rated: Rating, as_: SignedIn
) -> None:
    make.release_all(world.cycle, world.kim, world.lea)
    make.rate(world.part["chen"])
    world.cycle.stages.filter(kind="appraisal").update(state="closed")
    page = as_(world.kim).get(url(world)).content.decode()
    assert "Ask for a further release" in page
    assert ask(world, as_, world.kim).status_code == 302
    second = Release.objects.latest("pk")
    assert as_(world.kim).post(approve(second)).status_code == 409, "again it takes two people"
    assert as_(world.lea).post(approve(second)).status_code == 302
    tasks.release_results()
    assert ReleasedResult.objects.get(participation=world.part["chen"]).release == second
    assert ReleasedResult.objects.filter(participation=world.ana_part).count() == 1


def test_what_is_handed_in_after_it_was_asked_for_waits_for_the_next_release(
    world: World, rated: Rating
) -> None:
    release = make.ask_for_release(world.cycle, world.kim)
    make.rate(world.part["chen"])
    actions.approve_release(release, by=world.lea)
    assert actions.release(release) == 1
    assert not ReleasedResult.objects.filter(participation=world.part["chen"]).exists()
    make.release_all(world.cycle, world.kim, world.lea)
    assert ReleasedResult.objects.filter(participation=world.part["chen"]).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", range(3))
def test_a_release_while_an_appraisal_goes_back_gives_out_nothing_that_is_with_its_author(
    _again: int,
) -> None:
    world = build_world()
    make.rate(world.ana_part)
    release = make.ask_for_release(world.cycle, world.kim)
    actions.approve_release(release, by=world.lea)
    written = make.manager_appraisal(world.ana_part)
    at_once(
        partial(actions.release, release),
        partial(
            actions.return_for_rework, written, "Say more.", version=written.version, by=world.dora
        ),
    )
    written.refresh_from_db()
    assert ReleasedResult.objects.exists() is (written.submitted_at is not None)


@pytest.mark.django_db(transaction=True)
def test_a_release_while_somebody_hands_in_takes_all_of_it_or_nothing() -> None:
    world = build_world()
    make.rate(world.ana_part)
    late = make.manager_appraisal(world.part["chen"])
    release = make.ask_for_release(world.cycle, world.kim)
    at_once(
        partial(make.hand_in, late),
        partial(actions.approve_release, release, by=world.lea),
    )
    assert actions.release(release) == 1, "what was handed in meanwhile waits for the next release"
    assert not ReleasedResult.objects.filter(participation=world.part["chen"]).exists()
    assert Rating.objects.filter(participation=world.part["chen"]).exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_approving_at_once_approve_once() -> None:
    world = build_world()
    third = make.make_third_hr_admin(world)
    make.rate(world.ana_part)
    release = make.ask_for_release(world.cycle, world.kim)
    results = at_once(
        *(partial(actions.approve_release, release, by=user) for user in (world.lea, third))
    )
    assert refused(results) == 1
    assert Job.objects.filter(kind=actions.JOB).count() == 1
