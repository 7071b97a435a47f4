"""Events, notices, deliveries and jobs for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from pmcycle.activity.actions import keep_refused
from pmcycle.activity.models import Delivery, Job, Life, Notice, ToDo
from tests.factories.cycles import make_draft
from tests.open_items import catch_up

if TYPE_CHECKING:
    from pmcycle.people.models import User
    from tests.conftest import World


def job_of_ana(world: World) -> dict[str, Any]:
    """A launch that Ana asked for while she was in HR, and that waits."""
    return {"pk": launch_of(world, world.ana).pk}


def failed_launch(world: World) -> dict[str, Any]:
    """A launch of Kim's that has failed."""
    job = launch_of(
        world, world.kim, state="failed", message="It broke.", finished_at=timezone.now()
    )
    return {"pk": job.pk}


def launch_of(world: World, by: User, **fields: Any) -> Job:
    """The launch of a draft, as it waits for a worker or as `fields` say."""
    draft = make_draft("Next year", by=world.kim)
    return Job.objects.create(
        kind="launch",
        subject_kind="cycles.cycle",
        subject_id=draft.pk,
        total=10,
        started_by=by,
        **fields,
    )


def failed_job(world: World, message: str = "It broke.", error: str = "") -> dict[str, Any]:
    """Long work of Kim's that has failed."""
    job = Job.objects.create(
        kind="export",
        subject_kind="cycles.cycle",
        subject_id=world.cycle.pk,
        total=10,
        started_by=world.kim,
        state="failed",
        message=message,
        error=error,
        finished_at=timezone.now(),
    )
    return {"pk": job.pk}


def broken_job(world: World) -> dict[str, Any]:
    """The same, ended by an error of the machine."""
    return failed_job(world, error="RuntimeError")


def text_of_ana(world: World) -> dict[str, Any]:
    """What Ana sent and was not taken."""
    typed = [("body", "Two people are missing on Fridays.")]
    kept = keep_refused(
        world.ana, "/feedback/1/say/", typed, reason="This is closed.", page="/feedback/1/"
    )
    assert kept is not None
    return {"pk": kept.pk}


def notice_of_ana(world: World) -> dict[str, Any]:
    """Something that Ana is told."""
    notice = Notice.objects.create(
        recipient=world.ana, kind="notice", title="Answer the proposal", url="/", key="probe"
    )
    return {"pk": notice.pk}


def failed_mail(world: World) -> dict[str, Any]:
    """A reminder to Ana that could not be sent."""
    notice = Notice.objects.create(
        recipient=world.ana,
        kind="reminder",
        title="Write your self-appraisal",
        url="/",
        key="failed",
    )
    return {
        "pk": Delivery.objects.create(notice=notice, channel="email", state="failed", why="550").pk
    }


def held_life(world: World) -> dict[str, Any]:
    """A restored copy that holds its mails."""
    return {"pk": Life.objects.create(code="0123456789ab", place="where nobody is").pk}


def a_todo(world: World) -> dict[str, Any]:
    """Ana is to propose her goals."""
    catch_up()
    return {"pk": ToDo.objects.get(recipient=world.ana.employee_id, kind="goals:propose").pk}
