"""The act that opens results to the people they are about, and what these do with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from appraisals import rules
from appraisals.actions.leaving import left_of_release
from appraisals.actions.telling import account_of, tells
from appraisals.models import (
    FIRST_MENTION,
    Acknowledgement,
    Appeal,
    Rating,
    Release,
    ReleasedResult,
    deciders,
    second_people,
)
from pmcycle.activity.actions import (
    Line,
    Step,
    Tell,
    asked_for,
    enqueue,
    in_parts,
    no_step,
    record,
    record_each,
)
from pmcycle.activity.models import Job, JobQuerySet
from pmcycle.cycles.actions import (
    accept_leftovers,
    hold_people,
    hold_taking_part,
    refuse_unless_accepted,
)
from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.errors import Invalid, Refused, check_version
from pmcycle.people.models import User

JOB = "appraisals.release"


def request_release(
    cycle: Cycle, accepted_first_mentions: str, *, accepted: Mapping[str, tuple[int, str]], by: User
) -> Release:
    """Ask for the release of everything handed in by now; somebody else approves it.

    Who is left out (unrated, held) is accepted with a reason for each kind, and can follow in a later
    release by the same rules. Low ratings that are a first mention stay back, unless the reason to
    release them all the same is written here; the second person reads it.
    """
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state != Cycle.State.RUNNING:
            raise Refused(_("Results are released while the cycle runs."))
        if Release.objects.filter(
            cycle=locked, done_at__isnull=True, withdrawn_at__isnull=True
        ).exists():
            raise Refused(_("A release of this cycle is waiting already."))
        if not Rating.objects.releasable(locked, timezone.now()).exists():
            raise Refused(
                _("There is nothing to release: no manager appraisal is handed in and unreleased.")
            )
        with_low = bool(accepted_first_mentions.strip())
        leftovers = left_of_release(locked, by, with_first_mentions=with_low)
        release = Release.objects.create(
            cycle=locked, requested_by=by, accepted_first_mentions=accepted_first_mentions.strip()
        )
        record(
            "requested_release",
            release,
            by=by,
            left=accept_leftovers(locked, act_of(release), leftovers, accepted, by=by),
            notify=tells(
                second_people(by.pk),
                _("A release of results waits for a second person"),
                reverse("appraisals:release", args=[locked.pk]),
                f"release:{release.pk}:asked",
                kind="release",
            ),
        )
    return release


def act_of(release: Release) -> str:
    """Under what the acceptances of a release are kept."""
    return f"release_results:{release.pk}"


def withdraw_release(release: Release, *, by: User) -> Release:
    """Take the question back before it is approved."""
    with transaction.atomic():
        row = Release.objects.select_for_update().get(pk=release.pk)
        if row.approved_at is not None:
            raise Refused(_("This release is approved; what is released cannot be taken back."))
        if row.withdrawn_at is not None:
            raise Refused(_("This release was withdrawn already."))
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record("withdrew_release", row, by=by)
    return row


def approve_release(release: Release, *, by: User) -> Job:
    """The second person's yes. The results are written by a job; the approver's own is left out.

    Raises `LeftBehind` where more is left out by now than was accepted, or a calibration is open.
    """
    with transaction.atomic():
        if known := asked_for(JOB, release):
            # Pressed twice, it is one approval; somebody else has not approved it by coming after.
            if known.started_by_id != by.pk:
                raise Refused(_("This release is approved already."))
            return known
        row = Release.objects.select_for_update().select_related("cycle").get(pk=release.pk)
        if row.withdrawn_at is not None:
            raise Refused(_("This release was withdrawn."))
        if row.approved_at is not None:
            raise Refused(_("This release is approved already."))
        if row.requested_by_id == by.pk:
            raise Refused(_("You asked for this release; a second person approves it."))
        if row.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("Results are released while the cycle runs."))
        with_low = bool(row.accepted_first_mentions)
        leftovers = left_of_release(row.cycle, row.requested_by, with_first_mentions=with_low)
        refuse_unless_accepted(row.cycle, act_of(row), leftovers)
        row.approved_by, row.approved_at = by, timezone.now()
        row.save(update_fields=["approved_by", "approved_at"])
        audience = audience_of(row)
        job = enqueue(
            JOB,
            row,
            by=by,
            total=audience.count(),
            url=reverse("appraisals:release", args=[row.cycle_id]),
        )
        record("approved_release", row, by=by)
    return job


def work_on_releases(cycle: Cycle, reader: User) -> JobQuerySet:
    """Releases that are being written or could not be, as far as the reader may see it."""
    wanted = Q(done_at__isnull=True)
    return Job.objects.visible_to(reader).on(
        JOB, Release.objects.filter(cycle=cycle), wanted=wanted
    )


def audience_of(release: Release) -> Any:
    """The ratings that a release opens: handed in when it was asked for, heard before (or accepted with a reason),
    not the approver's own. What was handed in later follows in the next release."""
    rows = Rating.objects.releasable(release.cycle, timezone.now(), by=release.requested_at)
    if not release.accepted_first_mentions:
        rows = rows.exclude(FIRST_MENTION)
    if release.approved_by and release.approved_by.employee_id:
        rows = rows.exclude(participation__employee=release.approved_by.employee_id)
    return rows


