"""Writing, sharing and signing evaluations; counting the cycle; carrying over what is unfinished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from appraisals.models import Appeal, Appraisal, Citation, Rating, ReleasedResult
from evaluations import rules
from evaluations.models import CycleEvaluation, DevelopmentStep, Evaluation, Point, Signature
from feedback.models import CheckIn, Entry
from goals.models import Goal, GoalVersion
from incentives.models import Award
from pmcycle.activity.actions import Tell, record
from pmcycle.cycles.models import Cycle, Participation, Stage, StageKind
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


def begin(participation: Participation, *, by: User) -> Evaluation:
    """The manager's draft for this person, made on first opening. Two tabs at once find the same one.

    After a change of manager the draft of the former one stays theirs, unread by the new one.
    """
    author = _employee(by)
    with transaction.atomic():
        Participation.objects.select_for_update().get(pk=participation.pk)
        evaluation, is_new = Evaluation.objects.get_or_create(participation=participation, author=author)
        if is_new:
            record("began_evaluation", evaluation, by=by, about=participation.employee)
        return evaluation


def save(evaluation: Evaluation, text: EvaluationText, *, version: int | None, by: User) -> Evaluation:
    """Keep what the manager has typed so far. Raises `Stale`, or `Refused` once it is shared."""
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version, CONFLICTING)
        _judge_open(row)
        if row.state != Evaluation.State.DRAFT:
            raise Refused(_("This evaluation is shared for signature. Take it back to change it."))
        row.summary, row.potential, row.long_term_goal = text.summary, text.potential, text.long_term_goal
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
                DevelopmentStep(evaluation=row, text=s.text, due_on=s.due_on, support=s.support, position=n)
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
        if Evaluation.objects.filter(participation=row.participation_id).exclude(state="draft").exists():
            raise Refused(_("An evaluation of this person is shared already."))
        why_not = rules.missing_before_sharing(
            row.summary,
            sum(p.kind == Point.Kind.ACHIEVEMENT for p in points),
            sum(p.kind == Point.Kind.SHORTCOMING and not p.evidence_kind for p in points),
            row.steps.count(),
        )
        if why_not is not None:
            raise Refused(why_not)
        row.state, row.shared_at, row.version = Evaluation.State.SHARED, timezone.now(), row.version + 1
        row.save(update_fields=["state", "shared_at", "version"])
        person = row.participation.employee
        record(
            "shared_evaluation",
            row,
            by=by,
            about=person,
            notify=_tell(
                [person.pk], _("Your evaluation is ready to read and sign"), row, f"shared:{row.version}"
            ),
        )
        return row


def take_back(evaluation: Evaluation, *, version: int | None, by: User) -> Evaluation:
    """Make a shared evaluation a draft again, as long as nobody has signed it."""
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version)
        if row.state != Evaluation.State.SHARED:
            raise Refused(_("Only an evaluation that is shared and not yet signed can be taken back."))
        if row.signatures.exists():
            raise Refused(_("Somebody has signed it. What was signed cannot be changed any more."))
        row.state, row.shared_at, row.version = Evaluation.State.DRAFT, None, row.version + 1
        row.save(update_fields=["state", "shared_at", "version"])
        record("took_back_evaluation", row, by=by, about=row.participation.employee)
        return row


def sign(evaluation: Evaluation, comment: str, *, version: int | None, by: User) -> Evaluation:
    """One side signs what it has read. With the second signature the evaluation is frozen with its hash."""
    signer = _employee(by)
    with transaction.atomic():
        row = _lock(evaluation)
        check_version(row, version)
        if row.state != Evaluation.State.SHARED:
            raise Refused(_("This evaluation is not waiting for a signature."))
        is_person = signer.pk == row.participation.employee_id
        side = Signature.Side.EMPLOYEE if is_person else Signature.Side.MANAGER
        if row.signatures.filter(side=side).exists():
            raise Refused(_("You have signed this evaluation already."))
        Signature.objects.create(evaluation=row, side=side, signer=signer, comment=comment)
        person = row.participation.employee
        other = row.author_id if is_person else person.pk
        record("signed_evaluation", row, by=by, about=person, side=side)
        if row.signatures.count() == 2:
            row.snapshot = snapshot_of(row)
            row.sha256 = rules.fingerprint(row.snapshot)
            row.state, row.signed_at = Evaluation.State.SIGNED, timezone.now()
            record(
                "closed_evaluation",
                row,
                by=by,
                about=person,
                sha256=row.sha256,
                notify=_tell([other], _("An evaluation is signed by both"), row, "signed"),
            )
        row.version += 1
        row.save()
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
        "points": [{"kind": p.kind, "text": p.text, "evidence": p.evidence_label} for p in row.points.all()],
        "steps": [
            {"text": s.text, "due_on": s.due_on.isoformat(), "support": s.support} for s in row.steps.all()
        ],
        "signatures": [
            {"side": s.side, "signer": s.signer.name, "comment": s.comment, "at": s.at.isoformat()}
            for s in row.signatures.select_related("signer").order_by("pk")
        ],
    }


# --- the cycle ---------------------------------------------------------------------------------------


def compute(cycle: Cycle, *, by: User) -> CycleEvaluation:
    """Count what the cycle achieved, from the rows as they are now, and keep the figures."""
    with transaction.atomic():
        Cycle.objects.select_for_update().get(pk=cycle.pk)
        row, _new = CycleEvaluation.objects.get_or_create(cycle=cycle)
        if row.published_at is not None:
            raise Refused(_("This evaluation is published. Its figures stay as they were read."))
        row.figures, row.computed_at, row.version = figures_of(cycle), timezone.now(), row.version + 1
        row.save()
        record("computed_cycle_evaluation", row, by=by)
        return row


def publish(evaluation: CycleEvaluation, *, version: int | None, by: User) -> CycleEvaluation:
    """Open the figures to everybody who took part."""
    with transaction.atomic():
        row = CycleEvaluation.objects.select_for_update().get(pk=evaluation.pk)
        check_version(row, version)
        if row.computed_at is None:
            raise Refused(_("Count the figures first."))
        if row.published_at is not None:
            raise Refused(_("This evaluation is published already."))
        row.published_at, row.published_by, row.version = timezone.now(), by, row.version + 1
        row.save()
        record("published_cycle_evaluation", row, by=by)
        return row


def figures_of(cycle: Cycle) -> dict[str, Any]:
    """The figures of a cycle as plain values: on-time shares, authorship, ratings, rewards, talks, appeals.

    A constant number of statements whatever the size of the company.
    """
    people = Participation.objects.filter(cycle=cycle, state=Participation.State.ACTIVE)
    total = people.count()
    due = dict(Stage.objects.filter(cycle=cycle).values_list("kind", "due_on"))

    def by_day(kind: str, column: str) -> Q:
        return Q(**{f"{column}__date__lte": due[kind]}) if kind in due else Q()

    goals = Goal.objects.filter(participation__in=people, agreed__isnull=False)
    selves = Appraisal.objects.filter(participation__in=people, kind=Appraisal.Kind.SELF)
    managers = Appraisal.objects.filter(participation__in=people, kind=Appraisal.Kind.MANAGER)
    evaluations = Evaluation.objects.filter(participation__in=people)
    with_goals = goals.filter(by_day(StageKind.OBJECTIVES, "agreed__in_force_from"))
    on_time = [
        _row("Goals agreed", with_goals.values("participation").distinct().count(), total),
        _row(
            "Self-appraisals",
            selves.filter(by_day(StageKind.APPRAISAL, "submitted_at"), submitted_at__isnull=False)
            .values("participation")
            .distinct()
            .count(),
            total,
        ),
        _row(
            "Manager appraisals",
            managers.filter(by_day(StageKind.APPRAISAL, "submitted_at"), submitted_at__isnull=False)
            .values("participation")
            .distinct()
            .count(),
            total,
        ),
        _row(
            "Evaluations signed",
            evaluations.filter(by_day(StageKind.EVALUATION, "signed_at"), signed_at__isnull=False).count(),
            total,
        ),
    ]
    ratings = [
        {"label": label, "before": before, "after": after} for label, before, after in cycle_levels(cycle)
    ]
    results = ReleasedResult.objects.filter(participation__in=people)
    appeals = Appeal.objects.filter(result__participation__in=people).aggregate(
        filed=Count("pk"), upheld=Count("pk", filter=Q(outcome="upheld"))
    )
    low = Rating.objects.filter(participation__in=people).filter(
        Q(calibrated__needs_mention=True) | Q(calibrated__isnull=True, proposed__needs_mention=True)
    )
    told = low.filter(Exists(Citation.objects.filter(appraisal__participation=OuterRef("participation"))))
    awards = Award.objects.filter(participation__in=people, amount__gt=0)
    talks = Entry.objects.filter(conversation__participation__in=people).count()
    held = CheckIn.objects.filter(
        state=CheckIn.State.HELD,
        employee__in=people.values("employee"),
        starts_at__date__range=(cycle.first_day, cycle.last_day),
    ).count()
    return {
        "people": total,
        "on_time": on_time,
        "authorship": _authorship(goals),
        "ratings": ratings,
        "released": results.count(),
        "appeals": appeals,
        "first_mentions": low.count() - told.count(),
        "low_ratings": low.count(),
        "rewards": _rewards(awards, total),
        "entries": talks,
        "check_ins": held,
    }


def cycle_levels(cycle: Cycle) -> list[tuple[str, int, int]]:
    """(label, as proposed by managers, as it counts) for each level of the cycle's scale."""
    rows = Rating.objects.filter(participation__cycle=cycle, participation__state=Participation.State.ACTIVE)
    proposed = dict(rows.values_list("proposed").annotate(n=Count("pk")))
    counted: dict[int, int] = {}
    for level, number in rows.values_list(F("calibrated_id"), F("proposed_id")):
        counted[level or number] = counted.get(level or number, 0) + 1
    scale = getattr(cycle, "scale", None)
    levels = scale.levels.all() if scale is not None else []
    return [(level.label, proposed.get(level.pk, 0), counted.get(level.pk, 0)) for level in levels]


