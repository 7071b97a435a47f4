"""In a closed cycle everything stays readable, no form is offered, and whoever sends one all the same is told why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from appraisals.models import Appraisal
from incentives import actions as rewards
from incentives.actions import left_of_approval
from incentives.models import Run
from pmcycle.access import today
from pmcycle.cycles.models import Cycle, Stage
from pmcycle.errors import Refused
from pmcycle.people.models import User
from tests.access_table import ROWS, Row
from tests.conftest import ACTORS, SignedIn, World
from tests.factories import appraisals, cycles, evaluations, feedback, goals, incentives
from tests.goals.test_propose import form as goal_form
from tests.incentives import test_plan, test_restraints

pytestmark = pytest.mark.django_db
Build = Callable[[World], dict[str, Any]]

# Each page that offers a form while the cycle runs: whose, and the row it is about.
PAGES: list[tuple[str, str, Build]] = [
    ("goals:of", "ana", goals.a_proposal_of_ana),
    ("goals:detail", "ana", goals.a_proposal),
    ("goals:detail", "bashir", goals.a_proposal),
    ("goals:detail", "ana", goals.an_agreed),
    ("goals:detail", "kim", goals.a_published),
    ("goals:propose", "ana", goals.of_ana),
    ("goals:counter", "bashir", goals.a_proposal),
    ("goals:request_change", "ana", goals.an_agreed),
    ("goals:align", "ana", goals.an_agreed),
    ("goals:company", "kim", goals.of_cycle),
    ("goals:publish", "kim", goals.of_cycle),
    ("goals:republish", "kim", goals.a_published),
    ("goals:contributions", "ana", goals.of_ana),
    ("appraisals:read", "bashir", appraisals.manager_submitted),
    ("appraisals:result", "ana", appraisals.result_of_ana),
    ("appraisals:release", "kim", appraisals.the_cycle),
    ("appraisals:calibrations", "kim", appraisals.the_cycle),
    ("incentives:plan", "kim", incentives.cycle_with_published),
    ("incentives:run", "kim", incentives.cycle_with_published),
    ("incentives:edit_component", "kim", incentives.component_of_plan),
    ("incentives:add_rule", "kim", incentives.component_of_plan),
    ("incentives:edit_rule", "kim", incentives.rule_of_plan),
    ("incentives:set_pools", "kim", incentives.component_of_plan),
    ("incentives:statement", "ana", incentives.statement_of_ana),
    ("evaluations:read", "ana", evaluations.shared_with_ana),
    ("cycles:close", "kim", cycles.running),
    ("cycles:add_person", "kim", cycles.running),
    ("cycles:close_stage", "kim", cycles.first_stage),
    ("cycles:open_stage", "kim", cycles.first_stage),
    ("cycles:postpone_stage", "kim", cycles.first_stage),
    ("cycles:extend", "kim", cycles.part_of_ana),
    ("cycles:transfer", "kim", cycles.part_of_ana),
    ("cycles:mark_left", "kim", cycles.part_of_ana),
    ("cycles:life_line", "kim", cycles.part_of_ana),
    ("feedback:conversation", "ana", feedback.thread_of_ana),
    ("home:board", "kim", cycles.running),
    ("home:index", "ana", lambda world: {}),
    ("home:index", "bashir", lambda world: {}),
]


def shut(world: World) -> None:
    Stage.objects.filter(cycle=world.cycle).update(state=Stage.State.CLOSED)
    Cycle.objects.filter(pk=world.cycle.pk).update(state=Cycle.State.CLOSED)


def offered(page: str) -> list[str]:
    """The buttons of forms that would change something, within the content of the page."""
    main = page[page.index("<main") : page.rindex("</main>")]
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", main, re.DOTALL)
    return [form for form in forms if re.search(r"<button[^>]*type=\"submit\"", form)]


@pytest.mark.parametrize(
    ("name", "who", "build"),
    PAGES,
    ids=[f"{name}-{who}-{n}" for n, (name, who, _) in enumerate(PAGES)],
)
def test_no_form_of_a_closed_cycle_is_offered(
    world: World, as_: SignedIn, name: str, who: str, build: Build
) -> None:
    url = reverse(name, kwargs=build(world))
    shut(world)
    answer = as_(getattr(world, who)).get(url)
    assert answer.status_code in (200, 409)
    page = answer.content.decode()
    if answer.status_code == 409:
        assert "is closed" in page, "it says why"
    else:
        assert offered(page) == []


# What a closed cycle still takes, and why. Everything else that is sent to it is refused.
GOES_ON = {
    "cycles:create": "makes another cycle",
    "cycles:configure": "is about a cycle that is not launched",
    "cycles:discard": "is about a cycle that is not launched",
    "cycles:request_reopening": "opens a closed cycle again",
    "cycles:approve_reopening": "opens a closed cycle again",
    "cycles:withdraw_reopening": "leaves it closed",
    "cycles:archive": "puts a closed cycle out of the way",
    "evaluations:compute": "what the cycle achieved is counted at its end",
    "evaluations:publish": "and published",
    "evaluations:carry_over": "what was left goes on in the next cycle",
    "evaluations:throw_away": "ends what only its author reads, as any unsent text",
    "incentives:settle": "what was held is owed all the same",
    "incentives:export_payroll": "and paid",
    "appraisals:withdraw_release": "takes back what is not done, and changes nothing",
}
APPS = ("cycles", "goals", "appraisals", "incentives", "evaluations")
SENT = [
    row
    for row in ROWS
    if row.method == "post"
    and row.may
    and row.url_name.split(":")[0] in APPS
    and row.url_name not in GOES_ON
]


# Where a form has fields of its own that it cannot do without.
FILLED: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "goals:contribute": lambda world, _row: {"beneficiary": world.chen.email},
    "goals:assign": lambda world, _row: goal_form(people=[world.ana_part.pk]),
    "goals:counter_change": lambda _world, _row: goal_form(version=1),
    "appraisals:submit": lambda _world, row: appraisals.filled(Appraisal.objects.get(pk=row["pk"])),
    "incentives:edit_component": lambda _world, _row: {
        "match": "first",
        "rounding": "0.01",
        "band_percent": "10",
    },
    "incentives:add_rule": lambda _world, _row: test_plan.rule_data(),
    "incentives:edit_rule": lambda _world, _row: test_plan.rule_data(version=1),
    "incentives:propose_restraint": lambda world, _row: test_restraints.values(
        world, entry=incentives.told(world).pk
    ),
    "incentives:approve": lambda world, row: cycles.reasons(
        left_of_approval(Run.objects.get(pk=row["pk"]), world.kim)
    ),
}


def anything(world: World) -> dict[str, Any]:
    """What fills whichever form it is sent with."""
    return {
        "version": 1,
        "reason": "It is time.",
        "why": "Say more.",
        "text": "Look again.",
        "note": "As agreed.",
        "comment": "Seen.",
        "answer": "No.",
        "decision": "It holds.",
        "explanation": "Line 4 joined us.",
        "title": "Halve the scrap",
        "weight": "40",
        "value": "5",
        "confidence": "on_track",
        "name": "Everybody",
        "due_on": today().isoformat(),
        "happened_on": today().isoformat(),
        "beneficiary": world.part["chen"].employee_id,
        "amount": "10",
        "level": appraisals.level(world.cycle, "Exceeds").pk,
    }


@pytest.mark.parametrize("row", SENT, ids=lambda row: f"{row.url_name} {row.state}".strip())
def test_whatever_is_sent_to_a_closed_cycle_is_refused(
    row: Row, world: World, as_: SignedIn
) -> None:
    """Each address of the access table that takes a form about a cycle: a new one is in this list by itself."""
    kwargs = row.build(world)
    own = FILLED.get(row.url_name)
    data = {**anything(world), **row.data(world), **(own(world, kwargs) if own else {})}
    shut(world)
    user = getattr(world, str(ACTORS[row.may.split()[0]]))
    answer = as_(user).post(reverse(row.url_name, kwargs=kwargs), data)
    assert answer.status_code == 409
    assert "Somebody saved this while you were writing" not in answer.content.decode()


def test_the_second_person_neither_approves_nor_releases_rewards_of_a_closed_cycle(
    world: World,
) -> None:
    """Sent by whom nothing else would stop: Lea, who has not calculated, and Kim, who has not approved."""
    run = incentives.recommending(world)
    shut(world)
    with pytest.raises(Refused, match="This cycle is closed"):
        incentives.approve(run, world.lea)
    Run.objects.filter(pk=run.pk).update(
        state=Run.State.APPROVED, approved_by=world.lea, approved_at=timezone.now()
    )
    for release in (incentives.ask_for_release, release_now):
        with pytest.raises(Refused, match="This cycle is closed"):
            release(run, world.kim)


def release_now(run: Run, by: User) -> None:
    rewards.release(run, by=by)


def test_what_goes_on_is_in_the_access_table() -> None:
    assert GOES_ON.keys() <= {row.url_name for row in ROWS if row.method == "post"}


VERBS: list[tuple[str, str, Build, dict[str, Any]]] = [
    ("appraisals:acknowledge", "ana", appraisals.result_of_ana, {}),
    ("appraisals:file_appeal", "ana", appraisals.result_of_ana, {"text": "Look again."}),
    ("appraisals:cite", "bashir", appraisals.manager_submitted, {}),
    ("appraisals:request_release", "kim", appraisals.the_cycle, {}),
    ("incentives:start_plan", "kim", cycles.running, {}),
    ("incentives:acknowledge", "ana", incentives.statement_of_ana, {}),
    ("goals:confirm_contribution", "chen", goals.a_contribution, {"version": 1}),
    ("goals:align", "ana", goals.a_proposal, {"version": 1}),
    ("evaluations:sign", "ana", evaluations.shared_with_ana, {"version": 1, "comment": ""}),
]


@pytest.mark.parametrize(("name", "who", "build", "data"), VERBS, ids=[v[0] for v in VERBS])
def test_what_is_sent_to_a_closed_cycle_is_refused_with_why(
    world: World, as_: SignedIn, name: str, who: str, build: Build, data: dict[str, Any]
) -> None:
    url = reverse(name, kwargs=build(world))
    shut(world)
    answer = as_(getattr(world, who)).post(url, data)
    assert answer.status_code == 409
    assert re.search("closed|not open|while the cycle runs", answer.content.decode())
