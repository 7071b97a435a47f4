"""Reminders and mails in the morning: one statement over what is open for everybody.

What people do to each other is gathered and leaves with the reminders, unless it is urgent. Each sweep
looks at what is open now and at the latest day of the policy that has come, where the recipient is:
nobody is reminded of what is done, twice of the same, at night, on a day off or while away. A clock
that stood still for a week reminds once, not seven times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pmcycle.activity.actions import beat, delivery, settle_all
from pmcycle.activity.actions.definitions import TURN_OF_DAY
from pmcycle.activity.models import Delivery, Heartbeat
from pmcycle.cycles.models import Cycle
from pmcycle.days import day_of
from pmcycle.home.contributions import NEEDS
from pmcycle.home.needs import SENTINEL, need_url
from pmcycle.kept import Prepared
from pmcycle.people.models import WORKS_ON, Organisation

# The hours of the recipient's morning in which reminders are written: a clock that stood still over the
# morning waits for the next. What was written leaves until the hour at which a working day ends.
MORNING, NOON, EVENING = 8, 12, 18
# Days around the due day where HR has set no policy for the stage (or the item belongs to no cycle).
DAYS = [-7, -1, 1, 7]

AWAY = "away"

WORKS_TODAY = WORKS_ON.format(day="z.local::date")


@cache
def known_zones() -> frozenset[str]:
    """The zones that the database can compute with; a name it does not know falls back to the next."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        return frozenset(name for (name,) in cursor.fetchall())


@cache
def _address(url_name: str) -> str:
    """Where such an item is opened, with %(pk)s for its number."""
    return need_url(url_name).replace(str(SENTINEL), "%(pk)s")


@cache
def need_rows(language: str) -> list[list[str]]:
    """The kinds of items, their titles (with %(name)s) in the language that is spoken, and their addresses (with
    %(pk)s)."""
    rows = [(kind, str(need.title), _address(need.url_name)) for kind, need in NEEDS.items()]
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], []]


# Whether no other sweep is at work, and none begins; and the organisation's zone.
ALONE = Prepared("""
SELECT pg_try_advisory_xact_lock(hashtextextended('remind', 7201)),
  (SELECT zone FROM people_organisation ORDER BY id LIMIT 1)
""")
# The zones of people and of their accounts: few, so that days and hours are computed once for each pair of
# them and not once for each item. Each is found from the one before by the index; nobody is read.
EACH_ZONE = """
{name} (zone) AS (
  (SELECT zone FROM {table} ORDER BY zone LIMIT 1)
  UNION ALL
  SELECT later.zone FROM {name}
  CROSS JOIN LATERAL (SELECT zone FROM {table} WHERE zone > {name}.zone ORDER BY zone LIMIT 1) later
)"""
ZONES = Prepared(f"""
WITH RECURSIVE {EACH_ZONE.format(name="person", table="people_employee")},
{EACH_ZONE.format(name="account", table="people_user")}
SELECT person.zone, account.zone FROM person CROSS JOIN account
""")  # noqa: S608 - names of our own tables
# The pairs in which it is the morning of a working day, with the day. Parameters: both zones of each pair
# and the one that holds, now, the hours.
MORNINGS = Prepared(f"""
SELECT pair.zone, pair.account_zone, z.local::date
FROM unnest(%s::text[], %s::text[], %s::text[]) pair (zone, account_zone, here)
CROSS JOIN LATERAL (SELECT %s::timestamptz AT TIME ZONE pair.here AS local) z
WHERE extract(hour FROM z.local) >= %s AND extract(hour FROM z.local) < %s AND {WORKS_TODAY}
""")  # noqa: S608 - constants; every value is a parameter
# The same as a table. Parameters: the columns of MORNINGS.
CLOCK = """WITH clock AS MATERIALIZED (
  SELECT * FROM unnest(%s::text[], %s::text[], %s::date[]) AS clock (zone, account_zone, day)
)"""

