"""Statements for the people, and files for payroll."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.db import connection, transaction
from django.db.models import Count, DecimalField, F, Max, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from incentives import rules
from incentives.actions.calculating import CALCULATE
from incentives.actions.guarding import act_of, left_of_release
from incentives.actions.holding import hold_run
from incentives.actions.leavers import leave_out_leavers
from incentives.models import Award, PayrollExport, Run, Statement
from pmcycle.activity.actions import (
    Step,
    asked_for,
    enqueue,
    in_parts,
    no_step,
    record,
    settle_cycle,
)
from pmcycle.activity.models import Job, JobQuerySet
from pmcycle.cycles.actions import accept_leftovers, hold_taking_part, link, refuse_unless_accepted
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused, check_version
from pmcycle.people.models import User
from pmcycle.ui.files import neutral

RELEASE = "incentives:release"

STATEMENTS = """
INSERT INTO incentives_statement (run_id, participation_id, snapshot, sha256, released_at)
SELECT %(run)s, s.participation_id, s.snapshot, encode(sha256(convert_to(s.snapshot::text, 'UTF8')), 'hex'), %(now)s
FROM (
  SELECT a.participation_id, jsonb_build_object(
    'person', e.name, 'number', e.employee_number, 'job_title', p.job_title, 'unit', u.name, 'grade', p.grade,
    'cycle', c.name, 'first_day', c.first_day, 'last_day', c.last_day, 'rules', v.number, 'currency', c.currency,
    'pay_before', (p.annual_pay + e.risen)::text, 'run', r.number,
    'pay_after', (p.annual_pay + e.risen
      + coalesce(sum(a.amount) FILTER (WHERE k.kind = 'merit' AND NOT a.is_held), 0))::text,
    'total', sum(a.amount)::text, 'facts', f.facts,
    'awards', jsonb_agg(jsonb_build_object(
      'component', k.id, 'kind', k.kind, 'name', k.name, 'amount', a.amount::text, 'guideline', a.guideline::text,
      'currency', a.currency, 'held', a.is_held, 'why', a.ineligible_why, 'trace', a.trace,
      'moved', a.amount <> a.guideline) ORDER BY k.id)
  ) AS snapshot
  FROM incentives_award a
  JOIN incentives_component k ON k.id = a.component_id
  JOIN incentives_run r ON r.id = a.run_id
  JOIN incentives_planversion v ON v.id = r.plan_version_id
  JOIN cycles_participation p ON p.id = a.participation_id
  JOIN LATERAL (
    SELECT x.name, x.number AS employee_number, coalesce((
      SELECT sum(b.amount) FROM incentives_award b JOIN incentives_component m ON m.id = b.component_id
      WHERE b.participation_id = p.id AND m.kind = 'merit' AND NOT b.is_held AND b.run_id <> r.id), 0) AS risen
    FROM people_employee x WHERE x.id = p.employee_id
  ) e ON true
  JOIN cycles_cycle c ON c.id = p.cycle_id
  LEFT JOIN people_unit u ON u.id = p.unit_id
  LEFT JOIN incentives_factsheet f ON f.run_id = a.run_id AND f.participation_id = a.participation_id
  WHERE a.run_id = %(run)s
  GROUP BY a.participation_id, e.name, e.employee_number, e.risen, r.number, p.job_title, u.name, p.grade, c.name,
    c.first_day, c.last_day, v.number, c.currency, p.annual_pay, f.facts
  HAVING bool_or(a.ineligible_why <> ALL(%(left_out)s) AND NOT (a.ineligible_why = 'left' AND p.state = 'active'))
) s
ORDER BY s.participation_id
ON CONFLICT (run_id, participation_id) DO NOTHING
"""
EVENTS = """
INSERT INTO activity_event
  (stream, seq, at, verb, actor_id, about_id, subject_kind, subject_id, data, request_id, previous_hash, hash)
SELECT 'cycle:' || p.cycle_id, 0, %(now)s, 'statement_released', %(by)s, p.employee_id, 'incentives.statement', s.id,
  jsonb_build_object('sha256', s.sha256), '', '', ''
FROM incentives_statement s JOIN cycles_participation p ON p.id = s.participation_id
WHERE s.run_id = %(run)s ORDER BY s.id
"""
NOTICES = """
INSERT INTO activity_notice (recipient_id, kind, title, url, subject_kind, subject_id, is_urgent, key, created_at)
SELECT u.id, 'incentives:statement', %(title)s, replace(%(url)s, '/0/', '/' || s.id || '/'), 'incentives.statement',
  s.id, false, 'statement:' || s.id || ':' || u.id, %(now)s
