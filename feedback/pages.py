"""What the pages of feedback and check-ins show: typed, and built from rows that the views load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from feedback.models import (
    ActionItem,
    AgendaPoint,
    CheckIn,
    CheckInSeries,
    Feedback,
    FeedbackRequest,
    PrivateNote,
)
from pmcycle.people.models import Employee


@dataclass(frozen=True)
class Meet:
    """A check-in as a line of a list, for one of its two."""

    meeting: CheckIn
    other: Employee
    agenda: str

    @property
    def label(self) -> str:
        """What the reader can do there."""
        if self.meeting.is_held:
            return _("Read")
        return _("Open") if self.meeting.is_past else _("Prepare")


def meet_of(meeting: Any, me: int | None) -> Meet:
    """A meeting with its pair; where it is planned, with the number of points on either side."""
    is_manager = meeting.manager_id == me
    other = meeting.employee if is_manager else meeting.manager
    if not meeting.is_planned:
        return Meet(meeting, other, "")
    points = (meeting.points_of_manager, meeting.points_of_employee)
    mine, theirs = points if is_manager else points[::-1]
    if not mine and not theirs:
        return Meet(meeting, other, _("nothing on the agenda yet"))
    words = _("on the agenda: %(mine)s from you, %(theirs)s from the other one")
    return Meet(meeting, other, words % {"mine": mine, "theirs": theirs})


@dataclass(frozen=True)
class Series:
    """A series of check-ins, for one of its two."""

    series: CheckInSeries
    other: Employee


@dataclass(frozen=True)
class PointLine:
    """A point of an agenda, with what one of the two can do with it."""

    point: AgendaPoint
    is_mine: bool
    is_planned: bool
    may_write: bool

    @property
    def may_tick(self) -> bool:
        """Before the meeting is held in both directions, afterwards only to say that it was talked about."""
        return self.may_write and (self.is_planned or not self.point.is_done)

    @property
    def may_turn(self) -> bool:
        """Whether it can become an action or feedback."""
        return getattr(self.point, "action", None) is None and not self.point.is_done

    @property
    def may_edit(self) -> bool:
        return self.is_mine and self.is_planned


@dataclass(frozen=True)
class Meeting:
    """A meeting on one screen, for one of the two: both sides of the agenda, notes, actions and promises."""

    meeting: CheckIn
    other: Employee
    may_write: bool
    is_time_to_hold: bool
    mine: Sequence[PointLine]
    theirs: Sequence[PointLine]
    here: Sequence[ActionItem]
    before: Sequence[ActionItem]
    private: PrivateNote | None

    @property
    def title(self) -> str:
        return _("Check-in with %(name)s") % {"name": self.other.name}

    @property
    def badge(self) -> tuple[str, str, str] | None:
        """How it ended or did not: tone, words and icon."""
        if self.meeting.is_held:
            return ("ok", _("held"), "check")
        if not self.meeting.is_planned:
            return ("mute", str(self.meeting.get_cancelled_why_display()), "x")
        return ("warn", _("not marked as held"), "") if self.meeting.is_past else None

    @property
    def is_cancelled(self) -> bool:
        return not self.meeting.is_planned and not self.meeting.is_held

    @property
    def may_move(self) -> bool:
        return self.meeting.is_planned and self.may_write

    may_add = may_move

    @property
    def may_hold(self) -> bool:
        return self.may_write and self.is_time_to_hold

    @property
    def nothing_mine(self) -> str:
        """What stands in the place of one's own points where there are none."""
        if self.meeting.is_planned:
            return _("What went well, what holds you up, what do you need? One line each.")
        return _("You put nothing on this agenda.")


@dataclass(frozen=True)
class ItemPage:
    """One action or promise, for one of the two."""

    item: ActionItem
    other: Employee

    @property
    def title(self) -> str:
        return _("A promise") if self.item.is_promise else _("An action")

    @property
    def here(self) -> str:
        return _("Promise") if self.item.is_promise else _("Action")

    @property
    def whose(self) -> str:
        words = _("Promise of %(name)s") if self.item.is_promise else _("Action of %(name)s")
        return words % {"name": self.item.owner.name}

    @property
    def done_label(self) -> str:
        return _("It is kept") if self.item.is_promise else _("It is done")

    @property
    def state(self) -> str:
        """How it ended, for the badge; "" while it is open."""
        if self.item.done_at:
            return "done"
        return "withdrawn" if self.item.dropped_at else ""

    @property
    def state_word(self) -> str:
        """What the badge says instead of its usual word, if anything."""
        return _("dropped") if self.state == "withdrawn" else ""


