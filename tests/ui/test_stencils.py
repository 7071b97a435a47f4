"""A form that is rendered once for all rows says of each row what its template would."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from goals.cards import row_of, standing_of
from goals.forms import ProgressForm
from goals.models import KeyResult
from tests.conftest import SignedIn, World
from tests.factories import goals

KINDS: list[tuple[KeyResult.Kind, dict[str, Any]]] = [
    (
        KeyResult.Kind.INCREASE,
        {"current": Decimal("1234.5000"), "unit": '<i>km</i> & "more"', "target": Decimal(9)},
    ),
    (KeyResult.Kind.DECREASE, {"current": None, "unit": "", "target": Decimal(0)}),
    (
        KeyResult.Kind.KEEP,
        {"current": Decimal("0.0000"), "unit": "%", "low": Decimal(0), "high": Decimal(2)},
    ),
    (KeyResult.Kind.REACH, {"current": Decimal("1.0000"), "target": Decimal(1)}),
    (KeyResult.Kind.REACH, {"current": None, "target": Decimal(1)}),
    (KeyResult.Kind.ZERO, {"current": Decimal("3.0000"), "confidence": "off_track"}),
]


def without_keys(markup: str) -> str:
    return re.sub(r"\s+", " ", markup).replace("> <", "><").strip()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("kind", "facts"), KINDS)
def test_each_row_gets_the_form_that_its_template_writes(
    kind: str, facts: dict[str, Any], language: str
) -> None:
    for pk in (7, 81):
        key_result: Any = KeyResult(pk=pk, kind=kind, title="How far", version=pk + 1, **facts)
        key_result.spark = []
        with translation.override(language):
            filling = row_of(key_result, Decimal(150)).recording
            written = filling.stencil.fill(filling.shape, {**filling.values, "token": ""})
            form = ProgressForm(key_result=key_result, initial=standing_of(key_result))
            row = row_of(key_result, Decimal(150), form=form)
            wanted = render_to_string("goals/_record.html", {"row": row, "note": "", "open": False})
        assert without_keys(written) == without_keys(wanted)
        assert "\ue000" not in written


@pytest.mark.django_db
def test_two_forms_of_a_page_never_send_the_same_key(world: World, as_: SignedIn) -> None:
    for _turn in range(2):
        goals.key_result(goals.agree(world.ana_part, world.ana, world.bashir))
    seen: set[str] = set()
    for _look in range(2):
        page = as_(world.ana).get(reverse("goals:list")).content.decode()
        keys = re.findall(r'name="form_key" value="([^"]+)"', page)
        assert len(keys) > 2
        assert len(set(keys)) == len(keys)
        assert not seen & set(keys)
        seen |= set(keys)
