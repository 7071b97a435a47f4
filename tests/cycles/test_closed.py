"""In a closed cycle everything stays readable, no form is offered, and whoever sends one all the same is told why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from pmcycle.cycles.models import Cycle, Stage
from tests.conftest import SignedIn, World
from tests.factories import appraisals, cycles, evaluations, feedback, goals, incentives

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
    ("name", "who", "build"), PAGES, ids=[f"{name}-{who}-{n}" for n, (name, who, _) in enumerate(PAGES)]
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
