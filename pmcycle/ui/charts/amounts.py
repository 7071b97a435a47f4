"""Shares and amounts: weights, pools, columns, bars, counts by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from pmcycle.ui.charts.drawing import (
    EMPTY,
    SERIES,
    Row,
    clip,
    figure,
    join,
    label_at,
    legend_of,
    line,
    px,
    real,
    rect,
    svg,
    table_of,
)
from pmcycle.ui.formats import money_text, number_text, percent_text, to_decimal


def weight_bar(segments: Sequence[Row], *, title: str = "", target: object = 100) -> SafeString:
    """Return weights as one bar that must sum to ``target``.

    What lacks is hatched, what is too much is named. A weight has two decimals, so each may be rounded by
    half a hundredth: 33.33 × 3 sum to 100.

    ``segments``: dicts with ``label`` and ``weight``.
    """
    title = title or gettext("Weights")
    goal = real(target) or 100.0
    total = sum(real(s["weight"]) for s in segments)
    left, scale = goal - total, max(total, goal)
    is_whole = bool(segments) and abs(left) <= 0.005 * len(segments) + 1e-9
    body, x = [], 0.0
    for index, segment in enumerate(segments):
        width = real(segment["weight"]) / scale
        words = f"{segment['label']}: {number_text(segment['weight'])}"
        body.append(
            rect(x, 0, max(0.0, width - 0.004), 26, f"s{index % SERIES + 1}", rx=5, hint=words)
        )
        if width > 0.07:
            body.append(
                label_at(
                    x + width / 2 - 0.002,
                    17.5,
                    number_text(segment["weight"]),
                    f"on-s{index % SERIES + 1} strong",
                )
            )
        x += width
    if left > 0 and not is_whole:
        body.append(
            rect(x, 0.75, 1 - x - 0.002, 24.5, "missing", rx=5, hint=gettext("not given out"))
        )
    if left < 0 and not is_whole:
        body.append(line(goal / scale, 0, goal / scale, 26, "limit"))
    if is_whole:
        word, tone = gettext("sums to %(target)s") % {"target": number_text(target)}, "ok"
    elif left > 0:
        word, tone = gettext("%(n)s still to give out") % {"n": number_text(round(left, 6))}, "warn"
    else:
        word, tone = gettext("%(n)s too much") % {"n": number_text(round(-left, 6))}, "danger"
    spoken = "; ".join(f"{s['label']} {number_text(s['weight'])}" for s in segments)
    legend = format_html(
        '<div class="legend-row">{}<span class="tone-word tone-{}">{}</span></div>',
        legend_of((f"s{i % SERIES + 1}", s["label"]) for i, s in enumerate(segments)),
        tone,
        word,
    )
    table = table_of(
        (gettext("Part"), gettext("Weight")),
        ((s["label"], number_text(s["weight"])) for s in segments),
        title,
    )
    return figure(svg(f"{title}: {spoken}. {word}", 26, join(body)), legend=legend, table=table)


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
        rect(0, 0, 1, 14, "bar-track", rx=7),
        rect(0, 0, float(spent) / scale, 14, "s1", rx=7, hint=f"{gettext('used')}: {words(spent)}"),
        rect(
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
            rect(
                edge,
                0,
                1 - edge,
                14,
                "tone-danger-fill",
                rx=3,
                hint=f"{gettext('over')}: {words(-remaining)}",
            )
        )
        parts.append(line(edge, 0, edge, 14, "limit"))
    verdict = (
        gettext("%(amount)s over the pool") % {"amount": words(-remaining)}
        if remaining < 0
        else gettext("%(amount)s remaining") % {"amount": words(remaining)}
    )
    spoken = (
        gettext("%(used)s of %(total)s used, %(held)s reserved")
        if held
        else gettext("%(used)s of %(total)s used")
    ) % {"used": words(spent), "total": words(whole), "held": words(held)}
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
    picture = svg(f"{title}: {spoken}, {verdict}", 14, join(parts))
    return figure(
        picture,
        title,
        table_of((title, gettext("Amount")), rows, title) if table else EMPTY,
        legend,
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
    return _columns(
        [(r[0], r[1], r[2]) for r in rows], title, unit, None, (str(before), str(after))
    )


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
    peak = max([real(value) for _, a, b in rows for value in (a, b)] + [1e-9])
    step = 1 / len(rows)
    letters = max(3, int(62 / len(rows)))
    body = [line(0, head + tall, 1, head + tall, "axis")]
    for index, (label, old, new) in enumerate(rows):
        x = index * step
        value = real(new)
        size = tall * value / peak
        words = f"{label}: {number_text(new)}{unit}"
        if names:
            ghost = tall * real(old) / peak
            words = (
                f"{label}: {names[0]} {number_text(old)}{unit}, {names[1]} {number_text(new)}{unit}"
            )
            body.append(
                rect(
                    x + step * 0.08,
                    head + tall - ghost,
                    step * 0.84,
                    ghost,
                    "ghost",
                    rx=4,
                    hint=words,
                )
            )
        css = "s1" if highlight is None or highlight == label else "s4"
        inset = 0.2 if names else 0.14
        body.append(
            rect(
                x + step * inset,
                head + tall - size,
                step * (1 - 2 * inset),
                size,
                css,
                rx=4,
                hint=words,
            )
        )
        body.append(
            label_at(x + step / 2, head + tall - size - 6, number_text(new) + unit, "value")
        )
        body.append(label_at(x + step / 2, head + tall + 17, clip(label, letters), "tick"))
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
        legend = legend_of((("ghost", names[0]), ("s1", names[1])))
    else:
        spoken = "; ".join(f"{label} {number_text(b)}{unit}" for label, _, b in rows)
        table = table_of(
            (title, gettext("Value")),
            ((label, number_text(b) + unit) for label, _, b in rows),
            title,
        )
        legend = EMPTY
    return figure(svg(f"{title}: {spoken}", head + tall + foot, join(body)), title, table, legend)


def bars(
    rows: Sequence[Sequence[Any]], *, title: str, unit: str = "", maximum: object = None
) -> SafeString:
    """Return lying bars of (label, value), for names too long to stand under columns."""
    peak = real(maximum) or max([real(row[1]) for row in rows] + [1e-9])
    lines = format_html_join(
        "",
        '<li><span class="bars-label">{}</span><svg width="100%" height="10" aria-hidden="true">{}{}</svg>'
        '<span class="bars-value">{}</span></li>',
        (
            (
                row[0],
                rect(0, 0, 1, 10, "bar-track", rx=5),
                rect(0, 0, real(row[1]) / peak, 10, "s1", rx=5),
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


def funnel(
    stages: Sequence[Row], *, title: str, names: Mapping[str, str] | None = None
) -> SafeString:
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
        total = sum(real(count) for count in parts.values()) or 1.0
        shares = tuple(
            (
                tone,
                real(count) / total,
                number_text(count),
                f"{names.get(tone, tone)}: {number_text(count)}",
            )
            for tone, count in parts.items()
        )
        done = percent_text(real(parts.get("ok")) / total)
        lines.append(_funnel_line(stage["label"], stage.get("url") or "", shares, done))
        rows.append((stage["label"], *(number_text(parts.get(tone, 0)) for tone in names)))
    used = [tone for tone in names if any(tone in stage["parts"] for stage in stages)]
    return format_html(
        '<figure class="figure-pic"><figcaption>{}</figcaption><ul class="bars bars-funnel">{}'
        "</ul>{}{}</figure>",
        title,
        join(lines),
        legend_of((f"tone-{tone}-fill", names[tone]) for tone in used),
        table_of((gettext("Stage"), *names.values()), rows, title),
    )


@lru_cache(maxsize=1024, typed=True)
def _funnel_line(
    label: object, url: str, shares: tuple[tuple[str, float, str, str], ...], done: str
) -> SafeString:
    """One bar, of shares with tone, width, number and words; the same until one of its figures changes."""
    x, pieces = 0.0, []
    for tone, width, number, words in shares:
        pieces.append(rect(x, 0, width - 0.003, 22, f"tone-{tone}-fill", rx=4, hint=words))
        if width > 0.06:
            pieces.append(label_at(x + width / 2, 15.5, number, f"on-{tone} strong"))
        x += width
    return format_html(
        '<li><span class="bars-label">{}</span>{}<span class="bars-value">{}</span></li>',
        format_html('<a href="{}">{}</a>', url, label) if url else label,
        svg(f"{label}: {', '.join(words for *_rest, words in shares)}", 22, join(pieces)),
        done,
    )


def _beyond(goal: float) -> SafeString:
    """Return the goal as a mark over a full bar, at this share of it, with what lies beyond."""
    return format_html(
        '<svg class="bar-beyond" width="100%" height="8" aria-hidden="true">{}{}</svg>',
        rect(goal, 0, 1 - goal, 8, "beyond", rx=0),
        line(goal, 0, goal, 8, "goal"),
    )


def progress(
    done: object,
    total: object,
    *,
    title: str,
    words: str = "",
    tone: str = "",
    show_words: bool = True,
) -> SafeString:
    """Return a bar, a native ``<progress>``, with "n of m" (or ``words``) beside it and in its name.

    More than all of it makes the bar longer than its goal: the goal is a mark, and what lies beyond it pale.
    """
    n, m = real(done), real(total) if real(total) > 0 else 1.0
    text = words or gettext("%(n)s of %(m)s") % {"n": number_text(done), "m": number_text(total)}
    return format_html(
        '<div class="progress-row"><span class="bar-whole"><progress class="{}" max="{}" value="{}" aria-label="{}">{}'
        "</progress>{}</span>{}</div>",
        f"bar bar-{tone}" if tone.isalpha() else "bar",
        px(max(n, m)),
        px(max(0.0, n)),
        f"{title}: {text}",
        text,
        _beyond(m / n) if n > m else EMPTY,
        format_html('<span class="progress-words">{}</span>', text) if show_words else EMPTY,
    )