FROM incentives_statement s JOIN cycles_participation p ON p.id = s.participation_id
JOIN people_user u ON u.employee_id = p.employee_id AND u.is_active
WHERE s.run_id = %(run)s AND p.state = 'active' ON CONFLICT (key) DO NOTHING
"""
DELIVERIES = """
INSERT INTO activity_delivery (notice_id, channel, not_before)
SELECT n.id, 'email', NULL::timestamptz FROM activity_notice n
JOIN incentives_statement s ON s.id = n.subject_id AND s.run_id = %(run)s
WHERE n.subject_kind = 'incentives.statement' AND n.kind = 'incentives:statement'
ON CONFLICT (notice_id, channel) DO NOTHING
"""


# Statements, history, notices, mails.
PARTS_OF_RELEASE = 4


def request_release(
    run: Run, *, accepted: Mapping[str, tuple[int, str]], version: int | None, by: User
) -> Job:
    """Ask for the statements of an approved run to be released. Refused to who approved it.

    Who gets no statement and what is held is accepted with a reason for each kind.
    """
    with transaction.atomic():
        if known := asked_for(RELEASE, run):
            return known
        locked = hold_run(run.pk)
        # First what is so: who comes after a release reads that it is done, not that the run has changed.
        _releasable(locked, by)
        check_version(locked, version)
        act = act_of("release_run", locked)
        left = accept_leftovers(
            locked.plan.cycle, act, left_of_release(locked, by), accepted, by=by
        )
        record(
            "requested_release", locked, by=by, stream=f"cycle:{locked.plan.cycle_id}", left=left
        )
        url = link("incentives:run", pk=locked.plan.cycle_id)
        return enqueue(RELEASE, locked, by=by, total=_people_of(locked), url=url)


def work_on_runs(cycle: Cycle, reader: User) -> JobQuerySet:
    """Calculations and releases of a cycle's runs that wait, run or have failed, as far as the reader may see it."""
    runs, jobs = Run.objects.filter(plan__cycle=cycle), Job.objects.visible_to(reader)
    calculations = jobs.on(CALCULATE, runs, wanted=Q(state__in=Run.OPEN))
    return calculations | jobs.on(RELEASE, runs, wanted=Q(state=Run.State.APPROVED))


def _people_of(run: Run) -> int:
    """Of how many there are awards, of which most become a statement."""
    return Award.objects.filter(run=run).values("participation").distinct().count()


def _releasable(run: Run, by: User) -> None:
    if run.state in (Run.State.RELEASED, Run.State.EXPORTED):
        raise Refused(_("The statements are released already."))
    if run.state != Run.State.APPROVED:
        raise Refused(_("Statements are released once the run is approved."))
    if run.approved_by_id == by.pk:
        raise Refused(_("You approved this run. Another person in HR releases the statements."))


