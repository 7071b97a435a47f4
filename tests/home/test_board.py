"""The board: states from every app's open items, causes in words, files that run nothing, reminders with reasons."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import BigIntegerField, DateField, F, OuterRef, Subquery
from django.urls import reverse
from openpyxl import load_workbook

from pmcycle.access import today
from pmcycle.activity.actions.definitions import Definition
from pmcycle.activity.models import Event, Notice
from pmcycle.cycles.models import Assignment, Participation, Stage, items
from pmcycle.home import completion
from pmcycle.home.completion import Filters, Person
from pmcycle.people.models import Absence, Employee, User
from pmcycle.ui import files
from tests.conftest import SignedIn, World
from tests.factories.people import make_unit
from tests.open_items import catch_up, define

pytestmark = pytest.mark.django_db


def two_kinds(day: date) -> list[Any]:
    """Everybody owes their goals; every manager owes an appraisal of each of theirs."""
    due = Subquery(
        Stage.objects.filter(cycle=OuterRef("cycle"), kind="objectives").values("due_on"),
        output_field=DateField(),
    )
    active = Participation.objects.filter(state="active")
    manager = (
        Assignment.objects.current(day).filter(participation=OuterRef("pk")).values("manager")[:1]
    )
    common: dict[str, Any] = {
        "subject": F("pk"),
        "about": F("employee"),
        "cycle": F("cycle"),
        "due_on": due,
    }
    return [
        items(active, kind="t:goals", stage="objectives", recipient=F("employee"), **common),
        items(
            active.annotate(boss=Subquery(manager, output_field=BigIntegerField())).filter(
                boss__isnull=False
            ),
            kind="t:appraise",
            stage="appraisal",
            recipient=F("boss"),
            **common,
        ),
    ]


@pytest.fixture(autouse=True)
def _two_kinds(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"goals": Definition(two_kinds)})


def url(world: World, name: str = "board") -> str:
    return reverse(f"home:{name}", kwargs={"pk": world.cycle.pk})


def people(world: World, by: User, **filters: str) -> dict[str, Person]:
    catch_up()
    stages = list(world.cycle.stages.all())
    board = completion.look(world.cycle, by, today(), Filters(**filters))
    found, total = completion.people(board, stages, Filters(**filters))
    assert total == len(found)
    return {p.name: p for p in found}


def states(person: Person) -> list[str]:
    return [c["state"] for c in person.cells]


def of(user: User) -> Employee:
    assert user.employee is not None
    return user.employee


def test_a_stage_in_which_nothing_was_to_do_is_not_called_done(world: World) -> None:
    world.cycle.stages.filter(position=3).update(state="planned")
    assert states(people(world, world.kim)["Ana Popescu"]) == ["open", "open", "nothing", "planned"]


def test_what_is_past_its_day_is_overdue_and_in_a_closed_stage_missed(world: World) -> None:
    world.cycle.stages.filter(position=0).update(due_on=today() - timedelta(days=1))
    assert states(people(world, world.kim)["Ana Popescu"])[0] == "overdue"


def test_whoever_waits_for_a_leaver_is_blocked_with_the_name(world: World) -> None:
    bashir = of(world.bashir)
    bashir.left_on = today() - timedelta(days=1)
    bashir.save()
    cell = people(world, world.kim)["Ana Popescu"].cells[1]
    assert (cell["state"], cell["why"]) == ("blocked", "waits for Bashir Nouri, who has left")
    assert set(people(world, world.kim, state="blocked")) == {
        "Ana Popescu",
        "Chen Wei",
        "Bashir Nouri",
    }


@pytest.mark.parametrize(("ends", "blocked"), [(0, False), (30, True), (None, True)])
def test_an_absence_blocks_only_if_it_outlasts_the_due_day(
    world: World, ends: int | None, blocked: bool
) -> None:
    until = None if ends is None else today() + timedelta(days=ends)
    Absence.objects.create(employee=of(world.bashir), starts_on=today(), ends_on=until)
    assert (states(people(world, world.kim)["Ana Popescu"])[1] == "blocked") is blocked


def test_whoever_has_no_manager_is_blocked(world: World) -> None:
    Assignment.objects.filter(participation=world.ana_part).delete()
    cell = people(world, world.kim)["Ana Popescu"].cells[0]
    assert cell["why"] == "has no manager in this cycle"


def test_whoever_left_is_frozen_and_not_counted(world: World) -> None:
    Participation.objects.filter(pk=world.ana_part.pk).update(state="left")
    assert set(states(people(world, world.kim)["Ana Popescu"])) == {"left"}


def test_partners_see_their_units_and_nobody_sees_themselves(world: World) -> None:
    assert set(people(world, world.jan)) == {"Gita Rao", "Hugo Blanc"}
    assert "Kim Larsen" not in people(world, world.kim)
    assert "Kim Larsen" in people(world, world.lea)


def test_filters_narrow_by_name_unit_stage_and_state(world: World, as_: SignedIn) -> None:
    assert set(people(world, world.kim, q="popes")) == {"Ana Popescu"}
    assert set(people(world, world.kim, q="%")) == set()
    assert set(people(world, world.kim, unit=str(world.sales.pk))) == {"Gita Rao", "Hugo Blanc"}
    assert set(people(world, world.kim, stage="incentives", state="open")) == set()
    kim = as_(world.kim)
    for query in (
        {"q": "\x00'"},
        {"unit": "9" * 40},
        {"state": "x"},
        {"stage": "x"},
        {"page": "9" * 9},
        {"sort": "unit"},
    ):
        assert kim.get(url(world), query).status_code == 200


def test_the_page_shows_funnel_causes_and_ways_out(world: World, as_: SignedIn) -> None:
    bashir = of(world.bashir)
    bashir.left_on = today() - timedelta(days=1)
    bashir.save()
    page = as_(world.kim).get(url(world))
    assert b"waits for Bashir Nouri, who has left" in page.content
    assert reverse("cycles:transfer", kwargs={"pk": world.ana_part.pk}).encode() in page.content
    partner = as_(world.ines).get(url(world))
    assert (
        reverse("cycles:transfer", kwargs={"pk": world.ana_part.pk}).encode() not in partner.content
    )


def test_every_unit_below_is_counted_on_some_page(world: World, as_: SignedIn) -> None:
    root = world.sales.parent
    assert root
    shops = [make_unit(f"Shop {n:02}", root) for n in range(2 * completion.BRANCHES_A_PAGE)]
    Participation.objects.filter(pk=world.ana_part.pk).update(unit=shops[-1])
    kim, url = as_(world.kim), reverse("home:board", args=[world.cycle.pk])
    pages = [kim.get(url, {"units": n}) for n in (1, 2, 3)]
    listed = [pk for page in pages for pk, _name in page.context["branches"]]
    assert len(listed) == len(set(listed))
    assert {shop.pk for shop in shops} < set(listed)
    (row,) = [
        row for page in pages for row in page.context["by_unit"] if shops[-1].name in row["unit"]
    ]
    assert "0 / 1" in row["cells"]
    last = kim.get(url, {"units": 99})
    assert "units=2" in last.content.decode(), "beyond the last page is the first"


def test_the_file_holds_exactly_what_is_shown(world: World, as_: SignedIn) -> None:
    Employee.objects.filter(pk=of(world.ana).pk).update(name="=HYPERLINK(1)")
    kim = as_(world.kim)
    content = kim.get(url(world), {"as": "csv", "q": "hyper"}).content
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert text.count("\r\n") == 2
    assert ',"\'=HYPERLINK(1)",' in text
    book = load_workbook(io.BytesIO(kim.get(url(world), {"as": "xlsx"}).content))
    assert {cell.value for row in book.worksheets[0] for cell in row if cell.data_type == "s"} >= {
        "=HYPERLINK(1)"
    }
    assert not [cell for row in book.worksheets[0] for cell in row if cell.data_type == "f"]
    assert book.worksheets[0].max_row == 1 + len(people(world, world.kim))
    assert Event.objects.filter(verb="exported_board").count() == 2


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(text: str) -> None:
    assert files.neutral(text) == f"'{text}"
    assert files.neutral("plain") == "plain"


def test_what_follows_a_semicolon_stays_in_its_cell() -> None:
    content = files.csv("x", ["head"], [["x;=1+1"]]).content.decode("utf-8-sig")
    assert content == '"head"\r\n"x;=1+1"\r\n'


def test_remind_tells_who_gets_it_and_who_not_and_why(world: World, as_: SignedIn) -> None:
    Absence.objects.create(employee=of(world.chen), starts_on=today(), ends_on=today())
    User.objects.filter(pk=world.hugo.pk).update(is_active=False)
    kim = as_(world.kim)
    page = kim.get(url(world, "remind"), {"stage": "objectives"})
    assert {c.name: c.why for c in page.context["held"]} == {
        "Chen Wei": "is away today",
        "Hugo Blanc": "cannot sign in: no account",
    }
    assert kim.post(url(world, "remind"), {"stage": "objectives"}).status_code == 302
    told = set(Notice.objects.filter(kind="chase").values_list("recipient__name", flat=True))
    assert (
        told
        == {
            "Ana Popescu",
            "Bashir Nouri",
            "Farid Amiri",
            "Gita Rao",
            "Ines Costa",
            "Jan Novak",
            "Lea Roth",
        }
        & told
    )
    assert "Ana Popescu" in told
    again = kim.get(url(world, "remind"), {"stage": "objectives"})
    assert again.context["told"] == []
    assert kim.post(url(world, "remind"), {"stage": "objectives"}).status_code == 302
    assert Notice.objects.filter(kind="chase").count() == len(told)


def test_a_partner_reminds_about_their_units_only(world: World, as_: SignedIn) -> None:
    page = as_(world.jan).get(url(world, "remind"), {"stage": "objectives"})
    assert {c.name for c in page.context["told"]} == {"Gita Rao", "Hugo Blanc"}


def test_a_closed_cycle_reminds_nobody(world: World, as_: SignedIn) -> None:
    world.cycle.state = "closed"
    world.cycle.save()
    assert as_(world.kim).post(url(world, "remind")).status_code == 409