# The snapshot is complete in itself. Of cited entries it keeps who said them and when, never the words:
# what was said between two people stays with them.
RELEASE = """
INSERT INTO appraisals_releasedresult
  (participation_id, number, release_id, level_id, snapshot, sha256, reason, released_at)
SELECT d.participation_id, 1, %(release)s, d.level_id, d.snapshot,
  encode(sha256(convert_to(d.snapshot::text, 'UTF8')), 'hex'), '', %(now)s
FROM (
  SELECT r.participation_id, l.id AS level_id, jsonb_build_object(
    'person', e.name, 'job_title', p.job_title, 'unit', u.name,
    'cycle', c.name, 'first_day', c.first_day, 'last_day', c.last_day,
    'rating', jsonb_build_object('label', l.label, 'meaning', l.meaning, 'position', l.position),
    'scale', (SELECT jsonb_agg(jsonb_build_object('label', s.label, 'meaning', s.meaning) ORDER BY s.position)
              FROM cycles_ratinglevel s WHERE s.scale_id = l.scale_id),
    'rated_by', m.name,
    'set_in_calibration', r.calibrated_id IS NOT NULL AND r.calibrated_id <> r.proposed_id,
    'score', r.score::text, 'trace', r.trace,
    'manager', (SELECT s.answers FROM appraisals_submission s JOIN appraisals_appraisal a ON a.id = s.appraisal_id
                WHERE a.participation_id = p.id AND a.kind = 'manager' AND a.author_id = r.proposed_by_id
                ORDER BY s.number DESC LIMIT 1),
    'self', (SELECT s.answers FROM appraisals_submission s JOIN appraisals_appraisal a ON a.id = s.appraisal_id
             WHERE a.participation_id = p.id AND a.kind = 'self' AND a.submitted_at IS NOT NULL
             ORDER BY s.number DESC LIMIT 1),
    'mentions', (SELECT coalesce(jsonb_agg(jsonb_build_object('entry', n.id, 'said_at', n.said_at, 'by', w.name)
                                           ORDER BY n.said_at), '[]'::jsonb)
                 FROM appraisals_citation t JOIN appraisals_appraisal a ON a.id = t.appraisal_id
                 JOIN feedback_entry n ON n.id = t.entry_id JOIN people_employee w ON w.id = n.author_id
                 WHERE a.participation_id = p.id AND a.submitted_at IS NOT NULL)
  ) AS snapshot
  FROM appraisals_rating r
  JOIN cycles_participation p ON p.id = r.participation_id
  JOIN cycles_cycle c ON c.id = p.cycle_id
  JOIN people_employee e ON e.id = p.employee_id
  JOIN people_employee m ON m.id = r.proposed_by_id
  LEFT JOIN people_unit u ON u.id = p.unit_id
  JOIN cycles_ratinglevel l ON l.id = coalesce(r.calibrated_id, r.proposed_id)
  WHERE r.id = ANY(%(ratings)s)
) d
ON CONFLICT (participation_id, number) DO NOTHING
"""


