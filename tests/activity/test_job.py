"""Long work: n of m, surviving the page, ending with a link or with what to do."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from pmcycle.activity.actions import claim, enqueue, finish, steps
from pmcycle.activity.models import Job
from tests.conftest import SignedIn, World
from tests.factories import people


def start(world: World) -> Job:
    job, _made = enqueue("launch", world.cycle, by=world.kim, total=12, url="/search/")
    return job


def test_the_page_shows_n_of_m_and_asks_again(world: World, as_: SignedIn) -> None:
    start(world)
    job = claim("launch")
    assert job
    Job.objects.update(done=5)
    page = as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()
    assert "Launching the cycle" in page
    assert f'hx-get="/activity/jobs/{job.pk}/"' in page
    part = as_(world.kim).get(f"/activity/jobs/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "5" in part


@pytest.mark.django_db(transaction=True)
def test_steps_are_seen_before_the_commit_and_renew_the_lease() -> None:
    user = people.make_user(email="kim@example.com", name="Kim")
    enqueue("launch", user, by=user, total=3)
    job = claim("launch")
    assert job
    Job.objects.update(lease_until=None)
    beside = connection.copy()
    with steps(job) as step, transaction.atomic():
        for done in (1, 2):
            step()
            with beside.cursor() as cursor:
                cursor.execute("SELECT done, total, lease_until > now() FROM activity_job")
                assert cursor.fetchone() == (done, 3, True)
    beside.close()


def test_finished_work_links_to_its_result_and_stops_asking(world: World, as_: SignedIn) -> None:
    job = start(world)
    finish(job)
    page = as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()
    assert 'href="/search/"' in page
    assert "hx-get" not in page.split('id="main"')[1]


def test_failed_work_says_what_to_do(world: World, as_: SignedIn) -> None:
    job = start(world)
    finish(job, failed=True)
    assert "Start it again" in as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()
    finish(job, "Three people have no pay.", failed=True)
    assert "Three people have no pay." in as_(world.kim).get(f"/activity/jobs/{job.pk}/").content.decode()


def test_the_button_pressed_twice_is_one_job(world: World) -> None:
    first, made = enqueue("launch", world.cycle, by=world.kim)
    second, made_again = enqueue("launch", world.cycle, by=world.lea)
    assert (made, made_again, first.pk) == (True, False, second.pk)


def test_others_do_not_see_it(world: World, as_: SignedIn) -> None:
    job = start(world)
    for other in (world.ana, world.noor, world.mira):
        assert as_(other).get(f"/activity/jobs/{job.pk}/").status_code == 404
