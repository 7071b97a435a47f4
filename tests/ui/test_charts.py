"""The pictures: what they say aloud, what they draw, and that nobody's words become markup."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.utils.safestring import SafeString

from pmcycle.ui import charts
from pmcycle.ui.charts import cycles, drawing

HOSTILE = "<script>alert(1)</script>\"'&"
MARCH = dt.date(2026, 3, 1)


def stage(
    label: str = "Objectives", state: str = "open", done: Any = Decimal("0.5")
) -> dict[str, Any]:
    """Return a stage as the ring and the timeline take it."""
    return {
        "label": label,
        "state": state,
        "done": done,
        "start": MARCH,
        "end": dt.date(2026, 4, 30),
    }


def aloud(markup: str) -> str:
    """Return the accessible name of the first picture."""
    found = re.search(r'role="img" aria-label="([^"]*)"', markup)
    assert found, markup
    return found[1]


PICTURES: list[tuple[str, Callable[[str], SafeString]]] = [
    ("ring", lambda w: charts.ring([stage(w)], title=w, centre=w, note=w)),
    ("timeline", lambda w: charts.timeline([stage(w)], title=w, today=MARCH)),
    (
        "life_line",
        lambda w: charts.life_line(
            [{"at": MARCH, "label": w, "detail": w, "tone": w}],
            title=w,
            spans=[{"start": MARCH, "end": MARCH, "label": w, "tone": w}],
            today=MARCH,
        ),
    ),
    ("weight_bar", lambda w: charts.weight_bar([{"label": w, "weight": 40}], title=w)),
    ("pool_bar", lambda w: charts.pool_bar(100, 120, title=w, reserved=3)),
    ("columns", lambda w: charts.columns([(w, 3)], title=w, unit=w)),
    ("distribution", lambda w: charts.distribution([(w, 3, 4)], title=w, unit=w, names=(w, w))),
    ("bars", lambda w: charts.bars([(w, 3)], title=w, unit=w)),
    (
        "funnel",
        lambda w: charts.funnel([{"label": w, "url": w, "parts": {"ok": 3, w: 1}}], title=w),
    ),
    ("track", lambda w: charts.track(3, minimum=1, maximum=5, target=2, title=w, unit=w)),
    ("sparkline", lambda w: charts.sparkline([1, 2], title=w, unit=w)),
    (
        "trajectory",
        lambda w: charts.trajectory(
            [{"label": w, "value": 3, "note": w, "mark": w, "shown": w}], title=w, levels=[(1, w)]
        ),
    ),
    ("strip", lambda w: charts.strip([(w, 3)], title=w, low=1, high=5, unit=w)),
    (
        "nine_box",
        lambda w: charts.nine_box(
            [[[w], [{"name": w, "url": w}], []]] * 3,
            title=w,
            x_label=w,
            y_label=w,
            x_names=[w] * 3,
            y_names=[w] * 3,
        ),
    ),
    ("progress", lambda w: charts.progress(1, 2, title=w, words=w, tone=w)),
]


@pytest.mark.parametrize(("name", "draw"), PICTURES, ids=[name for name, _ in PICTURES])
def test_nobodys_words_become_markup(name: str, draw: Callable[[str], SafeString]) -> None:
    """Hostile words stay words, and the picture stays well-formed."""
    markup = draw(HOSTILE)
    assert "<script" not in markup
    assert "alert(1)" in markup
    ET.fromstring(f"<div>{markup}</div>")  # noqa: S314


@pytest.mark.parametrize(("name", "draw"), PICTURES, ids=[name for name, _ in PICTURES])
def test_the_policy_holds(name: str, draw: Callable[[str], SafeString]) -> None:
    """No picture carries a style or a handler, which the content policy would block."""
    assert not re.search(r"\s(style|on\w+)=", draw("Ana"))


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: charts.ring([stage()]), "Stages of the cycle. Objectives: open, 50%"),
        (
            lambda: charts.ring([stage(state="closed", done=None)]),
            "Stages of the cycle. Objectives: closed, 100%",
        ),
        (
            lambda: charts.weight_bar([{"label": "A", "weight": 60}, {"label": "B", "weight": 40}]),
            "Weights: A 60; B 40. sums to 100",
        ),
        (
            lambda: charts.weight_bar([{"label": "A", "weight": "99.5"}]),
            "Weights: A 99.5. 0.5 still to give out",
        ),
        (lambda: charts.weight_bar([{"label": "A", "weight": 120}]), "Weights: A 120. 20 too much"),
        (lambda: charts.weight_bar([]), "Weights: . 100 still to give out"),
        (
            lambda: charts.pool_bar(1000, 400, reserved=100, currency="EUR", title="Pool"),
            "Pool: €400.00 of €1,000.00 used, €100.00 reserved, €500.00 remaining",
        ),
        (
            lambda: charts.pool_bar("1000.00", "1000.01", currency="EUR", title="Pool"),
            "Pool: €1,000.01 of €1,000.00 used, €0.01 over the pool",
        ),
        (lambda: charts.pool_bar(0, 0), "Pool: 0 of 0 used, 0 remaining"),
        (
            lambda: charts.columns([("Low", 1), ("High", Decimal("2.50"))], title="T"),
            "T: Low 1; High 2.5",
        ),
        (lambda: charts.distribution([("Low", 1, 2)], title="T"), "T: Low before 1, after 2"),
        (
            lambda: charts.track(6, minimum=2, maximum=5, unit="%", title="Raise"),
            "Raise: 6%, above the guideline (2% – 5%)",
        ),
        (
            lambda: charts.track(1, minimum=2, maximum=5, target=3, title="Raise"),
            "Raise: 1, below the guideline (2 – 5), target 3",
        ),
        (
            lambda: charts.track(None, minimum=2, maximum=5, title="Raise"),
            "Raise: –, no value yet (2 – 5)",
        ),
        (lambda: charts.sparkline([1, None, 3], title="G"), "G: from 1 to 3, lowest 1, highest 3"),
        (lambda: charts.sparkline([2, 2], title="G"), "G: from 2 to 2, lowest 2, highest 2"),
        (
            lambda: charts.trajectory(
                [{"label": "2025", "value": None}, {"label": "2026", "value": 4}], title="R"
            ),
            "R: 2025 –; 2026 4",
        ),
        (lambda: charts.strip([("M", 3), ("I", 4)], title="S", low=1, high=5), "S: M 3.0; I 4.0"),
    ],
)
def test_a_picture_says_what_it_shows(draw: Callable[[], SafeString], says: str) -> None:
    """The accessible name carries the numbers."""
    assert aloud(draw()) == says


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, "50%"), (0, "0%"), (1, "100%"), (-3, "0%"), (7, "100%"), (1 / 3, "33.333%")],
)
def test_nothing_leaves_the_picture(share: float, expected: str) -> None:
    """Shares are kept between nothing and all."""
    assert drawing.pc(share) == expected


@pytest.mark.parametrize(
    "values",
    [[], [None], ["", "x"], [float("nan")], [Decimal("Infinity")]],
    ids=["none", "gap", "words", "nan", "inf"],
)
def test_a_line_without_numbers_is_a_dash(values: Sequence[object]) -> None:
    """What is no number draws nothing and breaks nothing."""
    assert charts.sparkline(values, title="G") == '<span class="text-secondary">–</span>'


def test_a_gap_breaks_the_line() -> None:
    """A missing value starts a new stroke instead of bridging the gap."""
    line = re.search(r'<path d="([^"]*)"', charts.sparkline([1, 2, None, 4, 5], title="G"))
    assert line
    assert line[1].count("M") == 2


def test_another_scale_breaks_the_trajectory() -> None:
    """Values on two scales are never joined by a line."""
    points: list[dict[str, Any]] = [{"label": "a", "value": 1}, {"label": "b", "value": 2}]
    assert "stroke-s1" in charts.trajectory(points, title="R")
    points[1]["mark"] = "break"
    assert "stroke-s1" not in charts.trajectory(points, title="R")


def test_today_is_marked_only_within_the_stages() -> None:
    """Before and after the cycle there is no mark."""
    assert "now-line" in charts.timeline([stage()], today=dt.date(2026, 4, 1))
    assert "now-line" not in charts.timeline([stage()], today=dt.date(2027, 4, 1))


@pytest.mark.parametrize(
    ("done", "total", "value", "top"),
    [(3, 7, "3", "7"), (7, 7, "7", "7"), (9, 7, "9", "9"), (-1, 7, "0", "7"), (0, 0, "0", "1")],
)
def test_progress_stays_within_its_bar(done: int, total: int, value: str, top: str) -> None:
    """The native bar never gets a value outside its range, and no maximum of nothing."""
    bar = charts.progress(done, total, title="T")
    assert f'max="{top}" value="{value}"' in bar
    assert f"{done} of {total}" in bar


@pytest.mark.parametrize(
    ("percent", "goal"), [(99, None), (100, None), (117, "85.47%"), (120, "83.333%"), (500, "20%")]
)
def test_a_bar_that_goes_beyond_its_goal_marks_the_goal(percent: int, goal: str | None) -> None:
    """100 and 117 of 100 are both full, and look different."""
    bar = charts.progress(percent, 100, title="T")
    assert ("bar-beyond" in bar) == (goal is not None)
    if goal:
        assert f'<line x1="{goal}"' in bar


def test_the_table_has_every_number() -> None:
    """What the picture shows, the folded table shows too."""
    table = charts.funnel([{"label": "Goals", "parts": {"ok": 12, "danger": 3}}], title="T")
    assert re.findall(r"<td>(.*?)</td>", table) == ["12", "0", "3", "0"]


def test_a_phone_labels_four_points_of_many_and_the_newest_among_them() -> None:
    def thin(count: int) -> int:
        points = [{"label": str(day), "value": day} for day in range(1, count + 1)]
        drawn = str(charts.trajectory(points, title="R"))
        assert f'text-anchor="end" class="tick strong">{count}<' in drawn
        return drawn.count('class="tick strong between"')

    assert [count - thin(count) for count in (2, 4, 5, 8, 23)] == [2, 4, 3, 4, 4]


def test_labels_of_spans_that_begin_near_each_other_stand_in_rows() -> None:
    assert cycles.rows_of([(0.0, "Bashir Nouri leads"), (0.9, "Leave")]) == [0, 0]
    assert cycles.rows_of([(0.1, "Bashir Nouri leads"), (0.15, "Leave"), (0.2, "On hold")]) == [
        0,
        1,
        2,
    ]
    assert cycles.rows_of([(0.76, "Leave"), (0.99, "On hold")]) == [0, 0]