# Written, told, noted.
PARTS_OF_RELEASE = 3


def release(release: Release, *, step: Step = no_step) -> int:
    """Write the results of an approved release, with an event and a notice for each; returns how many.

    A constant number of statements whatever the size. Called again, it writes nothing twice. Whoever hands
    something in, cites or is transferred at this moment is waited for, or waits and finds the result released.
    """
    with transaction.atomic():
        row = Release.objects.select_for_update().get(pk=release.pk)
        row = Release.objects.select_related("cycle", "approved_by").get(pk=row.pk)
        if row.approved_by is None or row.withdrawn_at is not None:
            raise Refused(_("This release is not approved."))
        if row.done_at is not None:
            return row.results.count()
        hold_people(row.cycle)
        now = timezone.now()
        ratings = list(
            audience_of(row)
            .select_for_update(of=("self",))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, {"release": row.pk, "now": now, "ratings": ratings})
        part = in_parts(step, len(ratings), PARTS_OF_RELEASE)
        part()
        done = row.results.values_list(
            "pk", "sha256", "participation__employee", "participation__employee__user"
        )
        title = _("Your result is ready to read")
        lines = []
        for pk, sha256, employee, user in done:
            url, key = reverse("appraisals:result", args=[pk]), f"result:{pk}:ready"
            told = [Tell(user, title, url, key, kind="appraisals:result")] if user else []
            data = {"sha256": sha256, "release": row.pk}
            lines.append(Line(ReleasedResult(pk=pk), employee, told, data))
        part()
        record_each("released", lines, by=row.approved_by)
        part()
        row.done_at = now
        row.save(update_fields=["done_at"])
        record("released_results", row, by=row.approved_by, count=len(lines))
    return len(lines)


# --- the person's answer ---------------------------------------------------------------------------


def _lock_answerable(result: ReleasedResult) -> ReleasedResult:
    """The newest result of a cycle that runs. The cycle is locked first: closing it judges what is unanswered."""
    cycle = Cycle.objects.select_for_update(no_key=True).get(participations=result.participation_id)
    if cycle.state != Cycle.State.RUNNING:
        raise Refused(_("This cycle is closed. Everything in it stays readable."))
    hold_taking_part(result.participation_id)
    row = (
        ReleasedResult.objects.select_for_update(of=("self",))
        .select_related("participation__employee", "participation__cycle")
        .get(pk=result.pk)
    )
    if ReleasedResult.objects.filter(
        participation=row.participation_id, number__gt=row.number
    ).exists():
        raise Refused(_("There is a newer version of this result."))
    return row


def acknowledge(result: ReleasedResult, comment: str, *, by: User) -> Acknowledgement:
    """The person has read it, with a note if they like. It is no agreement, and it is said once."""
    with transaction.atomic():
        row = _lock_answerable(result)
        if Acknowledgement.objects.filter(result=row).exists():
            raise Refused(_("You have acknowledged this result already."))
        done = Acknowledgement.objects.create(result=row, comment=comment.strip(), by=by)
        record(
            "acknowledged",
            row,
            by=by,
            about=row.participation.employee,
            with_note=bool(done.comment),
        )
    return done


def appeal_ends(result: ReleasedResult) -> Any:
    """The last day on which the person can ask for a review of this result."""
    cycle = result.participation.cycle
    return rules.appeal_ends(cycle.local_day(result.released_at), cycle.appeal_days)


