"""Files on their way into the company, and what was settled by hand about them."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from pmcycle.people.models.accounts import User
from pmcycle.people.models.records import Employee


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    editable_by = visible_to

    def for_rehearsal(self) -> Self:
        """Without the file, with how many lines have another address than somebody signs in with (`elsewhere`)."""
        lines = ImportLine.objects.filter(run=models.OuterRef("pk")).with_another_address()
        counted = lines.order_by().values("run").annotate(n=models.Count("pk")).values("n")
        return self.defer("content").annotate(elsewhere=Coalesce(models.Subquery(counted), 0))


class Import(models.Model):
    """One uploaded file on its way into the company: mapped, rehearsed, applied — or not.

    `choices` are what was settled by hand ("line:12", "manager:jon smyth"), `deciders` by whom; `digest`
    tells whether a second rehearsal came to the same fates as the one that HR has read. `hands` are all who
    uploaded, mapped, settled or applied it: their own records do not go through it.
    """

    class Kind(models.TextChoices):
        PEOPLE = "people", _("People")
        PAY_RANGES = "pay_ranges", _("Pay ranges")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKED = "checked", _("Rehearsed")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Not usable")

    kind = models.CharField(max_length=12, choices=Kind)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    header = models.JSONField(default=list)
    header_row = models.PositiveIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    deciders = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    message = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    hands = models.ManyToManyField(User, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = ImportQuerySet.as_manager()

    # Set by `for_rehearsal` only.
    elsewhere: int

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.file_name


CHANGE_LABELS = {
    "name": _("name"),
    "email": _("e-mail"),
    "job_title": _("job title"),
    "job_family": _("job family"),
    "grade": _("grade"),
    "unit": _("unit"),
    "location": _("location"),
    "hired_on": _("hired on"),
    "left_on": _("left on"),
    "fte": _("full-time equivalent"),
    "leave_reason": _("reason for leaving"),
    "sex": _("sex"),
    "born_on": _("born on"),
    "annual": _("yearly pay"),
    "manager_number": _("manager"),
    "absent": _("on leave"),
    "former": _("worked here before"),
    "minimum": _("lowest pay"),
    "midpoint": _("middle pay"),
    "maximum": _("highest pay"),
}


def _in_words(name: str, value: str) -> Any:
    if name == "absent":
        return _("yes") if value else _("no")
    return value


class ImportLineQuerySet(models.QuerySet["ImportLine"]):
    def with_another_address(self) -> Self:
        return self.filter(candidates__contains=[{"kind": "address"}])


class ImportLine(models.Model):
    """The fate of one line of the file, with the values as read and what is left to settle by hand."""

    class Fate(models.TextChoices):
        CREATED = "created", _("New")
        CHANGED = "changed", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        AMBIGUOUS = "ambiguous", _("To settle")
        REFUSED = "refused", _("Refused")
        PASSED = "passed", _("Passed over")

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    fate = models.CharField(max_length=10, choices=Fate)
    key = models.CharField(max_length=200, blank=True)
    values = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    messages = models.JSONField(default=list)
    candidates = models.JSONField(default=list)

    objects = ImportLineQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_line_once")]
        indexes = [
            models.Index("run", "fate", name="import_line_fate"),
            models.Index(
                "key",
                name="import_line_manager_open",
                condition=models.Q(values__has_key="manager_open"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"

    @property
    def shown(self) -> str:
        """Whom or what the line is about."""
        return str(
            self.values.get("name")
            or self.values.get("job_title")
            or self.values.get("grade")
            or "–"
        )

    @property
    def change_list(self) -> list[dict[str, Any]]:
        """`changes` in words for the page: label, old, new."""
        return [
            {
                "label": CHANGE_LABELS.get(name, name),
                "old": _in_words(name, old),
                "new": _in_words(name, new),
            }
            for name, (old, new) in self.changes.items()
        ]


def waiting_for_manager() -> models.QuerySet[Employee]:
    """Who came in by an import that left their manager to be named later, and has none yet."""
    left_open = ImportLine.objects.filter(
        run__state=Import.State.APPLIED,
        key=models.OuterRef("number"),
        values__has_key="manager_open",
    )
    return Employee.objects.at_the_top().filter(models.Exists(left_open))


class ColumnMapping(models.Model):
    """A mapping HR once corrected, remembered for the next file with the same header."""

    kind = models.CharField(max_length=12, choices=Import.Kind)
    signature = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "signature"], name="column_mapping_once")
        ]

    def __str__(self) -> str:
        return self.signature


class Settlement(models.Model):
    """What HR once decided by hand about a doubtful line, so that the same file asks nothing again.

    `key` names the doubt (number and name, a manager's spelling, a whole line), not the row of a file.
    """

    key = models.CharField(max_length=80, unique=True)
    choice = models.JSONField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key
