"""Reminders: whom, when, how often, and above all when not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from pmcycle.activity.actions import Tell, tell
from pmcycle.activity.models import Delivery, Notice
from pmcycle.cycles.models import Cycle
from pmcycle.home import actions
from pmcycle.people.models import Absence, Holiday, Organisation, Role, User
from tests.at_once import at_once
from tests.conftest import World, build_world
from tests.factories import people
from tests.factories.reminders import ask, only_requests, policy
from tests.open_items import catch_up

MONDAY = date(2026, 3, 2)
NEVER = lambda: False  # noqa: E731


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Callable[[datetime], None]]:
    traveller = time_machine.travel(at(MONDAY), tick=False)
    travelling = traveller.start()
    yield travelling.move_to
    traveller.stop()


@pytest.fixture
def company(
    clock: Callable[[datetime], None], world: World, monkeypatch: pytest.MonkeyPatch
) -> World:
    """The cast on a Monday morning in March, with reminders a week and a day before, and two days after."""
    only_requests(monkeypatch, world)
    policy(world, before=[7, 1], after=[2], escalate=5)
    return world


def sweep() -> None:
    actions.remind()
    actions.deliver(NEVER)


def mails_to(user: User) -> list[str]:
    return [str(m.subject) for m in mail.outbox if m.to == [user.email]]


def set_zone(user: User, zone: str) -> None:
    assert user.employee
    user.employee.zone = zone
    user.employee.save(update_fields=["zone"])


def test_a_due_item_reminds_its_recipient_in_inbox_and_mail(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    sweep()
    notice = Notice.objects.get(recipient=company.ana)
    assert (notice.title, notice.due_on) == ("Answer about Chen Wei", MONDAY + timedelta(days=1))
    [sent] = mail.outbox
    assert sent.subject == "Answer about Chen Wei"
    assert "due tomorrow" in str(sent.body)
    assert f"http://localhost:8000{notice.url}" in str(sent.body)
    assert "How was it?" not in str(sent.body) + sent.message().as_string()


def test_a_reminder_and_an_escalation_say_whose_day_is_due(
    company: World, clock: Callable[[datetime], None]
) -> None:
    """The cycle's: who reads it elsewhere is told the place."""
    Cycle.objects.filter(pk=company.cycle.pk).update(zone="America/New_York")
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    sweep()
    assert "due tomorrow (3 Mar in New York, over " in str(mail.outbox[0].body)
    clock(at(MONDAY + timedelta(days=7), 15))
    clock(at(MONDAY + timedelta(days=8)))
    sweep()
    told = dict(Notice.objects.values_list("kind", "due_zone"))
    assert told == {"reminder": "America/New_York", "escalation": "America/New_York"}


def test_nothing_is_said_before_a_day_of_the_policy_has_come(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=8))
    sweep()
    assert not Notice.objects.exists()


def test_the_same_sweep_twice_reminds_once(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    sweep()
    sweep()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_remind_once(clock: Callable[[datetime], None]) -> None:
    world = build_world()
    ask(world.ana, world.chen, MONDAY + timedelta(days=1))
    ask(world.chen, world.ana, MONDAY + timedelta(days=1))
    catch_up()
    assert sum(at_once(*[actions.remind] * 4)) == 2
    assert Notice.objects.count() == Delivery.objects.count() == 2


def test_a_clock_that_stood_still_reminds_once(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=7))
    clock(at(MONDAY + timedelta(days=9)))
    sweep()
    assert len(mail.outbox) == 1


def test_a_clock_that_stood_still_over_the_morning_waits_for_the_next(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=7))
    clock(at(MONDAY + timedelta(days=9), 15))
    sweep()
    assert not Notice.objects.exists()
    clock(at(MONDAY + timedelta(days=10), 8))
    sweep()
    assert len(mail.outbox) == 1


def test_a_mail_that_could_not_leave_by_the_evening_waits_for_the_morning(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.remind()
    clock(at(MONDAY, 21, 54))
    sweep()
    assert not mail.outbox
    clock(at(MONDAY + timedelta(days=1), 8))
    sweep()
    assert len(mail.outbox) == 1


def test_each_day_of_the_policy_reminds_again(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=7))
    for days in range(10):
        clock(at(MONDAY + timedelta(days=days)))
        sweep()
    # A week before; the day before is a Sunday, so on Monday; two days after.
    assert len(mails_to(company.ana)) == 3


