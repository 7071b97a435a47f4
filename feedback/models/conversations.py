"""The conversation of a pair in each stage, and what other apps read of it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from pmcycle.cycles.models import Assignment, Cycle, Participation, Relation, StageKind, related
from pmcycle.kept import Kept, any_key, any_reader
from pmcycle.people.models import Employee, User

PAIR = (Relation.SELF, Relation.MANAGER)


LONG_TEXT = 20_000


# What an entry may be about, and the page that shows it.
ABOUT_PAGES = {"goals.goal": "goals:detail", "appraisals.appraisal": "appraisals:read"}


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> Self:
        """The two who talk; a 1:1 never reaches skip-level or HR by default, nor the next manager."""
        me = user.employee_id
        return self.filter(Q(participation__employee=me) | Q(manager=me)) if me else self.none()

    editable_by = visible_to


class Conversation(models.Model):
    """The thread of one manager and one employee in one stage of one cycle.

    It names the manager, so that a new manager starts a thread of their own instead of inheriting
    what was said with the one before.
    """

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="conversations"
    )
    manager = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=12, choices=StageKind)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "stage", "manager"],
                name="conversation_once_per_pair_and_stage",
            )
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} {self.stage}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: User) -> Self:
        """The employee; the manager of the thread while they are the manager; and its author for ever."""
        me = user.employee_id
        if me is None:
            return self.none()
        leads = Q(conversation__manager=me) & related(
            user, Relation.MANAGER, to="conversation__participation"
        )
        return self.filter(Q(author=me) | Q(conversation__participation__employee=me) | leads)

    def editable_by(self, user: User) -> Self:
        """Nobody rewrites what was said."""
        return self.none()


class Entry(models.Model):
    """One thing said, about a goal, an appraisal question, an award — or nothing in particular. Append-only."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="entries")
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    about_kind = models.CharField(max_length=60, blank=True)
    about_id = models.BigIntegerField(null=True)
    about_label = models.CharField(max_length=200, blank=True)
    said_at = models.DateTimeField(db_default=models.functions.Now())

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["said_at", "pk"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        indexes = [models.Index("conversation", "said_at", name="entry_thread")]

    def __str__(self) -> str:
        return f"entry {self.pk}"


THREAD_SHOWS = 4


def _led(participation: int) -> models.QuerySet[Assignment]:
    rows = Assignment.objects.current().filter(participation=participation)
    return rows.select_related("manager", "participation__cycle")[:1]


def _newest(stage: str, me: int, participation: int) -> EntryQuerySet:
    rows = Entry.objects.filter(
        conversation__participation=participation, conversation__stage=stage
    )
    return (
        rows.visible_to(any_reader(me))
        .select_related("author")
        .order_by("-said_at", "-pk")[: THREAD_SHOWS + 1]
    )


LED: Kept[Assignment] = Kept(_led, participation=any_key)
NEWEST: dict[str, Kept[Entry]] = {
    stage: Kept(partial(_newest, stage), me=any_key, participation=any_key)
    for stage in StageKind.values
}


def thread_of(participation: Participation, stage: str, user: User) -> dict[str, Any] | None:
    """The pair's thread of one stage for `templates/feedback/_thread.html`; None for whoever is not of the pair.

    Two statements: the manager of today, and the last entries. Whoever renders it passes the
    participation that the page already has; `participation.employee` is read if it is not loaded.
    """
    if user.employee_id is None:
        return None
    assignment = LED.first(participation=participation.pk)
    is_employee = participation.employee_id == user.employee_id
    is_manager = assignment is not None and assignment.manager_id == user.employee_id
    if not (is_employee or is_manager):
        return None
    rows = NEWEST[stage](me=user.employee_id, participation=participation.pk)
    entries = [as_line(entry, user) for entry in rows]
    manager = assignment.manager if assignment else None
    is_over = assignment is not None and assignment.participation.cycle.state != Cycle.State.RUNNING
    has_left = participation.state == Participation.State.LEFT
    place = {"pk": participation.pk, "stage": stage}
    return {
        "entries": entries[:THREAD_SHOWS][::-1],
        "has_earlier": len(entries) > THREAD_SHOWS,
        "other": participation.employee.name if is_manager else manager.name if manager else "",
        "is_employee": is_employee,
        "can_say": manager is not None and not is_over and not has_left,
        "is_over": is_over,
        "has_left": has_left,
        "stage": stage,
        "stage_label": StageKind(stage).label,
        "url": reverse("feedback:conversation", kwargs=place),
        "say_url": reverse("feedback:say", kwargs=place),
        "draft_key": f"say-{participation.pk}-{stage}",
        "max_length": LONG_TEXT,
    }


def as_line(entry: Entry, user: User) -> dict[str, Any]:
    """An entry in the shape of `templates/ui/_entry.html`."""
    url = ""
    if entry.about_kind in ABOUT_PAGES and entry.about_id:
        try:
            url = reverse(ABOUT_PAGES[entry.about_kind], kwargs={"pk": entry.about_id})
        except NoReverseMatch:
            url = ""
    return {
        "id": entry.pk,
        "author": entry.author,
        "at": entry.said_at,
        "text": entry.body,
        "mine": entry.author_id == user.employee_id,
        "about": entry.about_label,
        "url": url,
    }


def entries_known_since(participation: Participation, days: int) -> models.QuerySet[Entry]:
    """What others told this person in their conversations at least `days` ago, newest first.

    The no-surprise gate cites one of these: a low rating must have been said before, to the person,
    by somebody else, early enough to act on it.
    """
    before = timezone.now() - timedelta(days=days)
    return (
        Entry.objects.filter(conversation__participation=participation, said_at__lte=before)
        .exclude(author=participation.employee_id)
        .select_related("author", "conversation")
        .order_by("-said_at", "-pk")
    )
