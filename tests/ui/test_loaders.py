"""Templates lose their indentation on the way to the browser, and nothing else."""

from __future__ import annotations

import re
from typing import Any

from django.template.loader import get_template, render_to_string

from tests.test_house import TEMPLATES

KEPT = re.compile(r"<(pre|textarea)\b[^>]*>([^<]*)</\1>")
PLAIN_TRANSLATION = re.compile(
    r"{% blocktranslate (?!trimmed)[^%]*%}(.*?){% endblocktranslate %}", re.DOTALL
)


def test_a_page_comes_without_the_indentation_of_its_template() -> None:
    page = render_to_string("503.html")
    assert "<html" in page
    assert not re.search(r"\n[ \t]", page)


def test_lines_stay_so_that_an_error_names_the_right_one() -> None:
    template: Any = get_template("home/board.html")
    path = next(path for path in TEMPLATES if path.parts[-2:] == ("home", "board.html"))
    assert template.template.source.count("\n") == path.read_text().count("\n")


def test_no_template_writes_text_whose_spaces_count_over_several_lines() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        assert not [found[1] for found in KEPT.findall(text) if "\n" in found[1].strip()], path
        assert not [words for words in PLAIN_TRANSLATION.findall(text) if "\n" in words], path
