"""An entry that restrains a reward: said before, answered first, decided by a second person, ending by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from incentives import actions
from incentives.models import RestraintEntry
from pmcycle.access import today
from pmcycle.activity.models import Notice, ToDo
from pmcycle.cycles.actions import close, leftovers_of_cycle, mark_left
from pmcycle.cycles.models import Cycle
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World
from tests.factories import cycles, incentives
from tests.factories.appraisals import make_third_hr_admin


def values(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "component_kind": "merit",
        "effect": "hold",
        "facts": "Three audit files were late in May.",
        "answer_by": today() + timedelta(days=7),
        "lapses_on": today() + timedelta(days=60),
        **changes,
    }


def propose(client: Any, world: World, **changes: Any) -> Any:
    url = reverse("incentives:propose_restraint", kwargs={"pk": world.ana_part.pk})
    return client.post(url, values(world, **changes))


def test_it_cites_what_the_person_was_told_long_enough_ago(world: World, as_: SignedIn) -> None:
    late = incentives.told(world, days_ago=3)
    client = as_(world.bashir)
    assert propose(client, world).status_code == 422
    assert propose(client, world, entry=late.pk).status_code == 422
    early = incentives.told(world, days_ago=30)
    assert propose(client, world, entry=early.pk).status_code == 302
    entry = RestraintEntry.objects.get()
    assert (entry.state, entry.proposed_by) == ("proposed", world.bashir)
    assert Notice.objects.filter(recipient=world.ana, subject_id=entry.pk).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer_by": "2020-01-01"},
        {"lapses_on": "2020-01-01"},
        {"effect": "reduce"},
        {"effect": "reduce", "percent": "101"},
        {"facts": ""},
    ],
)
def test_wrong_fields_are_named(world: World, as_: SignedIn, wrong: dict[str, str]) -> None:
    entry = incentives.told(world)
    assert propose(as_(world.bashir), world, entry=entry.pk, **wrong).status_code == 422


def test_the_person_answers_and_a_second_person_decides(world: World, as_: SignedIn) -> None:
    entry = incentives.restraint(world)
    decide = reverse("incentives:decide", kwargs={"pk": entry.pk})
    yes = {"outcome": "effective", "decision": "The files were due.", "version": entry.version}
    early = as_(world.kim).post(decide, yes)
    assert early.status_code == 409
    assert "may answer until" in early.content.decode()
    answer = reverse("incentives:answer", kwargs={"pk": entry.pk})
    assert (
        as_(world.ana)
        .post(answer, {"answer": "The system was down.", "version": entry.version})
        .status_code
        == 302
    )
    page = (
        as_(world.bashir)
        .get(reverse("incentives:restraint", kwargs={"pk": entry.pk}))
        .content.decode()
    )
    assert "The system was down." in page
    assert as_(world.bashir).post(decide, {**yes, "version": 2}).status_code == 404
    assert as_(world.kim).post(decide, {**yes, "version": 2}).status_code == 302
    entry.refresh_from_db()
    assert (entry.state, entry.decided_by) == ("effective", world.kim)


def test_silence_until_the_day_is_also_an_answer(world: World) -> None:
    entry = incentives.restraint(world, answer_by=today() - timedelta(days=1))
    assert (
        actions.decide(entry, "effective", "No answer.", version=None, by=world.kim).state
        == "effective"
    )


def test_the_words_of_a_conversation_stay_with_the_pair(world: World, as_: SignedIn) -> None:
    entry = incentives.restraint(world)
    url = reverse("incentives:restraint", kwargs={"pk": entry.pk})
    assert "The audit files are late." in as_(world.ana).get(url).content.decode()
    assert "The audit files are late." not in as_(world.kim).get(url).content.decode()


def test_what_an_entry_holds_is_settled_at_the_entry(world: World, as_: SignedIn) -> None:
    entry = incentives.in_effect(world)
    incentives.released(world)
    award = incentives.award_of(world.ana_part)
    assert award.is_held
    page = reverse("incentives:award", kwargs={"pk": award.pk})
    settle = reverse("incentives:settle", kwargs={"pk": award.pk})
    there = reverse("incentives:restraint", kwargs={"pk": entry.pk})
    for user in (world.kim, world.ana):
        words = as_(user).get(page).content.decode()
        assert there in words
        assert settle not in words
    version = RestraintEntry.objects.get(pk=entry.pk).version
    lift = {"outcome": "lifted", "decision": "The files are in.", "version": version}
    decide = reverse("incentives:decide", kwargs={"pk": entry.pk})
    assert as_(world.lea).post(decide, lift).status_code == 302
    award.refresh_from_db()
    assert not award.is_held


def test_after_the_approval_it_says_what_lifting_does_and_does_not_do(
    world: World, as_: SignedIn
) -> None:
    entry = incentives.in_effect(world, effect="zero")
    late = incentives.restraint(world, kind="bonus", answer_by=today() - timedelta(days=1))
    incentives.approved(world)
    award = incentives.award_of(world.ana_part)
    lea = as_(world.lea)
    words = lea.get(reverse("incentives:restraint", kwargs={"pk": entry.pk})).content.decode()
    assert "can follow in a supplementary run" in words
    url = reverse("incentives:decide", kwargs={"pk": entry.pk})
    lift = {"outcome": "lifted", "decision": "The audit was right.", "version": entry.version}
    assert lea.post(url, lift).status_code == 302
    assert incentives.award_of(world.ana_part).amount == award.amount == 0
    effective = {"outcome": "effective", "decision": "Late.", "version": late.version}
    refused = lea.post(reverse("incentives:decide", kwargs={"pk": late.pk}), effective)
    assert refused.status_code == 409
    assert "restrains nothing any more" in refused.content.decode()


def test_lifting_what_has_cut_an_approved_reward_does_not_change_it(
    world: World, as_: SignedIn
) -> None:
    entry = incentives.in_effect(world, effect="reduce")
    incentives.approved(world)
    words = (
        as_(world.lea)
        .get(reverse("incentives:restraint", kwargs={"pk": entry.pk}))
        .content.decode()
    )
    assert "given as an award in the next cycle" in words


def test_it_lapses_by_itself(world: World) -> None:
    entry = incentives.in_effect(world)
    RestraintEntry.objects.filter(pk=entry.pk).update(
        answer_by=today() - timedelta(days=9), lapses_on=today() - timedelta(days=1)
    )
    assert (actions.lapse_due(), actions.lapse_due()) == (1, 0)
    entry.refresh_from_db()
    assert entry.state == "lapsed"


def test_the_database_refuses_the_proposer_as_decider(world: World) -> None:
    entry = incentives.restraint(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        RestraintEntry.objects.filter(pk=entry.pk).update(decided_by=world.bashir)
    with pytest.raises(IntegrityError), transaction.atomic():
        RestraintEntry.objects.filter(pk=entry.pk).update(state="effective")


def test_nobody_restrains_the_reward_of_who_has_left(world: World, as_: SignedIn) -> None:
    said = incentives.told(world)
    url = reverse("incentives:propose_restraint", kwargs={"pk": world.ana_part.pk})
    assert as_(world.bashir).get(url).status_code == 200
    mark_left(world.ana_part, left_on=today(), reason="", version=1, by=world.kim)
    answer = as_(world.bashir).get(url)
    assert answer.status_code == 409
    assert "has left this cycle" in answer.content.decode()
    with pytest.raises(Refused, match="has left"):
        actions.propose_restraint(
            world.ana_part, said, values(world, percent=None), by=world.bashir
        )


def test_the_line_above_does_not_decide_nor_does_anybody_below(world: World, as_: SignedIn) -> None:
    """Who decides stands apart: not the line in which it was proposed, not who reports to the person."""
    entry = incentives.restraint(world, answer_by=today() - timedelta(days=1))
    third = make_third_hr_admin(world)
    assert third.employee
    assert world.ana.employee
    cycles.take_part(world.cycle, third.employee, world.ana.employee)
    url = reverse("incentives:decide", kwargs={"pk": entry.pk})
    yes = {"outcome": "effective", "decision": "It stands.", "version": entry.version}
    for user in (world.dora, third):
        assert as_(user).post(url, yes).status_code == 404
    told = Notice.objects.filter(title__contains="has answered an entry")
    actions.answer(entry, "The system was down.", version=None, by=world.ana)
    assert set(told.values_list("recipient", flat=True)) == {world.kim.pk, world.lea.pk}


def test_a_decision_is_due_when_rewards_are_and_not_when_the_entry_lapses(
    world: World, as_: SignedIn
) -> None:
    rewards = today() + timedelta(days=20)
    world.cycle.stages.filter(kind="incentives").update(due_on=rewards)
    entry = actions.answer(incentives.restraint(world), "No.", version=None, by=world.ana)
    assert ToDo.objects.open().get(kind="incentives:decide").due_on == rewards
    pages = [
        reverse("incentives:restraints"),
        reverse("incentives:restraint", kwargs={"pk": entry.pk}),
    ]
    for page in pages:
        assert f'datetime="{rewards.isoformat()}"' in as_(world.kim).get(page).content.decode()
    assert entry.lapses_on.isoformat() not in as_(world.kim).get(pages[0]).content.decode()


@pytest.mark.parametrize(("rewards", "due"), [(3, 7), (20, 20), (90, 60)])
def test_a_decision_is_due_after_the_answer_and_before_the_entry_lapses(
    world: World, rewards: int, due: int
) -> None:
    world.cycle.stages.filter(kind="incentives").update(due_on=today() + timedelta(days=rewards))
    entry = incentives.restraint(world)
    found = RestraintEntry.objects.with_decision_due().get(pk=entry.pk)
    assert vars(found)["decision_due"] == today() + timedelta(days=due)


# --- after the cycle has closed -----------------------------------------------------------------------


def decision(entry: RestraintEntry, outcome: str) -> tuple[str, dict[str, Any]]:
    entry.refresh_from_db()
    words = {"outcome": outcome, "decision": "The files are in.", "version": entry.version}
    return reverse("incentives:decide", kwargs={"pk": entry.pk}), words


def shut(world: World) -> None:
    Cycle.objects.filter(pk=world.cycle.pk).update(state=Cycle.State.CLOSED)


def test_a_cycle_does_not_close_over_an_entry_that_is_not_decided(world: World) -> None:
    """Whatever reasons are given for the rest, so that a closed cycle has none that waits."""
    incentives.restraint(world)
    left = {one.code: one for one in leftovers_of_cycle(world.cycle, world.kim)}
    assert left["incentives:restraint"].refuses
    accepted = {code: (one.count, "So be it.") for code, one in left.items()}
    with pytest.raises(Refused, match="restrain a reward is not decided"):
        close(world.cycle, accepted=accepted, version=None, by=world.kim)
    world.cycle.refresh_from_db()
    assert world.cycle.state == Cycle.State.RUNNING


@pytest.mark.parametrize("outcome", ["effective", "lifted"])
def test_nothing_is_decided_in_a_closed_cycle(outcome: str, world: World, as_: SignedIn) -> None:
    """Whatever came to stay undecided there: no run follows in which it would count."""
    entry = incentives.restraint(world, answer_by=today() - timedelta(days=1))
    shut(world)
    lea = as_(world.lea)
    answer = lea.post(*decision(entry, outcome))
    assert answer.status_code == 409
    assert "closed" in answer.content.decode()
    page = lea.get(reverse("incentives:restraint", kwargs={"pk": entry.pk})).content.decode()
    assert reverse("incentives:decide", kwargs={"pk": entry.pk}) not in page
    entry.refresh_from_db()
    assert entry.state == RestraintEntry.State.PROPOSED


def test_an_entry_in_effect_that_holds_nothing_stays_as_it_is(world: World, as_: SignedIn) -> None:
    entry = incentives.in_effect(world, effect="reduce")
    shut(world)
    assert as_(world.lea).post(*decision(entry, "lifted")).status_code == 409


def test_what_an_entry_holds_is_owed_and_set_free_also_after_the_end(
    world: World, as_: SignedIn
) -> None:
    entry = incentives.in_effect(world)
    incentives.released(world)
    shut(world)
    assert incentives.award_of(world.ana_part).is_held
    assert as_(world.lea).post(*decision(entry, "lifted")).status_code == 302
    assert not incentives.award_of(world.ana_part).is_held