KIND_BADGES = {Feedback.Kind.PRAISE: ("ok", "heart"), Feedback.Kind.UPWARD: ("info", "arrow-up")}


@dataclass(frozen=True)
class Piece:
    """A piece of feedback, for one of its readers."""

    feedback: Feedback
    me: int | None

    @property
    def tone(self) -> str:
        return self._badge[0]

    @property
    def icon(self) -> str:
        return self._badge[1]

    @property
    def _badge(self) -> tuple[str, str]:
        return KIND_BADGES.get(Feedback.Kind(self.feedback.kind), ("warn", "bulb"))

    @property
    def readers(self) -> str:
        """Who else reads it."""
        name = {"name": self.feedback.recipient.name}
        if self.feedback.visibility == Feedback.Visibility.PUBLIC:
            return (
                _("hidden from the wall") if self.feedback.hidden_at else _("everybody reads this")
            )
        if self.feedback.visibility == Feedback.Visibility.MANAGER:
            return _("%(name)s and their manager read this") % name
        return _("only %(name)s reads this") % name

    @property
    def is_for_me(self) -> bool:
        return self.feedback.recipient_id == self.me

    @property
    def useful_words(self) -> str:
        """What the recipient said of it, or is asked."""
        if self.feedback.was_useful is None:
            return _("Was this useful?")
        return (
            _("You found this useful.")
            if self.feedback.was_useful
            else _("You said this was not so useful.")
        )

    @property
    def may_say_useful(self) -> bool:
        return self.feedback.was_useful is not True

    @property
    def may_say_useless(self) -> bool:
        return self.feedback.was_useful is not False

    @property
    def wall(self) -> str:
        """What the recipient can do on the wall: hide, show_again or nothing."""
        if self.feedback.visibility != Feedback.Visibility.PUBLIC:
            return ""
        return "show_again" if self.feedback.hidden_at else "hide"

    @property
    def came_back(self) -> str:
        """What the giver hears of how it was taken; "" for all others and before anything was said."""
        if self.feedback.giver_id != self.me or self.is_for_me or self.feedback.was_useful is None:
            return ""
        words = _("%(name)s could not use this so well. Perhaps talk about it.")
        if self.feedback.was_useful:
            words = _("%(name)s found this useful.")
        return words % {"name": self.feedback.recipient.name}


@dataclass(frozen=True)
class Asked:
    """A request for feedback that waits for the reader."""

    request: FeedbackRequest

    @property
    def words(self) -> str:
        names = {"name": self.request.requester.name, "about": self.request.about.name}
        if self.request.requester_id == self.request.about_id:
            return _("%(name)s asks about their own work") % names
        return _("%(name)s asks about %(about)s") % names


@dataclass(frozen=True)
class Nothing:
    """What stands where a list of feedback is empty; `to` is "" where there is nothing to do."""

    icon: str
    text: str
    label: str = ""
    to: str = ""
    note: str = ""


def nothing_of(show: str, *, is_filtered: bool, works_here: bool) -> Nothing:
    """What to say of an empty tab, and what to do next."""
    give = "feedback:give" if works_here else ""
    if is_filtered:
        return Nothing("search", _("Nothing matches."), _("Show all"), "?")
    if show == "given":
        text = _("You have not given any feedback yet.")
        return Nothing("heart", text, _("Who did something well this week?"), give)
    if show == "praise":
        return Nothing("heart", _("No praise on the wall yet."), _("Be the first"), give)
    if show == "team":
        return Nothing("message", _("Nothing has been shared with you yet."))
    return Nothing(
        "message",
        _("Nobody has written to you yet."),
        _("Ask somebody"),
        "feedback:request_feedback" if works_here else "",
        _("One question about something they have seen is answered best."),
    )


def audience_of(show: str) -> str:
    """Who reads what a tab of feedback holds."""
    if show == "praise":
        return _("Everybody who works here reads this wall.")
    if show == "team":
        return _("You, as their manager: only what the giver chose to share with you.")
    return _("You. Each piece says who else reads it; that was fixed before it was written.")
