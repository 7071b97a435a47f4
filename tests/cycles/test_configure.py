"""HR sets up a cycle step by step: what is saved, what is refused, what two tabs do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import appraisals.actions
from pmcycle.activity.models import Job, ToDo
from pmcycle.cycles import rules, tasks
from pmcycle.cycles.models import Cycle, Participation, PopulationRule, RatingScale, ReminderPolicy
from tests.conftest import SignedIn, World
from tests.factories import cycles, incentives
from tests.open_items import catch_up
from tests.pages import flat

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(world: World) -> Cycle:
    return cycles.make_draft("Next year", by=world.kim)


def url(cycle: Cycle, step: str) -> str:
    return reverse("cycles:configure", kwargs={"pk": cycle.pk, "step": step})


def stages_data(cycle: Cycle, **changed: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": cycle.name,
        "first_day": cycle.first_day,
        "last_day": cycle.last_day,
        "zone": "Europe/Berlin",
        "currency": "EUR",
        "version": cycle.version,
    }
    for stage in cycle.stages.all():
        data[f"{stage.kind}_opens_on"] = stage.opens_on
        data[f"{stage.kind}_due_on"] = stage.due_on
        data[f"{stage.kind}_grace_days"] = 5
    return {**data, **changed}


def scale_data(*levels: tuple[str, str, str], version: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": "Ours",
        "version": version,
        "level-TOTAL_FORMS": len(levels),
        "level-INITIAL_FORMS": 0,
    }
    for number, (label, meaning, value) in enumerate(levels):
        data |= {
            f"level-{number}-label": label,
            f"level-{number}-meaning": meaning,
            f"level-{number}-value": value,
        }
        data[f"level-{number}-place"] = number + 1
    return data


def test_a_walk_from_blank_to_the_board(world: World, as_: SignedIn) -> None:
    kim = as_(world.kim)
    made = kim.post(
        "/cycles/new/", {"name": "Coming", "first_day": "2031-01-01", "last_day": "2031-12-31"}
    )
    cycle = Cycle.objects.get(name="Coming")
    assert made.headers["Location"] == url(cycle, "who")
    refused = kim.post(
        reverse("cycles:launch", kwargs={"pk": cycle.pk}), {"version": cycle.version}
    )
    assert refused.status_code == 409, "no appraisal form yet"
    appraisals.actions.choose_form(cycle, None, by=world.kim)
    check = url(cycle, "check")
    for row in kim.get(check).context["check"].rows:
        finding = row.finding
        accept = reverse("cycles:accept_warning", kwargs={"pk": cycle.pk})
        assert kim.post(accept, {"code": finding.code, "count": finding.count}).status_code == 302
    assert b"Launch for 11 people" in kim.get(check).content
    answer = kim.post(reverse("cycles:launch", kwargs={"pk": cycle.pk}), {"version": cycle.version})
    job = Job.objects.get(kind="launch")
    assert answer.headers["Location"] == reverse("activity:job", kwargs={"pk": job.pk})
    assert answer.headers["Location"] in kim.get(check).content.decode(), (
        "who left the page finds it again"
    )
    tasks.launch_waiting()
    job.refresh_from_db()
    assert (job.state, job.url) == ("done", reverse("home:board", kwargs={"pk": cycle.pk}))
    board = kim.get(job.url)
    assert b"Ana Popescu" in board.content
    assert b"Kim Larsen</a>" not in board.content
    assert Participation.objects.filter(cycle=cycle).count() == 11


def test_who_takes_part_is_saved_and_shown(world: World, as_: SignedIn, draft: Cycle) -> None:
    data = {"units": [world.production.pk], "excluded": [world.chen.employee_id], "version": 1}
    assert as_(world.kim).post(url(draft, "who"), data).status_code == 302
    rule = PopulationRule.objects.get(cycle=draft)
    assert (list(rule.units.all()), rule.version) == ([world.production], 2)
    page = as_(world.kim).get(url(draft, "who"))
    assert {p.name for p in page.context["people"]} == {
        "Ana Popescu",
        "Bashir Nouri",
        "Farid Amiri",
    }


def test_looking_for_somebody_to_leave_out_keeps_the_rule_and_saves_nothing(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    data = {"units": [world.production.pk], "version": 1, "exclude": "chen", "find": "yes"}
    page = as_(world.kim).post(url(draft, "who"), data)
    assert page.status_code == 200
    assert b"Chen" in page.content
    assert re.search(rf'name="units"[^>]*value="{world.production.pk}"[^>]*checked', flat(page))
    assert PopulationRule.objects.get(cycle=draft).version == 1


def test_the_preview_reads_the_rule_before_it_is_saved(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    preview = reverse("cycles:preview", kwargs={"pk": draft.pk})
    shown = as_(world.kim).get(preview, {"units": [world.sales.pk]})
    assert b"Hugo Blanc" in shown.content
    assert b"Ana Popescu" not in shown.content
    assert as_(world.ana).get(preview).status_code == 404


def test_two_tabs_end_in_a_conflict_and_lose_nothing(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    kim = as_(world.kim)
    assert kim.post(url(draft, "stages"), stages_data(draft, name="First tab")).status_code == 302
    second = kim.post(url(draft, "stages"), stages_data(draft, name="Second tab"))
    assert second.status_code == 409
    assert b"Second tab" in second.content
    assert b"First tab" in second.content


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"objectives_due_on": "2020-01-01"}, "objectives_due_on"),
        ({"last_day": "2019-01-01"}, "last_day"),
        ({"first_day": "0001-01-01"}, "first_day"),
        ({"currency": "euro"}, "currency"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"appraisal_grace_days": "99999999999999999999"}, "appraisal_grace_days"),
        ({"name": "x" * 5_000}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "This year"}, "name"),
    ],
)
def test_odd_dates_and_names_are_field_errors(
    world: World, as_: SignedIn, draft: Cycle, changed: dict[str, Any], field: str
) -> None:
    answer = as_(world.kim).post(url(draft, "stages"), stages_data(draft, **changed))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_a_scale_keeps_order_and_values(world: World, as_: SignedIn, draft: Cycle) -> None:
    version = RatingScale.objects.get(cycle=draft).version
    data = scale_data(
        ("Low", "Less than agreed.", "1"), ("High", "More than agreed.", "2"), version=version
    )
    assert as_(world.kim).post(url(draft, "rating"), data).status_code == 302
    scale = RatingScale.objects.get(cycle=draft)
    assert [x.label for x in scale.levels.all()] == ["Low", "High"]


def test_a_usual_scale_fills_the_fields_and_saves_nothing(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    page = as_(world.kim).get(url(draft, "rating"))
    button = re.search(r'name="(\w+)"\s+value="three"', page.content.decode())
    assert button
    filled = as_(world.kim).get(url(draft, "rating"), {button[1]: "three"})
    assert [row["label"] for row in filled.context["levels"].initial] == [
        x[0] for x in rules.SCALES["three"][1]
    ]
    assert RatingScale.objects.get(cycle=draft).levels.count() == 5


@pytest.mark.parametrize(
    "levels",
    [
        [("Low", "Less.", "1")],
        [("Low", "Less.", "2"), ("High", "More.", "1")],
        [("Low", "Less.", "1"), ("low", "More.", "2")],
        [("Low", "", "1"), ("High", "More.", "2")],
        [("Low", "Less.", "1e400"), ("High", "More.", "2")],
        [("Low", "Less.", "NaN"), ("High", "More.", "2")],
    ],
)
def test_a_scale_that_cannot_rate_is_refused(
    world: World, as_: SignedIn, draft: Cycle, levels: list[tuple[str, str, str]]
) -> None:
    version = RatingScale.objects.get(cycle=draft).version
    answer = as_(world.kim).post(url(draft, "rating"), scale_data(*levels, version=version))
    assert answer.status_code == 422
    assert RatingScale.objects.get(cycle=draft).levels.count() == 5


def test_reminders_are_days_in_words(world: World, as_: SignedIn, draft: Cycle) -> None:
    data: dict[str, Any] = {"version": draft.version}
    for kind in ("objectives", "appraisal", "incentives", "evaluation"):
        data |= {f"{kind}_before": "10; 3", f"{kind}_after": "2", f"{kind}_escalate": "4"}
    kim = as_(world.kim)
    assert kim.post(url(draft, "reminders"), data).status_code == 302
    assert ReminderPolicy.objects.get(cycle=draft, kind="appraisal").days_before == [10, 3]
    wrong = kim.post(
        url(draft, "reminders"), {**data, "version": draft.version + 1, "appraisal_before": "soon"}
    )
    assert wrong.status_code == 422


def test_visibility_is_saved_within_limits(world: World, as_: SignedIn, draft: Cycle) -> None:
    data = {
        "version": draft.version,
        "mention_days": 21,
        "appeal_days": 10,
        "missing_part": "reweight",
        "progress_cap": "150",
    }
    kim = as_(world.kim)
    assert kim.post(url(draft, "visibility"), {**data, "progress_cap": "1e9"}).status_code == 422
    assert kim.post(url(draft, "visibility"), data).status_code == 302
    draft.refresh_from_db()
    assert (draft.mention_days, draft.missing_part, draft.self_opens_after_draft) == (
        21,
        "reweight",
        False,
    )


@pytest.mark.parametrize("step", ["who", "stages", "rating", "visibility", "reminders"])
def test_a_launched_cycle_is_frozen(world: World, as_: SignedIn, step: str) -> None:
    cycle = world.cycle
    PopulationRule.objects.create(cycle=cycle)
    data: dict[str, Any] = {
        "version": 1,
        "mention_days": 1,
        "appeal_days": 1,
        "missing_part": "incomplete",
        "progress_cap": 100,
    }
    data |= (
        stages_data(cycle)
        | scale_data(("A", "a", "1"), ("B", "b", "2"), version=1)
        | {"name": cycle.name}
    )
    answer = as_(world.kim).post(url(cycle, step), data)
    assert answer.status_code == 409
    assert b"frozen" in answer.content


def test_a_copy_moves_a_year_on_and_keeps_the_rest(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    answer = as_(world.kim).post("/cycles/new/", {"name": "The one after", "copy_of": draft.pk})
    copy = Cycle.objects.get(name="The one after")
    assert answer.headers["Location"] == url(copy, "who")
    assert copy.first_day - draft.first_day in (timedelta(days=365), timedelta(days=366))
    assert RatingScale.objects.get(cycle=copy).levels.count() == 5
    assert all(s.opens_on.weekday() < 5 for s in copy.stages.all())


def test_the_rules_that_wait_in_a_draft_are_due_when_its_stage_opens(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    incentives.make_rule(incentives.make_component(incentives.make_plan(draft, by=world.kim)))
    catch_up()
    stage = draft.stages.get(kind="incentives")
    data = stages_data(draft) | {"incentives_opens_on": stage.opens_on + timedelta(days=1)}
    assert as_(world.kim).post(url(draft, "stages"), data).status_code == 302
    assert ToDo.objects.get(kind="incentives:publish").due_on == stage.opens_on + timedelta(days=1)


def test_copied_rules_wait_for_their_second_person(world: World, as_: SignedIn) -> None:
    incentives.make_rule(incentives.make_component(incentives.make_plan(world.cycle)))
    as_(world.kim).post("/cycles/new/", {"name": "The one after", "copy_of": world.cycle.pk})
    copy = Cycle.objects.get(name="The one after")
    row = ToDo.objects.get(kind="incentives:publish")
    assert (row.cycle_id, row.recipient_id) == (copy.pk, world.lea.employee_id)


def test_a_draft_is_discarded_and_a_launched_cycle_is_not(
    world: World, as_: SignedIn, draft: Cycle
) -> None:
    kim: Client = as_(world.kim)
    incentives.make_rule(incentives.make_component(incentives.make_plan(draft, by=world.kim)))
    catch_up()
    assert ToDo.objects.get(kind="incentives:publish").recipient_id == world.lea.employee_id
    gone = reverse("cycles:discard", kwargs={"pk": draft.pk})
    assert kim.post(gone, {"version": draft.version}).status_code == 302
    assert not Cycle.objects.filter(pk=draft.pk).exists()
    assert not ToDo.objects.filter(kind="incentives:publish").exists()
    kept = reverse("cycles:discard", kwargs={"pk": world.cycle.pk})
    assert kim.post(kept, {"version": world.cycle.version}).status_code == 409
