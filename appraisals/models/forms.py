"""Forms: what is asked, of whom, with which weight."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.people.models import User


class Form(models.Model):
    """A named appraisal form; its content is in versions."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class FormVersion(models.Model):
    """The content of a form at one time. Frozen (never edited again) once a cycle with it is launched."""

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    frozen_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.form_id} v{self.number}"


class Section(models.Model):
    """A part of a form. Weights of the scored sections of a form total 100."""

    form_version = models.ForeignKey(FormVersion, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=120)
    help = models.TextField(_("help"), blank=True)
    weight = models.DecimalField(_("weight"), max_digits=5, decimal_places=2, default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["form_version", "position"], name="section_position_once"
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=100), name="section_weight"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    """One question of a section: who answers it, and how."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        SCALE = "scale", _("Rating on the scale")
        COMPETENCY = "competency", _("Competency by level")
        GOALS = "goals", _("Rating of each goal")
        YES_NO = "yes_no", _("Yes or no")
        CHOICE = "choice", _("Choice")
        RESULTS = "results", _("Measured goal results")

    class Part(models.TextChoices):
        """Where a text stands on the result that the person reads."""

        NONE = "", _("with its section")
        SUMMARY = "summary", _("as the summary")
        STRENGTHS = "strengths", _("as strengths")
        SHORTCOMINGS = "shortcomings", _("as shortcomings")

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(_("question"), max_length=300)
    help = models.TextField(_("help"), blank=True)
    weight = models.DecimalField(_("weight"), max_digits=5, decimal_places=2, default=0)
    choices = models.JSONField(default=list, blank=True)
    is_required = models.BooleanField(_("required"), default=True)
    for_self = models.BooleanField(_("self answers"), default=True)
    for_manager = models.BooleanField(_("manager answers"), default=True)
    part = models.CharField(
        _("on the result"), max_length=12, choices=Part, blank=True, default=Part.NONE
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["section", "position"], name="question_position_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=100),
                name="question_weight",
                violation_error_message=_("A weight lies between 0 and 100."),
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_rated(self) -> bool:
        """Whether it is answered by a level of the scale."""
        return self.kind in (self.Kind.SCALE, self.Kind.COMPETENCY)

    @property
    def options(self) -> dict[str, str]:
        """What can be chosen, with its words; empty for questions that are not answered by a choice."""
        if self.kind == self.Kind.YES_NO:
            return {"yes": gettext("Yes"), "no": gettext("No")}
        return {choice: choice for choice in self.choices} if self.kind == self.Kind.CHOICE else {}

    def meanings(self, levels: Sequence[RatingLevel]) -> dict[int, str]:
        """What each level of the scale (the lowest first) stands for here, by its key.

        A behaviour is described by its own words, which stand in `choices`, a line for each level: those of the
        scale speak of results. It has none where they do not fit the number of levels.
        """
        if self.kind != self.Kind.COMPETENCY:
            return {level.pk: level.meaning for level in levels}
        if len(self.choices) != len(levels):
            return {}
        return {level.pk: words for level, words in zip(levels, self.choices, strict=True)}


class CycleForm(models.Model):
    """Which form a cycle uses; the version is fixed at launch."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="appraisal_form")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="cycles")

    def __str__(self) -> str:
        return f"{self.cycle_id}: {self.form_version_id}"
