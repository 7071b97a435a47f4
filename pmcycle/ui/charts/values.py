"""One value against a band, along time or among others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from pmcycle.ui.charts.drawing import (
    EMPTY,
    Row,
    clip,
    figure,
    join,
    label_at,
    line,
    pc,
    px,
    real,
    rect,
    svg,
    table_of,
)
from pmcycle.ui.formats import money_text, number_text, to_decimal


def track(
    value: object,
    *,
    minimum: object,
    maximum: object,
    target: object = None,
    scale: Sequence[object] = (),
    title: str = "",
    unit: str = "",
    currency: str = "",
) -> SafeString:
    """Return a guideline band with the value as a handle on it.

    The band reaches from ``minimum`` to ``maximum``, with ``target`` as a mark. ``scale``: the two ends of the
    track; by default a third wider than the band on both sides, and never without the value.
    """
    title = title or gettext("Within the guideline")

    def words(number: object) -> str:
        return money_text(number, currency) if currency else number_text(number) + unit

    low, high = real(minimum), real(maximum)
    pad = (high - low or abs(high) or 1.0) / 3
    start, end = (
        (real(scale[0]), real(scale[1]))
        if len(scale) == 2
        else (max(0.0, low - pad) if low >= 0 else low - pad, high + pad)
    )
    known = to_decimal(value) is not None
    now = real(value)
    if known:
        start, end = min(start, now), max(end, now)
    span = (end - start) or 1.0

    def at(number: float) -> float:
        return 0.02 + 0.96 * (number - start) / span

    outside = known and not low <= now <= high
    body = [
        rect(0.0, 15, 1, 8, "bar-track", rx=4),
        rect(at(low), 15, at(high) - at(low), 8, "band", rx=4),
        label_at(at(low), 38, words(minimum), "tick"),
        label_at(at(high), 38, words(maximum), "tick"),
    ]
    if target is not None:
        body.append(line(at(real(target)), 12, at(real(target)), 26, "target"))
    if known:
        body.append(
            format_html(
                '<circle cx="{}" cy="19" r="7.5" class="handle {}"><title>{}</title></circle>',
                pc(at(now)),
                "handle-out" if outside else "",
                words(value),
            )
        )
    verdict = (
        gettext("no value yet")
        if not known
        else gettext("below the guideline")
        if now < low
        else gettext("above the guideline")
        if now > high
        else gettext("within the guideline")
    )
    spoken = f"{title}: {words(value)}, {verdict} ({words(minimum)} – {words(maximum)})"
    if target is not None:
        spoken += ", " + gettext("target %(value)s") % {"value": words(target)}
    return format_html(
        '<div class="track-block">{}<div class="track-words"><strong>{}</strong> <span class="{}">{}'
        "</span></div></div>",
        svg(spoken, 42, join(body), "pic-track"),
        words(value),
        "tone-danger" if outside else "text-secondary",
        verdict,
    )


def sparkline(
    values: Sequence[object], *, title: str, unit: str = "", low: object = None, high: object = None
) -> SafeString:
    """Return a small line for a table cell; None leaves a gap.

    Its accessible name says first, last and range.
    """
    numbers = [to_decimal(v) for v in values]
    known = [float(n) for n in numbers if n is not None]
    if not known:
        return format_html('<span class="text-secondary">{}</span>', "–")
    bottom = real(low) if low is not None else min(known)
    top = real(high) if high is not None else max(known)
    span = (top - bottom) or 1.0
    step = 88 / max(1, len(numbers) - 1)
    points = [
        (4 + i * step, 22 - 16 * (float(n) - bottom) / span)
        for i, n in enumerate(numbers)
        if n is not None
    ]
    if top == bottom:
        points = [(x, 13.0) for x, _ in points]
    path, pen = "", False
    by_index = iter(points)
    for number in numbers:
        if number is None:
            pen = False
            continue
        x, y = next(by_index)
        path += f"{'L' if pen else 'M'}{px(x)} {px(y)}"
        pen = True
    spoken = gettext("%(title)s: from %(first)s to %(last)s, lowest %(low)s, highest %(high)s") % {
        "title": title,
        "first": number_text(known[0]) + unit,
        "last": number_text(known[-1]) + unit,
        "low": number_text(min(known)) + unit,
        "high": number_text(max(known)) + unit,
    }
    return format_html(
        '<svg class="spark" width="96" height="26" viewBox="0 0 96 26" role="img" aria-label="{}">'
        '<path d="{}"/>'
        '<circle cx="{}" cy="{}" r="3"/></svg>',
        spoken,
        path,
        px(points[-1][0]),
        px(points[-1][1]),
    )


def trajectory(
    points: Sequence[Row],
    *,
    title: str,
    low: object = None,
    high: object = None,
    levels: Sequence[Sequence[Any]] = (),
    unit: str = "",
    column: str = "",
) -> SafeString:
    """Return a value over the cycles as one line, with what changed along the way.

    ``column``: what the labels of the points are, if not cycles.
    ``points``: dicts with ``label`` (the cycle), ``value`` (None breaks the line) and optionally ``note``
    (words under the
    point), ``mark`` (``break`` = another scale begins here, ``manager``, ``leave``) and ``shown`` (the
    value in words).
    ``levels``: (value, word) pairs drawn as lines across, such as the words of a rating scale.
    """
    if not points:
        return EMPTY
    known = [real(p["value"]) for p in points if to_decimal(p.get("value")) is not None]
    edges = [*known, *(real(level[0]) for level in levels)] or [0.0, 1.0]
    bottom = real(low) if low is not None else min(edges)
    top = real(high) if high is not None else max(edges)
    span = (top - bottom) or 1.0
    head, tall, foot = 38.0, 130.0, 46.0
    count = len(points)
    left = 0.2 if levels else 0.06

    def x(index: int) -> float:
        return left + (0.95 - left) * (index / (count - 1)) if count > 1 else 0.5

    def y(value: float) -> float:
        return head + tall * (1 - (value - bottom) / span)

    body = []
    for level in levels:
        body.append(line(0, y(real(level[0])), 1, y(real(level[0])), "gridline"))
        body.append(label_at(0, y(real(level[0])) - 4, level[1], "tick level", anchor="start"))
    previous: tuple[int, float] | None = None
    marks = {
        "break": gettext("another scale"),
        "manager": gettext("another manager"),
        "leave": gettext("leave"),
    }
    dots = []
    marked = 0
    # On a phone there is room for four labels, the newest among them; the table below has all.
    every = -(-count // 4)
    for index, point in enumerate(points):
        mark = point.get("mark")
        anchor = "middle" if 0 < index < count - 1 or count == 1 else "end" if index else "start"
        thin = " between" if (count - 1 - index) % every else ""
        if mark:
            marked += 1
            body.append(line(x(index), head - 8, x(index), head + tall, f"mark mark-{mark}"))
            body.append(
                label_at(
                    x(index),
                    head - (12 if marked % 2 else 26),
                    marks.get(str(mark), mark),
                    "tick",
                    anchor=anchor if count > 1 else "start",
                )
            )
        body.append(
            label_at(
                x(index),
                head + tall + 20,
                clip(point["label"], max(4, 56 // count)),
                f"tick strong{thin}",
                anchor=anchor,
            )
        )
        if point.get("note"):
            body.append(
                label_at(
                    x(index),
                    head + tall + 36,
                    clip(point["note"], max(4, 72 // count)),
                    "tick",
                    anchor=anchor,
                )
            )
        if to_decimal(point.get("value")) is None:
            previous = None
            continue
        value = real(point["value"])
        if previous is not None and mark != "break":
            body.append(line(x(previous[0]), y(previous[1]), x(index), y(value), "stroke-s1"))
        previous = (index, value)
        shown = point.get("shown") or number_text(point["value"]) + unit
        dots.append(
            format_html(
                '<circle cx="{}" cy="{}" r="5" class="dot"><title>{}</title></circle>',
                pc(x(index)),
                px(y(value)),
                f"{point['label']}: {shown}",
            )
        )
        beside = bool(mark) and index < count - 1
        dots.append(
            label_at(
                x(index),
                y(value) - 11,
                shown,
                f"value{thin}",
                anchor="start" if beside else anchor,
                dx=7 if beside else 0,
            )
        )
    rows = [
        (
            p["label"],
            p.get("shown")
            or (number_text(p.get("value")) + unit if p.get("value") is not None else "–"),
            " · ".join(
                str(w) for w in (marks.get(str(p.get("mark")), p.get("mark")), p.get("note")) if w
            )
            or "–",
        )
        for p in points
    ]
    spoken = "; ".join(f"{row[0]} {row[1]}" for row in rows)
    table = table_of(
        (column or gettext("Cycle"), gettext("Value"), gettext("What changed")), rows, title
    )
    return figure(
        svg(f"{title}: {spoken}", head + tall + foot, join([*body, *dots]), "pic-line"),
        title,
        table,
    )


def strip(
    points: Sequence[Sequence[Any]],
    *,
    title: str,
    low: object,
    high: object,
    unit: str = "",
    highlight: object = None,
) -> SafeString:
    """Return (label, value) as dots on one line with the mean marked: who is strict, who is mild."""
    span = (real(high) - real(low)) or 1.0
    mean = sum(real(p[1]) for p in points) / len(points) if points else 0.0

    def at(number: float) -> float:
        return 0.03 + 0.94 * (number - real(low)) / span

    body = [line(0, 26, 1, 26, "axis")]
    if points:
        body.append(line(at(mean), 8, at(mean), 38, "target"))
        body.append(
            label_at(at(mean), 52, f"{gettext('mean')} {number_text(mean, 1)}{unit}", "tick")
        )
    for label, value, *_ in points:
        css = "dot" if highlight is None or highlight == label else "dot dot-pale"
        body.append(
            format_html(
                '<circle cx="{}" cy="26" r="7" class="{}"><title>{}</title></circle>',
                pc(at(real(value))),
                css,
                f"{label}: {number_text(value, 1)}{unit}",
            )
        )
    body.append(label_at(0, 52, number_text(low) + unit, "tick", anchor="start"))
    body.append(label_at(1, 52, number_text(high) + unit, "tick", anchor="end"))
    rows = [(label, number_text(value, 1) + unit) for label, value, *_ in points]
    spoken = "; ".join(f"{label} {value}" for label, value in rows)
    return figure(
        svg(f"{title}: {spoken}", 58, join(body)),
        title,
        table_of((title, gettext("Value")), rows, title),
    )
