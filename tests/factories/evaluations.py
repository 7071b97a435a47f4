"""Evaluations for tests, in each state."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from evaluations import actions
from evaluations.actions import snapshot_of
from evaluations.models import DevelopmentStep, Evaluation, Point, Signature
from evaluations.rules import fingerprint
from pmcycle.access import today
from pmcycle.cycles.models import Participation
from pmcycle.people.models import Employee
from tests.conftest import World


def make_evaluation(
    participation: Participation, author: Employee, *, state: str = "draft"
) -> Evaluation:
    """An evaluation with one achievement, one cited shortcoming and one step."""
    row = Evaluation.objects.create(
        participation=participation,
        author=author,
        summary="A year of steady work.",
        potential="grow",
    )
    Point.objects.create(evaluation=row, kind="achievement", text="Halved the rework")
    Point.objects.create(
        evaluation=row,
        kind="shortcoming",
        text="Late reports",
        evidence_kind="entry",
        evidence_id=1,
        evidence_label="3 May: reports came late",
    )
    DevelopmentStep.objects.create(
        evaluation=row, text="Course", due_on=today() + timedelta(days=90)
    )
    if state != "draft":
        row.state, row.shared_at = "shared", timezone.now()
        row.save()
    if state == "signed":
        Signature.objects.create(
            evaluation=row, side="employee", signer=participation.employee, comment="Seen."
        )
        Signature.objects.create(evaluation=row, side="manager", signer=author)
        row.snapshot = snapshot_of(row)
        row.sha256 = fingerprint(row.snapshot)
        row.state, row.signed_at = "signed", timezone.now()
        row.save()
    return row


def of_ana(world: World, state: str = "draft") -> dict[str, int]:
    return {"pk": make_evaluation(world.ana_part, world.part["bashir"].employee, state=state).pk}


def begun_about_ana(world: World) -> dict[str, int]:
    """Bashir has begun to write, and nobody else has read it."""
    row = actions.begin(world.ana_part, by=world.bashir)
    text = actions.EvaluationText(summary="A good year.")
    return {"pk": actions.save(row, text, version=row.version, by=world.bashir).pk}


def shared_with_ana(world: World) -> dict[str, int]:
    return of_ana(world, "shared")


def signed_by_ana(world: World) -> dict[str, int]:
    return of_ana(world, "signed")


def of_cycle(world: World) -> dict[str, int]:
    return {"pk": world.cycle.pk}


def counted(world: World) -> dict[str, int]:
    actions.compute(world.cycle, by=world.kim)
    return of_cycle(world)


def published(world: World) -> dict[str, int]:
    row = actions.compute(world.cycle, by=world.kim)
    actions.publish(row, version=None, by=world.kim)
    return of_cycle(world)