# What is open and due around now. {which} narrows it to what a statement can be about, so that the
# index on what is open and due finds it. {kept} is MATERIALIZED where it is compared with many rows and must be
# read once all the same.
ITEMS = """item AS {kept} (
  SELECT t.kind, t.subject_id AS subject, t.recipient_id AS recipient, t.named_id AS named, t.name,
    t.cycle_id AS cycle, t.stage, t.due_on, greatest(t.opened_at, t.opens_at) AS since
  FROM activity_todo t
  WHERE t.done_at IS NULL AND t.dropped_at IS NULL AND t.phase = 'todo' AND t.due_on IS NOT NULL
    AND (t.opens_at IS NULL OR t.opens_at <= %s) AND (t.ends_at IS NULL OR t.ends_at > %s) AND {which}
)"""

# A person as the clock must see them, where it is morning: their account, their day and whether they are
# away; nobody who has left the company, or the cycle that the item belongs to. The columns of {source}
# come first.
PEOPLE = """
away AS MATERIALIZED (
  SELECT DISTINCT a.employee_id, today.day FROM people_absence a JOIN (SELECT DISTINCT day FROM clock) today
    ON a.starts_on <= today.day AND (a.ends_on IS NULL OR a.ends_on >= today.day)
),
person AS MATERIALIZED (
  SELECT {source}.*, u.id AS user_id, u.is_active, e.name AS recipient_name, e.unit_id, clock.day,
         (e.id, clock.day) IN (SELECT employee_id, day FROM away) AS is_away
  FROM {source}
  JOIN people_employee e ON e.id = {source}.recipient
  JOIN people_user u ON u.employee_id = e.id
  JOIN clock ON clock.zone = e.zone AND clock.account_zone = u.zone
  WHERE (e.left_on IS NULL OR e.left_on >= clock.day)
    AND NOT EXISTS (SELECT 1 FROM cycles_participation gone WHERE gone.cycle_id = {source}.cycle
      AND gone.employee_id = {source}.recipient AND gone.state = 'left')
)"""

NEED = "need (kind, title, url) AS (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]))"

# The words of the items of {source}, looked up for what may be told and for nothing else.
WORDED = """
worded AS (
  SELECT {source}.*, replace(need.url, '%%(pk)s', subject::text) AS url,
         replace(need.title, '%%(name)s', coalesce(who.name, nullif({source}.name, ''), c.name, '')) AS title
  FROM {source}
  JOIN need ON need.kind = {source}.kind
  LEFT JOIN people_employee who ON who.id = {source}.named
  LEFT JOIN cycles_cycle c ON c.id = {source}.cycle
)"""

# Where the days of an item are: in its cycle's zone, and in the company's for what belongs to no cycle.
# Parameters: the zones that the database knows.
PLACE = """place AS MATERIALIZED (
  SELECT c.id AS cycle, c.zone FROM cycles_cycle c JOIN unnest(%s::text[]) known (zone) ON known.zone = c.zone
)"""
# The first day on which a rule acts on an item. Parameter: the company's zone.
FIRST_DAY = "({since} AT TIME ZONE coalesce(place.zone, %s))::date AS first_day"