def test_what_is_done_is_not_reminded(company: World) -> None:
    request = ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    request.state = "answered"
    request.save()
    sweep()
    assert not Notice.objects.exists()


def test_what_is_done_before_the_mail_leaves_is_held_back_and_says_why(company: World) -> None:
    request = ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.remind()
    request.state = "answered"
    request.save()
    actions.deliver(NEVER)
    held = Delivery.objects.get()
    assert (held.state, held.why) == ("suppressed", "It was done before the mail left.")
    assert mail.outbox == []


def test_who_was_given_more_time_is_not_reminded_of_the_old_day(company: World) -> None:
    request = ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.remind()
    request.due_on += timedelta(days=30)
    request.save()
    actions.deliver(NEVER)
    assert mail.outbox == []


def test_who_has_left_is_not_reminded(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    assert company.ana.employee
    company.ana.employee.left_on = MONDAY - timedelta(days=1)
    company.ana.employee.save()
    sweep()
    assert not Notice.objects.exists()


def test_who_leaves_before_the_mail_does_gets_none(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.remind()
    assert company.ana.employee
    company.ana.employee.left_on = MONDAY - timedelta(days=1)
    company.ana.employee.save()
    actions.deliver(NEVER)
    assert Delivery.objects.get().why == "The person has left."
    assert mail.outbox == []


def test_a_closed_account_gets_no_mail_and_the_log_says_why(company: World) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    User.objects.filter(pk=company.ana.pk).update(is_active=False)
    sweep()
    held = Delivery.objects.get()
    assert (held.state, held.why) == ("suppressed", "The account is closed.")
    assert mail.outbox == []


def test_nobody_is_reminded_while_away_but_on_the_first_morning_back(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    assert company.ana.employee
    Absence.objects.create(
        employee=company.ana.employee,
        starts_on=MONDAY - timedelta(days=3),
        ends_on=MONDAY + timedelta(days=6),
    )
    for days in range(7):
        clock(at(MONDAY + timedelta(days=days)))
        sweep()
    assert mails_to(company.ana) == []
    assert "away" in Delivery.objects.filter(state="suppressed").values_list("why", flat=True)[0]
    clock(at(MONDAY + timedelta(days=7)))
    sweep()
    sweep()
    assert mails_to(company.ana) == ["Answer about Chen Wei"]


def test_a_reminder_of_a_holiday_comes_on_the_next_working_day(
    company: World, clock: Callable[[datetime], None]
) -> None:
    Holiday.objects.create(day=MONDAY, name="Spring")
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    sweep()
    assert mails_to(company.ana) == []
    clock(at(MONDAY + timedelta(days=1)))
    sweep()
    assert len(mails_to(company.ana)) == 1


def test_a_mail_that_waits_on_a_holiday_leaves_on_the_next_working_day(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.remind()
    Holiday.objects.bulk_create(
        Holiday(day=MONDAY + timedelta(days=n), name="Rest") for n in range(14)
    )
    actions.deliver(NEVER)
    assert mails_to(company.ana) == []
    waits_until = Delivery.objects.get().not_before
    assert waits_until
    assert waits_until.date() == MONDAY + timedelta(days=14)


def test_a_reminder_of_the_weekend_comes_on_monday(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=7))
    clock(at(MONDAY + timedelta(days=6)))  # a Sunday, the day before it is due
    sweep()
    assert mails_to(company.ana) == ["Answer about Chen Wei"][:0]
    clock(at(MONDAY + timedelta(days=7)))
    sweep()
    assert mails_to(company.ana) == ["Answer about Chen Wei"]


@pytest.mark.parametrize(
    ("zone", "utc_hour", "is_morning"),
    [
        ("UTC", 7, False),
        ("UTC", 8, True),
        ("America/New_York", 12, False),
        ("America/New_York", 13, True),
        ("Asia/Kolkata", 1, False),
        ("Asia/Kolkata", 2, True),
        ("Pacific/Auckland", 9, False),
        ("Pacific/Auckland", 20, True),
        ("No/Such_Zone", 8, True),
    ],
)
def test_it_is_said_in_the_morning_where_the_person_is(
    company: World, clock: Callable[[datetime], None], zone: str, utc_hour: int, is_morning: bool
) -> None:
    set_zone(company.ana, zone)
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    clock(at(MONDAY, utc_hour, 30))
    sweep()
    assert bool(mail.outbox) is is_morning


@pytest.mark.parametrize(
    ("day", "utc_hour", "is_morning"),
    [
        # New York changes its clocks on Sunday 8 March 2026: 08:00 is 13:00 UTC before and 12:00 UTC after.
        (date(2026, 3, 6), 12, False),
        (date(2026, 3, 6), 13, True),
        (date(2026, 3, 9), 11, False),
        (date(2026, 3, 9), 12, True),
    ],
)
def test_the_morning_moves_with_the_clocks(
    company: World, clock: Callable[[datetime], None], day: date, utc_hour: int, is_morning: bool
) -> None:
    set_zone(company.ana, "America/New_York")
    ask(company.ana, company.chen, day + timedelta(days=1))
    clock(at(day, utc_hour, 5))
    sweep()
    assert bool(mail.outbox) is is_morning


def test_where_it_is_the_morning_of_two_days_at_once_each_is_reminded_by_their_own(
    company: World, clock: Callable[[datetime], None]
) -> None:
    """Tuesday at nine in Auckland is Monday at nine in Pago Pago."""
    set_zone(company.ana, "Pacific/Auckland")
    set_zone(company.chen, "Pacific/Pago_Pago")
    for days in (1, 2):
        ask(company.ana, company.bashir, MONDAY + timedelta(days=days))
        ask(company.chen, company.bashir, MONDAY + timedelta(days=days))
    clock(at(MONDAY, 20))
    assert actions.remind() == 3
    told = {(notice.recipient, notice.due_on) for notice in Notice.objects.filter(kind="reminder")}
    assert told == {
        (company.ana, MONDAY + timedelta(days=1)),
        (company.ana, MONDAY + timedelta(days=2)),
        (company.chen, MONDAY + timedelta(days=1)),
    }
    assert actions.remind() == 0


def test_the_organisation_s_zone_stands_in_for_a_missing_one(
    company: World, clock: Callable[[datetime], None]
) -> None:
    Organisation.objects.update(zone="America/New_York")
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    clock(at(MONDAY, 9))
    sweep()
    assert mail.outbox == []
    clock(at(MONDAY, 13, 1))
    sweep()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("before", "after", "asked", "ruled", "mornings"),
    [
        # The rule is made on Monday; of its days the first has passed, the second is tomorrow.
        ([7, 1], [], -10, 0, [1]),
        # A week before has passed when the item is opened; the day before has not.
        ([7, 1], [], 0, -10, [1]),
        # What is overdue already is not made up for; the next of its days comes.
        ([], [2, 9], -30, 0, [4]),
        ([], [2], -30, 0, []),
        # Both long known: the day that has passed while nobody looked is made up for.
        ([7, 1], [], -10, -10, [0, 1]),
    ],
)
def test_a_rule_acts_from_now_on(
    clock: Callable[[datetime], None],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    before: list[int],
    after: list[int],
    asked: int,
    ruled: int,
    mornings: list[int],
) -> None:
    """Days from Monday on: the item is due on Wednesday, or was five days ago if rules come after."""
    only_requests(monkeypatch, world)
    due = MONDAY + timedelta(days=2 if before else -5)
    for day in sorted({asked, ruled}):
        clock(at(MONDAY + timedelta(days=day), 10))
        if day == asked:
            ask(world.ana, world.chen, due)
            catch_up()
        if day == ruled:
            policy(world, before=before, after=after)
    sent = []
    for day in range(9):
        clock(at(MONDAY + timedelta(days=day), 11))
        known = len(mail.outbox)
        sweep()
        sent += [day] * (len(mail.outbox) - known)
    assert sent == mornings


@pytest.mark.parametrize(
    ("zone", "made", "reminded"),
    [
        # A rule made on Monday at 23:30 in New York, where it is Tuesday already by UTC, acts on Monday.
        ("America/New_York", datetime(2026, 3, 3, 4, 30, tzinfo=UTC), True),
        ("UTC", datetime(2026, 3, 3, 4, 30, tzinfo=UTC), False),
        # One made on Tuesday at 01:00 in Tokyo, where it is Monday still by UTC, does not.
        ("Asia/Tokyo", datetime(2026, 3, 2, 16, 0, tzinfo=UTC), False),
        ("UTC", datetime(2026, 3, 2, 16, 0, tzinfo=UTC), True),
    ],
)
def test_the_first_day_of_a_rule_is_that_of_the_place_of_the_cycle(
    zone: str,
    made: datetime,
    reminded: bool,
    clock: Callable[[datetime], None],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The item is due on Tuesday, and the rule's one day is the day before."""
    only_requests(monkeypatch, world)
    Cycle.objects.update(zone=zone)
    clock(at(MONDAY - timedelta(days=10)))
    ask(world.ana, world.chen, MONDAY + timedelta(days=1))
    catch_up()
    clock(made)
    policy(world, before=[1], after=[])
    clock(at(MONDAY + timedelta(days=1)))
    sweep()
    assert bool(mails_to(world.ana)) == reminded


def test_the_days_of_an_item_of_no_cycle_are_the_company_s(
    clock: Callable[[datetime], None], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened on Tuesday at 01:00 where the company is, on Monday still by UTC: the day before its due day is over."""
    only_requests(monkeypatch, world, of_a_cycle=False)
    Organisation.objects.update(zone="Asia/Tokyo")
    clock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    ask(world.ana, world.chen, MONDAY + timedelta(days=1))
    catch_up()
    set_zone(world.ana, "Europe/Berlin")
    clock(at(MONDAY + timedelta(days=1)))
    sweep()
    assert mails_to(world.ana) == []


def test_whoever_was_late_before_there_was_a_rule_is_not_reported_at_once(
    clock: Callable[[datetime], None], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_requests(monkeypatch, world)
    clock(at(MONDAY - timedelta(days=28)))
    ask(world.ana, world.chen, MONDAY - timedelta(days=21))
    catch_up()
    clock(at(MONDAY))
    policy(world, before=[], after=[], escalate=4)
    told = {}
    for days in range(6):
        clock(at(MONDAY + timedelta(days=days)))
        sweep()
        told[days] = len(mails_to(world.bashir))
    assert told == {0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 5: 1}


def say(user: User, key: str, **fields: Any) -> None:
    tell(user, [Tell(user.pk, f"Somebody did {key}", "/goals/of/1/", key, **fields)])


def test_what_people_do_all_day_leaves_in_one_mail_the_next_morning(
    company: World, clock: Callable[[datetime], None]
) -> None:
    for hour in (9, 11, 15, 21):
        clock(at(MONDAY, hour))
        say(company.ana, f"{hour}")
        sweep()
    assert mail.outbox == []
    clock(at(MONDAY + timedelta(days=1), 7, 59))
    say(company.ana, "early")
    sweep()
    assert mail.outbox == []
    clock(at(MONDAY + timedelta(days=1), 8, 0))
    sweep()
    assert mails_to(company.ana) == ["5 things need you"]


def test_it_is_in_the_inbox_at_once(company: World) -> None:
    say(company.ana, "a")
    assert Notice.objects.get(recipient=company.ana).title == "Somebody did a"


def test_reminders_and_what_people_did_are_one_mail(
    company: World, clock: Callable[[datetime], None]
) -> None:
    say(company.ana, "a")
    ask(company.ana, company.chen, MONDAY + timedelta(days=2))
    clock(at(MONDAY + timedelta(days=1), 8))
    actions.deliver(NEVER)  # the clock of mails strikes before that of reminders
    actions.remind()
    actions.deliver(NEVER)
    assert mails_to(company.ana) == ["2 things need you"]
    body = str(mail.outbox[0].body)
    assert "Answer about Chen Wei – due tomorrow (4 Mar)\nAnswer: http" in body
    assert "Somebody did a\nLook at the goals: http" in body


def test_what_is_urgent_leaves_at_night(company: World, clock: Callable[[datetime], None]) -> None:
    clock(at(MONDAY, 23))
    say(company.ana, "a", is_urgent=True)
    say(company.ana, "b")
    sweep()
    assert mails_to(company.ana) == ["Somebody did a"]


@pytest.mark.parametrize(
    ("hour", "due", "leaves"), [(15, 0, True), (15, -3, True), (15, 1, False), (19, 0, False)]
)
def test_what_would_come_too_late_in_the_morning_leaves_in_working_hours(
    company: World, clock: Callable[[datetime], None], hour: int, due: int, leaves: bool
) -> None:
    clock(at(MONDAY, hour))
    say(company.ana, "a", due_on=MONDAY + timedelta(days=due))
    sweep()
    assert bool(mail.outbox) is leaves


def test_what_is_done_on_a_friday_waits_for_the_morning_of_monday_where_the_person_is(
    company: World, clock: Callable[[datetime], None]
) -> None:
    set_zone(company.ana, "Asia/Kolkata")
    clock(at(MONDAY + timedelta(days=4), 12))
    say(company.ana, "a")
    sweep()
    assert Delivery.objects.get().not_before == at(MONDAY + timedelta(days=7), 2, 30)
    clock(at(MONDAY + timedelta(days=7), 2, 30))
    sweep()
    assert mails_to(company.ana) == ["Somebody did a"]


def test_what_is_written_while_mails_leave_is_not_taken_along(
    company: World, clock: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the judging and the sending there may be a minute in which people go on working."""
    clock(at(MONDAY, 9))
    judged = actions.hold_back

    def judge_and_let_somebody_act() -> int:
        found = judged()
        say(company.ana, "meanwhile")
        return found

    monkeypatch.setattr(actions, "hold_back", judge_and_let_somebody_act)
    actions.deliver(NEVER)
    assert mail.outbox == []


def test_several_items_of_one_morning_are_one_mail(company: World) -> None:
    for about in (company.chen, company.farid, company.gita):
        ask(company.ana, about, MONDAY + timedelta(days=1))
    ask(company.chen, company.ana, MONDAY + timedelta(days=1))
    sweep()
    assert mails_to(company.ana) == ["3 things need you"]
    assert mails_to(company.chen) == ["Answer about Ana Popescu"]


def test_a_second_digest_waits_for_the_next_working_morning(
    company: World, clock: Callable[[datetime], None]
) -> None:
    friday = MONDAY + timedelta(days=4)
    clock(at(friday))
    ask(company.ana, company.chen, friday + timedelta(days=1))
    sweep()
    clock(at(friday, 11))
    ask(company.ana, company.farid, friday + timedelta(days=1))
    sweep()
    assert len(mail.outbox) == 1
    waiting = Delivery.objects.get(state="pending")
    assert waiting.not_before == at(MONDAY + timedelta(days=7), 8)
    clock(at(MONDAY + timedelta(days=7), 8))
    sweep()
    assert len(mail.outbox) == 2


def test_the_manager_and_the_hr_partner_hear_of_what_is_long_overdue(
    company: World, clock: Callable[[datetime], None]
) -> None:
    ask(company.ana, company.chen, MONDAY)
    clock(at(MONDAY + timedelta(days=4)))
    sweep()
    assert mails_to(company.bashir) == []
    clock(at(MONDAY + timedelta(days=7)))
    sweep()
    sweep()
    title = "Ana Popescu is late: Answer about Chen Wei"
    assert mails_to(company.bashir) == [title]
    assert mails_to(company.ines) == [title]
    assert mails_to(company.farid) == mails_to(company.jan) == mails_to(company.kim) == []


def test_an_hr_partner_s_own_delay_is_not_told_to_themselves(
    company: World, clock: Callable[[datetime], None]
) -> None:
    people.grant(company.ana, Role.HR_PARTNER, company.production)
    ask(company.ana, company.chen, MONDAY)
    clock(at(MONDAY + timedelta(days=7)))
    sweep()
    assert not any("is late" in subject for subject in mails_to(company.ana))


def test_statements_of_a_sweep_do_not_grow_with_items(
    company: World, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for _ in range(30):
        ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    actions.known_zones()
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        actions.remind()
    assert Notice.objects.count() == 30


def test_a_sweep_keeps_its_plans_and_does_the_same_without(company: World, settings: Any) -> None:
    ask(company.ana, company.chen, MONDAY + timedelta(days=1))
    catch_up()
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert actions.remind() == 1
        transaction.set_rollback(True)
    assert any(one["sql"].startswith(f"EXECUTE {actions.REMIND.name} ") for one in asked)
    settings.KEEPS_PLANS = False
    with CaptureQueriesContext(connection) as asked:
        assert actions.remind() == 1
    assert not any("EXECUTE" in one["sql"] for one in asked)
