"""Trying again what failed: by whoever asked for it or HR, by operators where the machine broke."""

from __future__ import annotations

import pytest
from django.test import Client

from pmcycle.activity.models import Event, Job, Notice
from pmcycle.cycles import actions, tasks
from pmcycle.cycles.models import Cycle
from tests.conftest import SignedIn, World
from tests.factories import cycles
from tests.factories.activity import failed_job


@pytest.fixture
def draft(world: World) -> Cycle:
    cycle = cycles.make_draft("Next year", by=world.kim)
    cycles.accept_all(cycle, world.kim)
    return cycle


def break_down(*_args: object, **_options: object) -> None:
    raise RuntimeError("Ana Popescu has two lines")


def the_job() -> Job:
    return Job.objects.get(kind="launch")


def broken_launch(draft: Cycle, kim: Client, monkeypatch: pytest.MonkeyPatch) -> Job:
    kim.post(f"/cycles/{draft.pk}/launch/")
    with monkeypatch.context() as broken:
        broken.setattr("pmcycle.cycles.actions.launching._tell_of_it", break_down)
        tasks.launch_waiting()
    return the_job()


def test_work_that_raises_ends_as_failed_in_words_and_leaves_nothing(
    world: World, as_: SignedIn, draft: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = broken_launch(draft, as_(world.kim), monkeypatch)
    assert (job.state, job.error, job.attempts) == ("failed", "RuntimeError", 1)
    assert "Nothing of it was kept" in job.message
    draft.refresh_from_db()
    assert (draft.state, draft.participations.count()) == ("draft", 0)


def test_whoever_asked_and_who_runs_the_system_are_told_without_names(
    world: World, as_: SignedIn, draft: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = broken_launch(draft, as_(world.kim), monkeypatch)
    told = Notice.objects.filter(title="It stopped, read why: Launching the cycle")
    assert set(told.values_list("recipient", "url")) == {
        (world.kim.pk, f"/activity/jobs/{job.pk}/"),
        (world.noor.pk, "/activity/operations/"),
    }
    page = as_(world.noor).get("/activity/operations/").content.decode()
    assert "RuntimeError" in page
    assert "Ana Popescu" not in page


def test_a_refusal_is_told_to_whoever_asked_and_to_no_operator(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    as_(world.kim).post(f"/cycles/{draft.pk}/launch/")
    actions.launch(draft, by=world.lea)
    tasks.launch_waiting()
    assert (the_job().state, the_job().message) == (
        "failed",
        "“Next year” has been launched already.",
    )
    told = Notice.objects.filter(title__startswith="It stopped")
    assert list(told.values_list("recipient", flat=True)) == [world.kim.pk]
    assert (
        "Long work that broke" not in as_(world.noor).get("/activity/operations/").content.decode()
    )


@pytest.mark.parametrize("who", ["kim", "lea", "noor"])
def test_tried_again_it_is_done_once_for_whoever_asked(
    world: World, as_: SignedIn, draft: Cycle, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    job = broken_launch(draft, as_(world.kim), monkeypatch)
    assert as_(getattr(world, who)).post(f"/activity/jobs/{job.pk}/retry/").status_code == 302
    tasks.launch_waiting()
    assert the_job().state == "done"
    assert Event.objects.get(verb="launched").actor == world.kim
    assert Event.objects.get(verb="retried_job").actor == getattr(world, who)


def test_only_what_failed_is_tried_again(world: World, as_: SignedIn) -> None:
    job = Job.objects.get(pk=failed_job(world, "Why")["pk"])
    assert as_(world.kim).post(f"/activity/jobs/{job.pk}/retry/").status_code == 302
    assert as_(world.kim).post(f"/activity/jobs/{job.pk}/retry/").status_code == 409


def test_what_was_asked_for_anew_is_not_tried_again_beside_it(world: World, as_: SignedIn) -> None:
    old = failed_job(world, "Why")["pk"]
    new = failed_job(world, "Why")["pk"]
    assert as_(world.kim).post(f"/activity/jobs/{old}/retry/").status_code == 409
    assert as_(world.kim).post(f"/activity/jobs/{new}/retry/").status_code == 302


def test_operators_try_again_only_what_the_machine_broke(world: World, as_: SignedIn) -> None:
    refused = failed_job(world, "Ana Popescu has no manager.")["pk"]
    assert as_(world.noor).post(f"/activity/jobs/{refused}/retry/").status_code == 404
