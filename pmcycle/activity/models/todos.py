"""What is open for whom, how far each person has come, and what the board counts.

The rows are written by `pmcycle.activity.actions.settle` and its kin, in the transaction of the act
that opens or finishes something, from the definitions of every app. Nobody infers "done" from silence.

Their keys have no constraint in the database: checking one locks the row it points to, and an act on a
person would wait for whoever locks that person while they wait for its line of history. The rows are
made from the rows that they point to, and `check_integrity` compares them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.activity.triggers import WithoutSwitch

if TYPE_CHECKING:
    from pmcycle.people.models import User

OPEN = Q(done_at__isnull=True, dropped_at__isnull=True)


class ToDoQuerySet(models.QuerySet["ToDo"]):
    def visible_to(self, user: User) -> Self:
        """What somebody has to do is on their own desk; others see it counted, as their relation allows."""
        return self.filter(recipient=user.employee_id) if user.employee_id else self.none()

    def editable_by(self, user: User) -> Self:
        """Nobody ticks a to-do off: the act itself does it."""
        return self.none()

    def open(self) -> Self:
        """Neither done nor dropped, whenever it comes."""
        return self.filter(OPEN)

    def now(self, at: datetime) -> Self:
        """Open, come and not over at this instant."""
        return self.open().filter(
            Q(opens_at__isnull=True) | Q(opens_at__lte=at),
            Q(ends_at__isnull=True) | Q(ends_at__gt=at),
        )


class ToDo(models.Model):
    """One thing that one person has to do, or waits for, until when; and when it was done or dropped.

    `kind` is "app:what" and has its words in the app's `NEEDS`; `subject_id` is what its button opens.
    `about` is the employee whom the matter concerns, `named` the one whose name the title says (or
    `name`, where it is no employee). `opens_at` and `ends_at` bound the time in which it is shown,
    where that does not follow from an act: an agenda is asked for a day before the meeting. A row that
    is done or dropped stays, and is what on-time shares count.
    """

    class Phase(models.TextChoices):
        TODO = "todo", _("to do")
        WAITS = "waits", _("waits on others")

    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    recipient = models.ForeignKey(
        "people.Employee",
        on_delete=models.PROTECT,
        related_name="todos",
        db_index=False,
        db_constraint=False,
    )
    about = models.ForeignKey(
        "people.Employee",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    named = models.ForeignKey(
        "people.Employee",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    name = models.CharField(max_length=200, blank=True, db_default="")
    cycle = models.ForeignKey(
        "cycles.Cycle",
        null=True,
        on_delete=models.CASCADE,
        related_name="todos",
        db_index=False,
        db_constraint=False,
    )
    stage = models.CharField(max_length=12)
    phase = models.CharField(max_length=5, choices=Phase, db_default=Phase.TODO)
    due_on = models.DateField(null=True)
    opens_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    dropped_at = models.DateTimeField(null=True)
    dropped_why = models.CharField(max_length=60, blank=True, db_default="")

    objects = ToDoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "recipient", "phase"],
                condition=OPEN,
                name="todo_open_once",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dropped_at__isnull=True),
                name="todo_done_or_dropped",
                violation_error_message=_("What is done was not dropped."),
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True, dropped_why="")
                | (Q(dropped_at__isnull=False) & ~Q(dropped_why="")),
                name="todo_dropped_says_why",
                violation_error_message=_("What is dropped says why."),
            ),
        ]
        indexes = [
            models.Index("recipient", name="todo_mine", condition=OPEN),
            models.Index("due_on", name="todo_due", condition=OPEN & Q(phase="todo")),
            models.Index("cycle", "stage", "due_on", name="todo_of_cycle", condition=OPEN),
            models.Index("about", "cycle", name="todo_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


# The units in which somebody of unit `u` is counted: their own, all above it, and NULL for the company.
UNITS = "unnest(array_append(string_to_array(rtrim(u.path, '/'), '/'), NULL)) AS counted (in_unit)"

# Reaching something is counted beside the people, under the milestone's name and no stage.
COUNT_REACHED = f"""
BEGIN
INSERT INTO activity_placecount (cycle_id, unit_id, milestone, people)
SELECT fresh.cycle_id, in_unit::bigint, fresh.kind, count(*)
FROM fresh JOIN cycles_participation p ON p.id = fresh.participation_id AND p.state = 'active'
LEFT JOIN people_unit u ON u.id = p.unit_id CROSS JOIN LATERAL {UNITS}
GROUP BY fresh.cycle_id, in_unit, fresh.kind;
RETURN NULL;
END;
"""  # noqa: S608 - constants


class Milestone(models.Model):
    """How far a person has come in a stage, and when. It never goes back: rows are neither changed nor deleted.

    `step` orders the milestones of one stage; `kind` has its word in the app's `MILESTONES`.
    """

    participation = models.ForeignKey(
        "cycles.Participation",
        on_delete=models.PROTECT,
        related_name="milestones",
        db_index=False,
        db_constraint=False,
    )
    cycle = models.ForeignKey(
        "cycles.Cycle",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    stage = models.CharField(max_length=12)
    kind = models.CharField(max_length=24)
    step = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "kind"], name="milestone_reached_once"
            ),
        ]
        indexes = [models.Index("cycle", "kind", F("at").desc(), name="milestone_newest")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            WithoutSwitch(
                name="count_reached",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=COUNT_REACHED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.participation_id}"


# A place that comes, goes or changes moves its person from one count to another.
COUNTED = "cycle_id, in_unit, stage, milestone, due_on, is_missed, cause"


def count(rows: str) -> str:
    """The body of a trigger that counts `rows` (a SELECT of a place's columns and `n`, 1 or -1)."""
    return f"""
BEGIN
INSERT INTO activity_placecount ({COUNTED.replace("in_unit", "unit_id")}, people)
SELECT {COUNTED.replace("in_unit", "in_unit::bigint")}, sum(n)
FROM ({rows}) moved LEFT JOIN people_unit u ON u.id = unit_id CROSS JOIN LATERAL {UNITS}
GROUP BY {COUNTED} HAVING sum(n) <> 0;
RETURN NULL;
END;
"""  # noqa: S608 - constants


OF_PLACE = (
    "SELECT cycle_id, unit_id, stage, milestone, due_on, is_missed, cause, {n} AS n FROM {table}"
)
NEW, OLD = OF_PLACE.format(n=1, table="fresh"), OF_PLACE.format(n=-1, table="gone")
COUNT_NEW, COUNT_OLD, COUNT_MOVED = count(NEW), count(OLD), count(f"{NEW} UNION ALL {OLD}")


class Place(models.Model):
    """Where one person stands in one stage: the furthest milestone, and the first day by which something is due.

    Made from to-dos and milestones whenever they change, so that a page of the board reads a few rows
    and its counts are kept. No row: nothing was to do there. `cause` says why what is due cannot move
    on by itself: who must act has left or cannot sign in, or there is no manager.
    """

    participation = models.ForeignKey(
        "cycles.Participation",
        on_delete=models.CASCADE,
        related_name="places",
        db_index=False,
        db_constraint=False,
    )
    cycle = models.ForeignKey(
        "cycles.Cycle",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        "people.Unit",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    stage = models.CharField(max_length=12)
    due_on = models.DateField(null=True)
    is_missed = models.BooleanField(default=False)
    cause = models.CharField(max_length=12, blank=True, db_default="")
    milestone = models.CharField(max_length=24, blank=True, db_default="")
    reached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "stage"], name="place_once_per_stage"),
        ]
        indexes = [models.Index("cycle", "stage", "due_on", name="place_of_cycle")]
        triggers = [
            WithoutSwitch(
                name="count_new",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=COUNT_NEW,
            ),
            WithoutSwitch(
                name="count_gone",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                referencing=pgtrigger.Referencing(old="gone"),
                func=COUNT_OLD,
            ),
            WithoutSwitch(
                name="count_moved",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="gone", new="fresh"),
                func=COUNT_MOVED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} in {self.stage}"


class PlaceCount(models.Model):
    """How many people stand where, as a sum of signed lines: in each unit with all below it, and in the company.

    `stage` "" counts who takes part (`cause` "left": who has left), and with a `milestone` who of them
    has ever reached that one.

    Every change adds a line instead of changing one, so that two people who hand in at once never
    wait for each other; the clock adds the lines up (`pmcycle.activity.actions.add_up_places`).
    """

    cycle = models.ForeignKey(
        "cycles.Cycle",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        "people.Unit",
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    stage = models.CharField(max_length=12, db_default="")
    milestone = models.CharField(max_length=24, blank=True, db_default="")
    due_on = models.DateField(null=True)
    is_missed = models.BooleanField(db_default=False)
    cause = models.CharField(max_length=12, blank=True, db_default="")
    people = models.IntegerField()

    class Meta:
        indexes = [models.Index("cycle", "unit", name="place_count_of_unit")]

    def __str__(self) -> str:
        return f"{self.stage} {self.people}"


def named() -> Any:
    """The name that a to-do's title says, as an expression."""
    return models.functions.Coalesce(
        F("named__name"),
        models.functions.NullIf(F("name"), models.Value("")),
        F("cycle__name"),
        models.Value(""),
    )
