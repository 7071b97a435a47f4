"""Who may open and do what: every named URL × every relation to Ana. A URL without a row fails the build.

Every answer to somebody who is no party to what it shows of Ana leaves a line in the trail about her, and no
other does: `noted`. Where a row does not say it, they are derived from `may` (`Row.looked_at_by`). Of the answers
to a POST those count that draw a page: the form again with its errors, or what took its place.

`may` lists who gets an answer (a page, a redirect, a field error or a refusal of state); `told` who
gets 403 with a reason, because they may know that the thing exists; everybody else gets 404, and
an anonymous visitor is sent to sign in. `anonymous` in `may` makes a URL public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import World
from tests.factories import (
    activity,
    appraisals,
    cycles,
    evaluations,
    feedback,
    goals,
    incentives,
    people,
)

EVERYBODY = "owner manager former_manager skip_level other_manager colleague hr_partner other_hr_partner hr_admin auditor it_admin"
ANYBODY = f"anonymous {EVERYBODY}"
STAFF = "owner manager former_manager skip_level other_manager colleague hr_partner other_hr_partner hr_admin"
NOT_HR_ADMIN = "owner manager former_manager skip_level other_manager colleague hr_partner other_hr_partner"
EVALUATION_READERS = "owner manager skip_level hr_partner hr_admin"

# Who may see Ana's public profile, and learns so that changing it is HR's.
COLLEAGUES = STAFF.replace(" hr_admin", "") + " auditor"
# The two whom a goal concerns; who reads it without deciding; all of them.
PAIR = "owner manager"
ABOVE = "skip_level hr_partner hr_admin"
LINE = f"{PAIR} {ABOVE}"
# Who works neither on Ana's records nor has a part in them. What a former manager reads is what they wrote.
NO_PARTY = {
    "skip_level",
    "other_manager",
    "hr_partner",
    "other_hr_partner",
    "hr_admin",
    "auditor",
    "it_admin",
}
# Everybody who may know that a launched cycle exists, but not run it.
NOT_HR_ADMIN = (
    "owner manager former_manager skip_level other_manager colleague hr_partner other_hr_partner auditor"
)


@dataclass(frozen=True)
class Row:
    """One URL in one state of its object. `build` makes the object and returns the URL's arguments."""

    url_name: str
    may: str
    told: str = ""
    method: str = "get"
    build: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    data: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    state: str = ""
    noted: str | None = None

    def looked_at_by(self) -> set[str]:
        """Whose look is noted: unless the row says it, of whom a page of Ana and her manager lets in besides them."""
        if self.noted is not None:
            return set(self.noted.split())
        may = set(self.may.split())
        is_of_the_pair = may & {"owner", "manager"} and "colleague" not in may
        return may & NO_PARTY if is_of_the_pair else set()


def version_1(world: World) -> dict[str, Any]:
    """What a form about a fresh row sends."""
    return {"version": 1}


