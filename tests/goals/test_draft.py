"""A draft is its author's alone until it is proposed, or thrown away."""

from __future__ import annotations

import pytest
from django.urls import reverse

from goals.actions import fix_results
from goals.models import Goal
from pmcycle.access import today
from pmcycle.cycles.actions import add_person, extend
from tests.conftest import SignedIn, World
from tests.factories import goals, people
from tests.goals.test_propose import form

pytestmark = pytest.mark.django_db


def test_a_draft_is_kept_edited_and_proposed(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    ana.post(reverse("goals:draft", args=[world.ana_part.pk]), form())
    goal = Goal.objects.get()
    assert "Drafts, seen by you alone" in ana.get(reverse("goals:list")).content.decode()
    assert (
        "Halve the scrap"
        not in as_(world.bashir).get(reverse("goals:of", args=[world.ana_part.pk])).content.decode()
    )
    url = reverse("goals:edit", args=[goal.pk])
    assert "Halve the scrap" in ana.get(url).content.decode()
    assert ana.post(url, form(title="Lower the scrap", version=1)).status_code == 302
    assert ana.post(url, form(title="In another tab", version=1)).status_code == 409
    data = form(title="Lower the scrap by half", version=2)
    assert ana.post(reverse("goals:propose_draft", args=[goal.pk]), data).status_code == 302
    goal.refresh_from_db()
    assert (goal.state, str(goal.latest)) == (Goal.State.PROPOSED, "Lower the scrap by half")
    assert goal.versions.count() == 1
    assert ana.get(url).status_code == 409


def test_a_draft_is_thrown_away(world: World, as_: SignedIn) -> None:
    goal = goals.draft(world.ana_part, world.ana)
    as_(world.ana).post(reverse("goals:withdraw", args=[goal.pk]), {"version": 1})
    assert "Drafts" not in as_(world.ana).get(reverse("goals:list")).content.decode()


def test_a_long_term_goal_needs_no_weight(world: World, as_: SignedIn) -> None:
    data = form(horizon="long_term", weight="")
    assert (
        as_(world.ana).post(reverse("goals:draft", args=[world.ana_part.pk]), data).status_code
        == 302
    )
    assert Goal.objects.filter(latest__weight=None).exists()


def test_ones_own_proposal_is_taken_back_but_not_the_others(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    url = reverse("goals:withdraw", args=[goal.pk])
    assert as_(world.bashir).post(url, {"version": goal.version}).status_code == 409
    assert as_(world.ana).post(url, {"version": 9}).status_code == 409
    assert as_(world.ana).post(url, {"version": goal.version}).status_code == 302
    goal.refresh_from_db()
    assert goal.state == Goal.State.WITHDRAWN


def test_an_earlier_goal_is_copied(world: World, as_: SignedIn) -> None:
    from tests.factories import cycles

    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    world.cycle.state = "closed"
    world.cycle.save(update_fields=["state"])
    part = cycles.take_part(
        cycles.make_cycle("Next year"), world.ana_part.employee, world.part["bashir"].employee
    )
    url = reverse("goals:propose", args=[part.pk])
    assert "Copy from an earlier cycle" in as_(world.ana).get(url).content.decode()
    page = as_(world.ana).get(f"{url}?from={goal.pk}").content.decode()
    assert 'value="Halve the scrap of line 3"' in page
    assert "Scrap rate of line 3" in page
    assert as_(world.ana).get(f"{url}?from=999999").status_code == 404
    assert as_(world.ana).get(f"{url}?from=x").status_code == 200


def test_no_form_of_goals_is_offered_once_the_stage_is_closed(world: World, as_: SignedIn) -> None:
    mine = goals.draft(world.ana_part, world.ana)
    asked = goals.propose(world.ana_part, world.ana, title="Proposed in time")
    ana, bashir = as_(world.ana), as_(world.bashir)
    forms = {
        reverse("goals:propose", args=[world.ana_part.pk]): ana,
        reverse("goals:edit", args=[mine.pk]): ana,
        reverse("goals:counter", args=[asked.pk]): bashir,
        reverse("goals:assign", args=[world.cycle.pk]): bashir,
    }
    pages = {reverse("goals:list"): ana, reverse("goals:of", args=[world.ana_part.pk]): bashir}
    pages[reverse("home:team")] = bashir

    def offered() -> set[str]:
        shown = "".join(user.get(url).content.decode() for url, user in pages.items())
        return {url for url in forms if f'"{url}"' in shown}

    assert offered() == set(forms)
    assert {user.get(url).status_code for url, user in forms.items()} == {200}
    stage = world.cycle.stages.get(kind="objectives")
    stage.state = "closed"
    stage.save(update_fields=["state"])
    assert offered() == set()
    for url, user in forms.items():
        answer = user.get(url)
        assert answer.status_code == 409
        assert "The objectives stage is closed" in answer.content.decode()
    sent = ana.post(
        reverse("goals:edit", args=[mine.pk]), {"title": "What I had typed", "why": "because"}
    )
    assert sent.status_code in (409, 422)
    if sent.status_code == 422:
        assert "What I had typed" in sent.content.decode(), "what was typed stays"


def test_who_has_nothing_to_change_is_sent_to_hr_for_more_time(world: World, as_: SignedIn) -> None:
    goals.agree(world.ana_part, world.ana, world.bashir)
    world.cycle.stages.filter(kind="objectives").update(state="closed")
    late = people.make_employee("Olaf Berg", world.production)
    people.report(late, world.part["bashir"].employee)
    olaf = as_(people.make_user(late))
    part = add_person(world.cycle, late, starts_on=today(), reason="New here.", by=world.kim)
    form = reverse("goals:propose", args=[part.pk])
    for user in (olaf, as_(world.bashir)):
        refused = user.get(form)
        assert refused.status_code == 409
        assert "Ask HR for more time" in refused.content.decode()
        assert "Ask for a change" not in refused.content.decode()
    assert "ask HR for more time" in olaf.get(reverse("goals:list")).content.decode()
    refused = as_(world.ana).get(reverse("goals:propose", args=[world.ana_part.pk]))
    assert "Ask for a change of an agreed goal instead" in refused.content.decode()


def test_with_more_time_the_forms_of_goals_are_there_again(world: World, as_: SignedIn) -> None:
    stage = world.cycle.stages.get(kind="objectives")
    stage.state = "closed"
    stage.save(update_fields=["state"])
    extend(world.ana_part, stage, due_on=today(), reason="leave", version=1, by=world.kim)
    page = as_(world.bashir).get(reverse("goals:assign", args=[world.cycle.pk])).content.decode()
    assert "Ana Popescu" in page
    assert "Chen Wei" not in page, "the stage is closed for Chen"
    assert as_(world.ana).get(reverse("goals:propose", args=[world.ana_part.pk])).status_code == 200
    chen = as_(world.chen).get(reverse("goals:propose", args=[world.part["chen"].pk]))
    assert chen.status_code == 409


def test_no_change_is_offered_of_a_goal_that_is_measured(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir, weight="100")
    change = reverse("goals:request_change", args=[goal.pk])
    pages = [reverse("goals:list"), reverse("goals:detail", args=[goal.pk])]
    ana = as_(world.ana)
    assert all(change in ana.get(url).content.decode() for url in pages)
    fix_results(world.ana_part)
    assert not any(change in ana.get(url).content.decode() for url in pages)
    answer = ana.get(change)
    assert answer.status_code == 409
    assert "these goals are measured" in answer.content.decode()
