"""Forms and what people write into them; rating, calibration, release, acknowledgement and appeal.

Nothing of a manager's text or of a rating reaches the person before a `ReleasedResult` exists; the
querysets here are the only way to those rows.
"""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Cycle, Participation, RatingLevel, Relation, related
from pmcycle.people.models import Employee, Unit, User


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
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="form_version_number_once")]

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
            models.UniqueConstraint(fields=["form_version", "position"], name="section_position_once"),
            models.CheckConstraint(condition=Q(weight__gte=0, weight__lte=100), name="section_weight"),
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

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["section", "position"], name="question_position_once")]

    def __str__(self) -> str:
        return self.text


class CycleForm(models.Model):
    """Which form a cycle uses; the version is fixed at launch."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="appraisal_form")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="cycles")

    def __str__(self) -> str:
        return f"{self.cycle_id}: {self.form_version_id}"


class AppraisalQuerySet(models.QuerySet["Appraisal"]):
    def visible_to(self, user: User) -> Self:
        """Whose text `user` may read now.

        Drafts: the author. Submitted self: the pair, the line, HR of the unit (the manager only after
        saving a draft of their own, if the cycle says so — judged on the page). Submitted manager
        appraisal: its author, the line, HR; the person only once the result is released.
        """
        me = user.employee_id
        own = Q(author=me) if me else Q(pk__in=[])
        submitted = Q(submitted_at__isnull=False)
        self_text = Q(kind=Appraisal.Kind.SELF) & related(
            user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN
        )
        manager_text = Q(kind=Appraisal.Kind.MANAGER) & related(
            user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN
        ) & ~related(user, Relation.SELF)
        released = Q(kind=Appraisal.Kind.MANAGER, participation__result__isnull=False) & related(
            user, Relation.SELF
        )
        return self.filter(own | (submitted & (self_text | manager_text | released)))

    def editable_by(self, user: User) -> Self:
        """The author, until it is submitted; a manager only while the assignment lasts."""
        me = user.employee_id
        if me is None:
            return self.none()
        unsent = self.filter(author=me, submitted_at__isnull=True)
        return unsent.filter(
            Q(kind=Appraisal.Kind.SELF, participation__employee=me)
            | (Q(kind=Appraisal.Kind.MANAGER) & related(user, Relation.MANAGER))
        )


class Appraisal(models.Model):
    """What one author writes about one participation, on one frozen form."""

    class Kind(models.TextChoices):
        SELF = "self", _("Self-appraisal")
        MANAGER = "manager", _("Manager appraisal")

    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="appraisals")
    kind = models.CharField(max_length=10, choices=Kind)
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="appraisals_written")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="appraisals")
    saved_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    returned_why = models.TextField(blank=True, db_default="")
    version = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects = AppraisalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "kind", "author"], name="appraisal_once_per_author"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.participation_id}"


class Answer(models.Model):
    """The answer to one question (for goal ratings: one per goal)."""

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    goal = models.ForeignKey("goals.Goal", null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appraisal", "question", "goal"], name="answer_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class Submission(models.Model):
    """The author's act of handing in version n, with the answers as they were. Append-only."""

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="submissions")
    number = models.PositiveSmallIntegerField()
    answers = models.JSONField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appraisal", "number"], name="submission_number_once")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.appraisal_id} v{self.number}"


class RatingQuerySet(models.QuerySet["Rating"]):
    def visible_to(self, user: User) -> Self:
        """Manager, line, HR of the unit; the person only once it is released."""
        others = related(
            user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN
        ) & ~related(user, Relation.SELF)
        return self.filter(others | (Q(participation__result__isnull=False) & related(user, Relation.SELF)))

    def editable_by(self, user: User) -> Self:
        return self.filter(related(user, Relation.MANAGER))

    def calibratable_by(self, user: User) -> Self:
        """HR admins, never over their own case nor over their own manager's."""
        if not user.standing.is_hr_admin:
            return self.none()
        rows = self
        if user.employee_id:
            above = Participation.objects.filter(employee=user.employee_id).values("chain__above")
            rows = rows.exclude(participation__employee=user.employee_id).exclude(
                participation__employee__in=above.filter(chain__above__isnull=False)
            )
        return rows


