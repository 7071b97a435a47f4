"""Recommending another amount: within the band, within the pool, for one's own team, before it is handed in."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.urls import reverse

from incentives import actions
from incentives.models import Award, AwardLine, Pool
from pmcycle.activity.models import Event
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World, build_world
from tests.factories import incentives


def post(client: Any, award: Award, amount: object, reason: str = "", **headers: str) -> Any:
    url = reverse("incentives:adjust", kwargs={"pk": award.pk})
    return client.post(
        url, {"amount": str(amount), "reason": reason, "version": award.version}, headers=headers
    )


def test_within_the_band_no_reason_is_needed(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    before = award.amount
    answer = post(as_(world.bashir), award, award.high)
    award.refresh_from_db()
    assert answer.status_code == 302
    assert award.amount == award.high
    assert [(line.kind, line.amount) for line in award.lines.all()] == [
        ("calculated", before),
        ("reversal", -before),
        ("adjusted", award.high),
    ]
    assert award.lines.aggregate(s=Sum("amount"))["s"] == award.amount
    assert (
        Event.objects.filter(verb="adjusted", subject_id=award.pk, actor=world.bashir).count() == 1
    )


def test_the_person_sees_that_hr_opened_an_amount_or_an_entry_of_theirs(
    world: World, as_: SignedIn
) -> None:
    entry = incentives.restraint(world)
    incentives.recommending(world)
    pages = {"award": incentives.award_of(world.ana_part).pk, "restraint": entry.pk}
    for reader in (world.bashir, world.ines):
        for name, pk in pages.items():
            assert (
                as_(reader).get(reverse(f"incentives:{name}", kwargs={"pk": pk})).status_code == 200
            )
    seen = Event.objects.filter(verb="viewed", about=world.ana.employee).values_list(
        "actor", "subject_kind"
    )
    assert set(seen) == {
        (world.ines.pk, "incentives.award"),
        (world.ines.pk, "incentives.restraintentry"),
    }


def test_outside_the_band_needs_a_reason(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    client = as_(world.bashir)
    refused = post(client, award, award.high + 1)
    assert refused.status_code == 422
    assert "say why" in refused.content.decode()
    assert post(client, award, award.high + 1, "She trained the whole shift.").status_code == 302
    award.refresh_from_db()
    assert award.is_outside
    assert award.lines.last().reason == "She trained the whole shift."  # type: ignore[union-attr]


def test_the_pool_limits_also_with_a_reason(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    assert award.pool
    answer = post(as_(world.bashir), award, award.pool.amount + 1, "Because.")
    assert answer.status_code == 409
    assert "The pool has" in answer.content.decode()
    award.refresh_from_db()
    assert award.amount == award.guideline


def test_a_script_gets_the_sheet_counted_anew(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    answer = post(as_(world.bashir), award, award.high, **{"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="award-{award.pk}"' in text
    assert 'id="pools"' in text
    refused = post(
        as_(world.bashir),
        incentives.award_of(world.ana_part),
        10**6,
        "More.",
        **{"HX-Request": "true"},
    )
    assert refused.status_code == 409
    assert "The pool has" in refused.content.decode()
    assert "<html" not in text


def test_two_tabs_get_the_conflict_screen(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    client = as_(world.bashir)
    post(client, award, award.high)
    assert post(client, award, award.low).status_code == 409


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e400", "10.001", "", "9" * 40, "12\x00"])
def test_absurd_amounts_are_field_errors(world: World, as_: SignedIn, amount: str) -> None:
    incentives.recommending(world)
    assert post(as_(world.bashir), incentives.award_of(world.ana_part), amount).status_code == 422


def test_refused_once_the_team_is_handed_in(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    client = as_(world.bashir)
    assert (
        client.post(
            reverse("incentives:hand_in", kwargs={"pk": run.pk}), {"note": "Done."}
        ).status_code
        == 302
    )
    assert post(client, award, award.high).status_code == 409


def test_returned_by_the_line_it_may_be_moved_again(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    actions.hand_in(run, "", by=world.bashir)
    assert world.bashir.employee
    url = reverse(
        "incentives:decide_team", kwargs={"pk": run.pk, "manager": world.bashir.employee.pk}
    )
    assert as_(world.dora).post(url, {"act": "return"}).status_code == 422
    answer = as_(world.dora).post(url, {"act": "return", "note": "Chen is too low."})
    sheet = reverse("incentives:sheet", kwargs={"pk": run.pk})
    assert (
        answer["Location"] == f"{sheet}?team={world.bashir.employee.pk}"
    )  # the team that was judged
    award = incentives.award_of(world.ana_part)
    assert post(as_(world.bashir), award, award.high).status_code == 302


def test_nobody_moves_their_own(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.part["bashir"])
    assert post(as_(world.bashir), award, award.high).status_code == 404
    assert post(as_(world.dora), award, award.high).status_code == 302


def test_who_is_not_eligible_gets_nothing(world: World, as_: SignedIn) -> None:
    plan = incentives.write_plan(world)
    incentives.rate(world.part["chen"])
    incentives.recommending(world, plan=plan)
    award = incentives.award_of(world.ana_part)
    assert post(as_(world.bashir), award, 100, "Please.").status_code == 409
    assert (
        "No released rating"
        in as_(world.bashir)
        .get(reverse("incentives:sheet", kwargs={"pk": award.run_id}))
        .content.decode()
    )


def test_the_database_refuses_what_the_rules_refuse(world: World) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    for change in (
        {"amount": -1},
        {"amount": award.high + 1},
        {"ineligible_why": "left"},
        {"is_held": True, "payroll_batch": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Award.objects.filter(pk=award.pk).update(**change)
    line = award.lines.get()
    with pytest.raises(Exception, match=r"append_only|[Cc]annot"), transaction.atomic():
        AwardLine.objects.filter(pk=line.pk).update(amount=1)


@pytest.mark.django_db(transaction=True)
def test_two_managers_cannot_spend_the_same_money() -> None:
    world = build_world()
    incentives.recommending(world)
    one, other = incentives.award_of(world.ana_part), incentives.award_of(world.part["hugo"])
    pool = Pool.objects.get(awards=one)
    spent = Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"]
    Pool.objects.filter(pk=pool.pk).update(amount=spent + Decimal(150))
    barrier, outcomes = threading.Barrier(2), []

    def spend(award: Award, by: Any) -> None:
        barrier.wait()
        try:
            actions.adjust(award, award.amount + 100, "", version=None, by=by)
            outcomes.append("saved")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=spend, args=pair)
        for pair in ((one, world.bashir), (other, world.gita))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "saved"]
    assert Award.objects.filter(pool=pool).aggregate(s=Sum("amount"))["s"] == spent + 100


def test_the_sheet_marks_its_entry_on_the_way(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    page = as_(world.bashir).get(reverse("incentives:sheet", kwargs={"pk": run.pk}))
    assert [entry.label for entry in page.context["nav"] if entry.active] == ["Team rewards"]


def test_one_team_at_a_time_and_the_first_of_many(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = incentives.recommending(world)
    assert world.gita.employee
    url = reverse("incentives:sheet", kwargs={"pk": run.pk})
    page = as_(world.kim).get(url, {"team": world.gita.employee.pk})
    names = {person.participation.employee.name for person in page.context["people"]}
    assert names == {"Hugo Blanc"}
    teams = {tab["label"] for tab in page.context["teams"]}
    assert {"Bashir Nouri", "Gita Rao"} <= teams
    monkeypatch.setattr("incentives.views.sheets.MOST_TEAMS", 1)
    page = as_(world.kim).get(url, {"team": world.gita.employee.pk})
    assert [tab["active"] for tab in page.context["teams"]] == [False, True]


def test_one_row_a_person_with_pay_and_what_it_becomes(world: World, as_: SignedIn) -> None:
    run = incentives.recommending(world)
    page = as_(world.bashir).get(reverse("incentives:sheet", kwargs={"pk": run.pk}))
    people = {person.participation: person for person in page.context["people"]}
    assert len(people) == len(page.context["people"]), (
        "each once, however many components there are"
    )
    ana, merit = people[world.ana_part], incentives.award_of(world.ana_part)
    assert [award.component.kind for award in ana.amounts] == ["merit", "bonus"]
    assert (ana.pay, ana.new_pay) == (Decimal(52000), Decimal(52000) + merit.amount), (
        "a bonus is no pay"
    )
    text = page.content.decode()
    for words in ("$52,000.00", "$53,040.00", "2.0% of pay", "Place in range"):
        assert words in text


def test_the_new_pay_follows_the_amount(world: World, as_: SignedIn) -> None:
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    answer = post(as_(world.bashir), award, award.high, **{"HX-Request": "true"})
    assert "$53,248.00" in answer.content.decode(), "2 % of 52 000 and a fifth of that"


def test_what_is_held_is_not_in_the_new_pay(world: World, as_: SignedIn) -> None:
    incentives.in_effect(world)
    run = incentives.recommending(world)
    page = as_(world.bashir).get(reverse("incentives:sheet", kwargs={"pk": run.pk}))
    ana = next(p for p in page.context["people"] if p.participation == world.ana_part)
    assert ana.amounts[0].is_held
    assert ana.new_pay == ana.pay
