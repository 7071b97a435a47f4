"""The writing and the components: what they say, and that nobody's words become markup."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory, override_settings
from django.utils import timezone, translation
from django.utils.safestring import mark_safe

from pmcycle.ui import formats
from pmcycle.ui.views import set_theme

HOSTILE = "<script>alert(1)</script>\"'&"
NOON = dt.datetime(2026, 5, 12, 12, 3, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def plain_static() -> Iterator[None]:
    """Name static files without their hashes; no build stands before these tests."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with (
        override_settings(STORAGES={"staticfiles": plain}),
        translation.override("en"),
        timezone.override("UTC"),
    ):
        yield


def render(source: str, /, **context: Any) -> str:
    """Return a template's text with single spaces; the components are built in."""
    return re.sub(r"\s+", " ", Template(source).render(Context(context)))


class Sample(forms.Form):
    """One field of each shape."""

    name = forms.CharField(help_text="What will change?")
    text = forms.CharField(widget=forms.Textarea, required=False)
    rating = forms.ChoiceField(widget=forms.RadioSelect, choices=[("1", "Below"), ("2", "Meets")])
    kinds = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, choices=[("a", "A")], required=False
    )
    unit = forms.ChoiceField(choices=[("f", "Finance")])
    read = forms.BooleanField(label="I have read it")
    day = forms.DateField(initial=dt.date(2026, 5, 12))
    weight = forms.DecimalField()
    version = forms.IntegerField(widget=forms.HiddenInput, initial=7)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (Decimal("12.500"), None, "12.5"),
        (Decimal(100), None, "100"),
        (1234567, None, "1,234,567"),
        (0, None, "0"),
        (Decimal("2.345"), 2, "2.35"),
        (3, 1, "3.0"),
        (None, None, "–"),
        ("", None, "–"),
        ("abc", None, "–"),
        (True, None, "–"),
        (float("nan"), None, "–"),
    ],
)
def test_number(value: object, digits: int | None, expected: str) -> None:
    """No trailing zeros unless asked for; a dash for what is no number."""
    assert formats.number_text(value, digits) == expected


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.425, 1, "42.5%"),
        ("0.42", 0, "42%"),
        (1.2, 0, "120%"),
        (Decimal("0.005"), 0, "1%"),
        (None, 0, "–"),
    ],
)
def test_percent(value: object, digits: int, expected: str) -> None:
    """A fraction as a percentage, rounded half up."""
    assert formats.percent_text(value, digits) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (Decimal("1234.565"), "EUR", "€1,234.57"),
        (Decimal("0.125"), "EUR", "€0.13"),
        (Decimal("0.135"), "EUR", "€0.14"),
        (Decimal("1234.5"), "JPY", "¥1,235"),
        (Decimal("1.0005"), "KWD", "KWD\xa01.001"),
        (0, "eur", "€0.00"),
        (Decimal("-3.2"), "EUR", "-€3.20"),
        (None, "EUR", "–"),
    ],
)
def test_money_is_rounded_to_the_currencys_digits_first(
    amount: object, currency: str, expected: str
) -> None:
    """Half a cent goes up, the yen has none, the dinar has three digits."""
    assert formats.money_text(amount, currency) == expected


def test_numbers_follow_the_language() -> None:
    """A German reader gets commas for decimals."""
    with translation.override("de"):
        assert formats.number_text(Decimal("1234.5")) == "1.234,5"
        assert formats.percent_text(0.425, 1) == "42,5\xa0%"
        assert formats.money_text(Decimal("1234.5"), "EUR") == "1.234,50\xa0€"


