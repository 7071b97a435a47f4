"""Looking at ratings side by side: opening a session, moving a rating with a reason, closing it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appraisals.models import CalibrationMove, CalibrationSession, Rating, ReleasedResult
from pmcycle.activity.actions import record
from pmcycle.cycles.actions import hold_taking_part, lock_running, refuse_unless_running
from pmcycle.cycles.models import Cycle, RatingLevel
from pmcycle.errors import Invalid, Refused, Stale, check_version
from pmcycle.people.models import Unit, User


def open_calibration(
    cycle: Cycle, name: str, units: Iterable[Unit], *, by: User
) -> CalibrationSession:
    """A session over the ratings of these units and everything below them; without units, of all."""
    with transaction.atomic():
        locked = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if locked.state != Cycle.State.RUNNING:
            raise Refused(_("Ratings are calibrated while the cycle runs."))
        session = CalibrationSession.objects.create(cycle=locked, name=name, created_by=by)
        session.units.set(units)
        record("opened_calibration", session, by=by, name=name)
    return session


def move_rating(
    session: CalibrationSession,
    rating: Rating,
    level_id: int,
    reason: str,
    *,
    version: int | None,
    by: User,
) -> CalibrationMove:
    """Set the level that counts; the manager's proposal stays beside it, and so does the reason.

    Raises `Stale` if somebody else moved the same card since it was looked at, `Refused` when the session
    is closed, the result is released or the person has left, `Invalid` without a reason or for a level of
    another scale.
    """
    with transaction.atomic():
        refuse_unless_running(hold_taking_part(rating.participation_id).cycle)
        held = CalibrationSession.objects.select_for_update().get(pk=session.pk)
        row = (
            Rating.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "proposed", "calibrated")
            .get(pk=rating.pk)
        )
        if held.state != CalibrationSession.State.OPEN:
            raise Refused(_("This session is closed; its ratings stay as they are."))
        if version is not None and row.version != version:
            scale = RatingLevel.objects.filter(scale__cycle=held.cycle_id)
            words = {str(pk): label for pk, label in scale.values_list("pk", "label")}
            raise Stale({"level": row.level_id}, row.version, choices={"level": words})
        if ReleasedResult.objects.filter(participation=row.participation_id).exists():
            raise Refused(_("This result is released. It changes only through a review."))
        if not reason.strip():
            raise Invalid("reason", _("Say why the rating moves; the reason is kept with it."))
        level = RatingLevel.objects.filter(pk=level_id, scale__cycle=held.cycle_id).first()
        if level is None:
            raise Invalid("level", _("Choose a level of this cycle's scale."))
        if level.pk == row.level_id:
            raise Invalid("level", _("The rating stands there already."))
        move = CalibrationMove.objects.create(
            session=held, rating=row, old=row.level, new=level, reason=reason.strip(), by=by
        )
        row.calibrated = level
        row.version += 1
        row.save(update_fields=["calibrated", "version"])
        record("calibrated", row, by=by, about=row.participation.employee, session=held.pk)
    return move


def close_calibration(
    session: CalibrationSession, *, version: int | None, by: User
) -> CalibrationSession:
    """End the session; what was moved stays, and nothing moves in it any more."""
    with transaction.atomic():
        lock_running(session.cycle_id)
        row = CalibrationSession.objects.select_for_update().get(pk=session.pk)
        if row.state == CalibrationSession.State.CLOSED:
            raise Refused(_("This session is closed already."))
        check_version(row, version)
        row.state, row.closed_at = CalibrationSession.State.CLOSED, timezone.now()
        row.version += 1
        row.save(update_fields=["state", "closed_at", "version"])
        record("closed_calibration", row, by=by, moves=row.moves.count())
    return row