# A day of the rule that had passed when the rule was made, or when the item was opened, is not made up for: it acts
# from then on. Most sweeps find that all is told. Therefore that is asked first, of the items alone: a person is looked
# for only where a reminder of this morning has not been written. What has been written stays so, because one sweep
# runs at a time. Parameters: the places where it is the morning of one day; the zones of cycles; now, twice; the first
# and the last due day; that day; the company's zone; the days where there is no rule.
REMIND = Prepared(
    CLOCK  # noqa: S608 - constants; every value is a parameter
    + """,
policy AS MATERIALIZED (
  SELECT cycle_id, kind AS stage, since, ARRAY(
    SELECT days FROM (SELECT -unnest(days_before::int[]) UNION ALL SELECT unnest(days_after::int[])) around (days)
    WHERE days IS NOT NULL ORDER BY days) AS steps
  FROM cycles_reminderpolicy
),
"""
    + PLACE
    + ", "
    + ITEMS.format(kept="", which="t.due_on BETWEEN %s AND %s")
    + """,
step AS (
  SELECT item.*, coalesce(place.zone, '') AS due_zone,
    steps.days[width_bucket(%s::date - item.due_on, steps.days)] AS days,
    """
    + FIRST_DAY.format(since="greatest(item.since, policy.since)")
    + """
  FROM item
  LEFT JOIN policy ON policy.cycle_id = item.cycle AND policy.stage = item.stage
  LEFT JOIN place ON place.cycle = item.cycle
  CROSS JOIN LATERAL (SELECT coalesce(policy.steps, %s::int[]) AS days) steps
),
keyed AS (
  SELECT step.*, concat_ws(':', 'remind', kind, subject, recipient, due_on, days) AS key
  FROM step WHERE due_on + days >= first_day
),
untold AS MATERIALIZED (
  SELECT * FROM keyed
  WHERE NOT EXISTS (SELECT 1 FROM activity_notice told WHERE told.key = keyed.key AND told.kind = 'reminder')
),
"""
    + NEED
    + ", "
    + WORDED.format(source="untold")
    + ", "
    + PEOPLE.format(source="worded")
    + """,
written AS (
  INSERT INTO activity_notice
    (recipient_id, kind, title, url, subject_kind, subject_id, due_on, due_zone, is_urgent, key, created_at)
  SELECT user_id, 'reminder', left(title, 200), url, kind, subject, due_on, due_zone, false, key, %s::timestamptz
  FROM person
  RETURNING id, recipient_id
)
INSERT INTO activity_delivery (notice_id, channel, state, not_before, attempts, message_id, why)
SELECT written.id, 'email', CASE WHEN held.user_id IS NULL THEN 'pending' ELSE 'suppressed' END,
       %s::timestamptz, 0, '',
       CASE WHEN NOT held.is_active THEN %s WHEN held.is_away THEN %s ELSE '' END
FROM written
LEFT JOIN (SELECT DISTINCT user_id, is_active, is_away FROM person WHERE NOT is_active OR is_away) held
  ON held.user_id = written.recipient_id
"""
)

# Who is back gets the newest of what was held back for the absence, if it is still open.
WELCOME_BACK = Prepared(
    CLOCK  # noqa: S608 - constants; every value is a parameter
    + ", "
    + ITEMS.format(
        kept="MATERIALIZED",
        which="""t.recipient_id IN (
      SELECT u.employee_id FROM activity_delivery d JOIN activity_notice n ON n.id = d.notice_id
      JOIN people_user u ON u.id = n.recipient_id WHERE d.state = 'suppressed' AND d.why = %s)""",
    )
    + ", "
    + PEOPLE.format(source="item")
    + """,
held AS (
  SELECT DISTINCT ON (person.user_id, person.kind, person.subject) d.id
  FROM person
  JOIN activity_notice n ON n.recipient_id = person.user_id AND n.kind = 'reminder' AND n.subject_kind = person.kind
    AND n.subject_id = person.subject AND n.due_on = person.due_on
  JOIN activity_delivery d ON d.notice_id = n.id
  WHERE d.state = 'suppressed' AND d.why = %s AND NOT person.is_away AND person.is_active
    AND NOT EXISTS (SELECT 1 FROM activity_notice later JOIN activity_delivery ld ON ld.notice_id = later.id
      WHERE later.recipient_id = n.recipient_id AND later.subject_kind = n.subject_kind AND later.kind = n.kind
      AND later.subject_id = n.subject_id AND later.id > n.id AND ld.state IN ('sent', 'pending'))
  ORDER BY person.user_id, person.kind, person.subject, n.id DESC
)
UPDATE activity_delivery SET state = 'pending', why = '', not_before = %s FROM held
WHERE activity_delivery.id = held.id AND activity_delivery.state = 'suppressed'
"""
)

