"""Long files: rehearsed and applied by the worker, in steps that a page can count, and done once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pmcycle.access import today
from pmcycle.activity.actions import drift, miscounted, misplaced
from pmcycle.activity.models import Event, Job, ToDo
from pmcycle.people import tasks
from pmcycle.people.actions import importing
from pmcycle.people.models import Employee, Import
from tests.conftest import SignedIn, World
from tests.open_items import catch_up
from tests.people.importing import Walk
from tests.people.test_import_faults import HEAD, big_file


@pytest.fixture
def walk(world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr(importing, "AT_ONCE", 5)
    monkeypatch.setattr(importing, "BATCH", 4)
    return Walk(as_(world.kim))


def the_job() -> Job:
    return Job.objects.latest("pk")


def test_a_long_file_is_rehearsed_by_the_worker_while_its_page_waits(walk: Walk) -> None:
    walk.upload(big_file(11))
    response = walk.post("map_columns", **walk.shown(**walk.in_order()))
    assert response.headers["Location"] == f"/activity/jobs/{the_job().pk}/"
    walk.run.refresh_from_db()
    assert (walk.run.state, the_job().total) == (Import.State.UPLOADED, 10)
    assert (
        walk.client.get(walk.url("rehearsal")).headers["Location"] == response.headers["Location"]
    )
    tasks.rehearse_imports()
    walk.run.refresh_from_db()
    assert (walk.run.state, walk.run.counts) == (Import.State.CHECKED, {"created": 10})
    assert the_job().url == walk.url("rehearsal")
    assert walk.client.get(walk.url("rehearsal")).status_code == 200


def test_a_short_file_is_rehearsed_at_once(walk: Walk) -> None:
    assert walk.bring(big_file(5)) == {"created": 4}
    assert not Job.objects.exists()


def test_the_job_counts_lines_half_of_their_way_judged_and_half_written(
    walk: Walk, world: World
) -> None:
    walk.upload(big_file(11))
    walk.post("map_columns", **walk.shown(**walk.in_order()))
    taken: list[int] = []
    importing.rehearse(walk.run, by=world.kim, step=taken.append)
    assert (taken, the_job().total) == ([4, 8, 10], 10)
    walk.run.refresh_from_db()
    walk.post("apply_import", version=walk.run.version)
    taken.clear()
    importing.apply_import(walk.run, by=world.kim, step=taken.append)
    assert (taken[:3], taken[-1], the_job().total) == ([2, 4, 5], 10, 10)
    assert taken == sorted(taken)


def test_a_long_file_cannot_be_applied_between_a_decision_and_its_rehearsal(walk: Walk) -> None:
    walk.upload(big_file(11) + b"\n900,Ann Ash,2020-01-01,,,Nobody Known,,")
    walk.post("map_columns", **walk.shown(**walk.in_order()))
    tasks.rehearse_imports()
    walk.settle(act="skip", line=12)
    assert walk.run.state == Import.State.UPLOADED
    assert "Rehearse" in walk.apply().content.decode()
    assert not Employee.objects.filter(number="900").exists()
    tasks.rehearse_imports()
    walk.apply()
    assert walk.run.counts == {"created": 10, "passed": 1}
    assert walk.run.state == Import.State.APPLIED


def test_a_worker_that_died_leaves_its_import_to_the_next_which_does_it_once(walk: Walk) -> None:
    walk.bring(big_file(4))
    walk.post("apply_import", version=walk.run.version)
    dead = {"state": Job.State.RUNNING, "attempts": 1}
    Job.objects.update(**dead, lease_until=timezone.now() + timedelta(minutes=1))
    tasks.apply_imports()
    assert the_job().attempts == 1  # its lease still holds
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.apply_imports()
    assert the_job().state == Job.State.DONE
    assert Event.objects.filter(verb="applied_import").count() == 1
    assert (
        Employee.objects.filter(email__startswith="p", email__endswith="@example.com").count() >= 3
    )


def test_what_is_open_follows_an_import_whose_worker_died_before_it_could(
    walk: Walk, world: World
) -> None:
    catch_up()
    bashir = world.bashir.employee
    assert bashir
    left = f"{bashir.number},{bashir.name},{bashir.hired_on},{today() - timedelta(days=1)},left,,,{bashir.email}"
    assert walk.bring((HEAD + left + "\n").encode()) == {"changed": 1}
    walk.post("apply_import", version=walk.run.version)
    importing.apply_import(walk.run, by=world.kim)
    ToDo.objects.all().delete()
    assert drift()
    tasks.apply_imports()
    assert the_job().state == Job.State.DONE
    assert drift() == []
    assert (misplaced(), miscounted()) == ([], 0)
