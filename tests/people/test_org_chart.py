"""The company as everybody sees it, and the picker that every other page uses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from pmcycle.access import today
from pmcycle.people.models import Employee
from tests.conftest import SignedIn, World
from tests.factories import people

CHART = "/people/"


def test_the_chart_begins_at_the_top_and_opens_a_branch_at_a_time(
    world: World, as_: SignedIn
) -> None:
    ana = as_(world.ana)
    page = ana.get(CHART)
    assert [t["person"].name for t in page.context["tree"]] == ["Dora Kiss"]
    shown = page.content.decode()
    assert "Bashir Nouri" in shown
    assert "Chen Wei" not in shown
    bashir = world.bashir.employee_id
    branch = ana.get(
        reverse("people:reports", kwargs={"pk": bashir}), headers={"HX-Request": "true"}
    ).content.decode()
    assert "Chen Wei" in branch
    assert "<html" not in branch
    # Without script the same link centres the chart.
    centred = ana.get(
        reverse("people:reports", kwargs={"pk": bashir}), follow=True
    ).content.decode()
    assert "Chen Wei" in centred
    assert "The whole company" in centred


def test_a_branch_counts_only_those_who_have_not_left(world: World, as_: SignedIn) -> None:
    chen = world.chen.employee
    assert chen is not None
    chen.left_on = today() - timedelta(days=1)
    chen.save(update_fields=["left_on"])
    bashir = Employee.objects.for_chart().get(user=world.bashir)
    assert bashir.report_count == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=popes", ["Ana Popescu"]),
        ("q=rao+sales", ["Gita Rao"]),
        ("q=nobody+here", []),
        ("q=%00", None),
        ("unit=999999", []),
    ],
)
def test_search_looks_in_name_title_and_unit(
    query: str, found: list[str] | None, world: World, as_: SignedIn
) -> None:
    page = as_(world.ana).get(f"{CHART}?{query}")
    assert page.status_code == 200
    if found is not None:
        assert [p.name for p in page.context["page"]] == found


def test_a_unit_shows_its_people_and_those_below(world: World, as_: SignedIn) -> None:
    lines = people.make_unit("Line 3", world.production)
    people.make_employee("Uma Fox", lines)
    names = [
        p.name for p in as_(world.ana).get(f"{CHART}?unit={world.production.pk}").context["page"]
    ]
    assert "Uma Fox" in names
    assert "Gita Rao" not in names


def test_leavers_are_found_by_hr_only(world: World, as_: SignedIn) -> None:
    people.make_employee("Gone Person", world.sales, left_on=today() - timedelta(days=5))
    assert [p.name for p in as_(world.kim).get(f"{CHART}?who=left").context["page"]] == [
        "Gone Person"
    ]
    assert "Gone Person" not in as_(world.ana).get(f"{CHART}?who=left").content.decode()


def test_the_picker_gives_public_profiles_in_three_forms(world: World, as_: SignedIn) -> None:
    ana = as_(world.ana)
    url = reverse("people:picker")
    said = ana.get(f"{url}?q=gita", headers={"Accept": "application/json"}).json()["results"]
    gita = world.gita.employee
    assert gita is not None
    assert said == [{"id": gita.pk, "name": "Gita Rao", "title": "Technician", "unit": "Sales"}]
    options = ana.get(f"{url}?manager=gita", headers={"HX-Request": "true"}).content.decode()
    assert f'<li role="option" data-value="{gita.pick_text}">' in options
    assert "<select" not in ana.get(f"{url}?q=gita").content.decode()
    assert (
        as_(world.noor)
        .get(f"{url}?q=gita", headers={"Accept": "application/json"})
        .json()["results"]
        == []
    )


def test_what_a_picker_field_holds_is_read_back(world: World) -> None:
    gita = world.gita.employee
    assert gita is not None
    for text in (gita.pick_text, gita.email.upper(), gita.number, "gita rao"):
        assert Employee.objects.picked(text) == gita
    for text in ("", "Gita", "#", f"Gita #{'9' * 40}", "\x00", "Gita #999999"):
        assert Employee.objects.picked(text) is None
