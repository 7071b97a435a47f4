"""Saying something to the other one, in a stage."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from feedback.actions.telling import to_user
from feedback.models import Conversation, Entry
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import hold_person
from pmcycle.cycles.models import Assignment, Cycle, Participation, StageKind
from pmcycle.errors import Invalid, Refused
from pmcycle.people.models import Employee, User


def say(
    participation: Participation,
    stage: str,
    body: str,
    *,
    by: User,
    about_kind: str = "",
    about_id: int | None = None,
    about_label: str = "",
) -> Entry:
    """Add an entry to the thread of the participation and its manager of today; the other one is told.

    Raises `Invalid` for an empty text and `Refused` when the cycle is closed or nobody is there to talk to.
    """
    if not body.strip():
        raise Invalid("body", _("Write something first."))
    with transaction.atomic():
        part = hold_person(participation.pk)
        if part.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is closed. What was said in it stays readable."))
        if part.state != Participation.State.ACTIVE:
            raise Refused(
                _("%s has left this cycle; what was said stays readable.") % part.employee.name
            )
        assignment = (
            Assignment.objects.current()
            .filter(participation=part)
            .select_related("manager__user")
            .first()
        )
        if assignment is None:
            raise Refused(_("There is no manager to talk to in this cycle yet. HR can name one."))
        manager: Employee = assignment.manager
        author = part.employee if by.employee_id == part.employee_id else manager
        if author.pk != by.employee_id:
            raise Refused(_("You are not one of the two any more."))
        conversation, _made = Conversation.objects.get_or_create(
            participation=part, manager=manager, stage=stage
        )
        entry = Entry.objects.create(
            conversation=conversation,
            author=author,
            body=body,
            about_kind=about_kind,
            about_id=about_id,
            about_label=about_label,
        )
        other = manager if author is part.employee else part.employee
        record(
            "said",
            entry,
            by=by,
            about=part.employee,
            notify=to_user(
                other,
                _("%(name)s wrote to you: %(stage)s")
                % {"name": author.name, "stage": StageKind(stage).label},
                reverse("feedback:conversation", kwargs={"pk": part.pk, "stage": stage}),
                f"feedback.entry:{entry.pk}",
            ),
            stage=stage,
        )
        return entry
