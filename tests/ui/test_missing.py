"""What is not there has one page, in the demo as in production."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import SignedIn, World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_demo", [True, False])
@pytest.mark.parametrize("path", ["/no/such/page/", "/cycles/999999/"])
def test_what_is_not_there_is_said_in_words(
    world: World, as_: SignedIn, settings: Any, path: str, *, is_demo: bool
) -> None:
    settings.DEBUG = is_demo
    answer = as_(world.ana).get(path)
    shown = answer.content.decode()
    assert answer.status_code == 404
    assert "There is nothing here" in shown
    assert "URLconf" not in shown
    assert "My menu" in shown, "the way on is there"
