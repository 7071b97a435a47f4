"""Pictures of data as SVG, drawn on the server: they print, mail, read aloud and need no script.

Every picture has a name that says what it shows; all but the tiny ones carry their table, one click away.
Widths are
percentages and heights pixels, so that a picture fills its place while its letters keep their size. Colours
are classes
of the stylesheet: ``s1`` … ``s6`` are series, tones are ``ok``, ``warn``, ``danger``, ``info``, ``mute``
and ``accent``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from pmcycle.ui.formats import (
    Day,
    exact_instant,
    local_day,
    money_text,
    name_of,
    number_text,
    percent_text,
    to_decimal,
    when_text,
)

Row = Mapping[str, Any]

EMPTY: Final = SafeString("")
SERIES: Final = 6


def _real(value: object) -> float:
    """Return a number for drawing; what is no number draws as nothing."""
    number = to_decimal(value)
    return float(number) if number is not None else 0.0


def _pc(share: float) -> str:
    """Return a share of the width (0 … 1) as an SVG length, kept within the picture."""
    return f"{max(0.0, min(1.0, share)) * 100:.3f}".rstrip("0").rstrip(".") + "%"


def _px(value: float) -> str:
    """Return a coordinate without a tail of decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _join(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _rect(
    x: float, y: float, width: float, height: float, css: str, *, rx: float = 3, hint: str = ""
) -> SafeString:
    """Return a rectangle at a share of the width, with a hover hint."""
    if width <= 0 or height <= 0:
        return EMPTY
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="{}" class="{}">{}</rect>',
        _pc(x),
        _px(y),
        _pc(width),
        _px(height),
        _px(rx),
        css,
        format_html("<title>{}</title>", hint) if hint else EMPTY,
    )


def _text(
    x: float, y: float, words: object, css: str = "", *, anchor: str = "middle", dx: float = 0
) -> SafeString:
    """Return a word at a share of the width."""
    return format_html(
        '<text x="{}" y="{}" dx="{}" text-anchor="{}" class="{}">{}</text>',
        _pc(x),
        _px(y),
        _px(dx),
        anchor,
        css,
        words,
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> SafeString:
    return format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>', _pc(x1), _px(y1), _pc(x2), _px(y2), css
    )


def _svg(name: str, height: float, body: SafeString, css: str = "") -> SafeString:
    """Return a picture as wide as its place, with its accessible name."""
    return format_html(
        '<svg class="pic {}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
        css,
        _px(height),
        name,
        body,
    )


def table_of(headers: Sequence[object], rows: Iterable[Sequence[object]], caption: str) -> SafeString:
    """Return the numbers of a picture as a table folded under "Show as table".

    The first column names the row.
    """
    head = format_html_join("", '<th scope="col">{}</th>', ((header,) for header in headers))
    body = _join(
        format_html(
            '<tr><th scope="row">{}</th>{}</tr>',
            row[0],
            format_html_join("", "<td>{}</td>", ((v,) for v in row[1:])),
        )
        for row in rows
    )
    return format_html(
        '<details class="pic-table"><summary>{}</summary><table class="table table-sm">'
        '<caption class="visually-hidden">'
        "{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>",
        gettext("Show as table"),
        caption,
        head,
        body,
    )


def _figure(
    picture: SafeString, caption: str = "", table: SafeString = EMPTY, legend: SafeString = EMPTY
) -> SafeString:
    """Return a picture with its visible caption, legend and folded table."""
    return format_html(
        '<figure class="figure-pic">{}{}{}{}</figure>',
        format_html("<figcaption>{}</figcaption>", caption) if caption else EMPTY,
        picture,
        legend,
        table,
    )


def _legend(items: Iterable[tuple[str, object]]) -> SafeString:
    """Return the key of the colours."""
    return format_html(
        '<ul class="legend">{}</ul>',
        format_html_join(
            "",
            '<li><svg width="10" height="10" aria-hidden="true">'
            '<rect width="10" height="10" rx="3" class="{}"/></svg>{}</li>',
            items,
        ),
    )


def _clip(words: object, letters: int) -> str:
    """Return a word that fits, with an ellipsis if it had to be cut.

    The whole is in the hover hint and the table.
    """
    text = str(words)
    return text if len(text) <= letters else text[: max(1, letters - 1)].rstrip() + "…"


