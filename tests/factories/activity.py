"""Events, notices, deliveries and jobs for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pmcycle.activity.models import Job

if TYPE_CHECKING:
    from tests.conftest import World


def job_of_ana(world: World) -> dict[str, Any]:
    """Long work that Ana has started."""
    job = Job.objects.create(
        kind="export", subject_kind="people.user", subject_id=world.ana.pk, total=10, started_by=world.ana
    )
    return {"pk": job.pk}