# Who leads the person (in the cycle; else in the company) and the HR partners of their unit.
ESCALATE = Prepared(
    CLOCK  # noqa: S608 - constants; every value is a parameter
    + ", "
    + PLACE
    + ", "
    + ITEMS.format(
        kept="MATERIALIZED",
        which="""t.due_on BETWEEN %s AND %s AND EXISTS (SELECT 1 FROM cycles_reminderpolicy policy
      WHERE policy.cycle_id = t.cycle_id AND policy.kind = t.stage AND policy.escalate_after IS NOT NULL)""",
    )
    + ", "
    + NEED
    + ", "
    + WORDED.format(source="item")
    + ", "
    + PEOPLE.format(source="worded")
    + """,
late AS (
  SELECT person.*, coalesce(place.zone, '') AS due_zone FROM person
  JOIN cycles_reminderpolicy policy ON policy.cycle_id = person.cycle AND policy.kind = person.stage
  LEFT JOIN place ON place.cycle = person.cycle
  CROSS JOIN LATERAL (SELECT """
    + FIRST_DAY.format(since="greatest(person.since, policy.since)")
    + """) acts
  -- A day that had passed when the rule was made, or the item opened, is counted from then.
  WHERE policy.escalate_after IS NOT NULL AND person.day >= policy.escalate_after
      + CASE WHEN person.due_on + policy.escalate_after < acts.first_day THEN acts.first_day ELSE person.due_on END
    AND NOT person.is_away
),
told AS (
  SELECT late.*, manager.id AS manager_user, %s AS to_url FROM late
  JOIN cycles_participation part ON part.cycle_id = late.cycle AND part.employee_id = late.recipient
  JOIN cycles_assignment line ON line.participation_id = part.id AND line.starts_on <= late.day
    AND (line.ends_on IS NULL OR line.ends_on >= late.day)
  JOIN people_user manager ON manager.employee_id = line.manager_id AND manager.is_active
  UNION
  SELECT late.*, partner.id, replace(%s, '%%(pk)s', late.cycle::text) FROM late
  JOIN people_unit unit ON unit.id = late.unit_id
  JOIN people_unit above ON unit.path LIKE above.path || '%%'
  JOIN people_rolegrant role ON role.unit_id = above.id AND role.role = 'hr_partner' AND role.starts_on <= late.day
    AND (role.ends_on IS NULL OR role.ends_on >= late.day)
  JOIN people_user partner ON partner.id = role.user_id AND partner.is_active AND partner.id <> late.user_id
),
keyed AS (
  SELECT told.*, concat_ws(':', 'escalate', kind, subject, recipient, due_on, manager_user) AS key FROM told
),
written AS (
  INSERT INTO activity_notice
    (recipient_id, kind, title, url, subject_kind, subject_id, due_on, due_zone, is_urgent, key, created_at)
  SELECT manager_user, 'escalation',
         left(replace(replace(%s, '%%(person)s', recipient_name), '%%(task)s', title), 200),
         to_url, kind, subject, due_on, due_zone, false, key, %s::timestamptz
  FROM keyed WHERE NOT EXISTS (SELECT 1 FROM activity_notice before WHERE before.key = keyed.key)
  ON CONFLICT (key) DO NOTHING
  RETURNING id
)
INSERT INTO activity_delivery (notice_id, channel, state, not_before, attempts, message_id, why)
SELECT id, 'email', 'pending', %s::timestamptz, 0, '', '' FROM written
"""
)

# The morning of the first working day from {days} days after today on, as a subquery of a row of zones.
NEXT_MORNING = f"""((z.local::date + (SELECT min(days) FROM generate_series({{days}}, 60) days
  WHERE {WORKS_ON.format(day="(z.local::date + days)")})) + make_interval(hours => %s)) AT TIME ZONE z.here"""  # noqa: S608 - constants

