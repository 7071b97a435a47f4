"""Forms and what people write into them; rating, calibration, release, acknowledgement and appeal.

Nothing of a manager's text or of a rating reaches the person before a `ReleasedResult` exists; the
querysets here are the only way to those rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, TruncDate
from django.utils.translation import gettext_lazy as _

from feedback.models import ActionItem, Entry, Feedback
from goals.models import Contribution, ProgressUpdate
from pmcycle.access import in_force
from pmcycle.cycles.models import (
    Assignment,
    ChainLink,
    Cycle,
    Extension,
    Participation,
    RatingLevel,
    Relation,
    Stage,
    StageKind,
    items,
    related,
)
from pmcycle.people.models import Employee, Role, RoleGrant, Unit, User

HR = (Relation.HR_PARTNER, Relation.HR_ADMIN)
OVERSEERS = (Relation.MANAGER, Relation.SKIP_LEVEL, *HR)


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
    part = models.CharField(_("on the result"), max_length=12, choices=Part, blank=True, default=Part.NONE)

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


class CycleForm(models.Model):
    """Which form a cycle uses; the version is fixed at launch."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="appraisal_form")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="cycles")

    def __str__(self) -> str:
        return f"{self.cycle_id}: {self.form_version_id}"


class AppraisalQuerySet(models.QuerySet["Appraisal"]):
    def visible_to(self, user: User) -> Self:
        """Whose text `user` may read now.

        Drafts: the author alone. A submitted self-appraisal: the person, the manager (where the cycle
        says so, only after a draft of their own is saved), the line above and HR of the unit. A submitted
        manager appraisal: its author, the manager, the line, HR; the person only once a result is released.
        Whoever is the manager gets no earlier look by another role: subtraction wins.
        """
        me = user.employee_id
        own = Q(author=me) if me else Q(pk__in=[])
        manager = related(user, Relation.MANAGER)
        above = related(user, Relation.SKIP_LEVEL, *HR) & ~related(user, Relation.SELF)
        wrote_first = Q(participation__cycle__self_opens_after_draft=False) | Exists(
            Appraisal.objects.filter(
                participation=OuterRef("participation"),
                kind=Appraisal.Kind.MANAGER,
                author=me,
                saved_at__isnull=False,
            )
        )
        self_text = Q(kind=Appraisal.Kind.SELF) & ((manager & wrote_first) | (above & ~manager))
        manager_text = Q(kind=Appraisal.Kind.MANAGER) & (manager | above) & ~related(user, Relation.SELF)
        released = (
            Q(kind=Appraisal.Kind.MANAGER)
            & Q(participation__in=ReleasedResult.objects.values("participation"))
            & related(user, Relation.SELF)
        )
        return self.filter(own | (Q(submitted_at__isnull=False) & (self_text | manager_text | released)))

    def editable_by(self, user: User) -> Self:
        """The author, until it is submitted; a manager only while the assignment lasts."""
        me = user.employee_id
        if me is None:
            return self.none()
        return self.filter(author=me, submitted_at__isnull=True).filter(
            Q(kind=Appraisal.Kind.SELF, participation__employee=me)
            | (Q(kind=Appraisal.Kind.MANAGER) & related(user, Relation.MANAGER))
        )

    def citable_by(self, user: User) -> Self:
        """The manager who wrote it may name what it rests on, also after handing it in."""
        me = user.employee_id
        mine = self.filter(author=me, kind=Appraisal.Kind.MANAGER) if me else self.none()
        return mine.filter(related(user, Relation.MANAGER))

    def returnable_by(self, user: User) -> Self:
        """A submitted appraisal goes back to its author by the manager's manager or by HR, with a reason.

        Never by its author, and never by the person it is about.
        """
        rows = self.filter(submitted_at__isnull=False).exclude(author=user.employee_id or 0)
        line = Q(kind=Appraisal.Kind.MANAGER) & related(user, Relation.SKIP_LEVEL)
        return rows.filter((line | related(user, Relation.HR_ADMIN)) & ~related(user, Relation.SELF))

    def with_context(self) -> Self:
        """Everything that an appraisal's own page says around the text, in the same statement."""
        return self.select_related(
            "participation__employee__user",
            "participation__unit",
            "participation__cycle",
            "author",
            "level",
            "form_version__form",
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
    level = models.ForeignKey(RatingLevel, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects = AppraisalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "kind", "author"], name="appraisal_once_per_author"
            ),
            models.CheckConstraint(
                condition=Q(kind="manager") | Q(level__isnull=True),
                name="appraisal_only_managers_rate",
                violation_error_message=_("Nobody proposes their own rating."),
            ),
        ]
        indexes = [models.Index("author", "submitted_at", name="appraisal_of_author")]

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


