"""The trail speaks of everything in words: each verb, each subject, each page that shows somebody's record.

What actions record is looked at after every one of them (`tests.open_items`); here is what no action of a test
may have recorded.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse

from pmcycle.activity.words import subject_words, verb_words, words_of_all
from tests.conftest import SignedIn, World
from tests.test_house import PYTHON_FILES, name_of

# Which argument of these names the verb.
NAMING = {
    "record": 0,
    "record_each": 0,
    "record_and_tell": 0,
    "_drafted": 1,
    "_told": 1,
    "_answer_contribution": 1,
}
BY_SQL = re.compile(r"INSERT INTO activity_event.*?SELECT (.*?)FROM", re.DOTALL)


def verbs_in(path: Path) -> set[str]:
    """The verbs that the code of this file records, as far as they are spelled there."""
    source, found = path.read_text(), set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        place = NAMING.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
        if place is None or len(node.args) <= place:
            continue
        named = node.args[place]
        if isinstance(named, ast.Constant | ast.IfExp):
            found |= {
                one.value
                for one in ast.walk(named)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    for columns in BY_SQL.findall(source):
        found |= {word for word in re.findall(r"'([a-z_]+)'", columns) if "_" in word}
    return found


ACTIONS = [
    path
    for path in PYTHON_FILES
    if "actions" in name_of(path) and not name_of(path).startswith("tests")
]


@pytest.mark.parametrize("path", ACTIONS, ids=name_of)
def test_every_verb_that_is_recorded_has_words(path: Path) -> None:
    assert verbs_in(path) - set(words_of_all("VERBS")) == set()


def test_the_search_for_verbs_finds_them() -> None:
    found = set().union(*map(verbs_in, ACTIONS))
    assert {"submitted", "rule_added", "statement_released", "dated_leaving", "takes_part"} <= found


@pytest.mark.parametrize("kind", ["VERBS", "SUBJECTS", "LOOKS"])
def test_no_two_apps_give_the_same_other_words(kind: str) -> None:
    own = [
        getattr(import_module(f"{app.name}.words"), kind, {})
        for app in apps.get_app_configs()
        if has_words(app)
    ]
    for key, times in Counter(key for words in own for key in words).items():
        assert times == 1 or len({str(words[key]) for words in own if key in words}) == 1, key


def has_words(app: Any) -> bool:
    return (Path(app.path) / "words.py").exists()


@pytest.mark.parametrize("kind", sorted(words_of_all("SUBJECTS")))
def test_every_subject_is_a_model(kind: str) -> None:
    assert apps.get_model(kind)


@pytest.mark.parametrize("page", sorted(words_of_all("LOOKS")))
def test_every_page_that_shows_records_exists(page: str) -> None:
    known = [reverse_or_none(page, count) for count in range(3)]
    assert any(known), page


def reverse_or_none(page: str, count: int) -> str:
    try:
        return reverse(page, args=[1] * count)
    except Exception:
        return ""


def test_what_nothing_records_any_more_is_read_as_it_is_spelled() -> None:
    assert verb_words("went_away") == "went away"
    assert subject_words("gone.thing") == "thing"


@pytest.mark.django_db
def test_the_trail_offers_each_word_once(world: World, as_: SignedIn) -> None:
    page = as_(world.kim).get(reverse("activity:trail")).content.decode()
    options = re.findall(r"<option[^>]*>\s*([^<]+?)\s*</option>", page)
    twice = [words for words, times in Counter(options).items() if times > 1 and words != "all"]
    assert not twice
