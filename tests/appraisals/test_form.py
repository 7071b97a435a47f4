"""The form of a cycle: choosing, editing without script, weights, and versions that stay as they were answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from appraisals import actions
from appraisals.models import CycleForm, Form, FormVersion, Question, Section
from goals.rules import balance
from pmcycle.cycles.models import Cycle
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make
from tests.factories.cycles import make_cycle


@pytest.fixture
def draft(world: World) -> Cycle:
    return make_cycle("Next year", state="draft")


def url(cycle: Cycle, verb: str = "form") -> str:
    return reverse(f"appraisals:{verb}", kwargs={"pk": cycle.pk})


def posted(version: FormVersion, **extra: Any) -> dict[str, Any]:
    """The editor's fields as a browser sends them."""
    data: dict[str, Any] = {
        "name": version.form.name,
        "number": version.number,
        "version": version.version,
    }
    for s, section in enumerate(actions.structure_of(version)):
        at = f"s{s}"
        data |= {
            f"{at}-title": section["title"],
            f"{at}-help": section["help"],
            f"{at}-weight": section["weight"],
        }
        for q, question in enumerate(section["questions"]):
            at = f"s{s}-q{q}"
            who = (
                "both"
                if question["self"] and question["manager"]
                else "self"
                if question["self"]
                else "manager"
            )
            data |= {
                f"{at}-text": question["text"],
                f"{at}-kind": question["kind"],
                f"{at}-weight": question["weight"],
                f"{at}-who": who,
                f"{at}-part": question["part"],
            }
            if question["required"]:
                data[f"{at}-required"] = "on"
    return {**data, **extra}


def test_the_good_default_is_offered_and_chosen(world: World, draft: Cycle, as_: SignedIn) -> None:
    client = as_(world.kim)
    assert "The good default" in client.get(url(draft)).content.decode()
    assert client.post(url(draft, "choose_form")).status_code == 302
    titles = list(Section.objects.values_list("title", "weight"))
    assert [title for title, _weight in titles] == ["Results", "Ways of working", "Looking ahead"]
    assert sum(weight for _title, weight in titles) == 100
    assert actions.check_form(draft, None) == []


def test_without_a_form_the_launch_is_stopped_with_a_link(draft: Cycle) -> None:
    finding = actions.check_form(draft, None)[0]
    assert (finding.code, finding.is_error, finding.url) == (
        "appraisals:form_missing",
        True,
        url(draft),
    )


def test_saving_what_is_there_changes_nothing(world: World, draft: Cycle, as_: SignedIn) -> None:
    version = make.make_form(draft)
    before = actions.structure_of(version)
    assert as_(world.kim).post(url(draft, "save_form"), posted(version)).status_code == 302
    after = actions.structure_of(CycleForm.objects.get(cycle=draft).form_version)
    assert [s["title"] for s in after] == [s["title"] for s in before]
    assert [len(s["questions"]) for s in after] == [len(s["questions"]) for s in before]


@pytest.mark.parametrize(
    ("do", "sections", "first"),
    [
        ("add-section", 4, "Results"),
        ("remove:0", 2, "Ways of working"),
        ("down:0", 3, "Ways of working"),
        ("up:1", 3, "Ways of working"),
        ("remove:9", 3, "Results"),
        ("nonsense", 3, "Results"),
    ],
)
def test_parts_are_added_moved_and_removed_without_script(
    world: World, draft: Cycle, as_: SignedIn, do: str, sections: int, first: str
) -> None:
    version = make.make_form(draft)
    assert as_(world.kim).post(url(draft, "save_form"), posted(version, do=do)).status_code == 302
    titles = list(
        CycleForm.objects.get(cycle=draft).form_version.sections.values_list("title", flat=True)
    )
    assert len(titles) == sections
    assert titles[0] == first


def test_questions_move_too(world: World, draft: Cycle, as_: SignedIn) -> None:
    version = make.make_form(draft)
    as_(world.kim).post(url(draft, "save_form"), posted(version, do="down:0.0"))
    assert Question.objects.filter(section__title="Results").earliest("position").kind == "text"
    version.refresh_from_db()
    as_(world.kim).post(url(draft, "save_form"), posted(version, do="add-question:2"))
    assert Question.objects.filter(section__title="Looking ahead").count() == 3


def test_weights_off_a_hundred_are_kept_but_found_by_the_check(
    world: World, draft: Cycle, as_: SignedIn
) -> None:
    version = make.make_form(draft)
    as_(world.kim).post(url(draft, "save_form"), posted(version, **{"s0-weight": "50"}))
    finding = actions.check_form(draft, None)[0]
    assert finding.code == "appraisals:weights"
    assert "90" in finding.sentence
    assert "10 still to give out" in as_(world.kim).get(url(draft)).content.decode()