# What must not leave any more, and what must wait for the next working morning. Of what is not urgent one mail
# leaves a day: what somebody did waits for the morning after, so that all of a day comes together, and leaves in
# working hours only if its due day would have passed by then. A to-do is matched by kind, subject and due day:
# who was given more time is not reminded of the old day. What depends on the place alone is reckoned once a place,
# however many mails wait; what was sent is looked for among the last days only.
HOLD_BACK = (
    "WITH "  # noqa: S608 - constants; every value is a parameter
    """due AS MATERIALIZED (
  SELECT d.id, n.recipient_id, n.subject_kind, n.subject_id, n.due_on, u.is_active, e.id AS employee_id, e.left_on,
    coalesce(e.zone, '') AS zone, u.zone AS account_zone, n.created_at,
    n.kind IN ('reminder', 'escalation') AS is_clock
  FROM activity_delivery d
  JOIN activity_notice n ON n.id = d.notice_id
  JOIN people_user u ON u.id = n.recipient_id
  LEFT JOIN people_employee e ON e.id = u.employee_id
  WHERE d.state = 'pending' AND (d.not_before <= %s OR d.not_before IS NULL)
    AND (d.lease_until IS NULL OR d.lease_until < %s) AND NOT n.is_urgent
),
known AS MATERIALIZED (SELECT unnest(%s::text[]) AS zone),
clock AS MATERIALIZED (
  SELECT z.zone, z.account_zone, z.local::date AS day, z.local::date::timestamp AT TIME ZONE z.here AS begins_at,
    (z.local::date + 1)::timestamp AT TIME ZONE z.here AS ends_at,
    extract(hour FROM z.local) >= %s AND """
    + WORKS_TODAY
    + """ AS is_time, extract(hour FROM z.local) >= %s AS is_evening,
    (z.local::date + make_interval(hours => %s)) AT TIME ZONE z.here AS morning,
    (SELECT min(z.local::date + days) FROM generate_series(1, 60) days
     WHERE """
    + WORKS_ON.format(day="(z.local::date + days)")
    + ") AS next_day, "
    + NEXT_MORNING.format(days=0)
    + " AS next_morning, "
    + NEXT_MORNING.format(days=1)
    + """ AS morning_after
  FROM (SELECT place.*, %s::timestamptz AT TIME ZONE place.here AS local FROM (
    SELECT pair.*, coalesce(own.zone, account.zone, %s) AS here
    FROM (SELECT DISTINCT zone, account_zone FROM due) pair
    LEFT JOIN known own ON own.zone = pair.zone
    LEFT JOIN known account ON account.zone = pair.account_zone) place) z
),
still_open AS MATERIALIZED (
  SELECT DISTINCT due.id FROM due
  JOIN activity_todo t ON t.kind = due.subject_kind AND t.subject_id = due.subject_id AND t.due_on = due.due_on
    AND t.phase = 'todo' AND t.done_at IS NULL AND t.dropped_at IS NULL
  LEFT JOIN cycles_participation gone ON gone.cycle_id = t.cycle_id AND gone.employee_id = t.recipient_id
    AND gone.state = 'left'
  WHERE gone.id IS NULL
),
away AS MATERIALIZED (
  SELECT DISTINCT due.id FROM due
  JOIN clock USING (zone, account_zone)
  JOIN people_absence a ON a.employee_id = due.employee_id AND a.starts_on <= clock.day
    AND (a.ends_on IS NULL OR a.ends_on >= clock.day)
),
sent AS MATERIALIZED (
  SELECT n.recipient_id, d.sent_at, n.kind IN ('reminder', 'escalation') AS is_clock FROM activity_delivery d
  JOIN activity_notice n ON n.id = d.notice_id AND NOT n.is_urgent
  WHERE d.state = 'sent' AND d.sent_at >= %s::timestamptz - interval '2 days'
),
told AS MATERIALIZED (
  SELECT DISTINCT due.id FROM due
  JOIN clock USING (zone, account_zone)
  JOIN sent USING (recipient_id)
  WHERE sent.sent_at >= clock.begins_at AND sent.sent_at < clock.ends_at AND (sent.is_clock OR NOT due.is_clock)
),
judged AS (
  SELECT due.id, CASE WHEN NOT due.is_active THEN %s WHEN NOT due.is_clock THEN '' WHEN due.left_on < clock.day THEN %s
                      WHEN still_open.id IS NULL THEN %s WHEN away.id IS NOT NULL THEN %s ELSE '' END AS why,
    CASE WHEN clock.is_evening THEN clock.morning_after
         WHEN NOT clock.is_time THEN clock.next_morning
         WHEN NOT due.is_clock AND due.due_on < clock.next_day THEN %s
         WHEN told.id IS NOT NULL OR NOT due.is_clock AND due.created_at >= clock.morning
         THEN clock.morning_after
         ELSE %s END AS leaves_at
  FROM due
  JOIN clock USING (zone, account_zone)
  LEFT JOIN still_open USING (id)
  LEFT JOIN away USING (id)
  LEFT JOIN told USING (id)
)
UPDATE activity_delivery d SET
  state = CASE WHEN judged.why <> '' THEN 'suppressed' ELSE 'pending' END,
  why = judged.why,
  not_before = CASE WHEN judged.why = '' THEN judged.leaves_at ELSE coalesce(d.not_before, judged.leaves_at) END,
  lease_until = NULL
FROM judged WHERE d.id = judged.id AND d.state = 'pending'
  AND (judged.why <> '' OR judged.leaves_at > %s OR d.not_before IS NULL)
"""
)


