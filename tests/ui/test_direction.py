"""Marks that turn the direction of writing reach no page."""

from __future__ import annotations

import pytest
from django.urls import reverse

from pmcycle.people.models import Employee
from pmcycle.ui.direction import MARKS, neutral
from tests.conftest import SignedIn, World


def test_a_name_with_marks_is_read_without_them() -> None:
    assert neutral("Ana \u202ePopescu\u202c \u2067(HR)\u2069\u200f") == "Ana Popescu (HR)"


def test_text_that_is_read_from_the_right_stays_as_it_is() -> None:
    assert neutral("محمد أحمد, דוד") == "محمد أحمد, דוד"


@pytest.mark.parametrize(
    "view", ["people:profile", "home:search", "people:picker", "people:org_chart"]
)
def test_no_page_holds_a_mark_of_direction(world: World, as_: SignedIn, view: str) -> None:
    chen = Employee.objects.get(user=world.chen)
    Employee.objects.filter(pk=chen.pk).update(
        name="Chen \u202eieW\u202c \u2066Wei\u2069", job_title="\u200fFitter"
    )
    address = (
        reverse(view, kwargs={"pk": chen.pk})
        if view == "people:profile"
        else reverse(view) + "?q=chen"
    )
    answer = as_(world.ana).get(address)
    assert answer.status_code == 200
    assert "Chen ieW Wei" in answer.content.decode()
    assert not set(answer.content.decode()) & set(MARKS)
    if length := answer.headers.get("Content-Length"):
        assert int(length) == len(answer.content)


def test_what_the_picker_tells_a_program_holds_none_either(world: World, as_: SignedIn) -> None:
    Employee.objects.filter(user=world.chen).update(name="Chen \u202eWei")
    answer = as_(world.ana).get(
        reverse("people:picker") + "?q=chen", headers={"Accept": "application/json"}
    )
    assert [person["name"] for person in answer.json()["results"]] == ["Chen Wei"]
