"""Conversations, check-ins and feedback for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from feedback.actions import digest
from feedback.models import (
    ActionItem,
    AgendaPoint,
    CalendarFeed,
    CheckIn,
    CheckInSeries,
    Conversation,
    Entry,
    Feedback,
    FeedbackRequest,
)
from pmcycle.access import today
from pmcycle.cycles.models import Participation, StageKind
from pmcycle.people.models import Employee, User

if TYPE_CHECKING:
    from tests.conftest import World


def person(user: User) -> Employee:
    """The employee behind a user of the cast."""
    assert user.employee is not None
    return user.employee


def make_entry(
    participation: Participation,
    manager: Employee,
    author: Employee,
    body: str = "The new fixture halves the setup time. Well done.",
    *,
    stage: str = StageKind.OBJECTIVES,
    days_ago: int = 0,
) -> Entry:
    conversation, _made = Conversation.objects.get_or_create(
        participation=participation, manager=manager, stage=stage
    )
    said_at = timezone.now() - timedelta(days=days_ago)
    return Entry.objects.create(
        conversation=conversation, author=author, body=body, said_at=said_at
    )


def make_series(manager: Employee, employee: Employee, **fields: Any) -> CheckInSeries:
    fields.setdefault("rrule", "FREQ=WEEKLY;BYDAY=MO")
    fields.setdefault("starts_on", today() - timedelta(days=30))
    fields.setdefault("at", "10:00")
    fields.setdefault("zone", "UTC")
    return CheckInSeries.objects.create(manager=manager, employee=employee, **fields)


def make_check_in(
    manager: Employee,
    employee: Employee,
    *,
    in_days: float = 2,
    starts_at: datetime | None = None,
    **fields: Any,
) -> CheckIn:
    """A planned meeting in `in_days`; held when that many days ago if `state="held"`."""
    when = starts_at or timezone.now() + timedelta(days=in_days)
    if fields.get("state") == CheckIn.State.HELD:
        fields.setdefault("held_at", when)
    return CheckIn.objects.create(manager=manager, employee=employee, starts_at=when, **fields)


def make_point(
    check_in: CheckIn, author: Employee, text: str = "Spare parts for line 3", **fields: Any
) -> AgendaPoint:
    return AgendaPoint.objects.create(check_in=check_in, author=author, text=text, **fields)


def make_item(
    check_in: CheckIn, owner: Employee, text: str = "Ask for a second fixture", **fields: Any
) -> ActionItem:
    fields.setdefault("due_on", today() + timedelta(days=7))
    return ActionItem.objects.create(check_in=check_in, owner=owner, text=text, **fields)


# --- what the access table opens -------------------------------------------------------------------


def thread_of_ana(world: World) -> dict[str, Any]:
    return {"pk": world.ana_part.pk, "stage": StageKind.OBJECTIVES}


def thread_with_words_of_farid(world: World) -> dict[str, Any]:
    make_entry(world.ana_part, person(world.farid), person(world.farid), days_ago=60)
    return thread_of_ana(world)


def meeting_of_ana(world: World) -> dict[str, Any]:
    return {"pk": make_check_in(person(world.bashir), person(world.ana), in_days=0.5).pk}


def meeting_held_with_farid(world: World) -> dict[str, Any]:
    """A meeting from the time when Farid led Ana: it stays with the two who held it."""
    row = make_check_in(person(world.farid), person(world.ana), in_days=-40, state="held")
    return {"pk": row.pk}


def point_of_ana(world: World) -> dict[str, Any]:
    row = make_check_in(person(world.bashir), person(world.ana), in_days=0.5)
    return {"pk": make_point(row, person(world.ana)).pk}


def action_of_ana(world: World) -> dict[str, Any]:
    row = make_check_in(person(world.bashir), person(world.ana), in_days=0.5)
    return {"pk": make_item(row, person(world.ana)).pk}


def action_from_the_time_of_farid(world: World) -> dict[str, Any]:
    row = make_check_in(person(world.farid), person(world.ana), in_days=-40, state="held")
    return {"pk": make_item(row, person(world.ana)).pk}


def series_of_ana(world: World) -> dict[str, Any]:
    return {"pk": make_series(person(world.bashir), person(world.ana)).pk}


def calendar_of_ana(world: World) -> dict[str, Any]:
    CalendarFeed.objects.create(user=world.ana, digest=digest("secret"))
    return {"token": "secret"}


def make_feedback(giver: Employee, recipient: Employee, **fields: Any) -> Feedback:
    fields.setdefault("kind", "praise")
    fields.setdefault("visibility", "person")
    fields.setdefault("body", "You stayed calm when the line stopped.")
    return Feedback.objects.create(giver=giver, recipient=recipient, **fields)


def make_request(
    requester: Employee, reviewer: Employee, about: Employee, **fields: Any
) -> FeedbackRequest:
    fields.setdefault("question", "What helped you in my handover?")
    fields.setdefault("due_on", today() + timedelta(days=10))
    return FeedbackRequest.objects.create(
        requester=requester, reviewer=reviewer, about=about, **fields
    )


def feedback_for_ana(world: World) -> dict[str, Any]:
    """From Chen, read by Ana alone."""
    return {"pk": make_feedback(person(world.chen), person(world.ana)).pk}


def praise_for_ana(world: World) -> dict[str, Any]:
    return {"pk": make_feedback(person(world.chen), person(world.ana), visibility="public").pk}


def request_to_ana(world: World) -> dict[str, Any]:
    """Chen asks Ana about himself."""
    chen = person(world.chen)
    return {"pk": make_request(chen, person(world.ana), chen).pk}


def words_of_farid(world: World) -> dict[str, Any]:
    """What the former manager said: Ana and its author read it."""
    farid = person(world.farid)
    return {"pk": make_entry(world.ana_part, farid, farid, days_ago=60).pk}


def saying(world: World) -> dict[str, Any]:
    return {
        "participation": world.ana_part.pk,
        "stage": StageKind.OBJECTIVES,
        "body": "Shall we talk?",
    }