def file_appeal(result: ReleasedResult, text: str, *, by: User) -> Appeal:
    """Ask for a review. People who had no part in the result decide it, by a day that is set now."""
    with transaction.atomic():
        row = _lock_answerable(result)
        if row.number > 1:
            raise Refused(_("This result is the outcome of a review, which was the last word."))
        if Appeal.objects.filter(result=row).exists():
            raise Refused(_("You have asked for a review already."))
        today = row.participation.cycle.local_day(timezone.now())
        if today > appeal_ends(row):
            raise Refused(_("The time to ask for a review is over."))
        if not text.strip():
            raise Invalid("text", _("Say what should be looked at again."))
        appeal = Appeal.objects.create(
            result=row,
            text=text.strip(),
            due_on=today + timedelta(days=row.participation.cycle.appeal_days),
        )
        name = row.participation.employee.name
        record(
            "appealed",
            appeal,
            by=by,
            about=row.participation.employee,
            notify=tells(
                deciders(row),
                _("%(name)s asks for a review of the result") % {"name": name},
                reverse("appraisals:appeal", args=[appeal.pk]),
                f"appeal:{appeal.pk}:filed",
                kind="appeal",
                due_on=appeal.due_on,
                due_zone=row.participation.cycle.zone,
            ),
        )
    return appeal


CORRECT = """
INSERT INTO appraisals_releasedresult
  (participation_id, number, release_id, level_id, snapshot, sha256, reason, released_at)
SELECT d.participation_id, d.number, d.release_id, %(level)s, d.snapshot,
  encode(sha256(convert_to(d.snapshot::text, 'UTF8')), 'hex'), %(reason)s, %(now)s
FROM (
  SELECT o.participation_id, o.number + 1 AS number, o.release_id,
    jsonb_set(o.snapshot, '{rating}',
      jsonb_build_object('label', l.label, 'meaning', l.meaning, 'position', l.position))
    || jsonb_build_object('changed_from', o.snapshot->'rating', 'changed_why', %(reason)s::text) AS snapshot
  FROM appraisals_releasedresult o, cycles_ratinglevel l WHERE o.id = %(old)s AND l.id = %(level)s
) d
"""


def decide_appeal(
    appeal: Appeal,
    outcome: str,
    decision: str,
    new_level_id: int | None,
    *,
    version: int | None,
    by: User,
) -> Appeal:
    """Uphold (the result gets a next version with the new rating; both stay) or dismiss, always with words."""
    with transaction.atomic():
        hold_taking_part(appeal.result.participation_id)
        row = (
            Appeal.objects.select_for_update(of=("self",))
            .select_related("result__participation__employee", "result__participation__cycle")
            .get(pk=appeal.pk)
        )
        if row.decided_at is not None:
            raise Refused(_("This review is decided already."))
        check_version(row, version)
        if outcome not in Appeal.Outcome.values:
            raise Invalid("outcome", _("Choose whether the rating changes or stays."))
        if not decision.strip():
            raise Invalid("decision", _("A decision says why."))
        result = row.result
        person = result.participation.employee
        now = timezone.now()
        row.outcome, row.decision, row.decided_by, row.decided_at = (
            outcome,
            decision.strip(),
            by,
            now,
        )
        if outcome == Appeal.Outcome.UPHELD:
            level = RatingLevel.objects.filter(
                pk=new_level_id or 0, scale__cycle=result.participation.cycle_id
            ).first()
            if level is None or level.pk == result.level_id:
                raise Invalid("new_level", _("Choose the rating it changes to."))
            row.new_level = level
            Rating.objects.filter(participation=result.participation_id).update(
                calibrated=level, version=F("version") + 1
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    CORRECT,
                    {"level": level.pk, "reason": row.decision, "old": result.pk, "now": now},
                )
        row.version += 1
        row.save()
        latest = ReleasedResult.objects.newest().get(participation=result.participation_id)
        told = tells(
            account_of(person.pk),
            _("Your review is decided"),
            reverse("appraisals:result", args=[latest.pk]),
            f"appeal:{row.pk}:decided",
            kind="decided",
        )
        record(
            "decided_appeal",
            row,
            by=by,
            about=person,
            outcome=outcome,
            result=latest.pk,
            sha256=latest.sha256,
            notify=told,
        )
    return row