def release(run: Run, *, by: User, step: Step = no_step) -> int:
    """Write everybody's statement at once: an immutable snapshot with its hash. How many.

    Who is left out of the whole run gets none: there is nothing yet that the rules say. Refused where more is
    left out or held by now than was accepted when it was asked for.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = hold_run(run.pk)
        _releasable(locked, by)
        leavers = leave_out_leavers(locked, by=by)
        refuse_unless_accepted(
            locked.plan.cycle, act_of("release_run", locked), left_of_release(locked, by)
        )
        values: dict[str, Any] = {
            "run": locked.pk,
            "now": now,
            "by": by.pk,
            "title": _("Read your reward statement"),
            "url": link("incentives:statement", pk=0),
            "left_out": list(rules.LEFT_OUT),
        }
        part = in_parts(step, _people_of(locked), PARTS_OF_RELEASE)
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS, values)
            count: int = cursor.rowcount
            part()
            for statement in (EVENTS, NOTICES, DELIVERIES):
                cursor.execute(statement, values)
                part()
        locked.state, locked.released_by, locked.released_at = Run.State.RELEASED, by, now
        locked.version += 1
        locked.save()
        record(
            "released",
            locked,
            by=by,
            stream=f"cycle:{locked.plan.cycle_id}",
            statements=count,
            leavers=leavers,
        )
        settle_cycle("released", locked.plan.cycle_id, by=by, apps=["incentives"])
    return count


def acknowledge(statement: Statement, *, by: User) -> Statement:
    """The person has read it; that is no agreement. A second click changes nothing."""
    with transaction.atomic():
        hold_taking_part(statement.participation_id)
        row = (
            Statement.objects.select_for_update(of=("self",))
            .select_related("participation__employee", "participation__cycle")
            .get(pk=statement.pk)
        )
        if row.participation.cycle.state != Cycle.State.RUNNING:
            raise Refused(_("This cycle is closed. Everything in it stays readable."))
        if row.acknowledged_at is None:
            row.acknowledged_at = timezone.now()
            row.version += 1
            row.save(update_fields=["acknowledged_at", "version"])
            record("statement_acknowledged", row, by=by, about=row.participation.employee)
    return row


# --- Payroll -----------------------------------------------------------------------------------------

COLUMNS = ("employee_number", "name", "component", "amount", "currency", "takes_effect_on", "cycle")


def export_payroll(run: Run, format: str, *, by: User) -> PayrollExport:
    """Hand what may be paid to payroll as CSV or XLSX.

    What is held stays out. What has been handed over once is never in another batch: amounts that are set free
    later come in a batch of their own, and asking again gives the same bytes.
    """
    with transaction.atomic():
        locked = (
            Run.objects.select_for_update(of=("self",)).select_related("plan__cycle").get(pk=run.pk)
        )
        if locked.state not in (Run.State.RELEASED, Run.State.EXPORTED):
            raise Refused(_("Payroll gets its file once the statements are released."))
        payable = Award.objects.filter(run=locked, amount__gt=0, is_held=False, ineligible_why="")
        last = Award.objects.filter(run=locked).aggregate(m=Max("payroll_batch"))["m"]
        batch = last or 1
        if payable.filter(payroll_batch__isnull=True).exists():
            batch = (last or 0) + 1
            payable.filter(payroll_batch__isnull=True).update(payroll_batch=batch)
        known = PayrollExport.objects.filter(run=locked, batch=batch, format=format).first()
        if known is None:
            known = _write(locked, batch, format, by)
        if locked.state == Run.State.RELEASED:
            locked.state = Run.State.EXPORTED
            locked.version += 1
            locked.save(update_fields=["state", "version"])
        record(
            "exported",
            known,
            by=by,
            stream=f"cycle:{locked.plan.cycle_id}",
            rows=known.rows,
            total=str(known.total),
            sha256=known.sha256,
        )
    return known


def _write(run: Run, batch: int, format: str, by: User) -> PayrollExport:
    awards = (
        Award.objects.filter(run=run, payroll_batch=batch)
        .select_related("participation__employee", "component")
        .order_by("participation__employee__number", "component")
    )
    version = run.plan_version
    since = (
        {c.id: c.takes_effect_on for c in rules.components_of(version.content)} if version else {}
    )
    rows: list[Row] = []
    for award in awards:
        person, day = award.participation.employee, since.get(award.component_id)
        paid = (award.component.name, award.amount, award.currency, day.isoformat() if day else "")
        rows.append((person.number, person.name, *paid, run.plan.cycle.name))
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row[2]] = totals.get(row[2], Decimal(0)) + row[3]
    content = _as_csv(rows) if format == "csv" else _as_xlsx(rows, run.released_at)
    return PayrollExport.objects.create(
        run=run,
        batch=batch,
        format=format,
        rows=len(rows),
        total=sum(totals.values(), Decimal(0)),
        totals={name: str(total) for name, total in totals.items()},
        sha256=hashlib.sha256(content).hexdigest(),
        columns=list(COLUMNS),
        content=content,
        by=by,
    )


Row = tuple[str, str, str, Decimal, str, str, str]


def _as_csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for number, name, component, amount, currency, since, cycle in rows:
        writer.writerow(
            [
                neutral(number),
                neutral(name),
                neutral(component),
                f"{amount:.2f}",
                currency,
                since,
                neutral(cycle),
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def _as_xlsx(rows: Sequence[Row], created: datetime | None) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    # The file's own date would make every download another file.
    stamp = (created or timezone.now()).replace(tzinfo=None)
    book.set_properties({"created": stamp, "title": "Payroll"})
    sheet = book.add_worksheet("Payroll")
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, bold)
    for line, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, Decimal):
                sheet.write_number(line, column, float(value), money)
            else:
                sheet.write_string(line, column, str(value))
    sheet.autofit()
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def reconciliation(run: Run) -> list[dict[str, Any]]:
    """Component by component: what is approved is the sum of what goes to payroll and what is held."""
    zero = Value(Decimal(0), DecimalField())
    rows = (
        Award.objects.filter(run=run, amount__gt=0)
        .order_by("component")
        .values("component", name=F("component__name"))
        .annotate(
            all=Sum("amount"),
            paid=Coalesce(Sum("amount", filter=Q(is_held=False)), zero),
            held=Coalesce(Sum("amount", filter=Q(is_held=True)), zero),
            count=Count("pk"),
        )
    )
    return [dict(row) for row in rows]
