"""Goals above the pair: published by HR, aligned to, assigned to several people."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from goals import actions
from goals.models import Goal
from pmcycle.activity.models import Event, Notice
from pmcycle.errors import Refused
from tests.conftest import SignedIn, World
from tests.factories import goals
from tests.goals.test_propose import form

pytestmark = pytest.mark.django_db


def test_hr_publishes_and_everybody_reads(world: World, as_: SignedIn) -> None:
    url = reverse("goals:publish", args=[world.cycle.pk])
    assert as_(world.kim).post(url, form(unit=world.production.pk)).status_code == 302
    page = as_(world.hugo).get(reverse("goals:company", args=[world.cycle.pk])).content.decode()
    assert "Halve the scrap of line 3" in page
    assert "Production" in page
    assert as_(world.kim).post(url, form(title="")).status_code == 422


def test_the_published_goals_are_a_tree_that_folds(world: World, as_: SignedIn) -> None:
    above = goals.publish(world.cycle, world.kim)
    between = goals.publish(world.cycle, world.kim, title="Guards on every press")
    of_ana = goals.agree(world.ana_part, world.ana, world.bashir)
    actions.align(between, above, version=None, by=world.kim)
    actions.align(of_ana, between, version=None, by=world.ana)
    page = as_(world.ana).get(reverse("goals:company", args=[world.cycle.pk])).content.decode()
    tree = [page.index(f'<details class="branch" id="goal-{goal.pk}"') for goal in (above, between)]
    below = page.index(reverse("goals:detail", args=[of_ana.pk]))
    assert tree[0] < tree[1] < below < page.rindex("</details>"), (
        "each stands within what it contributes to"
    )
    assert page[: tree[1]].count("<details") - page[: tree[1]].count("</details>") == 1
    assert "1 goal contributes" in page
    assert "1 goal of a person contributes" in page
    stranger = as_(world.hugo).get(reverse("goals:company", args=[world.cycle.pk])).content.decode()
    assert reverse("goals:detail", args=[of_ana.pk]) not in stranger, (
        "nobody sees more of it than elsewhere"
    )


def test_a_published_goal_gets_another_wording_and_those_below_are_told(
    world: World, as_: SignedIn
) -> None:
    above = goals.publish(world.cycle, world.kim)
    below = goals.agree(world.ana_part, world.ana, world.bashir)
    actions.align(below, above, version=None, by=world.ana)
    url = reverse("goals:republish", args=[above.pk])
    kim = as_(world.kim)
    assert url in kim.get(reverse("goals:detail", args=[above.pk])).content.decode()
    assert "Zero recordable accidents" in kim.get(url).content.decode()
    new = form(
        title="Zero accidents, contractors included",
        version=above.version,
        **{"kr-0-key": goals.key_result(above).key},
    )
    assert kim.post(url, new).status_code == 302
    page = as_(world.hugo).get(reverse("goals:detail", args=[above.pk])).content.decode()
    assert "Zero accidents, contractors included" in page
    assert [v.in_force_to is None for v in above.versions.all()] == [False, True]
    told = Notice.objects.filter(url=reverse("goals:detail", args=[above.pk]))
    assert set(told.values_list("recipient", flat=True)) == {world.ana.pk, world.bashir.pk}
    assert goals.key_result(above).retired_at is None


@pytest.mark.parametrize(
    ("fields", "status"), [({"title": ""}, 422), ({"version": "77"}, 409), ({"version": ""}, 409)]
)
def test_a_wording_that_does_not_fit_changes_nothing(
    world: World, as_: SignedIn, fields: dict[str, str], status: int
) -> None:
    above = goals.publish(world.cycle, world.kim)
    data = {**form(version=above.version), **fields}
    assert (
        as_(world.kim).post(reverse("goals:republish", args=[above.pk]), data).status_code == status
    )
    assert above.versions.count() == 1


def test_a_published_goal_of_a_closed_cycle_stays(world: World) -> None:
    above = goals.publish(world.cycle, world.kim)
    world.cycle.state = "closed"
    world.cycle.save(update_fields=["state"])
    with pytest.raises(Refused, match="cycle is closed"):
        actions.republish(above, goals.text(weight=None), version=None, by=world.kim)


def test_nothing_is_published_in_a_closed_cycle(world: World, as_: SignedIn) -> None:
    world.cycle.state = "closed"
    world.cycle.save(update_fields=["state"])
    assert (
        as_(world.kim).post(reverse("goals:publish", args=[world.cycle.pk]), form()).status_code
        == 409
    )


def test_a_goal_is_aligned_and_a_ring_refused(world: World, as_: SignedIn) -> None:
    above = goals.publish(world.cycle, world.kim)
    below = goals.publish(world.cycle, world.kim, title="Guards on every press")
    kim = as_(world.kim)
    url = reverse("goals:align", args=[below.pk])
    assert "Zero recordable accidents" in kim.get(url).content.decode()
    assert kim.post(url, {"parent": above.pk, "version": below.version}).status_code == 302
    response = kim.post(
        reverse("goals:align", args=[above.pk]), {"parent": below.pk, "version": above.version}
    )
    assert response.status_code == 422
    assert "cannot be both" in response.content.decode()
    page = kim.get(reverse("goals:detail", args=[above.pk])).content.decode()
    assert "Guards on every press" in page


def test_alignment_names_the_version_it_saw(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    url = reverse("goals:align", args=[goal.pk])
    assert as_(world.ana).post(url, {"parent": "", "version": 77}).status_code == 409
    assert as_(world.ana).post(url, {"parent": ""}).status_code == 422
    assert as_(world.ana).post(url, {"parent": "", "version": goal.version}).status_code == 302


def test_a_goal_is_not_its_own_parent(world: World) -> None:
    goal = goals.publish(world.cycle, world.kim)
    with pytest.raises(IntegrityError), transaction.atomic():
        Goal.objects.filter(pk=goal.pk).update(parent=goal)


def test_one_goal_for_several_people(world: World, as_: SignedIn) -> None:
    url = reverse("goals:assign", args=[world.cycle.pk])
    bashir = as_(world.bashir)
    assert "Chen Wei" in bashir.get(url).content.decode()
    response = bashir.post(url, form())
    assert response.status_code == 422
    assert "Choose at least one person" in response.content.decode()
    people = [world.ana_part.pk, world.part["chen"].pk]
    for strange in (world.part["hugo"].pk, "x", 10**30):
        assert bashir.post(url, form(people=[*people, strange])).status_code == 422
    assert not Goal.objects.exists()
    assert bashir.post(url, form(people=people)).status_code == 302
    assert {g.participation_id for g in Goal.objects.all()} == {
        world.ana_part.pk,
        world.part["chen"].pk,
    }
    assert set(Goal.objects.values_list("state", flat=True)) == {Goal.State.PROPOSED}


def test_a_goal_for_a_team_takes_as_many_statements_as_for_one(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as for_one:
        actions.assign([world.ana_part], goals.text(), by=world.bashir)
    with django_assert_num_queries(len(for_one)):
        given = actions.assign([world.ana_part, world.part["chen"]], goals.text(), by=world.bashir)
    told = Notice.objects.filter(title="Bashir Nouri proposed a goal")
    assert set(told.values_list("recipient", flat=True)) == {world.ana.pk, world.chen.pk}
    assert [goal.latest.signatures.get().side for goal in given if goal.latest] == [
        "manager",
        "manager",
    ]
    assert Event.objects.filter(verb="propose", actor=world.bashir).count() == 3


def test_a_goal_is_given_only_to_those_one_leads(world: World) -> None:
    with pytest.raises(Refused, match="is not in your team"):
        actions.assign([world.ana_part, world.part["hugo"]], goals.text(), by=world.bashir)
    assert not Goal.objects.exists()


def test_all_or_nobody_is_assigned(world: World, as_: SignedIn) -> None:
    world.cycle.stages.filter(kind="objectives").update(state="closed")
    response = as_(world.bashir).post(
        reverse("goals:assign", args=[world.cycle.pk]),
        form(people=[world.ana_part.pk, world.part["chen"].pk]),
    )
    assert response.status_code == 409
    assert not Goal.objects.exists()


def test_who_takes_part_in_nothing_is_told(world: World, as_: SignedIn) -> None:
    assert (
        "You take part in no cycle yet"
        in as_(world.mira).get(reverse("goals:list")).content.decode()
    )
