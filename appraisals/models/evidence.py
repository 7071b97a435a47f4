"""What the year left behind about one person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat

from appraisals.models.needs import as_id
from feedback.models import ActionItem, Entry, Feedback
from goals.models import Contribution, ProgressUpdate
from pmcycle.cycles.models import Participation
from pmcycle.days import begin_of
from pmcycle.people.models import User


def evidence_for(participation: Participation, user: User) -> models.QuerySet[Any, Any]:
    """What the year left behind about one person, as far as `user` may read it, in one statement.

    Rows are dicts with `kind` (progress, feedback, promise, action, contribution, entry), `at`, `title`,
    `body`, `who` (name) and `row` (pk).
    """
    person, cycle = participation.employee_id, participation.cycle
    first = begin_of(cycle.first_day, cycle.tzinfo)

    def shaped(
        rows: models.QuerySet[Any], kind: Any, at: Any, title: Any, body: str, who: str
    ) -> Any:
        columns = {
            "kind": kind
            if hasattr(kind, "resolve_expression")
            else Value(kind, models.CharField()),
            "at": Cast(at, models.DateTimeField()),
            "title": Cast(title, models.TextField()),
            "body": Cast(F(body), models.TextField()),
            "who": F(who),
            "row": as_id("pk"),
        }
        return (
            rows.order_by()
            .annotate(**{f"e_{name}": value for name, value in columns.items()})
            .values_list(*(f"e_{name}" for name in columns))
        )

    nothing = Value("", models.TextField())
    progress = ProgressUpdate.objects.visible_to(user).filter(
        key_result__goal__participation=participation, at__gte=first
    )
    feedback = Feedback.objects.visible_to(user).filter(recipient=person, given_at__gte=first)
    actions = ActionItem.objects.visible_to(user).filter(
        check_in__employee=person, check_in__starts_at__gte=first
    )
    promise = models.Case(
        models.When(owner=person, then=Value("action")),
        default=Value("promise"),
        output_field=models.CharField(),
    )
    contributions = Contribution.objects.visible_to(user).filter(participation=participation)
    entries = Entry.objects.visible_to(user).filter(conversation__participation=participation)
    plain = models.Func(F("value"), function="trim_scale", output_field=models.DecimalField())
    step = Concat(
        Cast("key_result__title", models.TextField()),
        models.Case(
            models.When(value__isnull=True, then=nothing),
            default=Concat(
                Value(": ", models.TextField()),
                Cast(plain, models.TextField()),
                Value(" ", models.TextField()),
                Cast("key_result__unit", models.TextField()),
            ),
        ),
    )
    found: models.QuerySet[Any, Any] = shaped(
        progress, "progress", F("at"), step, "note", "author__name"
    ).union(
        shaped(feedback, "feedback", F("given_at"), F("kind"), "body", "giver__name"),
        shaped(actions, promise, F("created_at"), nothing, "text", "owner__name"),
        shaped(contributions, "contribution", F("happened_on"), nothing, "text", "author__name"),
        shaped(entries, "entry", F("said_at"), F("about_label"), "body", "author__name"),
        all=True,
    )
    return found
