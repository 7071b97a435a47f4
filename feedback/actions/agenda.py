"""What the two write for and in a meeting: points, the shared note, and a note of one's own."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback.actions.check_ins import lock, side_of
from feedback.models import LONG_TEXT, AgendaPoint, CheckIn, PrivateNote
from pmcycle.activity.actions import record
from pmcycle.errors import Invalid, Refused, Stale, check_version
from pmcycle.people.models import User

MOST_POINTS = 40


def add_point(check_in: CheckIn, text: str, *, by: User) -> AgendaPoint:
    """Put something on the agenda. Raises `Refused` once the meeting is over."""
    text = text.strip()
    if not text:
        raise Invalid("text", _("Write what you want to talk about."))
    with transaction.atomic():
        row = lock(check_in)
        _still_open(row)
        if (
            AgendaPoint.objects.standing().filter(check_in=row, author=by.employee_id).count()
            >= MOST_POINTS
        ):
            raise Refused(_("Your side of the agenda is full. Take something off first."))
        point = AgendaPoint.objects.create(check_in=row, author=side_of(row, by), text=text)
        record("added_point", point, by=by, about=row.employee)
        return point


def edit_point(point: AgendaPoint, text: str, *, version: int | None, by: User) -> AgendaPoint:
    """Change the words of one's own point, as long as the meeting is still to come."""
    text = text.strip()
    if not text:
        raise Invalid("text", _("Write what you want to talk about."))
    with transaction.atomic():
        row = _lock_own(point, by)
        check_version(row, version, ("text",))
        row.text, row.version = text, row.version + 1
        row.save(update_fields=["text", "version"])
        record("edited_point", row, by=by, about=row.check_in.employee)
        return row


def remove_point(point: AgendaPoint, *, version: int | None, by: User) -> AgendaPoint:
    """Take one's own point off the agenda; the row stays, so that nothing written is lost."""
    with transaction.atomic():
        row = _lock_own(point, by)
        check_version(row, version, ("text",))
        row.withdrawn_at, row.version = timezone.now(), row.version + 1
        row.save(update_fields=["withdrawn_at", "version"])
        record("removed_point", row, by=by, about=row.check_in.employee)
        return row


def tick_point(point: AgendaPoint, *, is_done: bool, by: User) -> AgendaPoint:
    """Say that a point was talked about (or was not); either of the two may, during the meeting and after.

    Needs no version: saying the same twice changes nothing.
    """
    with transaction.atomic():
        check_in = lock(point.check_in)
        row = AgendaPoint.objects.select_for_update().get(pk=point.pk)
        if row.withdrawn_at is not None:
            raise Refused(_("This point was taken off the agenda."))
        if not is_done and not check_in.is_planned:
            raise Refused(_("This meeting is over; put the point on the next agenda instead."))
        if row.is_done == is_done:
            return row
        row.is_done, row.version = is_done, row.version + 1
        row.save(update_fields=["is_done", "version"])
        record("ticked_point", row, by=by, about=check_in.employee, done=is_done)
        return row


def write_note(check_in: CheckIn, text: str, *, version: int | None, by: User) -> CheckIn:
    """Save the shared note, before, in or after the meeting.

    Raises `Stale` with the saved text if the other one saved meanwhile: nobody's words are overwritten.
    """
    if len(text) > LONG_TEXT:
        raise Invalid("shared_note", _("This note is too long to keep."))
    with transaction.atomic():
        row = lock(check_in)
        # Also sent again because the answer was lost.
        if row.shared_note == text:
            return row
        if version is not None and row.note_version != version:
            name = row.manager.name if row.note_by_id == row.manager_id else row.employee.name
            raise Stale(
                {"shared_note": row.shared_note},
                row.note_version,
                by=name if row.note_by_id else "",
            )
        row.shared_note, row.note_version, row.note_by = (
            text,
            row.note_version + 1,
            side_of(row, by),
        )
        row.save(update_fields=["shared_note", "note_version", "note_by"])
        record("wrote_note", row, by=by, about=row.employee)
        return row


def write_private_note(
    check_in: CheckIn, body: str, *, version: int | None, by: User
) -> PrivateNote:
    """Save what one keeps for oneself about a meeting. Version 0 is a note not yet written."""
    if len(body) > LONG_TEXT:
        raise Invalid("body", _("This note is too long to keep."))
    with transaction.atomic():
        row = lock(check_in)
        note = PrivateNote.objects.filter(check_in=row, author=by.employee_id).first()
        if note is None:
            note = PrivateNote(check_in=row, author=side_of(row, by), version=0)
        # Also sent again because the answer was lost.
        if note.body == body and note.pk:
            return note
        check_version(note, version, ("body",))
        note.body, note.version = body, note.version + 1
        note.save()
        record("wrote_private_note", note, by=by, about=by.employee)
        return note


def _still_open(row: CheckIn) -> None:
    if row.is_held:
        raise Refused(_("This meeting is over; put the point on the next agenda instead."))
    if not row.is_planned:
        raise Refused(_("This check-in was called off."))


def _lock_own(point: AgendaPoint, by: User) -> AgendaPoint:
    """The point, locked with its meeting; raises `Refused` unless it is the writer's and still open."""
    check_in = lock(point.check_in)
    row = (
        AgendaPoint.objects.select_for_update(of=("self",))
        .select_related("check_in__employee")
        .get(pk=point.pk)
    )
    _still_open(check_in)
    if row.author_id != by.employee_id:
        raise Refused(_("Only its author changes a point."))
    if row.withdrawn_at is not None:
        raise Refused(_("This point was taken off the agenda."))
    return row
