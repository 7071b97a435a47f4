"""A manager writes, shares and both sign the evaluation of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from evaluations import rules
from evaluations.models import DevelopmentStep, Evaluation, Point, Signature
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.actions import hold_person, standing
from pmcycle.cycles.models import Cycle, Participation, StageKind
from pmcycle.cycles.rules import CLOSED, LEFT, OPEN
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import Employee, User


@dataclass(frozen=True)
class PointText:
    """An achievement or shortcoming as typed; evidence is a kind and a row of the year, with its label."""

    kind: str
    text: str
    evidence_kind: str = ""
    evidence_id: int | None = None
    evidence_label: str = ""


@dataclass(frozen=True)
class StepText:
    text: str
    due_on: date
    support: str = ""


@dataclass(frozen=True)
class EvaluationText:
    """Everything a manager types into one evaluation."""

    summary: str = ""
    potential: str = ""
    long_term_goal: str = ""
    points: Sequence[PointText] = field(default_factory=tuple)
    steps: Sequence[StepText] = field(default_factory=tuple)


CONFLICTING = ("summary", "potential", "long_term_goal")


def draft_of(participation: Participation, *, by: User) -> Evaluation:
    """What the manager has begun for this person, or an empty one that is not kept yet.

    Raises `Refused` where nothing is begun and nothing can be.
    """
    author = _employee(by)
    known = Evaluation.objects.filter(participation=participation, author=author).first()
    if known is None and (why := why_not_open(participation)):
        raise Refused(why)
    return known or Evaluation(participation=participation, author=author)


def begin(participation: Participation, *, by: User) -> Evaluation:
    """The manager's draft for this person, made with the first words sent. Two tabs at once find the same one.

    After a change of manager the draft of the former one stays theirs, unread by the new one.
    """
    author = _employee(by)
    with transaction.atomic():
        participation = hold_person(participation.pk)
        known = Evaluation.objects.filter(participation=participation, author=author).first()
        if known is not None:
            return known
        if why := why_not_open(participation):
            raise Refused(why)
        evaluation = Evaluation.objects.create(participation=participation, author=author)
        record("began_evaluation", evaluation, by=by, about=participation.employee)
        return evaluation


def save(
    evaluation: Evaluation, text: EvaluationText, *, version: int | None, by: User
) -> Evaluation:
    """Keep what the manager has typed so far. Raises `Stale`, or `Refused` once it is shared."""
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version, CONFLICTING)
        _judge_open(row)
        if row.state != Evaluation.State.DRAFT:
            raise Refused(_("This evaluation is shared for signature. Take it back to change it."))
        row.summary, row.potential, row.long_term_goal = (
            text.summary,
            text.potential,
            text.long_term_goal,
        )
        row.points.all().delete()
        Point.objects.bulk_create(
            [
                Point(
                    evaluation=row,
                    kind=p.kind,
                    text=p.text,
                    evidence_kind=p.evidence_kind,
                    evidence_id=p.evidence_id,
                    evidence_label=p.evidence_label,
                    position=n,
                )
                for n, p in enumerate(text.points)
            ]
        )
        row.steps.all().delete()
        DevelopmentStep.objects.bulk_create(
            [
                DevelopmentStep(
                    evaluation=row, text=s.text, due_on=s.due_on, support=s.support, position=n
                )
                for n, s in enumerate(text.steps)
            ]
        )
        row.saved_at, row.version = timezone.now(), row.version + 1
        row.save()
        return row


def share(evaluation: Evaluation, *, version: int | None, by: User) -> Evaluation:
    """Open the evaluation to the person, the line and HR, for both to sign."""
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version, CONFLICTING)
        _judge_open(row)
        if row.state != Evaluation.State.DRAFT:
            raise Refused(_("This evaluation is shared already."))
        points = list(row.points.all())
        if (
            Evaluation.objects.filter(participation=row.participation_id)
            .exclude(state="draft")
            .exists()
        ):
            raise Refused(_("An evaluation of this person is shared already."))
        why_not = rules.missing_before_sharing(
            row.summary,
            sum(p.kind == Point.Kind.ACHIEVEMENT for p in points),
            sum(p.kind == Point.Kind.SHORTCOMING and not p.evidence_kind for p in points),
            row.steps.count(),
        )
        if why_not is not None:
            raise Refused(why_not)
        row.state, row.shared_at, row.version = (
            Evaluation.State.SHARED,
            timezone.now(),
            row.version + 1,
        )
        row.save(update_fields=["state", "shared_at", "version"])
        person = row.participation.employee
        record(
            "shared_evaluation",
            row,
            by=by,
            about=person,
            notify=_tell(
                [person.pk],
                _("Your evaluation is ready to read and sign"),
                row,
                f"shared:{row.version}",
            ),
        )
        return row


def take_back(evaluation: Evaluation, *, version: int | None, by: User) -> Evaluation:
    """Make a shared evaluation a draft again, as long as nobody has signed it."""
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version)
        # Where nothing can be written, it could not be shared again: the person would lose it.
        _judge_open(row)
        if row.state != Evaluation.State.SHARED:
            raise Refused(
                _("Only an evaluation that is shared and not yet signed can be taken back.")
            )
        if row.signatures.exists():
            raise Refused(_("Somebody has signed it. What was signed cannot be changed any more."))
        row.state, row.shared_at, row.version = Evaluation.State.DRAFT, None, row.version + 1
        row.save(update_fields=["state", "shared_at", "version"])
        record("took_back_evaluation", row, by=by, about=row.participation.employee)
        return row


def throw_away(evaluation: Evaluation, *, version: int | None, by: User) -> Evaluation:
    """Empty a draft that its author wants no more, in whatever stage; what is under way of it comes too late.

    The row stays, one version on, so that an autosave from a page that is still open brings nothing back.
    """
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version)
        if row.state != Evaluation.State.DRAFT:
            raise Refused(_("This evaluation is shared for signature. Take it back to change it."))
        row.points.all().delete()
        row.steps.all().delete()
        row.summary = row.potential = row.long_term_goal = ""
        row.saved_at, row.version = None, row.version + 1
        row.save()
        record("threw_away_evaluation", row, by=by, about=row.participation.employee)
        return row


def sign(evaluation: Evaluation, comment: str, *, version: int | None, by: User) -> Evaluation:
    """One side signs what it has read. With the second signature the evaluation is frozen with its hash."""
    signer = _employee(by)
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version)
        if row.participation.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is closed. Everything in it stays readable."))
        if row.state != Evaluation.State.SHARED:
            raise Refused(_("This evaluation is not waiting for a signature."))
        if row.participation.state != Participation.State.ACTIVE:
            raise Refused(_("This person has left. Their cycle is kept as it is."))
        _judge_open(row)
        is_person = signer.pk == row.participation.employee_id
        side = Signature.Side.EMPLOYEE if is_person else Signature.Side.MANAGER
        if row.signatures.filter(side=side).exists():
            raise Refused(_("You have signed this evaluation already."))
        Signature.objects.create(evaluation=row, side=side, signer=signer, comment=comment)
        person = row.participation.employee
        other = row.author_id if is_person else person.pk
        is_signed = row.signatures.count() == 2
        if is_signed:
            prefetch_related_objects([row], "points", "steps", "signatures__signer")
            row.snapshot = snapshot_of(row)
            row.sha256 = rules.fingerprint(row.snapshot)
            row.state, row.signed_at = Evaluation.State.SIGNED, timezone.now()
        row.version += 1
        row.save()
        record("signed_evaluation", row, by=by, about=person, side=side)
        if is_signed:
            record(
                "closed_evaluation",
                row,
                by=by,
                about=person,
                sha256=row.sha256,
                notify=_tell([other], _("An evaluation is signed by both"), row, "signed"),
            )
        return row


def snapshot_of(row: Evaluation) -> dict[str, Any]:
    """What both signed, in plain values, without references that could change later."""
    return {
        "person": row.participation.employee.name,
        "author": row.author.name,
        "cycle": row.participation.cycle.name,
        "summary": row.summary,
        "potential": row.potential,
        "long_term_goal": row.long_term_goal,
        "points": [
            {"kind": p.kind, "text": p.text, "evidence": p.evidence_label} for p in row.points.all()
        ],
        "steps": [
            {"text": s.text, "due_on": s.due_on.isoformat(), "support": s.support}
            for s in row.steps.all()
        ],
        "signatures": [
            {"side": s.side, "signer": s.signer.name, "comment": s.comment, "at": s.at.isoformat()}
            for s in sorted(row.signatures.all(), key=lambda one: one.pk)
        ],
    }


def _lock(evaluation: Evaluation) -> Evaluation:
    """The row with its person's participation locked first: only one evaluation of a person is shared."""
    Participation.objects.select_for_update(no_key=True).only("pk").get(
        pk=evaluation.participation_id
    )
    return (
        Evaluation.objects.select_for_update(of=("self",))
        .select_related("participation__employee", "participation__cycle", "author")
        .get(pk=evaluation.pk)
    )


def _judge_open(row: Evaluation) -> None:
    if why := why_not_open(row.participation):
        raise Refused(why)


def why_not_open(participation: Participation) -> str:
    """Why nothing can be written about this person today, in the manager's words; "" if it can."""
    how = standing([participation], StageKind.EVALUATION)[participation.pk]
    if how == OPEN:
        return ""
    if how == LEFT:
        return _("This person has left. Their cycle is kept as it is.")
    if how == CLOSED:
        return _("The evaluation stage is closed. Ask HR for more time if you still need it.")
    return _("The evaluation stage is not open.")


def _employee(by: User) -> Employee:
    if by.employee is None:
        raise Refused(_("Only somebody who works here can do this."))
    return by.employee


def _tell(employees: Sequence[int], title: str, row: Evaluation, key: str) -> list[Tell]:
    url = reverse("evaluations:read", kwargs={"pk": row.pk})
    users = User.objects.filter(employee__in=employees, is_active=True).values_list("pk", flat=True)
    return [
        Tell(user_id=u, title=title, url=url, key=f"evaluation:{row.pk}:{key}:{u}") for u in users
    ]