def _words() -> dict[str, str]:
    """Why something did not leave, as it stands in HR's log."""
    return {
        "closed": _("The account is closed."),
        "left": _("The person has left."),
        "done": _("It was done before the mail left."),
        AWAY: _("The person is away; it waits for their return."),
    }


def _zone() -> str:
    """The organisation's zone."""
    return _known(Organisation.objects.values_list("zone", flat=True).first())


def _known(zone: str | None) -> str:
    return zone if zone and zone in known_zones() else "UTC"


def _mornings(cursor: Any, now: datetime, house: str) -> list[list[Any]]:
    """Where it is the morning of a working day, as the columns of CLOCK; nothing where it is nowhere.

    A zone that the database does not know falls back to the next, and last to the company's, `house`.
    """
    known = known_zones()
    ZONES.execute(cursor)
    pairs = [
        (zone, account, next((one for one in (zone, account) if one in known), house))
        for zone, account in cursor.fetchall()
    ]
    columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
    MORNINGS.execute(cursor, [*columns, now, MORNING, NOON])
    return [list(column) for column in zip(*cursor.fetchall(), strict=True)]


# The widest days of any policy; the first and the latest day after which somebody above hears of it; whether
# anything is that late, asked stage by stage; the zones of cycles; and whether anything was held back for an absence.
# Parameters: tomorrow, and the words for that.
WINDOW = Prepared("""
SELECT coalesce(max((SELECT max(d) FROM unnest(days_before::int[]) d)), 0),
  coalesce(max((SELECT max(d) FROM unnest(days_after::int[]) d)), 0),
  (SELECT min(escalate_after) FROM cycles_reminderpolicy), max(escalate_after),
  EXISTS (SELECT 1 FROM cycles_reminderpolicy late JOIN activity_todo t
      ON t.cycle_id = late.cycle_id AND t.stage = late.kind AND t.due_on <= %s::date - late.escalate_after
    WHERE t.done_at IS NULL AND t.dropped_at IS NULL AND t.phase = 'todo'),
  ARRAY(SELECT DISTINCT zone FROM cycles_cycle),
  EXISTS (SELECT 1 FROM activity_delivery WHERE state = 'suppressed' AND why = %s)
FROM cycles_reminderpolicy policy JOIN cycles_cycle c ON c.id = policy.cycle_id AND c.state = 'running'
""")
# A clock that stood still reminds of what it missed for so many days.
CATCH_UP = 60


