"""Long work on its page: n of m, surviving the page, ending with a link or with what to do."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from pmcycle.activity.actions import enqueue
from pmcycle.activity.actions.jobs import claim, finish, holding
from pmcycle.activity.models import Job
from pmcycle.cycles.models import Cycle
from tests.at_once import at_once
from tests.conftest import SignedIn, World
from tests.factories import cycles, people
from tests.factories.activity import failed_job


def start(world: World, kind: str = "launch") -> Job:
    return enqueue(kind, world.cycle, by=world.kim, total=1200, url="/search/")


def test_the_page_counts_people_and_asks_again(world: World, as_: SignedIn) -> None:
    start(world)
    job = claim("launch")
    assert job
    Job.objects.update(done=500)
    page = as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()
    assert "Launching the cycle" in page
    assert f'hx-get="/activity/jobs/{job.pk}/"' in page
    part = (
        as_(world.kim)
        .get(f"/activity/jobs/{job.pk}/", headers={"HX-Request": "true"})
        .content.decode()
    )
    assert "<html" not in part
    assert "500 of 1,200 people" in part


def test_an_import_counts_lines(world: World, as_: SignedIn) -> None:
    job = start(world, "people.import")
    assert "0 of 1,200 lines" in as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_how_far_it_is_is_seen_before_the_commit_and_renews_the_lease() -> None:
    user = people.make_user(email="kim@example.com", name="Kim")
    enqueue("launch", user, by=user, total=30)
    job = claim("launch")
    assert job
    Job.objects.update(lease_until=timezone.now())
    beside = connection.copy()
    with holding(job) as step, transaction.atomic():
        for done, seen in ((10, 10), (25, 25), (31, 30)):
            step(done)
            with beside.cursor() as cursor:
                cursor.execute(
                    "SELECT done, total, lease_until > now() + interval '15 s' FROM activity_job"
                )
                assert cursor.fetchone() == (seen, 30, True)
    beside.close()


def test_finished_work_links_to_its_result_and_stops_asking(world: World, as_: SignedIn) -> None:
    job = start(world)
    finish(job)
    page = as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()
    assert 'href="/search/"' in page
    assert "hx-get" not in page.split('id="main"')[1]


def test_failed_work_says_why_and_has_a_button_to_try_again(world: World, as_: SignedIn) -> None:
    job = failed_job(world, "Three people have no pay.")
    page = as_(world.kim).get(f"/activity/jobs/{job['pk']}/").content.decode()
    assert "Three people have no pay." in page
    assert f'action="/activity/jobs/{job["pk"]}/retry/"' in page


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        ({"state": "failed", "message": "", "finished_at": timezone.now()}, "job_failed_says_why"),
        ({"state": "failed", "message": "Why"}, "job_ended_has_time"),
        ({"state": "done"}, "job_ended_has_time"),
        ({"state": "running", "lease_until": None}, "job_running_has_a_lease"),
    ],
)
def test_the_database_refuses_what_no_job_is(
    world: World, row: dict[str, object], constraint: str
) -> None:
    job = start(world)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**row)


def test_the_button_pressed_twice_is_one_job(world: World) -> None:
    first = enqueue("launch", world.cycle, by=world.kim)
    second = enqueue("launch", world.cycle, by=world.lea)
    assert (first.pk, second.started_by) == (second.pk, world.kim)


def test_another_clash_than_a_second_job_is_not_passed_over(world: World) -> None:
    """`ON CONFLICT` without a target would take the clash of two keys for the second press of a button."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('activity_job', 'id'))")
        cursor.execute("SELECT setval(pg_get_serial_sequence('activity_job', 'id'), 100, false)")
    Job.objects.create(pk=100, kind="other", subject_kind="x", subject_id=1, started_by=world.kim)
    with pytest.raises(IntegrityError, match="activity_job_pkey"), transaction.atomic():
        enqueue("launch", world.cycle, by=world.kim)


@pytest.mark.django_db(transaction=True)
def test_sixteen_who_press_launch_at_once_get_one_job_and_no_error(as_: SignedIn) -> None:
    kim, cycle = cycles.draft_of_two()
    url = f"/cycles/{cycle.pk}/launch/"
    browsers = [as_(kim) for _ in range(16)]
    answers = at_once(*[lambda browser=browser: browser.post(url) for browser in browsers])
    assert {answer.status_code for answer in answers} == {302}
    job = Job.objects.get(kind="launch")
    assert {answer["Location"] for answer in answers} == {f"/activity/jobs/{job.pk}/"}


@pytest.mark.django_db(transaction=True)
def test_who_presses_launch_while_it_is_under_way_does_not_wait_for_it(as_: SignedIn) -> None:
    kim, cycle = cycles.draft_of_two()
    url = f"/cycles/{cycle.pk}/launch/"
    first = as_(kim).post(url)
    with transaction.atomic():
        Cycle.objects.select_for_update().get(pk=cycle.pk)  # the worker, in its transaction
        [again] = at_once(lambda: as_(kim).post(url))
    assert (again.status_code, again["Location"]) == (302, first["Location"])


def test_others_do_not_see_it(world: World, as_: SignedIn) -> None:
    job = start(world)
    for other in (world.ana, world.noor, world.mira):
        assert as_(other).get(f"/activity/jobs/{job.pk}/").status_code == 404
