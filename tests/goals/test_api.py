"""The API speaks the same verbs: scopes, versions, conflicts, closed field lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from goals.models import ChangeRequest, Contribution, Goal, KeyResult
from pmcycle.access import today
from pmcycle.people.authentication import digest
from pmcycle.people.models import ApiToken, User
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db
JSON = "application/json"


def with_token(user: User, *scopes: str) -> Client:
    ApiToken.objects.create(
        user=user,
        name="test",
        prefix="abcd",
        digest=digest("secret"),
        scopes=list(scopes),
        expires_on=today() + timedelta(days=1),
    )
    return Client(headers={"Authorization": "Bearer pmc_abcd_secret"})


def post(client: Client, name: str, *args: int, **data: Any) -> Any:
    return client.post(reverse(f"api:{name}", args=args), data, content_type=JSON)


WORDING = {
    "title": "Halve the scrap",
    "why": "Complaints.",
    "weight": "40",
    "key_results": [
        {"title": "Scrap", "kind": "decrease", "start": "8", "target": "4", "unit": "%"}
    ],
}


def test_a_goal_from_proposal_to_progress(world: World, as_: SignedIn) -> None:
    ana, bashir = as_(world.ana), as_(world.bashir)
    made = post(ana, "goal-propose", participation=world.ana_part.pk, **WORDING)
    assert made.status_code == 201
    goal = made.json()
    assert (goal["state"], goal["weight"], goal["signatures"]) == (
        "proposed",
        "40.00",
        [{"side": "employee", "name": "Ana Popescu"}],
    )
    countered = post(
        bashir, "goal-counter", goal["id"], **{**WORDING, "weight": "35"}, version=goal["version"]
    ).json()
    assert countered["weight"] == "35.00"
    agreed = post(ana, "goal-accept", goal["id"], version=countered["version"]).json()
    assert agreed["state"] == "agreed"
    row = agreed["key_results"][0]
    recorded = post(
        ana,
        "keyresult-record-progress",
        row["id"],
        value="6",
        confidence="on_track",
        version=row["version"],
    ).json()
    assert (recorded["current"], recorded["progress"]) == ("6.0000", "50.00")
    updates = ana.get(reverse("api:keyresult-updates", args=[row["id"]])).json()
    assert updates["count"] == 1
    assert ana.get(reverse("api:goal-detail", args=[goal["id"]])).json()["progress"] == "50.00"


def test_the_field_list_is_closed(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    body = as_(world.ana).get(reverse("api:goal-detail", args=[goal.pk])).json()
    assert set(body) == {
        "id",
        "participation",
        "cycle",
        "owner",
        "horizon",
        "visibility",
        "state",
        "parent",
        "title",
        "why",
        "weight",
        "due_on",
        "progress",
        "result",
        "measured_on",
        "from_cycle",
        "signatures",
        "key_results",
        "version",
    }


def test_a_list_shows_only_what_one_may_see_and_filters(world: World, as_: SignedIn) -> None:
    goals.propose(world.ana_part, world.ana)
    goals.draft(world.ana_part, world.bashir)
    mine = goals.agree(world.part["chen"], world.chen, world.bashir)
    url = reverse("api:goal-list")
    assert as_(world.ana).get(url).json()["count"] == 1
    assert as_(world.bashir).get(url).json()["count"] == 3
    assert as_(world.gita).get(url).json()["count"] == 0
    found = as_(world.bashir).get(url, {"state": "agreed"}).json()
    assert [row["id"] for row in found["results"]] == [mine.pk]
    assert as_(world.bashir).get(url, {"state": "gone"}).status_code == 400


def test_a_list_costs_the_same_for_one_and_for_thirty(world: World, as_: SignedIn) -> None:
    client, url, counts = as_(world.ana), reverse("api:goal-list"), []
    for rows in (1, 20):
        for _n in range(rows):
            goals.agree(world.ana_part, world.ana, world.bashir, weight="0.5")
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6


@pytest.mark.parametrize(
    ("version", "code"),
    [({}, 428), ({"version": None}, 428), ({"version": 9}, 409), ({"version": "x"}, 400)],
)
def test_a_change_names_the_version_it_was_made_from(
    world: World, as_: SignedIn, version: dict[str, Any], code: int
) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    assert post(as_(world.bashir), "goal-accept", goal.pk, **version).status_code == code
    assert (
        post(as_(world.bashir), "goal-counter", goal.pk, **WORDING, **version).status_code == code
    )


def test_a_stale_wording_gets_the_saved_one_back(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    body = post(as_(world.bashir), "goal-counter", goal.pk, **WORDING, version=7).json()
    assert body["current"]["title"] == "Halve the scrap of line 3"
    assert body["version"] == goal.version


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": ""}, 400),
        ({"title": "x\x00"}, 400),
        ({"weight": "101"}, 400),
        ({"weight": None}, 422),
        ({"weight": "NaN"}, 400),
        ({"parent": 99999}, 422),
        ({"parent": 2**70}, 422),
        ({"why": "x" * 20_001}, 400),
        ({"key_results": [{"title": "A", "target": None}]}, 422),
        ({"key_results": "none"}, 400),
        ({"key_results": [{"title": "A", "target": "1" * 40}]}, 400),
        ({"key_results": [{"title": "A", "target": "1"}] * 13}, 422),
        ({"participation": 2**70}, 404),
        ({"participation": "x"}, 400),
    ],
)
def test_a_wrong_field_is_named(
    world: World, as_: SignedIn, fields: dict[str, Any], code: int
) -> None:
    data = {"participation": world.ana_part.pk, **WORDING, **fields}
    response = post(as_(world.ana), "goal-propose", **data)
    assert response.status_code == code
    assert code == 404 or set(response.json()) & set(fields)
    assert not Goal.objects.exists()


def test_a_goal_aligns_and_a_loop_is_refused(world: World, as_: SignedIn) -> None:
    above = goals.publish(world.cycle, world.kim)
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    body = post(as_(world.ana), "goal-align", goal.pk, parent=above.pk, version=goal.version)
    assert body.json()["parent"] == above.pk
    body = post(as_(world.ana), "goal-align", goal.pk, parent=goal.pk, version=goal.version + 1)
    assert body.status_code == 422


def test_the_set_is_agreed_as_it_was_read(world: World, as_: SignedIn) -> None:
    made = [goals.propose(world.ana_part, world.ana, weight="50") for _n in range(2)]
    seen = [{"goal": goal.pk, "version": goal.version} for goal in made]
    bashir = as_(world.bashir)
    assert (
        post(bashir, "goal-agree-set", participation=world.ana_part.pk, seen=seen[:1]).status_code
        == 409
    )
    body = post(bashir, "goal-agree-set", participation=world.ana_part.pk, seen=seen).json()
    assert [goal["state"] for goal in body] == ["agreed", "agreed"]


def test_a_change_through_the_api(world: World, as_: SignedIn) -> None:
    goal = goals.agree(world.ana_part, world.ana, world.bashir)
    ana, bashir = as_(world.ana), as_(world.bashir)
    made = post(
        ana,
        "goal-request-change",
        goal.pk,
        **WORDING,
        reason="error",
        explanation="Line 4 left.",
        version=goal.version,
    )
    assert made.status_code == 201
    change = made.json()
    countered = post(
        bashir, "goalchange-counter-change", change["id"], **{**WORDING, "weight": "30"}, version=1
    ).json()
    assert (
        post(ana, "goalchange-accept-change", change["id"], version=countered["version"]).json()[
            "state"
        ]
        == "agreed"
    )
    assert ana.get(reverse("api:goalchange-list"), {"goal": goal.pk}).json()["count"] == 1
    goal.refresh_from_db()
    other = goals.change(goal, world.ana, title="Another")
    assert (
        post(bashir, "goalchange-decline-change", other.pk, version=1).json()["state"] == "declined"
    )
    goal.refresh_from_db()
    third = goals.change(goal, world.ana, title="A third")
    assert (
        post(ana, "goalchange-withdraw-change", third.pk, version=1).json()["state"] == "withdrawn"
    )
    assert ChangeRequest.objects.count() == 3


def test_a_proposal_is_taken_back(world: World, as_: SignedIn) -> None:
    goal = goals.propose(world.ana_part, world.ana)
    assert post(as_(world.ana), "goal-withdraw", goal.pk, version=goal.version).status_code == 204


def test_contributions_through_the_api(world: World, as_: SignedIn) -> None:
    data = goals.contributed(world)
    made = post(as_(world.ana), "contribution-contribute", **data)
    assert made.status_code == 201
    assert (
        post(
            as_(world.ana), "contribution-contribute", **{**data, "beneficiary": 10**9}
        ).status_code
        == 422
    )
    pk = made.json()["id"]
    assert post(as_(world.chen), "contribution-confirm-contribution", pk, version=1).json()[
        "confirmed_at"
    ]
    other = goals.contribution(world.ana_part, world.ana, world.chen)
    assert post(as_(world.chen), "contribution-decline-contribution", other.pk, version=1).json()[
        "declined_at"
    ]
    assert Contribution.objects.count() == 2


def test_a_token_reaches_only_its_scopes(world: World) -> None:
    row = goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))
    client = with_token(world.ana, "goals:read")
    assert client.get(reverse("api:goal-list")).json()["count"] == 1
    data = {"value": "6", "confidence": "on_track", "version": 1}
    assert post(client, "keyresult-record-progress", row.pk, **data).status_code == 403
    ApiToken.objects.update(scopes=["goals:write"])
    assert client.get(reverse("api:goal-list")).status_code == 403
    assert post(client, "keyresult-record-progress", row.pk, **data).status_code == 200
    assert KeyResult.objects.get(pk=row.pk).current == 6


@pytest.mark.parametrize(
    "name", ["goal-list", "contribution-list", "feedback-list", "appraisal-list"]
)
def test_a_filter_does_not_tell_whether_a_hidden_row_exists(
    world: World, as_: SignedIn, name: str
) -> None:
    field = "recipient" if name == "feedback-list" else "participation"
    hidden = world.part["gita"].employee_id if name == "feedback-list" else world.part["gita"].pk
    answers = [
        as_(world.chen).get(reverse(f"api:{name}"), {field: pk}) for pk in (hidden, 2**40, 10**30)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert as_(world.chen).get(reverse(f"api:{name}"), {field: "x"}).status_code == 400