def remind() -> int:
    """Write the reminders that are due this morning where their recipients are; returns how many are new.

    One sweep at a time: a second one beside it does nothing.
    """
    now, words = timezone.now(), _words()
    needs = need_rows(get_language())
    suppressed = [words["closed"], words[AWAY]]
    day = day_of(now, UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        ALONE.execute(cursor)
        is_alone, zone = cursor.fetchone()
        if not is_alone:
            return 0
        house = _known(zone)
        clock = _mornings(cursor, now, house)
        if not clock:
            return 0
        tomorrow = day + timedelta(days=1)
        WINDOW.execute(cursor, [tomorrow, words[AWAY]])
        before, after, soonest, latest, is_late, cycles, is_held = cursor.fetchone()
        zones = [zone for zone in cycles if zone in known_zones()]
        # Somewhere on earth it is a day earlier or later than here.
        first = day - timedelta(days=max(after, max(DAYS)) + CATCH_UP)
        last = day + timedelta(days=max(before, -min(DAYS)) + 1)
        written = 0
        # As a rule it is one day wherever it is morning.
        for morning in sorted(set(clock[-1])):
            there = [pair for pair in zip(*clock, strict=True) if pair[-1] == morning]
            places = [list(column) for column in zip(*there, strict=True)]
            REMIND.execute(
                cursor,
                [
                    *places,
                    zones,
                    now,
                    now,
                    first,
                    last,
                    morning,
                    house,
                    DAYS,
                    *needs,
                    now,
                    now,
                    *suppressed,
                ],
            )
            written += cursor.rowcount
        if is_held:
            WELCOME_BACK.execute(cursor, [*clock, now, now, words[AWAY], words[AWAY], now])
            written += cursor.rowcount
        if is_late and latest is not None:
            first = day - timedelta(days=latest + CATCH_UP)
            last = tomorrow - timedelta(days=soonest)
            to = [reverse("home:team"), _address("home:board"), _("%(person)s is late: %(task)s")]
            ESCALATE.execute(
                cursor, [*clock, zones, now, now, first, last, *needs, house, *to, now, now]
            )
            written += cursor.rowcount
        return int(written)


def _waits() -> QuerySet[Delivery]:
    """What is gathered and may be about to leave."""
    waits = Delivery.objects.filter(state=Delivery.State.PENDING, notice__is_urgent=False)
    return waits.filter(Q(not_before__lte=timezone.now()) | Q(not_before__isnull=True))


def hold_back() -> int:
    """Judge once more what is about to leave: done, left, away, not a morning, or one mail already today."""
    now, words = timezone.now(), _words()
    if not _waits().exists():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            HOLD_BACK,
            [
                now,
                now,
                list(known_zones()),
                MORNING,
                EVENING,
                MORNING,
                MORNING,
                MORNING,
                now,
                _zone(),
                now,
                words["closed"],
                words["left"],
                words["done"],
                words[AWAY],
                now,
                now,
                now,
            ],
        )
        return int(cursor.rowcount)


def turn_day() -> bool:
    """Settle everything that turns with the day alone: a hand-over that begins, a role that ends, a meeting
    that comes near, the last day of an extension in the cycle's own zone.

    Once a day and place, also if the clock was late; whether this call did it. It counts as done when all
    of it is: one that was killed is done again, and two at once do no harm.
    """
    now = timezone.now()
    last = Heartbeat.objects.filter(name=TURN_OF_DAY).first()
    turned = [
        cycle.pk
        for cycle in Cycle.objects.filter(state=Cycle.State.RUNNING).order_by("pk")
        if last is None or cycle.local_day(last.at) < cycle.local_day(now)
    ]
    is_new = last is None or day_of(last.at, UTC) < day_of(now, UTC)
    for cycle in [None] if is_new else turned:
        settle_all("day_turned", by=None, cycle=cycle)
    if is_new or turned:
        # By when it began: whoever was settled before midnight is not settled for the day after.
        beat(TURN_OF_DAY, now)
    return bool(is_new or turned)


def deliver(is_time_up: Callable[[], bool]) -> int:
    """Send everything that is due, what was gathered for the morning included.

    The reminders of this morning are written first: they leave in the same mail.
    """
    if _waits().exists():
        remind()
    hold_back()
    return delivery.deliver(gathered=True, is_time_up=is_time_up)