def _row(label: str, part: int, whole: int) -> dict[str, Any]:
    fraction = rules.share(part, whole)
    return {
        "label": label,
        "done": part,
        "of": whole,
        "share": str(fraction) if fraction is not None else None,
    }


def _authorship(goals: Any) -> dict[str, int]:
    """How many agreed goals both sides worded, the employee alone, the manager alone."""
    by_employee = GoalVersion.objects.filter(
        goal=OuterRef("pk"),
        number__lte=OuterRef("agreed__number"),
        author=OuterRef("participation__employee"),
    )
    by_other = GoalVersion.objects.filter(
        goal=OuterRef("pk"), number__lte=OuterRef("agreed__number")
    ).exclude(author=OuterRef("participation__employee"))
    counts = goals.annotate(by_employee=Exists(by_employee), by_other=Exists(by_other)).aggregate(
        co_authored=Count("pk", filter=Q(by_employee=True, by_other=True)),
        own=Count("pk", filter=Q(by_employee=True, by_other=False)),
        handed_down=Count("pk", filter=Q(by_employee=False)),
    )
    return {key: int(value) for key, value in counts.items()}


def _rewards(awards: Any, total: int) -> list[dict[str, Any]]:
    """Number of people with an award by component; small groups are left out with the next smallest."""
    rows = [
        {"label": label, "people": people}
        for label, people in awards.values_list("component__name").annotate(
            n=Count("participation", distinct=True)
        )
    ]
    return [{**row, "of": total} for row in rules.suppressed(rows, "people")]


