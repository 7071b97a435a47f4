"""Something valuable outside the goals: recorded by the person, confirmed by the beneficiary in one click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from goals.models import Contribution
from pmcycle.access import today
from pmcycle.activity.actions import save_draft
from pmcycle.activity.models import Draft, Notice
from tests.conftest import SignedIn, World
from tests.factories import goals

pytestmark = pytest.mark.django_db


def test_it_is_recorded_and_the_beneficiary_asked(world: World, as_: SignedIn) -> None:
    data = {
        "text": "Covered two night shifts.",
        "beneficiary": "CHEN.WEI@example.com",
        "happened_on": today(),
    }
    save_draft(world.ana, f"contribution-{world.ana_part.pk}", {"text": "Covered"})
    response = as_(world.ana).post(
        reverse("goals:contribute", args=[world.ana_part.pk]), data, follow=True
    )
    assert not Draft.objects.kept().exists()
    assert "Chen Wei is asked to confirm it" in response.content.decode()
    row = Contribution.objects.get()
    notice = Notice.objects.get(recipient=world.chen)
    page = as_(world.chen).get(notice.url).content.decode()
    assert "Yes, that helped me" in page
    assert (
        as_(world.chen)
        .post(reverse("goals:confirm_contribution", args=[row.pk]), {"version": 1})
        .status_code
        == 302
    )
    again = as_(world.chen).post(
        reverse("goals:decline_contribution", args=[row.pk]), {"version": 2}
    )
    assert again.status_code == 409
    page = (
        as_(world.bashir)
        .get(reverse("goals:contributions", args=[world.ana_part.pk]))
        .content.decode()
    )
    assert "Chen Wei confirmed it" in page


def test_it_is_declined(world: World, as_: SignedIn) -> None:
    row = goals.contribution(world.ana_part, world.ana, world.chen)
    as_(world.chen).post(reverse("goals:decline_contribution", args=[row.pk]), {"version": 1})
    assert (
        "did not recognise it"
        in as_(world.ana).get(reverse("goals:contribution", args=[row.pk])).content.decode()
    )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"text": ""}, "This field is required"),
        ({"text": "\x00"}, "Null characters"),
        ({"beneficiary": "nobody@example.com"}, "Nobody has this address"),
        ({"beneficiary": "ana.popescu@example.com"}, "Somebody else confirms"),
        ({"happened_on": str(today() + timedelta(days=2))}, "still to come"),
        ({"happened_on": "0000-00-00"}, "valid date"),
    ],
)
def test_a_wrong_field_keeps_what_was_typed(
    world: World, as_: SignedIn, fields: dict[str, str], error: str
) -> None:
    data = {
        "text": "Two shifts.",
        "beneficiary": "chen.wei@example.com",
        "happened_on": str(today()),
        **fields,
    }
    response = as_(world.ana).post(reverse("goals:contribute", args=[world.ana_part.pk]), data)
    assert response.status_code == 422
    assert error in response.content.decode()


def test_somebody_who_left_confirms_nothing(world: World, as_: SignedIn) -> None:
    chen = world.part["chen"].employee
    chen.left_on = today() - timedelta(days=1)
    chen.save(update_fields=["left_on"])
    data = {"text": "Two shifts.", "beneficiary": chen.email, "happened_on": str(today())}
    response = as_(world.ana).post(reverse("goals:contribute", args=[world.ana_part.pk]), data)
    assert b"does not work here any more" in response.content


def test_the_database_keeps_both_rules(world: World) -> None:
    row = goals.contribution(world.ana_part, world.ana, world.chen)
    for values in (
        {"beneficiary": world.ana.employee},
        {"confirmed_at": timezone.now(), "declined_at": timezone.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Contribution.objects.filter(pk=row.pk).update(**values)