# --- the cycle ------------------------------------------------------------------------------------


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
    return f"M{_px(x1)} {_px(y1)}A{_px(radius)} {_px(radius)} 0 {large} 1 {_px(x2)} {_px(y2)}"


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
            else max(0.0, min(1.0, _real(stage.get("done"))))
        )
        start, end = index / count + gap, (index + 1) / count - gap
        arcs.append(format_html('<path d="{}" class="ring-track ring-{}"/>', _arc(40, start, end), state))
        if done > 0 and state != "planned":
            filled = start + (end - start) * min(done, 0.9999)
            arcs.append(
                format_html('<path d="{}" class="ring-fill ring-{}"/>', _arc(40, start, filled), state)
            )
        spoken.append(f"{stage['label']}: {stage_word(state)}, {percent_text(done)}")
    if size != "sm" and (centre or note):
        arcs.append(
            format_html('<text x="50" y="{}" class="ring-centre">{}</text>', 55 if not note else 51, centre)
        )
        if note:
            arcs.append(format_html('<text x="50" y="64" class="ring-note">{}</text>', note))
    picture = format_html(
        '<svg class="ring ring-size-{}" viewBox="0 0 100 100" role="img" aria-label="{}">{}</svg>',
        size,
        f"{title}. {'; '.join(spoken)}",
        _join(arcs),
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
    return format_html('<div class="ring-block">{}<ol class="ring-legend">{}</ol></div>', picture, rows)


def timeline(stages: Sequence[Row], *, title: str = "", today: dt.date | None = None) -> SafeString:
    """Return the stages on one line of dates with a mark for today.

    ``stages``: dicts with ``label``, ``start`` and ``end`` (dates, both within the stage) and ``state``.
    Stages may overlap.
    """
    title = title or gettext("Stages and dates")
    today = today or local_day(timezone.now())
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
        day = dt.date(month.year + (month.month - 1 + number) // 12, (month.month - 1 + number) % 12 + 1, 1)
        if number % every or not 0 <= at(day) < 0.88:
            continue
        body.append(_line(at(day), head - 6, at(day), height, "gridline"))
        body.append(_text(at(day), 13, when_text(day), "tick", anchor="start", dx=2))
    if first <= today <= last:
        body.append(_line(at(today), head - 8, at(today), height, "now-line"))
        body.append(
            _text(
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
        words = (
            f"{stage['label']}: {when_text(stage['start'])} – {when_text(stage['end'])}, {stage_word(state)}"
        )
        body.append(_rect(x, y + 18, end - x, 10, f"stage-bar stage-{state}", rx=5, hint=words))
        right = x > 0.6
        body.append(
            _text(end if right else x, y + 12, stage["label"], "value", anchor="end" if right else "start")
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
    spoken = "; ".join(f"{s['label']} {when_text(s['start'])} – {when_text(s['end'])}" for s in stages)
    return _figure(_svg(f"{title}: {spoken}", height, _join(body), "pic-timeline"), table=table)


def life_line(
    events: Sequence[Row],
    *,
    title: str = "",
    start: Day | None = None,
    end: Day | None = None,
    today: dt.date | None = None,
    spans: Sequence[Row] = (),
) -> SafeString:
    """Return a person's way through the cycle as one line with what happened on it.

    ``events``: dicts with ``at`` (date or instant), ``label`` and optionally ``tone`` and ``detail``.
    ``spans``: dicts with ``start``, ``end``, ``label`` and optionally ``tone`` (leave, a manager's time, a
    hold).
    """
    title = title or gettext("What happened")
    today = today or local_day(timezone.now())
    ordered = sorted(events, key=lambda event: (local_day(event["at"]), exact_instant(event["at"])))
    days = [local_day(e["at"]) for e in ordered] + [
        local_day(d) for s in spans for d in (s["start"], s["end"])
    ]
    first = local_day(start) if start else min(days, default=today)
    last = local_day(end) if end else max([*days, today])
    length = max(1, (last - first).days + 1)

    def at(day: Day) -> float:
        return 0.01 + 0.98 * ((local_day(day) - first).days / length)

    base = 22 + 18 * bool(spans)
    body = [_line(0, base, 1, base, "axis-strong")]
    for span in spans:
        x, x2 = at(span["start"]), at(span["end"]) + 1 / length
        words = f"{span['label']}: {when_text(span['start'])} – {when_text(span['end'])}"
        body.append(_rect(x, base - 7, x2 - x, 14, f"span tone-{span.get('tone', 'mute')}", rx=4, hint=words))
        body.append(
            _text(
                max(x, 0.0),
                base - 14,
                _clip(span["label"], 22),
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
                _pc(at(event["at"])),
                base,
                _pc(at(event["at"])),
                base + 4,
                number,
            )
        )
    shown_today = first <= today <= last
    if shown_today:
        edge = at(today) > 0.88
        body.append(_line(at(today), base - 14, at(today), base + 30, "now-line"))
        body.append(
            _text(
                at(today),
                base + 30,
                gettext("today"),
                "now-text",
                anchor="end" if edge else "start",
                dx=-5 if edge else 5,
            )
        )
    if not shown_today or at(today) > 0.14:
        body.append(_text(0, base + 30, when_text(first), "tick", anchor="start"))
    if not shown_today or at(today) < 0.78:
        body.append(_text(1, base + 30, when_text(last), "tick", anchor="end"))
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
    picture = _svg(f"{title}: {spoken}", base + 36, _join(body), "pic-life")
    return format_html('<figure class="figure-pic">{}<ol class="life-list">{}</ol></figure>', picture, steps)


# --- shares and amounts ---------------------------------------------------------------------------


def weight_bar(segments: Sequence[Row], *, title: str = "", target: object = 100) -> SafeString:
    """Return weights as one bar that must sum to ``target``.

    What lacks is hatched, what is too much is named.

    ``segments``: dicts with ``label`` and ``weight``.
    """
    title = title or gettext("Weights")
    goal = _real(target) or 100.0
    total = sum(_real(s["weight"]) for s in segments)
    scale = max(total, goal)
    body, x = [], 0.0
    for index, segment in enumerate(segments):
        width = _real(segment["weight"]) / scale
        words = f"{segment['label']}: {number_text(segment['weight'])}"
        body.append(_rect(x, 0, max(0.0, width - 0.004), 26, f"s{index % SERIES + 1}", rx=5, hint=words))
        if width > 0.07:
            body.append(
                _text(
                    x + width / 2 - 0.002,
                    17.5,
                    number_text(segment["weight"]),
                    f"on-s{index % SERIES + 1} strong",
                )
            )
        x += width
    if total < goal:
        body.append(_rect(x, 0.75, 1 - x - 0.002, 24.5, "missing", rx=5, hint=gettext("not given out")))
    if total > goal:
        body.append(_line(goal / scale, 0, goal / scale, 26, "limit"))
    left = goal - total
    if abs(left) < 1e-9:
        word, tone = gettext("sums to %(target)s") % {"target": number_text(target)}, "ok"
    elif left > 0:
        word, tone = gettext("%(n)s still to give out") % {"n": number_text(round(left, 6))}, "warn"
    else:
        word, tone = gettext("%(n)s too much") % {"n": number_text(round(-left, 6))}, "danger"
    spoken = "; ".join(f"{s['label']} {number_text(s['weight'])}" for s in segments)
    legend = format_html(
        '<div class="legend-row">{}<span class="tone-word tone-{}">{}</span></div>',
        _legend((f"s{i % SERIES + 1}", s["label"]) for i, s in enumerate(segments)),
        tone,
        word,
    )
    table = table_of(
        (gettext("Part"), gettext("Weight")),
        ((s["label"], number_text(s["weight"])) for s in segments),
        title,
    )
    return _figure(_svg(f"{title}: {spoken}. {word}", 26, _join(body)), legend=legend, table=table)


def pool_bar(
    total: object,
    used: object,
    *,
    currency: str = "",
    reserved: object = 0,
    title: str = "",
    table: bool = True,
) -> SafeString:
    """Return a budget as a bar: used, reserved, what remains or by how much it is over.

    Without ``currency`` plain numbers.
    """
    title = title or gettext("Pool")

    def words(value: object) -> str:
        return money_text(value, currency) if currency else number_text(value)

    zero = Decimal(0)
    whole, spent, held = (to_decimal(v) or zero for v in (total, used, reserved))
    remaining = whole - spent - held
    scale = float(max(whole, spent + held, Decimal(1)))
    parts = [
        _rect(0, 0, 1, 14, "bar-track", rx=7),
        _rect(0, 0, float(spent) / scale, 14, "s1", rx=7, hint=f"{gettext('used')}: {words(spent)}"),
        _rect(
            float(spent) / scale,
            0,
            float(held) / scale,
            14,
            "s3",
            rx=3,
            hint=f"{gettext('reserved')}: {words(held)}",
        ),
    ]
    if remaining < 0:
        edge = float(whole) / scale
        parts.append(
            _rect(
                edge,
                0,
                1 - edge,
                14,
                "tone-danger-fill",
                rx=3,
                hint=f"{gettext('over')}: {words(-remaining)}",
            )
        )
        parts.append(_line(edge, 0, edge, 14, "limit"))
    verdict = (
        gettext("%(amount)s over the pool") % {"amount": words(-remaining)}
        if remaining < 0
        else gettext("%(amount)s remaining") % {"amount": words(remaining)}
    )
    spoken = gettext("%(used)s of %(total)s used") % {"used": words(spent), "total": words(whole)}
    rows = [(gettext("Total"), words(whole)), (gettext("Used"), words(spent))]
    if held:
        rows.append((gettext("Reserved"), words(held)))
    rows.append((gettext("Over") if remaining < 0 else gettext("Remaining"), words(abs(remaining))))
    legend = format_html(
        '<div class="pool-words"><span>{}</span><strong class="{}">{}</strong></div>',
        spoken,
        "tone-danger" if remaining < 0 else "",
        verdict,
    )
    picture = _svg(f"{title}: {spoken}, {verdict}", 14, _join(parts))
    return _figure(
        picture, title, table_of((title, gettext("Amount")), rows, title) if table else EMPTY, legend
    )


def columns(
    rows: Sequence[Sequence[Any]], *, title: str, unit: str = "", highlight: object = None
) -> SafeString:
    """Return columns of (label, value): a histogram or a count by class.

    ``highlight`` names the column to stress.
    """
    return _columns([(r[0], None, r[1]) for r in rows], title, unit, highlight)


def distribution(
    rows: Sequence[Sequence[Any]], *, title: str, unit: str = "", names: Sequence[str] = ()
) -> SafeString:
    """Return (label, before, after) as columns with the earlier state as an outline behind.

    ``names``: what the two are.
    """
    before, after = names if len(names) == 2 else (gettext("before"), gettext("after"))
    return _columns([(r[0], r[1], r[2]) for r in rows], title, unit, None, (str(before), str(after)))


def _columns(
    rows: Sequence[tuple[Any, Any, Any]],
    title: str,
    unit: str,
    highlight: object,
    names: tuple[str, str] | None = None,
) -> SafeString:
    if not rows:
        return EMPTY
    tall, foot, head = 120.0, 24.0, 20.0
    peak = max([_real(value) for _, a, b in rows for value in (a, b)] + [1e-9])
    step = 1 / len(rows)
    letters = max(3, int(62 / len(rows)))
    body = [_line(0, head + tall, 1, head + tall, "axis")]
    for index, (label, old, new) in enumerate(rows):
        x = index * step
        value = _real(new)
        size = tall * value / peak
        words = f"{label}: {number_text(new)}{unit}"
        if names:
            ghost = tall * _real(old) / peak
            words = f"{label}: {names[0]} {number_text(old)}{unit}, {names[1]} {number_text(new)}{unit}"
            body.append(
                _rect(x + step * 0.08, head + tall - ghost, step * 0.84, ghost, "ghost", rx=4, hint=words)
            )
        css = "s1" if highlight is None or highlight == label else "s4"
        inset = 0.2 if names else 0.14
        body.append(
            _rect(x + step * inset, head + tall - size, step * (1 - 2 * inset), size, css, rx=4, hint=words)
        )
        body.append(_text(x + step / 2, head + tall - size - 6, number_text(new) + unit, "value"))
        body.append(_text(x + step / 2, head + tall + 17, _clip(label, letters), "tick"))
    if names:
        spoken = "; ".join(
            f"{label} {names[0]} {number_text(a)}{unit}, {names[1]} {number_text(b)}{unit}"
            for label, a, b in rows
        )
        table = table_of(
            (title, names[0], names[1]),
            ((label, number_text(a) + unit, number_text(b) + unit) for label, a, b in rows),
            title,
        )
        legend = _legend((("ghost", names[0]), ("s1", names[1])))
    else:
        spoken = "; ".join(f"{label} {number_text(b)}{unit}" for label, _, b in rows)
        table = table_of(
            (title, gettext("Value")), ((label, number_text(b) + unit) for label, _, b in rows), title
        )
        legend = EMPTY
    return _figure(_svg(f"{title}: {spoken}", head + tall + foot, _join(body)), title, table, legend)


def bars(rows: Sequence[Sequence[Any]], *, title: str, unit: str = "", maximum: object = None) -> SafeString:
    """Return lying bars of (label, value), for names too long to stand under columns."""
    peak = _real(maximum) or max([_real(row[1]) for row in rows] + [1e-9])
    lines = format_html_join(
        "",
        '<li><span class="bars-label">{}</span><svg width="100%" height="10" aria-hidden="true">{}{}</svg>'
        '<span class="bars-value">{}</span></li>',
        (
            (
                row[0],
                _rect(0, 0, 1, 10, "bar-track", rx=5),
                _rect(0, 0, _real(row[1]) / peak, 10, "s1", rx=5),
                number_text(row[1]) + unit,
            )
            for row in rows
        ),
    )
    return format_html(
        '<figure class="figure-pic"><figcaption>{}</figcaption><ul class="bars">{}</ul></figure>',
        title,
        lines,
    )


def funnel(stages: Sequence[Row], *, title: str, names: Mapping[str, str] | None = None) -> SafeString:
    """Return how many are where, stage by stage, as stacked bars of equal length.

    ``stages``: dicts with ``label``, ``parts`` (dict of tone → count, drawn in the given order) and
    optionally ``url``.
    ``names``: tone → word for the key; default done, in progress, blocked, not started.
    """
    names = names or {
        "ok": gettext("done"),
        "info": gettext("in progress"),
        "danger": gettext("blocked"),
        "mute": gettext("not started"),
    }
    lines, rows = [], []
    for stage in stages:
        parts: Mapping[str, Any] = stage["parts"]
        total = sum(_real(count) for count in parts.values()) or 1.0
        x, pieces, spoken = 0.0, [], []
        for tone, count in parts.items():
            width = _real(count) / total
            words = f"{names.get(tone, tone)}: {number_text(count)}"
            spoken.append(words)
            pieces.append(_rect(x, 0, width - 0.003, 22, f"tone-{tone}-fill", rx=4, hint=words))
            if width > 0.06:
                pieces.append(_text(x + width / 2, 15.5, number_text(count), f"on-{tone} strong"))
            x += width
        label = (
            format_html('<a href="{}">{}</a>', stage["url"], stage["label"])
            if stage.get("url")
            else format_html("{}", stage["label"])
        )
        done = _real(parts.get("ok")) / total
        lines.append(
            format_html(
                '<li><span class="bars-label">{}</span>{}<span class="bars-value">{}</span></li>',
                label,
                _svg(f"{stage['label']}: {', '.join(spoken)}", 22, _join(pieces)),
                percent_text(done),
            )
        )
        rows.append((stage["label"], *(number_text(parts.get(tone, 0)) for tone in names)))
    used = [tone for tone in names if any(tone in stage["parts"] for stage in stages)]
    return format_html(
        '<figure class="figure-pic"><figcaption>{}</figcaption><ul class="bars bars-funnel">{}'
        "</ul>{}{}</figure>",
        title,
        _join(lines),
        _legend((f"tone-{tone}-fill", names[tone]) for tone in used),
        table_of((gettext("Stage"), *names.values()), rows, title),
    )


# --- one value against a band ---------------------------------------------------------------------


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

    low, high = _real(minimum), _real(maximum)
    pad = (high - low or abs(high) or 1.0) / 3
    start, end = (
        (_real(scale[0]), _real(scale[1]))
        if len(scale) == 2
        else (max(0.0, low - pad) if low >= 0 else low - pad, high + pad)
    )
    known = to_decimal(value) is not None
    now = _real(value)
    if known:
        start, end = min(start, now), max(end, now)
    span = (end - start) or 1.0

    def at(number: float) -> float:
        return 0.02 + 0.96 * (number - start) / span

    outside = known and not low <= now <= high
    body = [
        _rect(0.0, 15, 1, 8, "bar-track", rx=4),
        _rect(at(low), 15, at(high) - at(low), 8, "band", rx=4),
        _text(at(low), 38, words(minimum), "tick"),
        _text(at(high), 38, words(maximum), "tick"),
    ]
    if target is not None:
        body.append(_line(at(_real(target)), 12, at(_real(target)), 26, "target"))
    if known:
        body.append(
            format_html(
                '<circle cx="{}" cy="19" r="7.5" class="handle {}"><title>{}</title></circle>',
                _pc(at(now)),
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
        _svg(spoken, 42, _join(body), "pic-track"),
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
    bottom = _real(low) if low is not None else min(known)
    top = _real(high) if high is not None else max(known)
    span = (top - bottom) or 1.0
    step = 88 / max(1, len(numbers) - 1)
    points = [
        (4 + i * step, 22 - 16 * (float(n) - bottom) / span) for i, n in enumerate(numbers) if n is not None
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
        path += f"{'L' if pen else 'M'}{_px(x)} {_px(y)}"
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
        _px(points[-1][0]),
        _px(points[-1][1]),
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
    known = [_real(p["value"]) for p in points if to_decimal(p.get("value")) is not None]
    edges = [*known, *(_real(level[0]) for level in levels)] or [0.0, 1.0]
    bottom = _real(low) if low is not None else min(edges)
    top = _real(high) if high is not None else max(edges)
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
        body.append(_line(0, y(_real(level[0])), 1, y(_real(level[0])), "gridline"))
        body.append(_text(0, y(_real(level[0])) - 4, level[1], "tick level", anchor="start"))
    previous: tuple[int, float] | None = None
    marks = {
        "break": gettext("another scale"),
        "manager": gettext("another manager"),
        "leave": gettext("leave"),
    }
    dots = []
    marked = 0
    for index, point in enumerate(points):
        mark = point.get("mark")
        if mark:
            marked += 1
            body.append(_line(x(index), head - 8, x(index), head + tall, f"mark mark-{mark}"))
            body.append(
                _text(
                    x(index),
                    head - (12 if marked % 2 else 26),
                    marks.get(str(mark), mark),
                    "tick",
                    anchor="end" if index == count - 1 and count > 1 else "start" if index == 0 else "middle",
                )
            )
        anchor = "middle"
        body.append(
            _text(
                x(index),
                head + tall + 20,
                _clip(point["label"], max(4, 56 // count)),
                "tick strong",
                anchor=anchor,
            )
        )
        if point.get("note"):
            body.append(
                _text(
                    x(index),
                    head + tall + 36,
                    _clip(point["note"], max(4, 60 // count)),
                    "tick",
                    anchor=anchor,
                )
            )
        if to_decimal(point.get("value")) is None:
            previous = None
            continue
        value = _real(point["value"])
        if previous is not None and mark != "break":
            body.append(_line(x(previous[0]), y(previous[1]), x(index), y(value), "stroke-s1"))
        previous = (index, value)
        shown = point.get("shown") or number_text(point["value"]) + unit
        dots.append(
            format_html(
                '<circle cx="{}" cy="{}" r="5" class="dot"><title>{}</title></circle>',
                _pc(x(index)),
                _px(y(value)),
                f"{point['label']}: {shown}",
            )
        )
        beside = bool(mark) and index < count - 1
        dots.append(
            _text(
                x(index),
                y(value) - 11,
                shown,
                "value",
                anchor="start" if beside else "middle",
                dx=7 if beside else 0,
            )
        )
    rows = [
        (
            p["label"],
            p.get("shown") or (number_text(p.get("value")) + unit if p.get("value") is not None else "–"),
            " · ".join(str(w) for w in (marks.get(str(p.get("mark")), p.get("mark")), p.get("note")) if w)
            or "–",
        )
        for p in points
    ]
    spoken = "; ".join(f"{row[0]} {row[1]}" for row in rows)
    table = table_of((column or gettext("Cycle"), gettext("Value"), gettext("What changed")), rows, title)
    return _figure(
        _svg(f"{title}: {spoken}", head + tall + foot, _join([*body, *dots]), "pic-line"), title, table
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
    span = (_real(high) - _real(low)) or 1.0
    mean = sum(_real(p[1]) for p in points) / len(points) if points else 0.0

    def at(number: float) -> float:
        return 0.03 + 0.94 * (number - _real(low)) / span

    body = [_line(0, 26, 1, 26, "axis")]
    if points:
        body.append(_line(at(mean), 8, at(mean), 38, "target"))
        body.append(_text(at(mean), 52, f"{gettext('mean')} {number_text(mean, 1)}{unit}", "tick"))
    for label, value, *_ in points:
        css = "dot" if highlight is None or highlight == label else "dot dot-pale"
        body.append(
            format_html(
                '<circle cx="{}" cy="26" r="7" class="{}"><title>{}</title></circle>',
                _pc(at(_real(value))),
                css,
                f"{label}: {number_text(value, 1)}{unit}",
            )
        )
    body.append(_text(0, 52, number_text(low) + unit, "tick", anchor="start"))
    body.append(_text(1, 52, number_text(high) + unit, "tick", anchor="end"))
    rows = [(label, number_text(value, 1) + unit) for label, value, *_ in points]
    spoken = "; ".join(f"{label} {value}" for label, value in rows)
    return _figure(
        _svg(f"{title}: {spoken}", 58, _join(body)), title, table_of((title, gettext("Value")), rows, title)
    )


def nine_box(
    cells: Sequence[Sequence[Sequence[object]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    x_names: Sequence[str] = (),
    y_names: Sequence[str] = (),
    shown: int = 6,
) -> SafeString:
    """Return three by three boxes of people as a table with shades.

    ``cells``: three rows, the highest first, of three lists of people (a name, or a dict with ``name`` and
    ``url``).
    """
    across = list(x_names) or [gettext("low"), gettext("middle"), gettext("high")]
    upward = list(y_names) or [gettext("high"), gettext("middle"), gettext("low")]
    head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in across))
    body = []
    for r, row in enumerate(cells):
        boxes = []
        for c, people in enumerate(row):
            names = [
                format_html('<li><a href="{}">{}</a></li>', p["url"], p["name"])
                if isinstance(p, Mapping) and p.get("url")
                else format_html("<li>{}</li>", p["name"] if isinstance(p, Mapping) else name_of(p))
                for p in people
            ]
            more = len(names) - shown
            extra = (
                format_html('<li class="text-secondary">{}</li>', gettext("and %(n)s more") % {"n": more})
                if more > 0
                else EMPTY
            )
            boxes.append(
                format_html(
                    '<td class="box heat-{}"><strong>{}</strong><ul>{}{}</ul></td>',
                    (2 - r) + c,
                    len(names),
                    _join(names[:shown]),
                    extra,
                )
            )
        body.append(format_html('<tr><th scope="row">{}</th>{}</tr>', upward[r], _join(boxes)))
    return format_html(
        '<figure class="figure-pic"><figcaption>{}</figcaption>'
        '<div class="table-responsive" tabindex="0" role="region" '
        'aria-label="{}"><table class="nine-box"><caption>{}</caption><thead><tr><td></td>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></figure>",
        title,
        title,
        gettext("across: %(x)s · upward: %(y)s") % {"x": x_label, "y": y_label},
        head,
        _join(body),
    )


def progress(
    done: object, total: object, *, title: str, words: str = "", tone: str = "", show_words: bool = True
) -> SafeString:
    """Return a bar, a native ``<progress>``, with "n of m" (or ``words``) beside it and in its name."""
    n, m = _real(done), _real(total)
    text = words or gettext("%(n)s of %(m)s") % {"n": number_text(done), "m": number_text(total)}
    return format_html(
        '<div class="progress-row"><progress class="{}" max="{}" value="{}" aria-label="{}">{}'
        "</progress>{}</div>",
        f"bar bar-{tone}" if tone.isalpha() else "bar",
        _px(m if m > 0 else 1),
        _px(max(0.0, min(n, m))),
        f"{title}: {text}",
        text,
        format_html('<span class="progress-words">{}</span>', text) if show_words else EMPTY,
    )


def logo(size: int = 28) -> SafeString:
    """Return pmcycle's mark: the ring of four stages, the present one in the second colour."""
    arcs = [
        format_html('<path d="{}" class="logo-{}"/>', _arc(38, i / 4 + 0.034, (i + 1) / 4 - 0.034), i + 1)
        for i in range(4)
    ]
    return format_html(
        '<svg class="logo" width="{}" height="{}" viewBox="0 0 100 100" aria-hidden="true"'
        ' focusable="false">{}</svg>',
        size,
        size,
        _join(arcs),
    )
