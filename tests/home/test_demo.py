"""The demo company is believable: whoever looks closely finds nothing that could not have happened so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F, Q
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from appraisals.models import (
    Acknowledgement,
    Appeal,
    Appraisal,
    CalibrationMove,
    CalibrationSession,
    Citation,
    Release,
    ReleasedResult,
    Submission,
)
from appraisals.tasks import release_results
from evaluations.models import CycleEvaluation, Evaluation
from evaluations.models import Signature as EvaluationSignature
from feedback import rules
from feedback.models import (
    ActionItem,
    AgendaPoint,
    CheckIn,
    CheckInSeries,
    Entry,
    Feedback,
    FeedbackRequest,
)
from goals.models import ChangeRequest, Contribution, Goal, GoalVersion, ProgressUpdate, Signature
from incentives.models import (
    Approval,
    Award,
    AwardLine,
    PlanVersion,
    RestraintEntry,
    Run,
    Statement,
)
from incentives.tasks import calculate_waiting, release_waiting
from pmcycle.activity.models import Delivery, Event, Job, Notice
from pmcycle.cycles.models import Cycle
from pmcycle.home import actions as home
from pmcycle.home.demo.cycle import LEVELS
from pmcycle.home.management.commands import load_demo
from pmcycle.people.models import Employee, Unit, User
from tests.conftest import SignedIn

# A Monday, before anybody in Berlin is at work, and New York still has its Sunday.
LOADED = datetime(2027, 3, 1, 3, 30, tzinfo=UTC)
HOME = "Europe/Berlin"


# How often each statement was asked while the demo was loaded.
ASKED: Counter[str] = Counter()


def _count(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    ASKED[sql] += 1
    return execute(sql, params, many, context)


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo is loaded once for all that is asked of it here, and nobody changes it."""
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(LOADED, tick=True), connection.execute_wrapper(_count):
            call_command("load_demo", verbosity=0, stdout=StringIO())
        with time_machine.travel(LOADED, tick=True):
            yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Each question in a savepoint of its own."""


# Every moment of an act: of which rows, when, and the employee or user who did it.
ACTS: list[tuple[Any, str, str]] = [
    (GoalVersion, "proposed_at", "author"),
    (GoalVersion, "created_at", "author"),
    (Signature, "at", "signer"),
    (ProgressUpdate, "at", "author"),
    (ChangeRequest, "requested_at", "requested_by"),
    (Contribution, "created_at", "author"),
    (Contribution, "confirmed_at", "beneficiary"),
    (Entry, "said_at", "author"),
    (Feedback, "given_at", "giver"),
    (FeedbackRequest, "created_at", "requester"),
    (CheckInSeries, "created_at", "manager"),
    (AgendaPoint, "created_at", "author"),
    (ActionItem, "created_at", "owner"),
    (ActionItem, "done_at", "owner"),
    (Appraisal, "saved_at", "author"),
    (Appraisal, "submitted_at", "author"),
    (Submission, "at", "by"),
    (Citation, "at", "appraisal__author"),
    (Release, "requested_at", "requested_by"),
    (Release, "approved_at", "approved_by"),
    (Release, "done_at", "approved_by"),
    (ReleasedResult, "released_at", "release__approved_by"),
    (Acknowledgement, "at", "by"),
    (Appeal, "filed_at", "result__participation__employee"),
    (CalibrationSession, "created_at", "created_by"),
    (CalibrationMove, "at", "by"),
    (PlanVersion, "published_at", "published_by"),
    (Run, "calculated_at", "calculated_by"),
    (Run, "approved_at", "approved_by"),
    (Run, "released_at", "released_by"),
    (AwardLine, "at", "by"),
    (Approval, "at", "by"),
    (RestraintEntry, "proposed_at", "proposed_by"),
    (RestraintEntry, "answered_at", "participation__employee"),
    (Statement, "acknowledged_at", "participation__employee"),
    (Evaluation, "saved_at", "author"),
    (Evaluation, "shared_at", "author"),
    (EvaluationSignature, "at", "signer"),
    (CycleEvaluation, "published_at", "published_by"),
    (Cycle, "launched_at", "launched_by"),
    (Job, "created_at", "started_by"),
    (Notice, "read_at", "recipient"),
    (Event, "at", "actor"),
]


def in_working_hours(moment: datetime, zone: str) -> bool:
    local = moment.astimezone(ZoneInfo(zone))
    return local.weekday() < 5 and time(8) <= local.time() <= time(18)


@pytest.mark.parametrize(("model", "when", "who"), ACTS, ids=lambda x: getattr(x, "__name__", x))
def test_whatever_is_done_is_done_on_a_working_day_at_a_working_hour(
    model: Any, when: str, who: str
) -> None:
    zones = {e.pk: e.zone for e in Employee.objects.all()}
    accounts = {u.pk: zones.get(u.employee_id or 0, HOME) for u in User.objects.all()}
    field = model
    for step in who.split("__"):
        field = field._meta.get_field(step).related_model
    by = accounts if field is User else zones
    rows = list(
        model.objects.filter(
            Q(**{f"{when}__isnull": False}), Q(**{f"{who}__isnull": False})
        ).values_list("pk", when, who)
    )
    assert rows, "the demo shows one of these"
    wrong = [(pk, at, by[whom]) for pk, at, whom in rows if not in_working_hours(at, by[whom])]
    assert wrong == []
    assert [pk for pk, at, _whom in rows if at > LOADED] == [], "nobody has done it yet"


def test_nobody_does_anything_while_they_are_away_or_after_they_left() -> None:
    away = {
        person.pk: [(a.starts_on, a.ends_on) for a in person.absences.all()]
        for person in Employee.objects.filter(absences__isnull=False)
    }
    left = {person.pk: person.left_on for person in Employee.objects.filter(left_on__isnull=False)}
    assert away
    assert left
    users = {u.pk: u.employee_id for u in User.objects.all()}
    for model, when, who in ACTS:
        end = model
        for step in who.split("__"):
            end = end._meta.get_field(step).related_model
        for pk, at, whom in model.objects.filter(**{f"{when}__isnull": False}).values_list(
            "pk", when, who
        ):
            person = users.get(whom) if end is User else whom
            spans = away.get(person or 0, [])
            assert not any(first <= at.date() <= last for first, last in spans if last), (model, pk)
            assert person not in left or at.date() <= left[person], (model, pk)


def test_every_check_in_is_on_the_rhythm_of_its_series() -> None:
    meetings = list(CheckIn.objects.select_related("series"))
    assert meetings
    for meeting in meetings:
        series = meeting.series
        assert series is not None
        due = rules.occurrences(
            series.rrule,
            series.starts_on,
            series.at,
            series.zone,
            after=meeting.starts_at - timedelta(minutes=1),
            limit=1,
        )
        assert due == [meeting.starts_at]
        assert meeting.slot == meeting.starts_at


def test_check_ins_that_are_over_were_held_with_a_note_and_the_others_are_planned() -> None:
    for meeting in every(CheckIn.objects.all()):
        is_over = meeting.starts_at < LOADED
        assert meeting.state == ("held" if is_over else "planned")
        assert bool(meeting.shared_note) == is_over
    ahead = CheckIn.objects.filter(
        employee__name="Ana Popescu", state="planned", employee=F("series__employee")
    )
    assert ahead.count() >= 2


def test_check_ins_are_in_the_working_hours_of_both_and_nobody_is_in_two_at_once() -> None:
    busy: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for meeting in every(CheckIn.objects.select_related("manager", "employee")):
        for person in (meeting.manager, meeting.employee):
            assert in_working_hours(meeting.starts_at, person.zone), (meeting.pk, person.name)
            assert in_working_hours(meeting.ends_at, person.zone), (meeting.pk, person.name)
            busy[person.pk].append((meeting.starts_at, meeting.ends_at))
    for spans in busy.values():
        assert all(ends <= begins for (_a, ends), (begins, _b) in pairwise(sorted(spans)))


def test_what_answers_comes_after_what_it_answers() -> None:
    for entries in _by("conversation_id", Entry.objects.order_by("pk")):
        assert all(a.said_at < b.said_at for a, b in pairwise(entries))
        assert all(a.author_id != b.author_id for a, b in pairwise(entries))
    for point in every(AgendaPoint.objects.select_related("check_in")):
        assert point.created_at < point.check_in.starts_at
    for item in every(ActionItem.objects.filter(done_at__isnull=False)):
        assert item.created_at < item.done_at
    for version in every(
        GoalVersion.objects.filter(in_force_from__isnull=False, goal__participation__isnull=False)
    ):
        assert version.in_force_from == max(s.at for s in version.signatures.all())
        assert version.proposed_at < version.in_force_from
    for update in every(ProgressUpdate.objects.select_related("key_result__goal__agreed")):
        goal = update.key_result.goal
        assert goal.agreed.in_force_from < update.at
        assert goal.measured_on is None or update.at.date() <= goal.measured_on
    for versions in _by("goal_id", GoalVersion.objects.order_by("number")):
        assert all(a.created_at < b.created_at for a, b in pairwise(versions))


def test_results_are_released_after_they_were_written_and_answered_after_that() -> None:
    results = every(ReleasedResult.objects.select_related("participation", "release"))
    assert {r.participation.cycle_id for r in results} == set(
        Cycle.objects.values_list("pk", flat=True)
    )
    for result in results:
        for row in every(result.participation.appraisals.filter(submitted_at__isnull=False)):
            assert row.submitted_at < result.release.requested_at < result.released_at
        said = Citation.objects.filter(appraisal__participation=result.participation)
        for told in said.values_list("entry__said_at", flat=True):
            assert told < result.released_at - timedelta(
                days=result.participation.cycle.mention_days
            )
    for note in every(Acknowledgement.objects.select_related("result")):
        assert note.result.released_at < note.at
    for row in every(Evaluation.objects.filter(shared_at__isnull=False)):
        assert all(row.shared_at < s.at for s in row.signatures.all())
        assert row.signed_at is None or row.signed_at >= max(s.at for s in row.signatures.all())


def test_the_trail_tells_it_in_the_order_in_which_it_happened() -> None:
    for events in _by("stream", Event.objects.order_by("seq")):
        assert all(a.at <= b.at for a, b in pairwise(events))
    assert all(not row["broken"] for row in Event.objects.chain())


def every(rows: Any) -> list[Any]:
    """Rows whose fields are filled, whatever their types allow; at least one."""
    found = list(rows)
    assert found
    return found


def _by(key: str, rows: Any) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    assert groups
    return list(groups.values())


def test_every_unit_has_goals_of_its_own_kind() -> None:
    """Two units share no goal, but what every lead wants of a team; and no two people of a unit want the same."""
    titles: dict[str, set[str]] = defaultdict(set)
    sets: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    cycle = Cycle.objects.get(state="running")
    for part in every(cycle.participations.select_related("unit", "employee")):
        mine = tuple(sorted(g.latest.title for g in every(part.goals.select_related("latest"))))
        leads = cycle.participations.filter(assignments__manager=part.employee_id).exists()
        if not leads:
            titles[part.unit.name] |= set(mine)
        if len(mine) == 3:
            sets[part.unit.name].append(mine)
    assert len(titles) >= 10
    for one, other in combinations(titles, 2):
        assert titles[one] & titles[other] == set(), f"{one} and {other}"
    for unit, found in sets.items():
        assert len(set(found)) == len(found), unit


def test_goals_contribute_to_their_unit_and_those_of_units_to_the_organisation() -> None:
    for goal in every(Goal.objects.select_related("parent__unit", "unit", "participation__unit")):
        if goal.participation is not None:
            assert goal.parent is not None
            assert goal.participation.unit.path.startswith(goal.parent.unit.path)
        elif goal.unit is not None:
            assert goal.parent is not None
            assert goal.parent.unit_id is None
    divisions = Unit.objects.filter(parent__parent=None, parent__isnull=False)
    for cycle in every(Cycle.objects.all()):
        assert set(divisions) == {g.unit for g in cycle.goals.filter(unit__isnull=False)}
    assert all(v.key_results for v in GoalVersion.objects.all()), "every goal says how one sees it"


LOWEST = {label: level for level, (label, *_rest) in enumerate(LEVELS)}


def test_a_rating_and_what_is_written_beside_it_agree_with_what_was_measured() -> None:
    written = Appraisal.objects.filter(kind="manager", level__isnull=False)
    rows = every(written.select_related("level", "participation"))
    assert {row.level.label for row in rows} >= {"Partly meets", "Meets", "Exceeds", "Outstanding"}
    for row in rows:
        goals = every(
            Goal.objects.rated().filter(participation=row.participation).select_related("agreed")
        )
        reached = sum((g.result * g.agreed.weight for g in goals), Decimal(0)) / 100
        text = " ".join(
            row.answers.order_by("question__section__position", "question__position").values_list(
                "text", flat=True
            )
        )
        level = LOWEST[row.level.label]
        assert all(g.agreed.title in text or level < 2 for g in goals)
        if level >= 3:
            assert reached >= 100, (row.pk, reached)
            assert "more than we agreed" in text
            assert "Missed" not in text
        elif level == 2:
            assert 88 <= reached <= 108, (row.pk, reached)
            assert "delivered what we agreed" in text
        else:
            assert reached < 85, (row.pk, reached)
            missed = [g for g in goals if g.result < 85]
            assert missed
            assert all(f"Missed: “{g.agreed.title}”" in text for g in missed)
            told = row.citations.get().entry.said_at
            assert f"conversation of {told.day} {told:%B %Y}" in text


def test_marks_of_goals_follow_what_was_measured() -> None:
    for row in every(Appraisal.objects.filter(saved_at__isnull=False)):
        for answer in every(row.answers.filter(goal__isnull=False).select_related("goal", "level")):
            level = LOWEST[answer.level.label]
            assert (level < 2) == (answer.goal.result < 85)
            assert (level > 2) == (answer.goal.result >= 103)
            assert (
                "agreed" in answer.text
                or "done" in answer.text
                or "not yet" in answer.text
                or "none" in answer.text
            )


def test_no_work_fails_and_no_mail_is_held_when_the_worker_comes() -> None:
    for task in (release_results, calculate_waiting, release_waiting):
        task()
    home.deliver(lambda: False)
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"sent", "pending"}


def test_a_rehearsal_on_last_year_shows_who_would_gain_and_who_would_lose(as_: SignedIn) -> None:
    this, last = Cycle.objects.get(state="running"), Cycle.objects.get(state="closed")
    kim = User.objects.get(email="kim.larsen@meridian.example")
    page = as_(kim).get(reverse("incentives:rehearse", args=[this.pk]), {"on": last.pk})
    found = page.context["found"]
    assert found["refused"] == ""
    everybody = next(row for row in found["rows"] if row["kind"] == "all")
    assert everybody["paid"] > 30
    assert everybody["gain"] > 3
    assert everybody["lose"] > 3
    assert everybody["old"] > 0
    assert all(pool["left"] >= 0 for pool in found["pools"])


def test_the_years_of_a_person_show_last_year(as_: SignedIn) -> None:
    last = Cycle.objects.get(state="closed")
    ana = User.objects.get(email="ana.popescu@meridian.example")
    page = as_(ana).get(reverse("home:person", args=[ana.employee_id])).content.decode()
    assert last.name in page
    assert (
        reverse(
            "appraisals:result",
            args=[ReleasedResult.objects.get(participation__employee=ana.employee_id).pk],
        )
        in page
    )
    assert (
        reverse(
            "evaluations:read",
            args=[Evaluation.objects.get(participation__employee=ana.employee_id).pk],
        )
        in page
    )
    assert (
        reverse(
            "incentives:statement",
            args=[Statement.objects.get(participation__employee=ana.employee_id).pk],
        )
        in page
    )


@pytest.mark.parametrize(
    ("table", "of_one"),
    [
        ("appraisals_answer", '"appraisals_answer"."appraisal_id" ='),
        ("cycles_ratinglevel", '"cycles_ratingscale"."cycle_id" ='),
        ("evaluations_signature", '"evaluations_signature"."evaluation_id" ='),
    ],
)
def test_last_year_is_written_in_sets_and_asks_for_nobody_by_themselves(
    table: str, of_one: str
) -> None:
    """It is all that makes whoever opens the product for the first time wait; this year is played act by act."""
    played = Submission.objects.filter(appraisal__participation__cycle__state="running").count()
    assert 20 < played < Submission.objects.count() / 2
    for sql, times in ASKED.items():
        if of_one in sql and f'FROM "{table}"' in sql and sql.startswith("SELECT"):
            assert times <= 2 * played, sql


def test_last_year_is_told_to_its_end() -> None:
    last = Cycle.objects.get(state="closed")
    parts = last.participations.filter(result__isnull=False).distinct()
    assert parts.count() > 40
    for part in every(parts):
        assert {g.state for g in part.goals.all()} == {"closed"}
        assert all(g.measured_on is not None and g.result is not None for g in part.goals.all())
        assert set(
            part.appraisals.filter(submitted_at__isnull=False).values_list("kind", flat=True)
        ) == {
            "self",
            "manager",
        }
        assert part.evaluations.get().state == "signed"
    assert Award.objects.filter(run__plan__cycle=last, amount__gt=0).count() > 40
    assert Run.objects.get(plan__cycle=last).state == "exported"
    assert last.evaluation.published_at is not None
    assert ReleasedResult.objects.filter(
        participation__employee__name="Ana Popescu", participation__cycle=last
    ).exists()


def test_who_can_sign_in_is_said_again_without_loading_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = StringIO()
    call_command("load_demo", who=True, stdout=told)
    assert "ana.popescu@meridian.example" in told.getvalue()
    monkeypatch.setattr(
        load_demo, "WHO_SIGNS_IN", [("somebody@example.com", "of a company of its own")]
    )
    elsewhere = StringIO()
    call_command("load_demo", who=True, stdout=elsewhere)
    assert elsewhere.getvalue() == "", "another company is not the demo"
