"""What a browser says of itself, as people say it."""

from __future__ import annotations

import pytest

from pmcycle.ui.formats import browser_text

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME} Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        ("SomethingNew/1.0 (Windows NT 12.0)", "a browser on Windows"),
        ("curl/8.5.0", "another browser or program"),
        ("<script>alert(1)</script>", "another browser or program"),
        ("", "another browser or program"),
    ],
)
def test_a_browser_is_named_as_people_say_it(agent: str, words: str) -> None:
    assert browser_text(agent) == words