ROWS: list[Row] = [
    # --- home
    Row("home:index", may=EVERYBODY),
    Row("home:team", may="manager skip_level other_manager hr_admin", noted=""),
    Row("home:palette", may=EVERYBODY),
    Row("home:search", may=EVERYBODY),
    # Probes and search engines have no account.
    Row("home:livez", may=ANYBODY),
    Row("home:readyz", may=ANYBODY),
    Row("home:robots", may=ANYBODY),
    Row("home:favicon", may=ANYBODY),
    Row("ui:set_theme", method="post", may=ANYBODY),
    Row("home:hub", may=cycles.HR, build=cycles.running),
    Row("home:hub", may=cycles.HR, build=cycles.draft, state="draft"),
    Row(
        "home:person",
        may=f"{STAFF} auditor",
        build=people.ana,
        noted=f"{ABOVE} auditor",
    ),
    Row("home:board", may=cycles.HR, build=cycles.running),
    Row("home:remind", may=cycles.HR, build=cycles.running),
    Row("home:remind", may=cycles.HR, method="post", build=cycles.running),
    # --- people
    Row("people:org_chart", may=STAFF + " auditor"),
    Row("people:reports", may=STAFF + " auditor", build=people.bashir),
    Row("people:picker", may=EVERYBODY),
    Row("people:profile", may=STAFF + " auditor", build=people.ana, noted="hr_partner hr_admin"),
    *(
        Row(name, method=method, may="hr_admin", told=COLLEAGUES, build=people.ana, noted="hr_admin")
        for name, method in (
            ("people:edit_employee", "get"),
            ("people:edit_employee", "post"),
            ("people:change_manager", "post"),
            ("people:add_absence", "post"),
            ("people:set_leave_date", "post"),
        )
    ),
    Row(
        "people:end_absence",
        method="post",
        may="hr_admin",
        told="owner hr_partner",
        build=people.absence_of_ana,
        noted="hr_admin",
    ),
    # The world is set up, so the first visit is over for everybody, signed in or not.
    Row("people:first_visit", may=""),
    # Who sends its form all the same, a second time or as the second, is led on.
    Row("people:first_visit", may=EVERYBODY, method="post"),
    Row("people:accept_invitation", may="anonymous " + EVERYBODY, build=lambda w: {"token": "no-such-token"}),
    Row("people:accounts", may="hr_admin it_admin"),
    Row("people:account", may="hr_admin it_admin", build=people.account_of_ana),
    Row("people:invite", method="post", may="hr_admin"),
    *(
        Row(name, method="post", may="hr_admin it_admin", build=people.account_of_ana)
        for name in ("people:invite_again", "people:deactivate", "people:reactivate", "people:request_role")
    ),
    *(
        Row(name, method="post", may="hr_admin it_admin", build=people.role_request)
        for name in ("people:approve_role", "people:withdraw_role")
    ),
    Row("people:change_address", may=EVERYBODY),
    Row("people:change_address", method="post", may=EVERYBODY),
    Row("people:request_address", method="post", may="hr_admin", build=people.account_of_ana),
    # Whose address it is sees that somebody asks for another, and takes it back.
    Row("people:approve_address", method="post", may="hr_admin", build=people.address_of_ana),
    Row("people:withdraw_address", method="post", may="owner hr_admin", build=people.address_of_ana),
    # Who reads the mail that went to the new address.
    *(
        Row("people:confirm_address", method=method, may=ANYBODY, build=lambda w: {"token": "no-such-token"})
        for method in ("get", "post")
    ),
    Row("people:end_role", method="post", may="hr_admin it_admin", build=people.role_of_ines),
    Row("people:settings", may=EVERYBODY),
    Row("people:settings", method="post", may=EVERYBODY),
    Row("people:calendar", may="hr_admin it_admin"),
    Row("people:set_working_days", method="post", may="hr_admin it_admin"),
    Row("people:add_holiday", method="post", may="hr_admin it_admin"),
    Row("people:remove_holiday", method="post", may="hr_admin it_admin", build=people.holiday),
    Row("people:tokens", may=EVERYBODY),
    Row("people:tokens", method="post", may=EVERYBODY),
    Row("people:revoke_token", method="post", may="owner", build=people.token_of_ana),
    Row("people:imports", may="hr_admin"),
    Row("people:upload_import", method="post", may="hr_admin"),
    *(
        Row(name, method=method, may="hr_admin", build=people.rehearsed_import)
        for name, method in (
            ("people:map_columns", "get"),
            ("people:map_columns", "post"),
            ("people:reread", "post"),
            ("people:rehearsal", "get"),
            ("people:rehearse", "post"),
            ("people:settle", "post"),
            ("people:leave_out_refused", "post"),
            ("people:apply_import", "post"),
            ("people:export_import", "post"),
        )
    ),
    Row(
        "people:export_import",
        method="post",
        may="hr_admin",
        build=people.applied_ranges,
        state="of pay ranges",
    ),
    # --- cycles
    Row("cycles:list", may=EVERYBODY),
    Row("cycles:create", may="hr_admin", told="hr_partner other_hr_partner"),
    Row("cycles:create", may="hr_admin", told="hr_partner other_hr_partner", method="post"),
    Row("cycles:detail", may=f"{STAFF} auditor", build=cycles.running),
    Row("cycles:detail", may=cycles.HR, build=cycles.draft, state="draft"),
    Row("cycles:configure", may=cycles.HR, build=cycles.draft_step, state="draft"),
    Row("cycles:configure", may=cycles.HR, build=cycles.running_step, state="running"),
    Row("cycles:configure", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.draft_step),
    Row("cycles:preview", may=cycles.HR, build=cycles.draft),
    Row("cycles:exceptions", may=cycles.HR, build=cycles.running),
    Row("cycles:exceptions", may="", build=cycles.draft, state="draft"),
    Row("cycles:accept_warning", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.draft),
    Row("cycles:launch", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.draft),
    Row("cycles:discard", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.draft),
    *(
        Row(
            name,
            may="hr_admin",
            told=told,
            build=build,
            noted="hr_admin" if build is cycles.part_of_ana or name in cycles.ENDS else "",
        )
        for name, told, build in (
            ("cycles:close", cycles.PARTNERS, cycles.running),
            ("cycles:add_person", cycles.PARTNERS, cycles.running),
            ("cycles:open_stage", cycles.PARTNERS, cycles.closed_stage),
            ("cycles:close_stage", cycles.PARTNERS, cycles.first_stage),
            ("cycles:postpone_stage", cycles.PARTNERS, cycles.first_stage),
            ("cycles:extend", "hr_partner", cycles.part_of_ana),
            ("cycles:transfer", "hr_partner", cycles.part_of_ana),
            ("cycles:mark_left", "hr_partner", cycles.part_of_ana),
            ("cycles:return_person", "hr_partner", cycles.part_of_a_leaver),
        )
    ),
    Row(
        "cycles:close",
        may="hr_admin",
        told=cycles.PARTNERS,
        method="post",
        build=cycles.running,
        noted="hr_admin",
    ),
    Row("cycles:request_reopening", may="hr_admin", told=cycles.PARTNERS, build=cycles.closed),
    Row("cycles:request_reopening", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.closed),
    Row("cycles:approve_reopening", may="hr_admin", method="post", build=cycles.reopening),
    Row("cycles:withdraw_reopening", may="hr_admin", method="post", build=cycles.reopening),
    Row("cycles:archive", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.running),
    Row("cycles:add_person", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.running),
    Row("cycles:open_stage", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.first_stage),
    Row(
        "cycles:close_stage",
        may="hr_admin",
        told=cycles.PARTNERS,
        method="post",
        build=cycles.first_stage,
        noted="hr_admin",
    ),
    Row(
        "cycles:postpone_stage", may="hr_admin", told=cycles.PARTNERS, method="post", build=cycles.first_stage
    ),
    Row(
        "cycles:life_line",
        may="hr_partner hr_admin",
        build=cycles.part_of_ana,
        noted="hr_partner hr_admin",
    ),
    Row(
        "cycles:extend",
        may="hr_admin",
        told="hr_partner",
        method="post",
        build=cycles.part_of_ana,
        noted="hr_admin",
    ),
    Row(
        "cycles:transfer",
        may="hr_admin",
        told="hr_partner",
        method="post",
        build=cycles.part_of_ana,
        noted="hr_admin",
    ),
    Row(
        "cycles:mark_left",
        may="hr_admin",
        told="hr_partner",
        method="post",
        build=cycles.part_of_ana,
        noted="hr_admin",
    ),
    Row(
        "cycles:return_person",
        may="hr_admin",
        told="hr_partner",
        method="post",
        build=cycles.part_of_a_leaver,
    ),
    Row(
        "cycles:life_line",
        may="hr_partner hr_admin",
        build=cycles.part_of_a_leaver,
        state="of somebody who has left",
    ),
    Row("cycles:life_line", may="", build=cycles.part_of_kim, state="of the HR admin"),
    Row("cycles:transfer", may="", method="post", build=cycles.part_of_kim, state="of the HR admin"),
    # --- activity
    Row("activity:unsent", may=EVERYBODY),
    # A text that was not taken is its author's alone.
    Row("activity:throw_away", method="post", may="owner", build=activity.text_of_ana),
    Row("activity:inbox", may=EVERYBODY),
    Row("activity:read_all", method="post", may=EVERYBODY),
    Row("activity:open_notice", method="post", may="owner", build=activity.notice_of_ana),
    Row("activity:draft", may=EVERYBODY, build=lambda w: {"key": "probe"}),
    *(
        Row("activity:draft", method=method, may=EVERYBODY, build=lambda w: {"key": "probe"})
        for method in ("post", "put", "delete")
    ),
    Row("activity:job", may="owner hr_admin", build=activity.job_of_ana, noted=""),
    Row("activity:job", may="hr_admin", build=activity.failed_launch, state="failed", noted=""),
    Row("activity:retry_job", method="post", may="hr_admin", build=activity.failed_job, state="refused"),
    Row(
        "activity:retry_job",
        method="post",
        may="hr_admin it_admin",
        build=activity.broken_job,
        state="broken",
    ),
    Row("activity:trail", may="hr_partner other_hr_partner auditor it_admin"),
    Row("activity:export_trail", may="hr_partner other_hr_partner auditor it_admin"),
    Row("activity:chain", may="auditor it_admin"),
    Row("activity:who_looked", may=STAFF),
    Row("activity:deliveries", may="hr_partner other_hr_partner hr_admin"),
    Row("activity:operations", may="it_admin"),
    Row(
        "activity:retry_delivery",
        method="post",
        may="it_admin",
        told="hr_admin hr_partner",
        build=activity.failed_mail,
    ),
    *(
        Row(name, method="post", may="hr_admin it_admin", build=activity.held_life)
        for name in ("activity:let_mails_go", "activity:drop_older_mails")
    ),
    # The mailbox exists in a development run only.
    Row("activity:mailbox", may=""),
    Row("activity:mail", may="", build=lambda w: {"name": "20260101T000000000000-00000000.eml"}),
    Row("activity:mail_page", may="", build=lambda w: {"name": "20260101T000000000000-00000000.eml"}),
    # --- feedback
    Row("feedback:conversation", may="owner manager", build=feedback.thread_of_ana),
    Row(
        "feedback:conversation",
        state="former manager wrote here",
        may="owner manager former_manager",
        build=feedback.thread_with_words_of_farid,
    ),
    Row(
        "feedback:say",
        method="post",
        may="owner manager",
        build=feedback.thread_with_words_of_farid,
        data=lambda w: {"body": "How is the new line going?"},
    ),
    Row("feedback:list", may=EVERYBODY),
    Row("feedback:give", may=STAFF),
    Row("feedback:give", method="post", may=STAFF),
    Row("feedback:request_feedback", may=STAFF),
    Row("feedback:request_feedback", method="post", may=STAFF),
    Row("feedback:answer", may="owner", told="colleague", build=feedback.request_to_ana),
    Row("feedback:answer", method="post", may="owner", told="colleague", build=feedback.request_to_ana),
    Row(
        "feedback:decline",
        method="post",
        may="owner",
        told="colleague",
        build=feedback.request_to_ana,
        data=version_1,
    ),
    Row(
        "feedback:say_useful",
        method="post",
        may="owner",
        told="colleague",
        build=feedback.feedback_for_ana,
        data=lambda w: {"version": 1, "was_useful": "1"},
    ),
    Row(
        "feedback:hide",
        method="post",
        may="owner",
        told="colleague",
        build=feedback.feedback_for_ana,
        data=version_1,
    ),
    Row(
        "feedback:hide",
        method="post",
        state="praise that all may read",
        may="owner",
        told="manager former_manager skip_level other_manager colleague hr_partner other_hr_partner hr_admin",
        build=feedback.praise_for_ana,
        data=version_1,
    ),
    Row(
        "feedback:show_again",
        method="post",
        may="owner",
        told="manager former_manager skip_level other_manager colleague hr_partner other_hr_partner hr_admin",
        build=feedback.praise_for_ana,
        data=version_1,
    ),
    Row("feedback:check_ins", may=EVERYBODY),
    Row("feedback:check_in", may="owner manager", build=feedback.meeting_of_ana),
    Row(
        "feedback:check_in",
        state="held before the change",
        may="owner former_manager",
        build=feedback.meeting_held_with_farid,
    ),
    Row("feedback:hold", method="post", may="owner manager", build=feedback.meeting_of_ana, data=version_1),
    Row("feedback:move_check_in", may="owner manager", build=feedback.meeting_of_ana),
    Row(
        "feedback:move_check_in",
        method="post",
        may="owner manager",
        build=feedback.meeting_of_ana,
        data=version_1,
    ),
    Row(
        "feedback:cancel_check_in",
        method="post",
        may="owner manager",
        build=feedback.meeting_of_ana,
        data=version_1,
    ),
    Row(
        "feedback:add_point",
        method="post",
        may="owner manager",
        build=feedback.meeting_of_ana,
        data=lambda w: {"text": "x"},
    ),
    Row(
        "feedback:add_point",
        method="post",
        state="held before the change",
        may="",
        told="owner former_manager",
        build=feedback.meeting_held_with_farid,
    ),
    Row(
        "feedback:write_note",
        method="post",
        may="owner manager",
        build=feedback.meeting_of_ana,
        data=version_1,
    ),
    Row(
        "feedback:write_note",
        method="post",
        state="held before the change",
        may="",
        told="owner former_manager",
        build=feedback.meeting_held_with_farid,
        data=version_1,
    ),
    Row(
        "feedback:write_private_note",
        method="post",
        may="owner manager",
        build=feedback.meeting_of_ana,
        data=version_1,
    ),
    Row(
        "feedback:write_private_note",
        method="post",
        state="held before the change",
        may="owner former_manager",
        build=feedback.meeting_held_with_farid,
        data=version_1,
    ),
    Row("feedback:add_action", method="post", may="owner manager", build=feedback.meeting_of_ana),
    Row("feedback:ics", may="owner manager", build=feedback.meeting_of_ana),
    Row("feedback:edit_point", may="owner", build=feedback.point_of_ana),
    Row("feedback:edit_point", method="post", may="owner", build=feedback.point_of_ana),
    Row("feedback:remove_point", method="post", may="owner", build=feedback.point_of_ana, data=version_1),
    Row(
        "feedback:tick_point",
        method="post",
        may="owner manager",
        build=feedback.point_of_ana,
        data=lambda w: {"done": "1"},
    ),
    Row("feedback:turn_into_action", may="owner manager", build=feedback.point_of_ana),
    Row("feedback:turn_into_action", method="post", may="owner manager", build=feedback.point_of_ana),
    Row("feedback:item", may="owner manager", build=feedback.action_of_ana),
    Row(
        "feedback:item",
        state="before the change",
        may="owner former_manager",
        build=feedback.action_from_the_time_of_farid,
    ),
    Row("feedback:done", method="post", may="owner manager", build=feedback.action_of_ana, data=version_1),
    Row(
        "feedback:done",
        method="post",
        state="before the change",
        may="owner",
        told="former_manager",
        build=feedback.action_from_the_time_of_farid,
        data=version_1,
    ),
    Row("feedback:drop", method="post", may="owner manager", build=feedback.action_of_ana, data=version_1),
    Row(
        "feedback:reschedule",
        method="post",
        may="owner manager",
        build=feedback.action_of_ana,
        data=version_1,
    ),
    Row("feedback:schedule", may=STAFF),
    Row("feedback:schedule", method="post", may=STAFF),
    Row("feedback:reschedule_series", may="owner manager", build=feedback.series_of_ana),
    Row(
        "feedback:reschedule_series",
        method="post",
        may="owner manager",
        build=feedback.series_of_ana,
        data=version_1,
    ),
    Row(
        "feedback:end_series",
        method="post",
        may="owner manager",
        build=feedback.series_of_ana,
        data=version_1,
    ),
    Row("feedback:share_calendar", method="post", may=EVERYBODY),
    Row("feedback:revoke_calendar", method="post", may=EVERYBODY),
    # The secret address is the key: a calendar program does not sign in.
    Row("feedback:calendar", may=f"anonymous {EVERYBODY}", build=feedback.calendar_of_ana),
    # --- goals
    Row("goals:list", may=EVERYBODY),
    Row("goals:of", may=f"{LINE} former_manager", build=goals.of_ana),
    Row("goals:propose", may=PAIR, told=ABOVE, build=goals.of_ana),
    Row("goals:propose", may=PAIR, told=ABOVE, method="post", build=goals.of_ana),
    Row("goals:draft", may=PAIR, told=ABOVE, method="post", build=goals.of_ana),
    Row("goals:agree_set", may=PAIR, told=ABOVE, method="post", build=goals.of_ana),
    Row("goals:contributions", may=LINE, build=goals.of_ana),
    Row("goals:contribute", may="owner", told=f"manager {ABOVE}", method="post", build=goals.of_ana),
    Row("goals:company", may=f"{STAFF} auditor", build=goals.of_cycle),
    Row("goals:publish", may="hr_admin", told=NOT_HR_ADMIN, build=goals.of_cycle),
    Row("goals:publish", may="hr_admin", told=NOT_HR_ADMIN, method="post", build=goals.of_cycle),
    Row("goals:republish", may="hr_admin", told=f"{NOT_HR_ADMIN} auditor", build=goals.a_published),
    Row(
        "goals:republish",
        may="hr_admin",
        told=f"{NOT_HR_ADMIN} auditor",
        method="post",
        build=goals.a_published,
    ),
    Row("goals:republish", may="", build=goals.an_agreed, state="of two people"),
    Row("goals:assign", may="manager skip_level other_manager hr_admin", build=goals.of_cycle, noted=""),
    Row(
        "goals:assign",
        may="manager skip_level other_manager hr_admin",
        method="post",
        build=goals.of_cycle,
        noted="",
    ),
    Row("goals:detail", may="owner", build=goals.a_draft, state="draft"),
    Row("goals:detail", may=LINE, build=goals.a_proposal, state="proposed"),
    Row("goals:detail", may=LINE, build=goals.an_agreed, state="agreed"),
    Row(
        "goals:detail",
        may=f"{PAIR} hr_partner hr_admin",
        build=goals.a_private,
        state="agreed, kept to the pair",
    ),
    Row("goals:detail", may=STAFF, build=goals.an_open, state="agreed, open to everyone", noted=ABOVE),
    Row("goals:detail", may=f"{STAFF} auditor", build=goals.a_published, state="of the company"),
    Row("goals:edit", may="owner", build=goals.a_draft),
    Row("goals:edit", may="owner", method="post", build=goals.a_draft),
    Row("goals:propose_draft", may="owner", method="post", build=goals.a_draft),
    Row("goals:counter", may=PAIR, told=ABOVE, build=goals.a_proposal),
    Row("goals:counter", may=PAIR, told=ABOVE, method="post", build=goals.a_proposal),
    Row("goals:accept", may=PAIR, told=ABOVE, method="post", build=goals.a_proposal, data=goals.version_one),
    Row(
        "goals:withdraw", may=PAIR, told=ABOVE, method="post", build=goals.a_proposal, data=goals.version_one
    ),
    Row("goals:align", may=PAIR, told=ABOVE, build=goals.an_agreed),
    Row("goals:align", may=PAIR, told=ABOVE, method="post", build=goals.an_agreed, data=goals.version_one),
    Row("goals:request_change", may=PAIR, told=ABOVE, build=goals.an_agreed),
    Row("goals:request_change", may=PAIR, told=ABOVE, method="post", build=goals.an_agreed),
    Row("goals:counter_change", may=PAIR, told=ABOVE, build=goals.a_change),
    Row("goals:counter_change", may=PAIR, told=ABOVE, method="post", build=goals.a_change),
    Row(
        "goals:accept_change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row(
        "goals:decline_change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row(
        "goals:withdraw_change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row("goals:record_progress", may=PAIR, told=ABOVE, build=goals.a_key_result),
    Row("goals:record_progress", may=PAIR, told=ABOVE, method="post", build=goals.a_key_result),
    Row(
        "goals:record_progress",
        may="hr_admin",
        told=NOT_HR_ADMIN,
        method="post",
        build=goals.a_published_key_result,
        state="of the company",
    ),
    Row(
        "goals:contribution",
        may=f"{PAIR} skip_level colleague hr_partner",
        build=goals.a_contribution,
        noted="skip_level hr_partner",
    ),
    Row(
        "goals:confirm_contribution",
        may="colleague",
        told="owner manager skip_level hr_partner",
        method="post",
        build=goals.a_contribution,
        data=goals.version_one,
    ),
    Row(
        "goals:decline_contribution",
        may="colleague",
        told="owner manager skip_level hr_partner",
        method="post",
        build=goals.a_contribution,
        data=goals.version_one,
    ),
    # --- appraisals
    Row("appraisals:list", may=EVERYBODY),
    Row("appraisals:write", state="self, draft", may="owner", build=appraisals.own_draft),
    Row("appraisals:write", state="manager, draft", may="manager", build=appraisals.manager_draft),
    Row(
        "appraisals:write",
        state="manager, draft of the former one",
        may="",
        told="former_manager",
        build=appraisals.former_managers_draft,
    ),
    Row("appraisals:read", state="self, draft", may="owner", build=appraisals.own_draft),
    Row(
        "appraisals:read",
        state="self, submitted",
        may="owner manager skip_level hr_partner hr_admin",
        build=appraisals.own_submitted,
    ),
    Row(
        "appraisals:read",
        state="self, submitted before the manager wrote",
        may="owner skip_level hr_partner hr_admin",
        build=appraisals.own_submitted_first,
    ),
    Row("appraisals:read", state="manager, draft", may="manager", build=appraisals.manager_draft),
    Row(
        "appraisals:read",
        state="manager, draft of the former one",
        may="former_manager",
        build=appraisals.former_managers_draft,
    ),
    Row(
        "appraisals:read",
        state="manager, submitted",
        may="manager skip_level hr_partner hr_admin",
        build=appraisals.manager_submitted,
    ),
    Row(
        "appraisals:read",
        state="manager, released",
        may="owner manager skip_level hr_partner hr_admin",
        build=appraisals.manager_released,
    ),
    Row("appraisals:autosave", method="post", state="self, draft", may="owner", build=appraisals.own_draft),
    Row(
        "appraisals:autosave",
        method="post",
        state="manager, draft",
        may="manager",
        build=appraisals.manager_draft,
    ),
    Row("appraisals:submit", method="post", state="self, draft", may="owner", build=appraisals.own_draft),
    Row(
        "appraisals:submit",
        method="post",
        state="manager, submitted",
        may="manager",
        told="skip_level hr_partner hr_admin",
        build=appraisals.manager_submitted,
    ),
    Row(
        "appraisals:cite",
        method="post",
        may="manager",
        told="skip_level hr_partner hr_admin",
        build=appraisals.manager_submitted,
    ),
    Row(
        "appraisals:return_for_rework",
        method="post",
        state="manager, submitted",
        may="skip_level hr_admin",
        told="manager hr_partner",
        build=appraisals.manager_submitted,
        noted="skip_level hr_admin",
    ),
    Row(
        "appraisals:reopen",
        method="post",
        state="self, submitted",
        may="hr_admin",
        told="owner manager skip_level hr_partner",
        build=appraisals.own_submitted,
        noted="hr_admin",
    ),
    Row(
        "appraisals:result",
        may="owner manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row(
        "appraisals:result_pdf",
        may="owner manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row(
        "appraisals:acknowledge",
        method="post",
        may="owner",
        told="manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row(
        "appraisals:file_appeal",
        method="post",
        may="owner",
        told="manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row("appraisals:appeal", may="owner skip_level hr_partner hr_admin", build=appraisals.appeal_of_ana),
    Row(
        "appraisals:decide_appeal",
        method="post",
        may="",
        told="owner skip_level hr_partner hr_admin",
        build=appraisals.appeal_of_ana,
    ),
    Row(
        "appraisals:release",
        may="hr_admin",
        told=NOT_HR_ADMIN,
        build=appraisals.the_cycle,
        noted="hr_admin",
    ),
    Row(
        "appraisals:request_release",
        method="post",
        may="hr_admin",
        told=NOT_HR_ADMIN,
        build=appraisals.the_cycle,
        noted="hr_admin",
    ),
    Row("appraisals:approve_release", method="post", may="hr_admin", build=appraisals.waiting_release),
    Row("appraisals:withdraw_release", method="post", may="hr_admin", build=appraisals.waiting_release),
    Row("appraisals:calibrations", may="hr_partner other_hr_partner hr_admin", build=appraisals.the_cycle),
    Row(
        "appraisals:open_calibration",
        method="post",
        may="hr_admin",
        told=NOT_HR_ADMIN,
        build=appraisals.the_cycle,
    ),
    Row(
        "appraisals:calibration",
        may="hr_partner hr_admin",
        build=appraisals.session_of_production,
        noted="hr_partner hr_admin",
    ),
    Row(
        "appraisals:move_rating",
        method="post",
        may="hr_admin",
        told="hr_partner",
        build=appraisals.card_of_ana,
        noted="hr_admin",
    ),
    Row(
        "appraisals:close_calibration",
        method="post",
        may="hr_admin",
        told="hr_partner",
        build=appraisals.session_of_production,
    ),
    Row("appraisals:form", may="hr_admin", told=NOT_HR_ADMIN, build=appraisals.the_cycle),
    Row(
        "appraisals:choose_form", method="post", may="hr_admin", told=NOT_HR_ADMIN, build=appraisals.the_cycle
    ),
    Row("appraisals:save_form", method="post", may="hr_admin", told=NOT_HR_ADMIN, build=appraisals.the_cycle),
    Row("appraisals:preview", may="hr_admin", told=NOT_HR_ADMIN, build=appraisals.the_cycle),
    # --- incentives
    Row("incentives:mine", may=EVERYBODY),
    Row(
        "incentives:plan",
        may="hr_partner other_hr_partner hr_admin auditor",
        build=incentives.cycle_with_draft,
    ),
    Row(
        "incentives:start_plan",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.cycle_of,
    ),
    Row(
        "incentives:add_component",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.cycle_with_draft,
        data=lambda w: {"kind": "one_off"},
    ),
    Row(
        "incentives:publish",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.cycle_with_draft,
    ),
    Row(
        "incentives:rehearse",
        may="hr_partner other_hr_partner hr_admin auditor",
        build=incentives.cycle_with_draft,
    ),
    Row(
        "incentives:criteria",
        state="nothing published",
        may=f"{STAFF} auditor",
        build=incentives.cycle_with_draft,
    ),
    Row(
        "incentives:criteria",
        state="published",
        may=f"{STAFF} auditor",
        build=incentives.cycle_with_published,
    ),
    Row(
        "incentives:what_if",
        build=incentives.cycle_with_published,
        may="owner manager former_manager other_manager colleague hr_partner other_hr_partner hr_admin",
    ),
    Row(
        "incentives:edit_component",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:edit_component",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:remove_component",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:add_rule",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:add_rule",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:set_pools",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:set_pools",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.component_of_plan,
    ),
    Row(
        "incentives:edit_rule",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.rule_of_plan,
    ),
    Row(
        "incentives:edit_rule",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.rule_of_plan,
    ),
    Row(
        "incentives:move_rule",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.rule_of_plan,
    ),
    Row(
        "incentives:remove_rule",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.rule_of_plan,
    ),
    Row(
        "incentives:run",
        may="hr_partner other_hr_partner hr_admin",
        build=incentives.cycle_calculated,
        noted="hr_partner hr_admin",
    ),
    Row(
        "incentives:calculate",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.cycle_with_published,
    ),
    Row(
        "incentives:open_supplement",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner auditor",
        build=incentives.cycle_with_left_out,
    ),
    Row(
        "incentives:open_recommending",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner",
        build=incentives.run_recommending,
    ),
    # It leads to the page of the plan, which notes who looks.
    Row(
        "incentives:one_run",
        may="hr_admin",
        told="hr_partner other_hr_partner",
        build=incentives.run_approved,
        noted="",
    ),
    Row(
        "incentives:approve",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner",
        build=incentives.run_recommending,
        noted="hr_admin",
    ),
    Row(
        "incentives:release",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner",
        build=incentives.run_approved,
        noted="hr_admin",
    ),
    Row(
        "incentives:export_payroll",
        method="post",
        may="hr_admin",
        told="hr_partner other_hr_partner",
        build=incentives.run_released,
    ),
    Row("incentives:payroll_file", may="hr_admin", build=incentives.export_of_run, noted="hr_admin"),
    Row(
        "incentives:award",
        state="before release",
        may="manager skip_level hr_partner hr_admin",
        build=incentives.award_before_release,
    ),
    Row(
        "incentives:award",
        state="released",
        may="owner manager skip_level hr_partner hr_admin",
        build=incentives.award_released,
    ),
    Row(
        "incentives:adjust",
        method="post",
        may="manager",
        told="skip_level hr_partner hr_admin",
        build=incentives.award_before_release,
        data=lambda w: {"amount": "1000", "version": "1"},
    ),
    Row(
        "incentives:settle",
        method="post",
        may="hr_admin",
        build=incentives.award_before_release,
        noted="hr_admin",
    ),
    Row("incentives:sheets", may="manager skip_level other_manager hr_admin", noted=""),
    # The team of Bashir is chosen on the page: tests/activity/test_looking.py.
    Row(
        "incentives:sheet",
        may="manager skip_level other_manager hr_admin",
        build=incentives.run_recommending,
        # What opens first for HR is another team than Ana's.
        noted="",
    ),
    # It leads to the team's sheet, which notes who looks.
    Row("incentives:team", may="manager skip_level hr_admin", build=incentives.team_handed_in, noted=""),
    Row(
        "incentives:hand_in",
        method="post",
        may="manager skip_level other_manager hr_admin",
        build=incentives.run_recommending,
    ),
    Row(
        "incentives:decide_team",
        method="post",
        may="skip_level hr_admin",
        build=incentives.run_handed_in,
        data=lambda w: {"act": "approve"},
    ),
    Row("incentives:restraints", may=EVERYBODY),
    Row(
        "incentives:propose_restraint",
        may="manager skip_level hr_partner hr_admin",
        build=incentives.participation_of_ana,
    ),
    Row(
        "incentives:propose_restraint",
        method="post",
        may="manager skip_level hr_partner hr_admin",
        build=incentives.participation_of_ana,
    ),
    Row(
        "incentives:restraint",
        may="owner manager skip_level hr_partner hr_admin",
        build=incentives.restraint_of_ana,
    ),
    Row("incentives:answer", method="post", may="owner", build=incentives.restraint_of_ana),
    Row(
        "incentives:decide",
        method="post",
        may="hr_partner hr_admin",
        build=incentives.restraint_of_ana,
        noted="hr_partner hr_admin",
    ),
    Row(
        "incentives:statement",
        may="owner manager skip_level hr_partner hr_admin",
        build=incentives.statement_of_ana,
    ),
    Row(
        "incentives:statement_pdf",
        may="owner manager skip_level hr_partner hr_admin",
        build=incentives.statement_of_ana,
    ),
    Row(
        "incentives:acknowledge",
        method="post",
        may="owner",
        told="manager skip_level hr_partner hr_admin",
        build=incentives.statement_of_ana,
    ),
    # --- evaluations
    Row("evaluations:list", may=EVERYBODY),
    Row("evaluations:write", may="manager", build=lambda w: {"pk": w.ana_part.pk}),
    Row("evaluations:write", method="post", may="manager", build=lambda w: {"pk": w.ana_part.pk}),
    Row("evaluations:autosave", method="post", may="manager", build=lambda w: {"pk": w.ana_part.pk}),
    Row("evaluations:read", state="draft", may="", build=evaluations.of_ana),
    Row("evaluations:read", state="shared", may=EVALUATION_READERS, build=evaluations.shared_with_ana),
    Row("evaluations:read", state="signed", may=EVALUATION_READERS, build=evaluations.signed_by_ana),
    Row(
        "evaluations:sign",
        method="post",
        may="owner manager",
        told="skip_level hr_partner hr_admin",
        build=evaluations.shared_with_ana,
    ),
    Row(
        "evaluations:take_back",
        method="post",
        may="manager",
        told="owner skip_level hr_partner hr_admin",
        build=evaluations.shared_with_ana,
    ),
    Row("evaluations:throw_away", method="post", may="manager", build=evaluations.begun_about_ana),
    Row(
        "evaluations:cycle",
        state="counted",
        may="hr_partner other_hr_partner hr_admin auditor",
        build=evaluations.counted,
    ),
    Row("evaluations:cycle", state="published", may=f"{STAFF} auditor", build=evaluations.published),
    Row(
        "evaluations:compute",
        method="post",
        may="hr_admin",
        told=f"{NOT_HR_ADMIN} auditor",
        build=evaluations.of_cycle,
    ),
    Row(
        "evaluations:publish",
        method="post",
        may="hr_admin",
        told=f"{NOT_HR_ADMIN} auditor",
        build=evaluations.counted,
    ),
    Row(
        "evaluations:carry_over",
        method="post",
        may="hr_admin",
        told=f"{NOT_HR_ADMIN} auditor",
        build=evaluations.of_cycle,
    ),
    # --- api
    Row("api:todo-list", may=EVERYBODY),
    Row("api:todo-detail", may="owner", build=activity.a_todo),
    Row("api:appraisal-list", may=EVERYBODY),
    Row("api:appraisal-detail", state="self, draft", may="owner", build=appraisals.own_draft),
    Row(
        "api:appraisal-detail",
        state="manager, submitted",
        may="manager skip_level hr_partner hr_admin",
        build=appraisals.manager_submitted,
    ),
    Row("api:appraisal-autosave", method="post", may="owner", build=appraisals.own_draft),
    Row(
        "api:appraisal-submit",
        method="post",
        state="manager, draft",
        may="manager",
        build=appraisals.manager_draft,
    ),
    Row("api:result-list", may=EVERYBODY),
    Row(
        "api:result-detail",
        may="owner manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row(
        "api:result-acknowledge",
        method="post",
        may="owner",
        told="manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row(
        "api:result-file-appeal",
        method="post",
        may="owner",
        told="manager skip_level hr_partner hr_admin",
        build=appraisals.result_of_ana,
    ),
    Row("api:goal-list", may=EVERYBODY),
    Row("api:goal-detail", may=LINE, build=goals.a_proposal),
    Row("api:goal-propose", may=PAIR, told=ABOVE, method="post", data=goals.wording),
    Row("api:goal-agree-set", may=PAIR, told=ABOVE, method="post", data=goals.seen),
    Row(
        "api:goal-accept", may=PAIR, told=ABOVE, method="post", build=goals.a_proposal, data=goals.version_one
    ),
    Row("api:goal-align", may=PAIR, told=ABOVE, method="post", build=goals.an_agreed, data=goals.version_one),
    Row(
        "api:goal-counter",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_proposal,
        data=goals.version_one,
    ),
    Row(
        "api:goal-request-change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.an_agreed,
        data=goals.version_one,
    ),
    Row(
        "api:goal-withdraw",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_proposal,
        data=goals.version_one,
    ),
    Row("api:goalchange-list", may=EVERYBODY),
    Row("api:goalchange-detail", may=LINE, build=goals.a_change),
    Row(
        "api:goalchange-accept-change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row(
        "api:goalchange-counter-change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row(
        "api:goalchange-decline-change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row(
        "api:goalchange-withdraw-change",
        may=PAIR,
        told=ABOVE,
        method="post",
        build=goals.a_change,
        data=goals.version_one,
    ),
    Row("api:keyresult-list", may=EVERYBODY),
    Row("api:keyresult-detail", may=LINE, build=goals.a_key_result),
    Row("api:keyresult-record-progress", may=PAIR, told=ABOVE, method="post", build=goals.a_key_result),
    Row("api:keyresult-updates", may=LINE, build=goals.a_key_result),
    Row("api:contribution-list", may=EVERYBODY),
    Row(
        "api:contribution-detail",
        may=f"{PAIR} skip_level colleague hr_partner",
        build=goals.a_contribution,
        noted="skip_level hr_partner",
    ),
    Row(
        "api:contribution-contribute",
        may="owner",
        told=f"manager {ABOVE}",
        method="post",
        data=goals.contributed,
    ),
    Row(
        "api:contribution-confirm-contribution",
        may="colleague",
        told="owner manager skip_level hr_partner",
        method="post",
        build=goals.a_contribution,
        data=goals.version_one,
    ),
    Row(
        "api:contribution-decline-contribution",
        may="colleague",
        told="owner manager skip_level hr_partner",
        method="post",
        build=goals.a_contribution,
        data=goals.version_one,
    ),
    Row("api:conversation-list", may=EVERYBODY),
    Row("api:conversation-detail", may="owner former_manager", build=feedback.words_of_farid),
    Row("api:conversation-say", method="post", may="owner manager", data=feedback.saying),
    Row("api:feedback-list", may=EVERYBODY),
    Row("api:feedback-detail", may="owner colleague", build=feedback.feedback_for_ana),
    Row("api:feedback-give", method="post", may=EVERYBODY),
    Row("api:feedbackrequest-list", may=EVERYBODY),
    Row("api:feedbackrequest-detail", may="owner colleague", build=feedback.request_to_ana),
    Row(
        "api:feedbackrequest-answer",
        method="post",
        may="owner",
        told="colleague",
        build=feedback.request_to_ana,
    ),
    Row(
        "api:feedbackrequest-decline",
        method="post",
        may="owner",
        told="colleague",
        build=feedback.request_to_ana,
    ),
    Row("api:checkin-list", may=EVERYBODY),
    Row("api:checkin-detail", may="owner manager", build=feedback.meeting_of_ana),
    Row(
        "api:checkin-detail",
        state="held before the change",
        may="owner former_manager",
        build=feedback.meeting_held_with_farid,
    ),
    Row("api:checkin-points", may="owner manager", build=feedback.meeting_of_ana),
    Row("api:checkin-add-point", method="post", may="owner manager", build=feedback.meeting_of_ana),
    Row("api:checkin-write-note", method="post", may="owner manager", build=feedback.meeting_of_ana),
    Row(
        "api:checkin-write-note",
        method="post",
        state="held before the change",
        may="",
        told="owner former_manager",
        build=feedback.meeting_held_with_farid,
    ),
    Row("api:checkin-hold", method="post", may="owner manager", build=feedback.meeting_of_ana),
    Row("api:checkin-add-action", method="post", may="owner manager", build=feedback.meeting_of_ana),
    Row("api:actionitem-list", may=EVERYBODY),
    Row("api:actionitem-detail", may="owner manager", build=feedback.action_of_ana),
    Row("api:actionitem-done", method="post", may="owner manager", build=feedback.action_of_ana),
    Row("api:schema", may=EVERYBODY),
    Row("api:docs", may=EVERYBODY),
]

# Pages of the sign-in library: they ask for a password or a session by themselves.
SIGN_IN = ("account_", "mfa_", "usersessions_")