@pytest.mark.parametrize(
    ("weights", "is_whole"),
    [
        (("33.33", "33.33", "33.33"), True),
        (("33,33", "33,33", "33,34"), True),
        (("33.3", "33.3", "33.3"), False),
        (("33.34", "33.34", "33.34"), False),
        (("50", "49.99", "0"), True),
        (("50", "49.98", "0"), False),
    ],
)
def test_the_weights_of_a_form_come_to_a_hundred_by_the_rule_of_goals(
    world: World, draft: Cycle, as_: SignedIn, weights: tuple[str, ...], is_whole: bool
) -> None:
    version = make.make_form(draft)
    as_(world.kim).post(
        url(draft, "save_form"),
        posted(version, **{f"s{n}-weight": typed for n, typed in enumerate(weights)}),
    )
    codes = [finding.code for finding in actions.check_form(draft, None)]
    assert ("appraisals:weights" not in codes) == is_whole
    assert (
        balance([Decimal(typed.replace(",", ".")) for typed in weights if typed != "0"]).is_whole
        == is_whole
    )
    assert ("sums to 100" in as_(world.kim).get(url(draft)).content.decode()) == is_whole


def test_a_weight_that_can_be_read_in_two_ways_is_asked_about(
    world: World, draft: Cycle, as_: SignedIn
) -> None:
    version = make.make_form(draft)
    answer = as_(world.kim).post(
        url(draft, "save_form"), posted(version, **{"s0-weight": "33.333"})
    )
    assert answer.status_code == 422
    assert "can be read in two ways" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("s0-weight", "-1"),
        ("s0-weight", "1e9"),
        ("s0-weight", "NaN"),
        ("s0-title", ""),
        ("s0-title", "x" * 500),
        ("s0-title", "a\x00b"),
        ("s0-q0-kind", "essay"),
        ("s0-q0-text", ""),
        ("name", ""),
        ("name", "a\x00b"),
    ],
)
def test_a_field_that_does_not_fit_keeps_the_page_and_saves_nothing(
    world: World, draft: Cycle, as_: SignedIn, field: str, value: str
) -> None:
    version = make.make_form(draft)
    answer = as_(world.kim).post(url(draft, "save_form"), posted(version, **{field: value}))
    assert answer.status_code == 422
    version.refresh_from_db()
    assert version.version == 1


def test_a_choice_question_needs_two_choices(world: World, draft: Cycle, as_: SignedIn) -> None:
    version = make.make_form(draft)
    data = posted(version, **{"s2-q0-kind": "choice", "s2-q0-choices": "only one"})
    assert as_(world.kim).post(url(draft, "save_form"), data).status_code == 422
    data["s2-q0-choices"] = "grow here\nchange field"
    assert as_(world.kim).post(url(draft, "save_form"), data).status_code == 302
    assert Question.objects.get(kind="choice").choices == ["grow here", "change field"]


def test_two_tabs_meet_a_conflict(world: World, draft: Cycle, as_: SignedIn) -> None:
    version = make.make_form(draft)
    data = posted(version)
    as_(world.kim).post(url(draft, "save_form"), data)
    assert as_(world.lea).post(url(draft, "save_form"), data).status_code == 409


def test_editing_a_frozen_version_makes_the_next_and_leaves_the_other(
    world: World, draft: Cycle, as_: SignedIn
) -> None:
    version = make.make_form(world.cycle)
    FormVersion.objects.filter(pk=version.pk).update(frozen_at=timezone.now())
    client = as_(world.kim)
    client.post(url(draft, "choose_form"), {"form": version.form_id})
    client.post(url(draft, "save_form"), posted(version, **{"s0-title": "Outcomes"}))
    assert CycleForm.objects.get(cycle=draft).form_version.number == 2
    assert CycleForm.objects.get(cycle=world.cycle).form_version.number == 1
    assert version.sections.earliest("position").title == "Results"


def test_a_launched_cycle_keeps_its_form(world: World, as_: SignedIn) -> None:
    version = make.make_form(world.cycle)
    assert as_(world.kim).post(url(world.cycle, "save_form"), posted(version)).status_code == 409
    assert as_(world.kim).post(url(world.cycle, "choose_form")).status_code == 409


def test_a_copied_cycle_begins_with_the_same_form(world: World, draft: Cycle) -> None:
    version = make.make_form(world.cycle)
    actions.copy_form(world.cycle, draft, world.kim)
    assert CycleForm.objects.get(cycle=draft).form_version == version


@pytest.mark.parametrize(("who", "seen"), [("self", False), ("manager", True)])
def test_the_preview_shows_what_each_side_will_see(
    world: World, draft: Cycle, as_: SignedIn, who: str, seen: bool
) -> None:
    make.make_form(draft)
    page = as_(world.kim).get(url(draft, "preview"), {"as": who}).content.decode()
    assert ("The year in one sentence" in page) is seen


def test_two_forms_do_not_share_a_name(world: World, draft: Cycle, as_: SignedIn) -> None:
    version = make.make_form(draft)
    Form.objects.create(name="Taken")
    assert (
        as_(world.kim).post(url(draft, "save_form"), posted(version, name="Taken")).status_code
        == 422
    )