# --- carry-over --------------------------------------------------------------------------------------


def carry_over(cycle: Cycle) -> int:
    """Unfinished goals of the cycle this one was copied from come in as proposals.

    Runs when the objectives stage opens, when the old cycle closes, and whenever HR asks; a goal is
    carried once (unique `carried_from`). Returns how many goals came over. Only people who take part
    in both cycles get theirs.
    """
    if cycle.copied_from_id is None:
        return 0
    with transaction.atomic():
        Cycle.objects.select_for_update().get(pk=cycle.pk)
        part = dict(
            Participation.objects.filter(cycle=cycle, state=Participation.State.ACTIVE).values_list(
                "employee", "pk"
            )
        )
        unfinished = (
            Goal.objects.filter(
                participation__cycle=cycle.copied_from_id,
                participation__employee__in=part,
                agreed__isnull=False,
                state__in=[Goal.State.AGREED, Goal.State.CLOSED],
                carried_to__isnull=True,
            )
            .exclude(result__gte=100)
            .select_related("agreed", "participation__employee")
            .order_by("pk")
        )
        old = list(unfinished)
        users = dict(User.objects.filter(employee__in=part).values_list("employee", "pk"))
        fallback = cycle.launched_by_id or 0
        new = [
            Goal(
                participation_id=part[g.participation.employee_id],
                cycle=cycle,
                horizon=g.horizon,
                visibility=g.visibility,
                carried_from=g,
                state=Goal.State.PROPOSED,
                created_by_id=users.get(g.participation.employee_id) or fallback,
            )
            for g in old
            if g.participation is not None
        ]
        Goal.objects.bulk_create(new, batch_size=2000)
        now = timezone.now()
        wording = [
            GoalVersion(
                goal=goal,
                number=1,
                title=before.agreed.title,
                why=before.agreed.why,
                weight=before.agreed.weight,
                key_results=before.agreed.key_results,
                author_id=before.participation.employee_id,
                proposed_at=now,
            )
            for goal, before in zip(new, old, strict=True)
            if before.agreed is not None and before.participation is not None
        ]
        GoalVersion.objects.bulk_create(wording, batch_size=2000)
        for version in wording:
            version.goal.latest = version
        Goal.objects.bulk_update([v.goal for v in wording], ["latest"], batch_size=2000)
        record("carried_over_goals", cycle, by=None, goals=len(new))
        return len(new)


