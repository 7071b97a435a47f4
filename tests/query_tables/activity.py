"""Inbox, trail, logs and operations: their SQL statements do not grow with rows."""

from __future__ import annotations

import itertools

from django.db import transaction
from django.utils import timezone

from appraisals.models import Appraisal, FormVersion
from evaluations.models import Evaluation
from pmcycle.activity.actions import keep_refused, record
from pmcycle.activity.models import Delivery, Event, Notice
from tests.conftest import World
from tests.factories import appraisals, cycles, evaluations, feedback, goals, people
from tests.query_tables import Page

NUMBERS = itertools.count()


def more_mails(world: World, number: int) -> None:
    for _ in range(number):
        notice = Notice.objects.create(
            recipient=world.ana,
            kind="reminder",
            title="Write",
            url="/",
            key=f"probe{next(NUMBERS)}",
        )
        Delivery.objects.create(notice=notice, channel="email", state="failed", why="550")


def more_unsent_texts(world: World, number: int) -> None:
    for _ in range(number):
        typed = [("body", f"Sentence number {next(NUMBERS)} of many.")]
        keep_refused(world.ana, "/feedback/1/say/", typed, reason="This is closed.", page="/")


def more_begun_texts(world: World, number: int) -> None:
    for _ in range(number):
        person = people.make_employee(f"Begun{next(NUMBERS)}", world.production)
        part = cycles.take_part(world.cycle, person, feedback.person(world.bashir))
        row = evaluations.make_evaluation(part, feedback.person(world.bashir))
        Evaluation.objects.filter(pk=row.pk).update(saved_at=timezone.now())
        goals.draft(world.ana_part, world.bashir)
        begun = Appraisal.objects.create(
            participation=part,
            kind="manager",
            author=feedback.person(world.bashir),
            form_version=FormVersion.objects.first() or appraisals.make_form(world.cycle),
        )
        appraisals.save_draft(begun)


def more_events(world: World, number: int) -> None:
    for _ in range(number):
        with transaction.atomic():
            record(
                "viewed", world.ana_part, by=world.ines, about=world.ana.employee, role="HR partner"
            )


def more_streams(world: World, number: int) -> None:
    for _ in range(number):
        with transaction.atomic():
            record("configured", world.cycle, by=world.kim, stream=f"probe:{Event.objects.count()}")


PAGES = [
    Page("activity:inbox", as_="ana", grow=more_mails),
    Page("activity:unsent", as_="ana", grow=more_unsent_texts),
    Page("activity:unsent", as_="bashir", grow=more_begun_texts, limit=9, state="begun"),
    Page("activity:trail", as_="mira", grow=more_events),
    Page("activity:trail", as_="ines", grow=more_events, state="as HR partner"),
    Page("activity:chain", as_="mira", grow=more_streams),
    Page("activity:who_looked", as_="ana", grow=more_events),
    Page("activity:deliveries", as_="kim", grow=more_mails),
    Page("activity:operations", as_="noor", grow=more_mails, limit=12),
]