@pytest.mark.parametrize(
    ("days", "expected", "tone"),
    [
        (-2, "2 days overdue", "late"),
        (-1, "1 day overdue", "late"),
        (0, "due today", "soon"),
        (1, "due tomorrow", "soon"),
        (3, "due in 3 days", "soon"),
        (4, "due in 4 days", "later"),
        (21, "due in 21 days", "later"),
        (22, "due 3 Jun", "later"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_due(days: int, expected: str, tone: str) -> None:
    """Near days are counted, far ones named; the tone follows."""
    day = dt.date(2026, 5, 12) + dt.timedelta(days=days)
    assert formats.due_text(day, NOON.date()) == expected
    assert formats.due_tone(day, NOON.date()) == tone
    assert f"due-{tone}" in render('{% due day "" %}', day=day)


@pytest.mark.parametrize(
    ("zone", "reader", "words", "place", "title"),
    [
        # 12 May, noon in UTC: still 12 May in New York, already 13 May on Kiritimati.
        ("UTC", "UTC", "due today", "", "2026-05-12 UTC"),
        (
            "America/New_York",
            "UTC",
            "due today",
            "New York",
            "2026-05-12 America/New_York, ends 13 May, 04:00 your time",
        ),
        (
            "Pacific/Kiritimati",
            "UTC",
            "1 day overdue",
            "Kiritimati",
            "2026-05-12 Pacific/Kiritimati, ends 12 May, 10:00 your time",
        ),
        (
            "UTC",
            "Pacific/Kiritimati",
            "due today",
            "UTC",
            "2026-05-12 UTC, ends 13 May, 14:00 your time",
        ),
        # Another name, but the same midnight: nothing to say.
        ("Europe/Vienna", "Europe/Berlin", "due today", "", "2026-05-12 Europe/Vienna"),
        # A day of no cycle is judged where the reader is.
        ("", "Pacific/Kiritimati", "1 day overdue", "", "2026-05-12"),
        ("", "America/New_York", "due today", "", "2026-05-12"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_due_day_is_judged_and_shown_in_its_own_place(
    zone: str, reader: str, words: str, place: str, title: str
) -> None:
    with timezone.override(reader):
        html = render("{% due day zone %}", day=dt.date(2026, 5, 12), zone=zone)
    assert words in html
    assert f'title="{title}"' in html
    assert (f'<span class="due-place"> · {place}</span>' in html) == bool(place)
    assert ("due-place" in html) == bool(place)


@time_machine.travel(NOON, tick=False)
def test_an_instant_is_written_in_the_readers_zone() -> None:
    """The words and the day follow the zone; the exact instant is on hover."""
    late = dt.datetime(2026, 5, 12, 23, 30, tzinfo=dt.UTC)
    with timezone.override("Asia/Tokyo"):
        assert formats.when_text(late) == "13 May, 08:30"
        assert 'title="2026-05-13 08:30:00 JST"' in formats.when_html(late)
    assert formats.when_text(dt.date(2025, 5, 12)) == "12 May 2025"
    assert formats.when_text(dt.date(2026, 5, 12), full=True) == "Tuesday 12 May 2026"
    assert render("{% when none %}", none=None) == '<span class="text-secondary">–</span>'


@pytest.mark.parametrize(
    ("source", "present", "absent"),
    [
        ("**b** <b onclick=x>raw</b>", "<strong>b</strong> &lt;b", "<b"),
        ("<script>alert(1)</script>", "&lt;script&gt;", "<script"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", "<a"),
        ("[x](data:text/html,hi)", "x", 'href="data'),
        ("[x](https://example.org)", 'rel="noopener noreferrer nofollow"', "onclick"),
        ("# Title", "# Title", "<h1"),
        ("![x](https://example.org/p.png)", "x", "<img"),
        ("a\nb", "<br", "\x00"),
        (None, '<div class="prose"></div>', "None"),
    ],
)
def test_markdown_is_safe(source: object, present: str, absent: str) -> None:
    """No raw HTML, no headings, no images, no scripts behind links."""
    markup = formats.markdown_html(source)
    assert present in markup
    assert absent not in markup


@pytest.mark.parametrize(
    "source", ["{% badge 'ok' w %}", "{% person 'Ana' note=w %}", "{% icon 'target' w %}"]
)
def test_typed_text_stays_text_where_the_same_markup_was_drawn_before(source: str) -> None:
    markup = render(source, w=mark_safe("<i>drawn</i>"))
    assert "<i>drawn</i>" in markup
    typed = render(source, w="<i>drawn</i>")
    assert "<i>" not in typed
    assert "&lt;i&gt;drawn" in typed


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("Ana Popescu", "AP"),
        ("Ana", "A"),
        ("ana maria popescu", "AP"),
        ("Șerban Țîrlea", "ȘȚ"),
        ("", "?"),
        ("<b>", "?"),
    ],
)
def test_initials(person: str, expected: str) -> None:
    """First and last word, whatever the alphabet; no letter, a question mark."""
    assert formats.initials(person) == expected


def test_diff_marks_words_and_says_so() -> None:
    """Only the changed words are marked, aloud too, and escaped."""
    markup = formats.diff_html("by May, please", "by <b>June</b>, please")
    assert '<del><span class="visually-hidden">removed: </span>May</del>' in markup
    assert "&lt;" in markup
    assert "<b>" not in markup
    assert markup.endswith(", please</span>")
    assert "<ins>" not in formats.diff_html("same", "same")


def test_diff_of_long_texts_is_whole() -> None:
    """Beyond the limit both texts are shown whole, at once."""
    markup = formats.diff_html("a " * 9000, "b " * 9000)
    assert markup.count("<del>") == markup.count("<ins>") == 1


COMPONENTS = [
    "{% badge w w %}",
    "{% state w %}",
    "{% state 'agreed' w %}",
    "{% icon w label=w %}",
    '{% button w "/?" kind=w note=w query=w %}',
    "{% submit w name=w value=w %}",
    '{% button_post w "/?" confirm=w note=w version=w %}',
    '{% button_post w "/?" version=w %}',
    "{% avatar w w %}",
    "{% person w url=w note=w %}",
    "{% card title=w note=w id=w tone=w %}x{% endcard %}",
    "{% tablewrap w %}x{% endtablewrap %}",
    "{% notice w title=w %}x{% endnotice %}",
    "{% fold w note=w %}x{% endfold %}",
    '{% empty w w w "/?" note=w %}',
    "{% stat w w hint=w url=w done=1 total=2 %}",
    "{% stepper steps %}",
    "{% tabs tabs %}",
    "{% entry entry %}",
    "{% thread entries %}",
    "{% why node %}",
    "{% job w 1 2 w %}",
    "{% job w 1 2 w failed=w %}",
    "{% toast w undo=w x=w %}",
    "{% diff w 'x' %}",
    "{% sort_link w w %}",
    "{% filter_bar filters export=w placeholder=w %}",
    "{{ w|markdown }}",
    "{% new_head as page_head %}{% page w pretitle=w title=w here=w audience=w %}{% crumb w '/' %}{% endpage %}",
    "{% table tabs label=w css=w %}{% column w sort=w %}{{ row.label }}{% endcolumn %}{% endtable %}",
    "{% table none nothing=w nothing_note=w nothing_icon=w %}{% column w %}{% endcolumn %}{% endtable %}",
]


@pytest.mark.parametrize("source", COMPONENTS)
def test_nobodys_words_become_markup(source: str) -> None:
    """Hostile words stay words in every component, and none carries a style or a handler."""
    markup = render(
        source,
        w=HOSTILE,
        steps=[{"label": HOSTILE, "url": HOSTILE, "state": HOSTILE}],
        tabs=[{"label": HOSTILE, "url": HOSTILE, "count": HOSTILE}],
        entry={
            "author": HOSTILE,
            "at": NOON,
            "text": HOSTILE,
            "about": HOSTILE,
            "read_by": HOSTILE,
            "id": HOSTILE,
        },
        entries=[{"author": HOSTILE, "at": NOON, "text": HOSTILE, "private": True}],
        node={
            "label": HOSTILE,
            "value": HOSTILE,
            "rule": HOSTILE,
            "parts": [{"label": HOSTILE, "value": HOSTILE}],
        },
        filters=[{"name": HOSTILE, "label": HOSTILE, "options": [(HOSTILE, HOSTILE)]}],
    )
    assert "<script" not in markup
    assert " style=" not in markup
    assert " onclick=" not in markup


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        (
            "{% field form.name %}",
            ['for="id_name"', "What will change?", 'aria-describedby="id_name_help"'],
        ),
        (
            "{% field form.text counter=500 %}",
            ["(optional)", "0 of 500 letters", "data-autosize", "<textarea"],
        ),
        (
            "{% field form.rating rating=True descriptions=d %}",
            [
                "<fieldset",
                "<legend",
                'class="rating"',
                "Below the mark.",
                'aria-describedby="id_rating_0_text"',
            ],
        ),
        ("{% field form.kinds %}", ['type="checkbox"', "form-check"]),
        ("{% field form.unit %}", ["<select", "form-select"]),
        ("{% field form.read %}", ['type="checkbox"', "I have read it"]),
        ("{% field form.day %}", ['type="date"', 'value="2026-05-12"']),
        ("{% field form.weight suffix='%' %}", ['type="number"', "input-group-text"]),
        ("{% field form.version %}", ['type="hidden"', 'value="7"']),
    ],
)
def test_field_draws_each_shape(source: str, pieces: list[str]) -> None:
    """Every widget gets its label, help and control."""
    markup = render(source, form=Sample(), d={"1": "Below the mark."})
    for piece in pieces:
        assert piece in markup


def test_errors_stand_on_top_and_beside_the_field() -> None:
    """The summary links to the field, the field names its error, and what was typed is kept."""
    form = Sample({"text": HOSTILE, "version": "x"})
    markup = render("{% fields form %}", form=form)
    assert 'role="alert"' in markup
    assert '<a href="#id_name">Name</a>' in markup
    assert 'id="id_name_error"' in markup
    assert 'aria-invalid="true"' in markup
    assert "alert(1)" in markup
    assert "<script" not in markup
    assert "Enter a whole number." in markup
    assert "role" not in render("{% form_errors form %}", form=Sample())


def test_pager_keeps_filters_and_sort() -> None:
    """Links to other pages carry what the address already says."""
    request = RequestFactory().get("/", {"q": "ana & co", "sort": "-name", "page": "2"})
    page = Paginator(range(95), 10).page(2)
    markup = render("{% pager page %}", page=page, request=request)
    assert "11–20 of 95" in markup
    assert "?q=ana+%26+co&amp;sort=-name&amp;page=3" in markup
    assert 'aria-current="page">2<' in markup


@pytest.mark.parametrize(
    ("query", "link"),
    [("", "?sort=name"), ("sort=name", "?sort=-name"), ("sort=-name&page=4", "?sort=name")],
)
def test_sort_link_turns(query: str, link: str) -> None:
    """A second click turns the order, and the page starts anew."""
    markup = render("{% sort_link 'name' 'Name' %}", request=RequestFactory().get(f"/?{query}"))
    assert f'href="{link}"' in markup


def test_a_button_with_a_consequence_asks_without_script() -> None:
    """The sentence and the real button unfold from the first; hidden fields go along."""
    markup = render(
        "{% button_post 'Withdraw' '/x/' confirm='Ana is told.' version=7 %}", csrf_token="t0ken"
    )
    assert "<details" in markup
    assert "Ana is told." in markup
    assert 'name="version" value="7"' in markup
    assert 'value="t0ken"' in markup


@pytest.mark.parametrize(
    ("finished", "failed", "polls"),
    [(False, "", True), (True, "", False), (False, "The disk is full.", False)],
)
def test_a_job_stops_asking_when_it_is_over(finished: bool, failed: str, polls: bool) -> None:
    """Polling ends with the work, well or badly."""
    markup = render(
        "{% job '/j/' 1 2 'Letters' finished=finished failed=failed %}",
        finished=finished,
        failed=failed,
    )
    assert ("hx-get" in markup) is polls


@pytest.mark.parametrize(
    ("cookie", "expected"), [("dark", "dark"), ("light", "light"), ("", "auto"), (HOSTILE, "auto")]
)
def test_theme_follows_the_cookie(cookie: str, expected: str) -> None:
    """Only the three known looks come through."""
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = cookie
    assert render("{% theme %}", request=request) == expected


@pytest.mark.parametrize(
    ("posted", "back", "kept", "goes"),
    [
        ("dark", "/goals/", "dark", "/goals/"),
        ("purple", "/", "auto", "/"),
        ("light", "https://evil.example/", "light", "/"),
        ("light", "//evil.example/", "light", "/"),
    ],
)
def test_set_theme_remembers_and_stays_at_home(
    posted: str, back: str, kept: str, goes: str
) -> None:
    """The choice goes into a cookie; nobody is sent to another site."""
    answer = set_theme(RequestFactory().post("/ui/theme/", {"theme": posted, "next": back}))
    assert answer.cookies["theme"].value == kept
    assert answer["Location"] == goes
