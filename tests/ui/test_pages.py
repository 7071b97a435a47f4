"""The head of a page and its tables: declared once, and what follows from that."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from tests.ui.test_tags import plain_static  # noqa: F401 - static files by their plain names

ROWS = [{"name": "Ana", "n": 4}, {"name": "Bashir", "n": 12}]
TABLE = """{% table rows label="People" nothing="Nobody yet." row_id=row_id %}
  {% column "Who" kind="head" sort="name" %}{{ row.name }}{% endcolumn %}
  {% column "Days" kind="number" %}{{ row.n }}{% endcolumn %}
  {% column "Act" hidden=True shown=may_act %}<a href="/">Open</a>{% endcolumn %}
{% endtable %}"""


def render(source: str, query: str = "", **context: Any) -> str:
    request = RequestFactory().get(f"/?{query}")
    text = Template(source).render(Context({"request": request, **context}))
    return re.sub(r"\s+", " ", text).strip()


def test_a_page_names_itself_once_for_heading_way_and_window() -> None:
    text = render(
        "{% new_head as page_head %}{% drawn as header %}{% page 'My team' pretitle='2026' %}"
        "{% crumb 'Cycles' 'cycles:list' %}{% audience %} Only you. {% endaudience %}<a>Act</a>{% endpage %}"
        "{% enddrawn %}<title>{{ page_head.title }}</title>{{ header }}"
    )
    assert text.startswith("<title>My team</title>")
    assert re.findall(r"<li>(.*?)</li>", text) == [
        '<a href="/">Home</a>',
        '<a href="/cycles/">Cycles</a>',
        '<span aria-current="page">My team</span>',
    ]
    assert "<h1>My team</h1>" in text
    assert "<span>Only you.</span>" in text
    assert '<p class="page-pretitle">2026</p>' in text
    assert '<div class="page-actions"><a>Act</a></div>' in text


def test_a_table_names_its_columns_once_for_head_and_phone() -> None:
    text = render(TABLE, rows=ROWS, may_act=True)
    assert 'aria-label="People"' in text
    assert '<th scope="row">Ana</th><td data-label="Days" class="num">4</td>' in text
    assert '<th scope="col" class="num">Days</th>' in text
    assert '<th scope="col"><span class="visually-hidden">Act</span></th>' in text
    assert text.count('<td data-label="Act"><a href="/">Open</a></td>') == 2


def test_a_column_that_is_not_for_this_reader_is_not_there() -> None:
    text = render(TABLE, rows=ROWS, may_act=False)
    assert "Act" not in text
    assert "Open" not in text


def test_a_column_sorts_by_its_head() -> None:
    assert 'href="?sort=-name"' in render(TABLE, "sort=name", rows=ROWS)
    assert 'href="?sort=name"' in render(TABLE, rows=ROWS)


def test_several_columns_have_one_writer_of_their_cells() -> None:
    source = (
        "{% table rows %}{% column 'Who' %}{{ row.name }}{% endcolumn %}"
        "{% many_columns labels %}<td>{{ row.n }}</td><td>x</td>{% endmany_columns %}{% endtable %}"
    )
    text = render(source, rows=ROWS, labels=["One", "Two"])
    assert '<th scope="col">One</th><th scope="col">Two</th>' in text
    assert '<td data-label="Who">Bashir</td><td>12</td><td>x</td>' in text


def test_without_a_row_the_table_says_so_and_nothing_else() -> None:
    text = render(TABLE, rows=[])
    assert "Nobody yet." in text
    assert "<table" not in text


def test_the_pager_follows_a_page_of_many() -> None:
    many = Paginator([{"name": str(n), "n": n} for n in range(30)], 25)
    text = render(TABLE, "q=an", rows=many.page(1))
    assert 'href="?q=an&amp;page=2"' in text
    assert "1–25 of 30" in text
    assert "pager" not in render(TABLE, rows=Paginator(ROWS, 25).page(1))


def test_rows_are_called_by_their_key() -> None:
    class Row:
        pk, name, n = 7, "Ana", 1

    assert '<tr id="kr-7">' in render(TABLE, rows=[Row()], row_id="kr-")


@pytest.mark.parametrize(
    "source",
    [
        "{% table %}{% endtable %}",
        "{% table rows %}{% endtable %}",
        "{% table rows %}words{% column 'A' %}{% endcolumn %}{% endtable %}",
        "{% table rows colour='red' %}{% column 'A' %}{% endcolumn %}{% endtable %}",
        "{% table rows %}{% column %}{% endcolumn %}{% endtable %}",
        "{% table rows %}{% many_columns %}{% endmany_columns %}{% endtable %}",
    ],
)
def test_what_no_table_understands_is_refused_when_the_template_is_read(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        Template(source)


def test_a_component_leads_to_a_name_or_to_an_address() -> None:
    assert 'href="/cycles/4/?tab=days"' in render(
        '{% button "Open" "cycles:detail" 4 query="tab=days" %}'
    )
    assert 'href="?page=2&amp;tab=days"' in render('{% button "Open" "?page=2" query="tab=days" %}')
    assert 'action="/cycles/"' in render('{% button_post "Go" "cycles:list" %}')


def test_an_address_takes_no_arguments() -> None:
    with pytest.raises(TypeError, match="takes no"):
        render('{% person "Ana" "/people/4/" "Sales" %}')
