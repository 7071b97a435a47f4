"""An answer that is given again shows as much as the first time: only to who still sees it, and as another look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from goals.models import KeyResult
from pmcycle.activity.models import Event, SentForm
from pmcycle.people.models import Role, RoleGrant, User
from tests.conftest import SignedIn, World
from tests.factories import goals, incentives, people
from tests.test_judged_again import to_gita

pytestmark = pytest.mark.django_db

PROGRESS = {"value": "6", "confidence": "at_risk", "version": 1}
JSON = "application/json"


def looks(by: User) -> models.QuerySet[Event]:
    return Event.objects.filter(verb="viewed", actor=by)


def partner_of_production(world: World) -> RoleGrant:
    """Bashir does not lead Ana any more, and reads of her as HR partner: as no party."""
    to_gita(world)
    return people.grant(world.bashir, Role.HR_PARTNER, world.production)


@pytest.fixture
def adjusted(world: World, as_: SignedIn) -> tuple[Client, str, dict[str, Any], str]:
    """Bashir has changed what he recommends for Ana: his browser, the address, what he sent, and the answer."""
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    url = reverse("incentives:adjust", kwargs={"pk": award.pk})
    data = {"amount": str(award.high), "reason": "", "version": str(award.version), "form_key": "k"}
    bashir = as_(world.bashir, headers={"HX-Request": "true"})
    answer = bashir.post(url, data)
    assert answer.status_code == 200
    assert f'id="award-{award.pk}"' in answer.content.decode()
    return bashir, url, data, answer.content.decode()


@pytest.fixture
def recorded(world: World) -> tuple[Client, str, bytes]:
    """Bashir's program has recorded a number of Ana's with a key of its own."""
    row = KeyResult.objects.get(pk=goals.a_key_result(world)["pk"])
    program = Client(
        headers={**people.bearer(world.bashir, "goals:write"), "Idempotency-Key": "one"}
    )
    url = reverse("api:keyresult-record-progress", args=[row.pk])
    answer = program.post(url, PROGRESS, content_type=JSON)
    assert answer.status_code == 200, answer.content
    return program, url, answer.content


def test_a_fragment_is_given_again_to_who_still_sees_it(adjusted: Any) -> None:
    bashir, url, data, first = adjusted
    assert bashir.post(url, data).content.decode() == first


def test_a_fragment_given_again_after_an_hour_is_a_second_look_at_whose_page_it_is(
    world: World, adjusted: Any
) -> None:
    bashir, url, data, first = adjusted
    partner_of_production(world)
    assert bashir.post(url, data).content.decode() == first
    assert looks(world.bashir).filter(about=world.ana.employee).count() == 1
    assert looks(world.bashir).get(about=world.ana.employee).data["page"] == "incentives:adjust"
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert bashir.post(url, data).content.decode() == first
    assert looks(world.bashir).filter(about=world.ana.employee).count() == 2


def test_a_right_that_has_ended_is_not_revived_and_the_page_is_loaded_anew(
    world: World, adjusted: Any
) -> None:
    bashir, url, data, _first = adjusted
    role = partner_of_production(world)
    RoleGrant.objects.filter(pk=role.pk).update(ends_on=timezone.now().date() - timedelta(days=1))
    again = bashir.post(url, data)
    assert (again.content, again.headers["HX-Refresh"]) == (b"", "true")
    assert not looks(world.bashir).exists()


def test_what_was_let_through_by_more_than_rows_is_not_kept(
    world: World, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place in the line is no row that could be asked for again."""
    monkeypatch.setattr("pmcycle.activity.once.stood_on", lambda _user: {})
    incentives.recommending(world)
    award = incentives.award_of(world.ana_part)
    url = reverse("incentives:adjust", kwargs={"pk": award.pk})
    data = {"amount": str(award.high), "reason": "", "version": str(award.version), "form_key": "k"}
    bashir = as_(world.bashir, headers={"HX-Request": "true"})
    bashir.post(url, data)
    assert SentForm.objects.get().body == ""
    assert bashir.post(url, data).headers["HX-Refresh"] == "true"


def test_a_program_gets_its_answer_again_and_it_is_a_second_look(
    world: World, recorded: Any
) -> None:
    program, url, first = recorded
    partner_of_production(world)
    for minutes in (0, 61):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            answer = program.post(url, PROGRESS, content_type=JSON)
            assert (answer.status_code, answer.content) == (200, first)
    assert looks(world.bashir).filter(about=world.ana.employee, data__way="api").count() == 2


def test_a_program_whose_right_has_ended_gets_nothing_again(world: World, recorded: Any) -> None:
    program, url, _first = recorded
    role = partner_of_production(world)
    RoleGrant.objects.filter(pk=role.pk).delete()
    answer = program.post(url, PROGRESS, content_type=JSON)
    assert answer.status_code == 404
    assert b"Halve" not in answer.content
    assert not looks(world.bashir).exists()