class Return(models.Model):
    """A submitted appraisal went back to its author, with the reason; version n stays as it was. Append-only."""

    class Kind(models.TextChoices):
        RETURNED = "returned", _("Returned for rework")
        REOPENED = "reopened", _("Opened again")

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="returns")
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.PositiveSmallIntegerField()
    why = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["appraisal", "number"], name="return_once_per_submission"),
            models.CheckConstraint(
                condition=~Q(why=""),
                name="return_has_reason",
                violation_error_message=_("Say why it goes back."),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.appraisal_id} back after v{self.number}"


# Of ratings annotated by `RatingQuerySet.releasable`: low, and nothing cited that was said in time.
FIRST_MENTION = Q(is_below=True, is_heard=False)


class RatingQuerySet(models.QuerySet["Rating"]):
    def visible_to(self, user: User) -> Self:
        """Manager, line, HR of the unit; the person only once it is released."""
        others = related(user, *OVERSEERS) & ~related(user, Relation.SELF)
        released = Q(participation__in=ReleasedResult.objects.values("participation"))
        return self.filter(others | (released & related(user, Relation.SELF)))

    def editable_by(self, user: User) -> Self:
        return self.calibratable_by(user)

    def calibratable_by(self, user: User) -> Self:
        """HR admins, never over their own case nor over their own manager's."""
        if not user.standing.is_hr_admin:
            return self.none()
        rows = self
        if user.employee_id:
            above = ChainLink.objects.filter(participation__employee=user.employee_id).values("above")
            rows = rows.exclude(participation__employee=user.employee_id).exclude(
                participation__employee__in=above
            )
        return rows

    def releasable(self, cycle: Cycle, now: datetime) -> Self:
        """Ratings of a cycle that are handed in and not released yet.

        Annotated with `is_below` (the level that counts needs a mention) and `is_heard` (one was cited that
        somebody else said at least `mention_days` ago). Below and not heard is a first mention.
        """
        handed_in = Appraisal.objects.filter(
            participation=OuterRef("participation"),
            kind=Appraisal.Kind.MANAGER,
            author=OuterRef("proposed_by"),
            submitted_at__isnull=False,
        )
        heard = Citation.objects.filter(
            appraisal__participation=OuterRef("participation"),
            appraisal__submitted_at__isnull=False,
            entry__said_at__lte=now - timedelta(days=cycle.mention_days),
        ).exclude(entry__author=OuterRef("participation__employee"))
        return self.filter(
            Exists(handed_in),
            ~Exists(ReleasedResult.objects.filter(participation=OuterRef("participation"))),
            participation__cycle=cycle,
            participation__state=Participation.State.ACTIVE,
        ).annotate(
            is_below=Coalesce("calibrated__needs_mention", "proposed__needs_mention"), is_heard=Exists(heard)
        )

    def of_session(self, session: CalibrationSession) -> Self:
        """The ratings of the session's units with everything below them; without units, of the whole cycle."""
        rows = self.filter(participation__cycle=session.cycle_id)
        within = Q()
        for unit in session.units.all():
            within |= Q(participation__unit__path__startswith=unit.path)
        return rows.filter(within)


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

    class Meta:
        indexes = [models.Index("proposed_by", name="rating_proposed_by")]

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

    The no-surprise gate counts those said to the person at least `cycle.mention_days` before the release.
    """

    appraisal = models.ForeignKey(Appraisal, on_delete=models.CASCADE, related_name="citations")
    entry = models.ForeignKey("feedback.Entry", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appraisal", "entry"], name="citation_once")]

    def __str__(self) -> str:
        return f"citation {self.pk}"


class CalibrationSessionQuerySet(models.QuerySet["CalibrationSession"]):
    def visible_to(self, user: User) -> Self:
        """HR admins all; an HR partner those that look at nothing outside their units."""
        if user.standing.is_hr_admin:
            return self
        if not user.standing.partner_paths:
            return self.none()
        mine = Q(pk__in=[])
        for path in user.standing.partner_paths:
            mine |= Q(path__startswith=path)
        outside = Unit.objects.exclude(mine).values("pk")
        return self.filter(units__isnull=False).exclude(units__in=outside).distinct()

    def editable_by(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()


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

    objects = CalibrationSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | Q(state="open", closed_at__isnull=True),
                name="calibration_closed_has_time",
            )
        ]

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


class ReleaseQuerySet(models.QuerySet["Release"]):
    def visible_to(self, user: User) -> Self:
        return self if user.standing.is_hr_admin else self.none()

    editable_by = visible_to


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

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(approved_by__isnull=False),
                name="release_done_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="release_takes_two_people",
                violation_error_message=_("A release takes a second person."),
            ),
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(done_at__isnull=True, withdrawn_at__isnull=True),
                name="release_one_open_per_cycle",
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.pk}"


class ReleasedResultQuerySet(models.QuerySet["ReleasedResult"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(related(user, Relation.SELF, *OVERSEERS))

    def editable_by(self, user: User) -> Self:
        """The person acknowledges and appeals."""
        return self.filter(related(user, Relation.SELF))

    def latest(self) -> Self:  # type: ignore[override]
        """The version that counts for each participation."""
        newer = ReleasedResult.objects.filter(
            participation=OuterRef("participation"), number__gt=OuterRef("number")
        )
        return self.filter(~Exists(newer))


class ReleasedResult(models.Model):
    """The immutable snapshot a person was given: rating, texts, score tree; `sha256` over the snapshot.

    A correction (a review that was upheld) is the next `number`, with its reason; both are kept. The
    hash is taken by the database over `snapshot::text`, so that it can be taken again from the row.
    """

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="results", related_query_name="result"
    )
    number = models.PositiveSmallIntegerField(default=1, db_default=1)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="results")
    level = models.ForeignKey(RatingLevel, on_delete=models.PROTECT, related_name="+")
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64)
    reason = models.TextField(blank=True, db_default="")
    released_at = models.DateTimeField(db_default=models.functions.Now())

    objects = ReleasedResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "number"], name="result_number_once"),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""),
                name="result_correction_has_reason",
                violation_error_message=_("A correction says why."),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"result of {self.participation_id}"


class Acknowledgement(models.Model):
    """The person has read the result; not an agreement."""

    result = models.OneToOneField(ReleasedResult, on_delete=models.PROTECT, related_name="acknowledgement")
    comment = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"acknowledged {self.result_id}"


AT_RESULT = "result__participation"


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: User) -> Self:
        """The person, the line above the manager and HR of the unit; the manager once it is decided."""
        others = related(user, Relation.SELF, Relation.SKIP_LEVEL, *HR, to=AT_RESULT)
        decided = Q(decided_at__isnull=False) & related(user, Relation.MANAGER, to=AT_RESULT)
        return self.filter(others | decided)

    def editable_by(self, user: User) -> Self:
        return self.decidable_by(user)

    def decidable_by(self, user: User) -> Self:
        """HR admins and the line above the manager, if they had no part in it.

        A part have: the person, whoever wrote as manager, moved the rating, sent the appraisal back, or
        asked for or approved the release.
        """
        me = user.employee_id
        rows = self.filter(related(user, Relation.HR_ADMIN, Relation.SKIP_LEVEL, to=AT_RESULT))
        rows = rows.exclude(result__participation__rating__moves__by=user)
        rows = rows.exclude(result__participation__appraisals__returns__by=user)
        rows = rows.exclude(result__release__approved_by=user).exclude(result__release__requested_by=user)
        if me:
            rows = rows.exclude(result__participation__employee=me)
            rows = rows.exclude(result__participation__assignments__manager=me)
        return rows


def deciders(result: ReleasedResult) -> models.QuerySet[User]:
    """Who may decide a review of this result: the same people as `Appeal.decidable_by`, named to the person."""
    part = result.participation_id
    hr = Q(pk__in=RoleGrant.objects.current().filter(role=Role.HR_ADMIN).values("user"))
    line = Q(employee__in=ChainLink.objects.filter(participation=part, distance__gte=2).values("above"))
    it = RoleGrant.objects.current().filter(role=Role.IT_ADMIN).values("user")
    had_part = (
        Q(pk__in=CalibrationMove.objects.filter(rating__participation=part).values("by"))
        | Q(pk__in=Return.objects.filter(appraisal__participation=part).values("by"))
        | Q(
            pk__in=Release.objects.filter(pk=result.release_id, approved_by__isnull=False).values(
                "approved_by"
            )
        )
        | Q(pk__in=Release.objects.filter(pk=result.release_id).values("requested_by"))
    )
    people: models.QuerySet[User] = (
        User.objects.filter(is_active=True).filter((hr & ~Q(pk__in=it)) | line).exclude(had_part)
    )
    about = Participation.objects.filter(pk=part)
    none = Q(employee__in=about.values("employee")) | Q(
        employee__in=about.filter(assignments__isnull=False).values("assignments__manager")
    )
    return people.exclude(Q(employee__isnull=False) & none).order_by("name")


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
                condition=Q(decided_at__isnull=True, outcome="", decided_by__isnull=True)
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(outcome="")),
                name="appeal_decided_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="upheld", new_level__isnull=False)
                | (~Q(outcome="upheld") & Q(new_level__isnull=True)),
                name="appeal_upheld_names_the_level",
                violation_error_message=_("An upheld review names the new rating."),
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True) | ~Q(decision=""),
                name="appeal_decision_has_text",
                violation_error_message=_("A decision says why."),
            ),
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"


def evidence_for(participation: Participation, user: User) -> models.QuerySet[Any, Any]:
    """What the year left behind about one person, as far as `user` may read it, in one statement.

    Rows are dicts with `kind` (progress, feedback, promise, action, contribution, entry), `at`, `title`,
    `body`, `who` (name) and `row` (pk).
    """
    person, first = participation.employee_id, participation.cycle.first_day

    def shaped(rows: models.QuerySet[Any], kind: Any, at: Any, title: Any, body: str, who: str) -> Any:
        columns = {
            "kind": kind if hasattr(kind, "resolve_expression") else Value(kind, models.CharField()),
            "at": Cast(at, models.DateTimeField()),
            "title": Cast(title, models.TextField()),
            "body": Cast(F(body), models.TextField()),
            "who": F(who),
            "row": _id("pk"),
        }
        return (
            rows.order_by()
            .annotate(**{f"e_{name}": value for name, value in columns.items()})
            .values_list(*(f"e_{name}" for name in columns))
        )

    nothing = Value("", models.TextField())
    progress = ProgressUpdate.objects.visible_to(user).filter(
        key_result__goal__participation=participation, at__date__gte=first
    )
    feedback = Feedback.objects.visible_to(user).filter(recipient=person, given_at__date__gte=first)
    actions = ActionItem.objects.visible_to(user).filter(
        check_in__employee=person, check_in__starts_at__date__gte=first
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


def stage_due(participation: str) -> Any:
    """The day by which the appraisal stage is due for the participation at this lookup ("" for participations
    themselves), extensions counted."""
    at = f"{participation}__cycle" if participation else "cycle"
    stage = Stage.objects.filter(cycle=OuterRef(at), kind=StageKind.APPRAISAL)
    more = Extension.objects.filter(
        participation=OuterRef(participation or "pk"), stage__kind=StageKind.APPRAISAL
    )
    return Coalesce(Subquery(more.values("due_on")[:1]), Subquery(stage.values("due_on")[:1]))


def _id(expression: str) -> Any:
    return Cast(F(expression), BigIntegerField())


def _hr_admins() -> models.QuerySet[RoleGrant]:
    """HR admins of today who are employees, so that an open matter can be put to them."""
    return RoleGrant.objects.current().filter(
        role=Role.HR_ADMIN, user__employee__isnull=False, user__is_active=True
    )


def _decider() -> Any:
    """For an appeal: the first HR admin who had no part in the result, else the nearest above the manager."""
    part = "result__participation"
    moved = CalibrationMove.objects.filter(rating__participation=OuterRef(OuterRef(part))).values("by")
    returned = Return.objects.filter(appraisal__participation=OuterRef(OuterRef(part))).values("by")
    wrote = Assignment.objects.filter(participation=OuterRef(OuterRef(part))).values("manager")
    hr = (
        _hr_admins()
        .exclude(user=OuterRef("result__release__requested_by"))
        .exclude(user=OuterRef("result__release__approved_by"))
        .exclude(user__employee=OuterRef(f"{part}__employee"))
        .exclude(user__in=moved)
        .exclude(user__in=returned)
        .exclude(user__employee__in=wrote)
    )
    line = ChainLink.objects.filter(participation=OuterRef(part), distance__gte=2).order_by("distance")
    return Coalesce(
        Subquery(hr.order_by("pk").values("user__employee")[:1]), Subquery(line.values("above")[:1])
    )


def open_items() -> list[models.QuerySet[Any, Any]]:
    """What is not done yet in this app, in the shape of `pmcycle.cycles.models.items`.

    Appraisals to write while their stage is open, results to read, reviews to decide, and releases that
    wait for a second person.
    """
    open_stages = Stage.objects.filter(kind=StageKind.APPRAISAL, state=Stage.State.OPEN).values("cycle")
    unsent = Appraisal.objects.filter(
        submitted_at__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
        participation__cycle__in=open_stages,
        author__left_on__isnull=True,
    )
    current = Exists(
        Participation.objects.filter(
            in_force(prefix="assignments__"),
            pk=OuterRef("participation"),
            assignments__manager=OuterRef("author"),
        )
    )
    columns = {
        "subject": _id("pk"),
        "about": _id("participation__employee"),
        "about_name": F("participation__employee__name"),
        "cycle": _id("participation__cycle"),
        "due_on": stage_due("participation"),
    }
    results = ReleasedResult.objects.latest().filter(
        acknowledgement__isnull=True,
        appeal__isnull=True,
        participation__state=Participation.State.ACTIVE,
        participation__cycle__state=Cycle.State.RUNNING,
    )
    window = ExpressionWrapper(
        TruncDate("released_at") + F("participation__cycle__appeal_days"), output_field=models.DateField()
    )
    appeals = Appeal.objects.filter(decided_at__isnull=True)
    releases = Release.objects.filter(approved_at__isnull=True, withdrawn_at__isnull=True).annotate(
        second=Subquery(
            _hr_admins().exclude(user=OuterRef("requested_by")).order_by("pk").values("user__employee")[:1]
        )
    )
    return [
        items(
            unsent.filter(kind=Appraisal.Kind.SELF),
            kind="appraisals:self",
            stage=StageKind.APPRAISAL,
            recipient=_id("author"),
            **columns,
        ),
        items(
            unsent.filter(current, kind=Appraisal.Kind.MANAGER),
            kind="appraisals:manager",
            stage=StageKind.APPRAISAL,
            recipient=_id("author"),
            **columns,
        ),
        items(
            results,
            kind="appraisals:result",
            stage=StageKind.APPRAISAL,
            subject=_id("pk"),
            recipient=_id("participation__employee"),
            about=_id("participation__employee"),
            about_name=F("participation__employee__name"),
            cycle=_id("participation__cycle"),
            due_on=window,
        ),
        items(
            appeals,
            kind="appraisals:appeal",
            stage=StageKind.APPRAISAL,
            subject=_id("pk"),
            recipient=Cast(_decider(), BigIntegerField()),
            about=_id("result__participation__employee"),
            about_name=F("result__participation__employee__name"),
            cycle=_id("result__participation__cycle"),
            due_on=F("due_on"),
        ),
        items(
            releases.filter(second__isnull=False),
            kind="appraisals:release",
            stage=StageKind.APPRAISAL,
            subject=_id("cycle"),
            recipient=Cast(F("second"), BigIntegerField()),
            about=Cast(F("second"), BigIntegerField()),
            about_name=F("requested_by__name"),
            cycle=_id("cycle"),
            due_on=Cast(Value(None), models.DateField()),
        ),
    ]
