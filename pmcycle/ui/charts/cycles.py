"""The cycle and what happens in it: the ring of stages, the line of dates, a person's way through it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

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
from pmcycle.ui.formats import Day, exact_instant, local_day, percent_text, when_text

# How much of the turn the line at the ends of an open arc takes.
OUTLINE = 0.008


def stage_word(state: str) -> str:
    """Return the word for the state of a stage."""
    words = {
        "planned": pgettext("stage", "planned"),
        "open": pgettext("stage", "open"),
        "closed": pgettext("stage", "closed"),
    }
    return words.get(state, state)


def _arc(radius: float, start: float, end: float) -> str:
    """Return a circle's arc in a 100 × 100 box, from and to a share of the full turn.

    Clockwise from the top.
    """
    (x1, y1), (x2, y2) = (
        (50 + radius * math.sin(2 * math.pi * turn), 50 - radius * math.cos(2 * math.pi * turn))
        for turn in (start, end)
    )
    large = 1 if end - start > 0.5 else 0
    return f"M{px(x1)} {px(y1)}A{px(radius)} {px(radius)} 0 {large} 1 {px(x2)} {px(y2)}"


def ring(
    stages: Sequence[Row],
    *,
    title: str = "",
    size: str = "md",
    legend: bool = True,
    centre: str = "",
    note: str = "",
) -> SafeString:
    """Return the ring of the cycle's stages.

    ``stages``: dicts with ``label``, ``state`` (planned, open, closed) and ``done`` (0 … 1; None if not
    counted), and
    optionally ``dates`` (words). ``size``: sm (no words), md, lg. ``centre`` and ``note`` are the two lines
    in the middle.
    """
    title = title or gettext("Stages of the cycle")
    count = max(1, len(stages))
    gap = 0.028 if count > 1 else 0.0
    arcs, spoken = [], []
    for index, stage in enumerate(stages):
        state = str(stage.get("state", "planned"))
        done = (
            1.0
            if state == "closed" and stage.get("done") is None
            else max(0.0, min(1.0, real(stage.get("done"))))
        )
        start, end = index / count + gap, (index + 1) / count - gap
        arcs.append(
            format_html('<path d="{}" class="ring-track ring-{}"/>', _arc(40, start, end), state)
        )
        if state == "open":  # what is open is an outline, and fills as it is done
            hole = _arc(40, start + OUTLINE, end - OUTLINE)
            arcs.append(format_html('<path d="{}" class="ring-hole"/>', hole))
        if done > 0 and state != "planned":
            filled = start + (end - start) * min(done, 0.9999)
            arcs.append(
                format_html(
                    '<path d="{}" class="ring-fill ring-{}"/>', _arc(40, start, filled), state
                )
            )
        spoken.append(f"{stage['label']}: {stage_word(state)}, {percent_text(done)}")
    if size != "sm" and (centre or note):
        arcs.append(
            format_html(
                '<text x="50" y="{}" class="ring-centre">{}</text>', 55 if not note else 51, centre
            )
        )
        if note:
            arcs.append(format_html('<text x="50" y="64" class="ring-note">{}</text>', note))
    picture = format_html(
        '<svg class="ring ring-size-{}" viewBox="0 0 100 100" role="img" aria-label="{}">{}</svg>',
        size,
        f"{title}. {'; '.join(spoken)}",
        join(arcs),
    )
    if size == "sm" or not legend:
        return picture
    marks = {"planned": "○", "open": "◐", "closed": "●"}
    rows = format_html_join(
        "",
        '<li class="ring-is-{}"><span class="ring-mark" aria-hidden="true">{}</span>'
        '<span class="ring-label">{}</span>'
        '<span class="ring-state">{}</span></li>',
        (
            (
                s.get("state", "planned"),
                marks.get(str(s.get("state", "planned")), "○"),
                s["label"],
                " · ".join(
                    str(word)
                    for word in (
                        stage_word(str(s.get("state", "planned"))),
                        percent_text(s.get("done")) if s.get("done") is not None else "",
                        s.get("dates", ""),
                    )
                    if word
                ),
            )
            for s in stages
        ),
    )
    return format_html(
        '<div class="ring-block">{}<ol class="ring-legend">{}</ol></div>', picture, rows
    )


def timeline(stages: Sequence[Row], *, today: dt.date, title: str = "") -> SafeString:
    """Return the stages on one line of dates with a mark for today, which is today where the cycle is.

    ``stages``: dicts with ``label``, ``start`` and ``end`` (dates, both within the stage) and ``state``.
    Stages may overlap.
    """
    title = title or gettext("Stages and dates")
    if not stages:
        return EMPTY
    first = min(local_day(s["start"]) for s in stages)
    last = max(local_day(s["end"]) for s in stages)
    span = max(1, (last - first).days + 1)

    def at(day: Day) -> float:
        return (local_day(day) - first).days / span

    lane, head = 34, 26
    height = head + lane * len(stages) + 6
    body = []
    month = first.replace(day=1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    every = max(1, math.ceil(months / 7))
    for number in range(months + 1):
        day = dt.date(
            month.year + (month.month - 1 + number) // 12, (month.month - 1 + number) % 12 + 1, 1
        )
        if number % every or not 0 <= at(day) < 0.88:
            continue
        body.append(line(at(day), head - 6, at(day), height, "gridline"))
        body.append(label_at(at(day), 13, when_text(day), "tick", anchor="start", dx=2))
    if first <= today <= last:
        body.append(line(at(today), head - 8, at(today), height, "now-line"))
        body.append(
            label_at(
                at(today),
                head - 12 if at(today) > 0.92 else 24,
                gettext("today"),
                "now-text",
                anchor="end" if at(today) > 0.9 else "start",
                dx=-4 if at(today) > 0.9 else 4,
            )
        )
    for index, stage in enumerate(stages):
        y = head + index * lane
        state = str(stage.get("state", "planned"))
        x, end = at(stage["start"]), at(stage["end"]) + 1 / span
        words = f"{stage['label']}: {when_text(stage['start'])} – {when_text(stage['end'])}, {stage_word(state)}"
        body.append(rect(x, y + 18, end - x, 10, f"stage-bar stage-{state}", rx=5, hint=words))
        right = x > 0.6
        body.append(
            label_at(
                end if right else x,
                y + 12,
                stage["label"],
                "value",
                anchor="end" if right else "start",
            )
        )
    table = table_of(
        (gettext("Stage"), gettext("From"), gettext("To"), gettext("State")),
        (
            (
                s["label"],
                when_text(s["start"]),
                when_text(s["end"]),
                stage_word(str(s.get("state", "planned"))),
            )
            for s in stages
        ),
        title,
    )
    spoken = "; ".join(
        f"{s['label']} {when_text(s['start'])} – {when_text(s['end'])}" for s in stages
    )
    return figure(svg(f"{title}: {spoken}", height, join(body), "pic-timeline"), table=table)


# How much of the width a letter of a label takes on a narrow page.
LETTER = 0.019


def rows_of(labels: Sequence[tuple[float, str]]) -> list[int]:
    """Return the row of each label, which begins at a share of the width (ends there, far to the right).

    Row 0 is the lowest; a label that would run into one of its row stands in the next above.
    """
    taken: list[list[tuple[float, float]]] = []
    found = []
    for x, words in labels:
        wide = len(words) * LETTER
        left, right = (x - wide, x) if x > 0.75 else (x, x + wide)
        row = 0
        while row < len(taken) and any(left < end and start < right for start, end in taken[row]):
            row += 1
        if row == len(taken):
            taken.append([])
        taken[row].append((left, right))
        found.append(row)
    return found


def life_line(
    events: Sequence[Row],
    *,
    today: dt.date,
    title: str = "",
    start: Day | None = None,
    end: Day | None = None,
    spans: Sequence[Row] = (),
) -> SafeString:
    """Return a person's way through the cycle as one line with what happened on it.

    ``events``: dicts with ``at`` (date or instant), ``label`` and optionally ``tone`` and ``detail``.
    ``spans``: dicts with ``start``, ``end``, ``label`` and optionally ``tone`` (leave, a manager's time, a
    hold). ``today``: where the cycle is.
    """
    title = title or gettext("What happened")
    ordered = sorted(events, key=lambda event: (local_day(event["at"]), exact_instant(event["at"])))
    days = [local_day(e["at"]) for e in ordered] + [
        local_day(d) for s in spans for d in (s["start"], s["end"])
    ]
    first = local_day(start) if start else min(days, default=today)
    last = local_day(end) if end else max([*days, today])
    length = max(1, (last - first).days + 1)

    def at(day: Day) -> float:
        return 0.01 + 0.98 * ((local_day(day) - first).days / length)

    places = rows_of([(at(span["start"]), clip(span["label"], 22)) for span in spans])
    base = 22 + 18 * bool(spans) + 16 * max(places, default=0)
    body = [line(0, base, 1, base, "axis-strong")]
    for span, row in zip(spans, places, strict=True):
        x, x2 = at(span["start"]), at(span["end"]) + 1 / length
        words = f"{span['label']}: {when_text(span['start'])} – {when_text(span['end'])}"
        body.append(
            rect(x, base - 7, x2 - x, 14, f"span tone-{span.get('tone', 'mute')}", rx=4, hint=words)
        )
        body.append(
            label_at(
                max(x, 0.0),
                base - 14 - 16 * row,
                clip(span["label"], 22),
                "tick",
                anchor="end" if x > 0.75 else "start",
            )
        )
    for number, event in enumerate(ordered, 1):
        words = f"{event['label']}, {when_text(event['at'])}"
        body.append(
            format_html(
                '<g class="event tone-{}"><title>{}</title><circle cx="{}" cy="{}" r="9"/>'
                '<text x="{}" y="{}" text-anchor="middle">{}</text></g>',
                event.get("tone", "accent"),
                words,
                pc(at(event["at"])),
                base,
                pc(at(event["at"])),
                base + 4,
                number,
            )
        )
    shown_today = first <= today <= last
    if shown_today:
        edge = at(today) > 0.88
        body.append(line(at(today), base - 14, at(today), base + 30, "now-line"))
        body.append(
            label_at(
                at(today),
                base + 30,
                gettext("today"),
                "now-text",
                anchor="end" if edge else "start",
                dx=-5 if edge else 5,
            )
        )
    if not shown_today or at(today) > 0.14:
        body.append(label_at(0, base + 30, when_text(first), "tick", anchor="start"))
    if not shown_today or at(today) < 0.78:
        body.append(label_at(1, base + 30, when_text(last), "tick", anchor="end"))
    steps = format_html_join(
        "",
        '<li class="tone-{}"><span class="life-no" aria-hidden="true">{}</span>'
        '<span class="life-what">{}{}</span>'
        '<time datetime="{}" title="{}">{}</time></li>',
        (
            (
                e.get("tone", "accent"),
                number,
                e["label"],
                format_html('<span class="text-secondary"> {}</span>', e["detail"])
                if e.get("detail")
                else EMPTY,
                e["at"].isoformat(),
                exact_instant(e["at"]),
                when_text(e["at"]),
            )
            for number, e in enumerate(ordered, 1)
        ),
    )
    spoken = "; ".join(f"{e['label']} {when_text(e['at'])}" for e in ordered)
    picture = svg(f"{title}: {spoken}", base + 36, join(body), "pic-life")
    return format_html(
        '<figure class="figure-pic">{}<ol class="life-list">{}</ol></figure>', picture, steps
    )


def logo(size: int = 28) -> SafeString:
    """Return pmcycle's mark: the ring of four stages, the present one in the second colour."""
    arcs = [
        format_html(
            '<path d="{}" class="logo-{}"/>', _arc(38, i / 4 + 0.034, (i + 1) / 4 - 0.034), i + 1
        )
        for i in range(4)
    ]
    return format_html(
        '<svg class="logo" width="{}" height="{}" viewBox="0 0 100 100" aria-hidden="true"'
        ' focusable="false">{}</svg>',
        size,
        size,
        join(arcs),
    )