def bring_over(cycle: Cycle) -> None:
    """When objectives open: what the cycle before left unfinished, if that one is closed already."""
    if cycle.copied_from is not None and cycle.copied_from.state != Cycle.State.RUNNING:
        carry_over(cycle)


def hand_on(cycle: Cycle, by: User) -> None:
    """When a cycle closes: its unfinished goals go to the cycles that were made from it and already run."""
    for following in Cycle.objects.filter(copied_from=cycle, state=Cycle.State.RUNNING):
        carry_over(following)


# --- small helps -------------------------------------------------------------------------------------


def _lock(evaluation: Evaluation) -> Evaluation:
    """The row with its person's participation locked first: only one evaluation of a person is shared."""
    Participation.objects.select_for_update().get(pk=evaluation.participation_id)
    return (
        Evaluation.objects.select_for_update(of=("self",))
        .select_related("participation__employee", "participation__cycle", "author")
        .get(pk=evaluation.pk)
    )


def _judge_open(row: Evaluation) -> None:
    stage = Stage.objects.filter(cycle=row.participation.cycle_id, kind=StageKind.EVALUATION).first()
    if stage is None or stage.state != Stage.State.OPEN:
        raise Refused(_("The evaluation stage is not open."))
    if row.participation.state != Participation.State.ACTIVE:
        raise Refused(_("This person has left. Their cycle is kept as it is."))


def _employee(by: User) -> Employee:
    if by.employee is None:
        raise Refused(_("Only somebody who works here can do this."))
    return by.employee


def _tell(employees: Sequence[int], title: str, row: Evaluation, key: str) -> list[Tell]:
    url = reverse("evaluations:read", kwargs={"pk": row.pk})
    users = User.objects.filter(employee__in=employees, is_active=True).values_list("pk", flat=True)
    return [Tell(user_id=u, title=title, url=url, key=f"evaluation:{row.pk}:{key}:{u}") for u in users]
