"""What somebody has begun to write in forms that keep it themselves, and has not handed in."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _

from appraisals.models import Answer, Appraisal
from evaluations.models import Evaluation
from goals.models import Goal
from pmcycle.activity.rules import Begun
from pmcycle.cycles.models import Relation, related
from pmcycle.people.models import User
from pmcycle.ui.formats import when_text

# The newest of each kind; whoever leads very many finds the rest in its own list.
MOST = 50


def begun_by(user: User) -> list[Begun]:
    """Appraisals, evaluations and goals that this user began and has not handed in, the newest first.

    A draft is its author's alone and stays so: also when somebody else leads the person now, and the form is not
    open to them any more.
    """
    if user.employee_id is None:
        return []
    found = [*_appraisals(user.employee_id), *_evaluations(user), *_goals(user)]
    return sorted((one for one in found if one.texts), key=lambda one: one.at, reverse=True)


def _appraisals(me: int) -> list[Begun]:
    answers = Answer.objects.select_related("question").order_by(
        "question__section__position", "question__position", "pk"
    )
    rows = (
        Appraisal.objects.filter(author=me, submitted_at__isnull=True, saved_at__isnull=False)
        .select_related("participation__employee", "participation__cycle")
        .prefetch_related(Prefetch("answers", answers.exclude(text="")))
        .order_by("-saved_at")[:MOST]
    )
    return [
        Begun(
            title=_("Self-appraisal")
            if row.kind == Appraisal.Kind.SELF
            else _("Appraisal of %(name)s") % {"name": row.participation.employee.name},
            where=str(row.participation.cycle),
            at=row.saved_at,
            url=reverse("appraisals:read", args=[row.pk]),
            texts=[(answer.question.text, answer.text) for answer in row.answers.all()],
        )
        for row in rows
        if row.saved_at is not None
    ]


def _evaluations(user: User) -> list[Begun]:
    rows: Any = (
        Evaluation.objects.begun_by(user)
        .annotate(
            is_led=ExpressionWrapper(related(user, Relation.MANAGER), output_field=BooleanField())
        )
        .select_related("participation__employee", "participation__cycle")
        .prefetch_related("points", "steps")
        .order_by("-saved_at")[:MOST]
    )
    return [
        Begun(
            title=_("Evaluation of %(name)s") % {"name": row.participation.employee.name},
            where=str(row.participation.cycle),
            at=row.saved_at,
            # Its only page is the one on which it is written.
            url=reverse("evaluations:write", args=[row.participation_id]) if row.is_led else "",
            texts=_texts_of(row),
            away=reverse("evaluations:throw_away", args=[row.pk]),
            version=row.version,
        )
        for row in rows
    ]


def _texts_of(row: Evaluation) -> list[tuple[str, str]]:
    found = [(_("The year in short"), row.summary)]
    found += [(point.get_kind_display(), point.text) for point in row.points.all()]
    found += [
        (
            _("Step of development by %(day)s") % {"day": when_text(step.due_on)},
            f"{step.text}\n{step.support}",
        )
        for step in row.steps.all()
    ]
    found += [(_("Long-term goal"), row.long_term_goal)]
    return [(label, text.strip()) for label, text in found if text.strip()]


def _goals(user: User) -> list[Begun]:
    rows = (
        Goal.objects.filter(created_by=user, state=Goal.State.DRAFT, latest__isnull=False)
        .select_related("participation__employee", "cycle", "latest")
        .order_by("-latest__created_at")[:MOST]
    )
    found = []
    for row in rows:
        wording = row.latest
        if wording is None:
            continue
        texts = [(_("Title"), wording.title), (_("Why it matters"), wording.why)]
        texts += [(_("Key result"), str(one.get("title", ""))) for one in wording.key_results]
        name = row.participation.employee.name if row.participation else _("the organisation")
        found.append(
            Begun(
                title=_("Goal of %(name)s") % {"name": name},
                where=str(row.cycle),
                at=wording.created_at,
                url=reverse("goals:detail", args=[row.pk]),
                texts=[(label, text) for label, text in texts if text],
            )
        )
    return found