class Rating(models.Model):
    """The manager's proposed level and the calibrated one; both stay. `score` is computed, with its tree."""

    participation = models.OneToOneField(Participation, on_delete=models.PROTECT, related_name="rating")
    proposed = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    score = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    trace = models.JSONField(default=dict)
    calibrated = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects = RatingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"rating of {self.participation_id}"

    @property
    def level(self) -> RatingLevel:
        """The level that counts."""
        return self.calibrated or self.proposed

    @property
    def level_id(self) -> int:
        return self.calibrated_id or self.proposed_id


class Citation(models.Model):
    """What a low rating points to: a conversation entry the person had the chance to read before.

    The no-surprise gate counts those said at least `cycle.mention_days` before the release.
    """

    rating = models.ForeignKey(Rating, on_delete=models.CASCADE, related_name="citations")
    entry = models.ForeignKey("feedback.Entry", on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rating", "entry"], name="citation_once")]

    def __str__(self) -> str:
        return f"citation {self.pk}"


class CalibrationSession(models.Model):
    """HR and others look at the ratings of units side by side."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="calibrations")
    name = models.CharField(_("name"), max_length=120)
    units = models.ManyToManyField(Unit, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class CalibrationMove(models.Model):
    """A rating moved, with the reason. Append-only."""

    session = models.ForeignKey(CalibrationSession, on_delete=models.PROTECT, related_name="moves")
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="moves")
    old = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    new = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(old=F("new")), name="calibration_move_moves"),
            models.CheckConstraint(condition=~Q(reason=""), name="calibration_move_has_reason"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"move of {self.rating_id}"


class Release(models.Model):
    """The act that opens results to the people they are about: one asks, another approves."""

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="releases")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    accepted_first_mentions = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="release_takes_two_people",
                violation_error_message=_("A release takes a second person."),
            ),
            models.UniqueConstraint(
                fields=["cycle"], condition=Q(done_at__isnull=True, withdrawn_at__isnull=True),
                name="release_one_open_per_cycle",
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.pk}"


class ReleasedResultQuerySet(models.QuerySet["ReleasedResult"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(
            related(
                user, Relation.SELF, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN
            )
        )

    def editable_by(self, user: User) -> Self:
        """The person acknowledges and appeals."""
        return self.filter(related(user, Relation.SELF))


class ReleasedResult(models.Model):
    """The immutable snapshot a person was given: rating, texts, score tree; `sha256` over the snapshot."""

    participation = models.OneToOneField(Participation, on_delete=models.PROTECT, related_name="result")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="results")
    level = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField(db_default=models.functions.Now())

    objects = ReleasedResultQuerySet.as_manager()

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"result of {self.participation_id}"


class Acknowledgement(models.Model):
    """The person has read the result; not an agreement."""

    result = models.OneToOneField(ReleasedResult, on_delete=models.PROTECT, related_name="acknowledgement")
    comment = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"acknowledged {self.result_id}"


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: User) -> Self:
        """The person; HR of the unit; skip-level and manager see that it exists by the same row."""
        return self.filter(
            related(
                user, Relation.SELF, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER, Relation.HR_ADMIN,
                to="result__participation",
            )
        )

    def editable_by(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, to="result__participation"))

    def decidable_by(self, user: User) -> Self:
        """HR admins who had no part in it: not the person, not in their line, moved no card, released nothing."""
        if not user.standing.is_hr_admin:
            return self.none()
        rows = self.filter(related(user, Relation.HR_ADMIN, to="result__participation"))
        rows = rows.exclude(result__participation__rating__moves__by=user).exclude(result__release__approved_by=user)
        rows = rows.exclude(result__release__requested_by=user)
        if user.employee_id:
            rows = rows.exclude(result__participation__assignments__manager=user.employee_id)
            rows = rows.exclude(result__participation__chain__above=user.employee_id)
        return rows


class Appeal(models.Model):
    """The person asks for a review; somebody else decides, by a day."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("Upheld: the rating changes")
        DISMISSED = "dismissed", _("Dismissed: the rating stays")

    result = models.OneToOneField(ReleasedResult, on_delete=models.PROTECT, related_name="appeal")
    text = models.TextField()
    filed_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    decision = models.TextField(blank=True)
    new_level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True) | ~Q(decision=""), name="appeal_decision_has_text",
                violation_error_message=_("A decision says why."),
            )
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`."""
    return []
