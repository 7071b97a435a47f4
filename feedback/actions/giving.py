"""Feedback: given, asked for, answered, found useful, hidden."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from feedback.actions.telling import to_user
from feedback.models import Feedback, FeedbackRequest, reports_of
from pmcycle.access import today
from pmcycle.activity.actions import Tell, record
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import Employee, User

FARTHEST = timedelta(days=366)


def give(recipient: Employee, *, kind: str, visibility: str, body: str, by: User) -> Feedback:
    """Give feedback. Who reads it was chosen before writing and never changes afterwards.

    Raises `Invalid` for feedback to oneself, public words that are no praise, or upward feedback to
    somebody who is not the giver's manager.
    """
    if recipient.pk == by.employee_id:
        raise Invalid("to", _("Feedback is for somebody else."))
    if visibility == Feedback.Visibility.PUBLIC and kind != Feedback.Kind.PRAISE:
        raise Invalid("visibility", _("Only praise can be shown to everybody."))
    with transaction.atomic():
        giver, person = _giver(by), _here(recipient)
        if kind == Feedback.Kind.UPWARD and giver.pk not in reports_of(person.pk):
            raise Invalid("kind", _("Upward feedback is for your own manager."))
        return _write(giver, person, kind, visibility, body, None, by)


def request_feedback(
    reviewer: Employee, about: Employee, *, question: str, due_on: date, by: User
) -> FeedbackRequest:
    """Ask somebody a question about oneself, or about a person one leads.

    Raises `Invalid` for the wrong people or a day that cannot be, `Refused` if the same is open already.
    """
    if not question.strip():
        raise Invalid("question", _("Ask a question, so that the answer can help."))
    day = by.local_day(timezone.now())
    if not day <= due_on <= day + FARTHEST:
        raise Invalid("due_on", _("Choose a day between today and a year from now."))
    if reviewer.pk in (about.pk, by.employee_id):
        raise Invalid("reviewer", _("Ask somebody else than yourself or the person it is about."))
    with transaction.atomic():
        asker, asked = _giver(by), _here(reviewer)
        if about.pk != asker.pk and about.pk not in reports_of(asker.pk):
            raise Invalid("about", _("You can ask about yourself or about somebody you lead."))
        # The lock on the one who is asked makes the look for an open request hold.
        same = FeedbackRequest.objects.filter(
            requester=asker, reviewer=asked, about=about, state=FeedbackRequest.State.OPEN
        )
        if same.exists():
            raise Refused(
                _("%(name)s still has your last request to answer.") % {"name": asked.name}
            )
        request = FeedbackRequest.objects.create(
            requester=asker, reviewer=asked, about=about, question=question, due_on=due_on
        )
        record(
            "requested_feedback",
            request,
            by=by,
            about=about,
            notify=to_user(
                asked,
                _("%(name)s asks you for feedback") % {"name": asker.name},
                reverse("feedback:answer", kwargs={"pk": request.pk}),
                f"feedback.feedbackrequest:{request.pk}",
                due_on=due_on,
            ),
        )
        return request


def answer(
    request: FeedbackRequest,
    *,
    kind: str,
    visibility: str,
    body: str,
    version: int | None,
    by: User,
) -> Feedback:
    """Answer a request, once. A request of the manager is read by the person and the manager."""
    with transaction.atomic():
        row = _lock_open(request, version)
        if row.requester_id != row.about_id:
            visibility = Feedback.Visibility.MANAGER
        if visibility == Feedback.Visibility.PUBLIC or kind == Feedback.Kind.UPWARD:
            raise Invalid(
                "visibility",
                _("An answer is read by the person, or by the person and their manager."),
            )
        row.state, row.version = FeedbackRequest.State.ANSWERED, row.version + 1
        row.save(update_fields=["state", "version"])
        given = _write(_giver(by), _here(row.about), kind, visibility, body, row, by)
        if row.requester_id != row.about_id:
            title = _("%(name)s answered your request for feedback") % {"name": by.name}
            record(
                "answered_request",
                row,
                by=by,
                about=row.about,
                notify=_told(row.requester, title, given, "team"),
            )
        return given


def decline(request: FeedbackRequest, *, version: int | None, by: User) -> FeedbackRequest:
    """Say no to a request; who asked is told."""
    with transaction.atomic():
        row = _lock_open(request, version)
        row.state, row.version = FeedbackRequest.State.DECLINED, row.version + 1
        row.save(update_fields=["state", "version"])
        title = _("%(name)s cannot give you feedback this time") % {"name": by.name}
        key = f"feedback.feedbackrequest:{row.pk}:declined"
        notify = to_user(row.requester, title, reverse("feedback:list"), key)
        record("declined_request", row, by=by, about=row.about, notify=notify)
        return row


def say_useful(feedback: Feedback, *, was_useful: bool, version: int | None, by: User) -> Feedback:
    """Tell the giver whether the feedback helped; may be said anew."""
    with transaction.atomic():
        row = _lock(feedback)
        check_version(row, version)
        row.was_useful, row.version = was_useful, row.version + 1
        row.save(update_fields=["was_useful", "version"])
        title = _("%(name)s answered your feedback") % {"name": row.recipient.name}
        record(
            "said_useful",
            row,
            by=by,
            about=row.recipient,
            notify=_told(row.giver, title, row, "given"),
        )
        return row


def hide(feedback: Feedback, *, version: int | None, by: User) -> Feedback:
    """Take praise off the wall; giver and recipient keep it."""
    return _on_wall(feedback, version, by, hidden=True)


def show_again(feedback: Feedback, *, version: int | None, by: User) -> Feedback:
    """Put praise back on the wall."""
    return _on_wall(feedback, version, by, hidden=False)


def _on_wall(feedback: Feedback, version: int | None, by: User, *, hidden: bool) -> Feedback:
    with transaction.atomic():
        row = _lock(feedback)
        if row.visibility != Feedback.Visibility.PUBLIC:
            raise Refused(_("This was never shown to everybody."))
        check_version(row, version)
        row.hidden_at, row.version = timezone.now() if hidden else None, row.version + 1
        row.save(update_fields=["hidden_at", "version"])
        record("hid_praise" if hidden else "showed_praise", row, by=by, about=row.recipient)
        return row


def _giver(by: User) -> Employee:
    if by.employee_id is None:
        raise Refused(_("Feedback is given by people who work here."))
    return Employee.objects.get(pk=by.employee_id)


def _here(person: Employee) -> Employee:
    """The person, locked, if they still work here."""
    row = Employee.objects.select_for_update(of=("self",)).select_related("user").get(pk=person.pk)
    if row.left_on is not None and row.left_on < today():
        raise Refused(_("%(name)s does not work here any more.") % {"name": row.name})
    return row


def _write(
    giver: Employee,
    recipient: Employee,
    kind: str,
    visibility: str,
    body: str,
    request: FeedbackRequest | None,
    by: User,
) -> Feedback:
    if not body.strip():
        raise Invalid("body", _("Write something first."))
    feedback = Feedback.objects.create(
        giver=giver,
        recipient=recipient,
        kind=kind,
        visibility=visibility,
        body=body,
        request=request,
    )
    title = _("%(name)s gave you feedback") % {"name": giver.name}
    record(
        "gave_feedback",
        feedback,
        by=by,
        about=recipient,
        notify=_told(recipient, title, feedback, "received"),
        kind=kind,
        visibility=visibility,
    )
    return feedback


def _told(person: Employee, title: str, feedback: Feedback, show: str) -> list[Tell]:
    url = f"{reverse('feedback:list')}?show={show}#feedback-{feedback.pk}"
    return to_user(person, title, url, f"feedback.feedback:{feedback.pk}:{feedback.version}:{show}")


def _lock(feedback: Feedback) -> Feedback:
    return (
        Feedback.objects.select_for_update(of=("self",))
        .select_related("recipient__user", "giver__user")
        .get(pk=feedback.pk)
    )


def _lock_open(request: FeedbackRequest, version: int | None) -> FeedbackRequest:
    row = (
        FeedbackRequest.objects.select_for_update(of=("self",))
        .select_related("requester__user", "about__user", "reviewer")
        .get(pk=request.pk)
    )
    if row.state == FeedbackRequest.State.ANSWERED:
        raise Refused(_("You have already answered this."))
    if row.state == FeedbackRequest.State.DECLINED:
        raise Refused(_("You have declined this."))
    check_version(row, version)
    return row
