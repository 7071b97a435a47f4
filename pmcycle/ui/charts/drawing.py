"""What pictures are made of: lengths, shapes, letters, and the figure with its legend and table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from pmcycle.ui.formats import to_decimal

Row = Mapping[str, Any]


EMPTY: Final = SafeString("")


SERIES: Final = 6


def real(value: object) -> float:
    """Return a number for drawing; what is no number draws as nothing."""
    number = to_decimal(value)
    return float(number) if number is not None else 0.0


def pc(share: float) -> str:
    """Return a share of the width (0 … 1) as an SVG length, kept within the picture."""
    return f"{max(0.0, min(1.0, share)) * 100:.3f}".rstrip("0").rstrip(".") + "%"


def px(value: float) -> str:
    """Return a coordinate without a tail of decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def join(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


# The parts below are kept for their values: most pages draw what they drew a moment ago.


@lru_cache(maxsize=4096, typed=True)
def rect(
    x: float, y: float, width: float, height: float, css: str, *, rx: float = 3, hint: str = ""
) -> SafeString:
    """Return a rectangle at a share of the width, with a hover hint."""
    if width <= 0 or height <= 0:
        return EMPTY
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="{}" class="{}">{}</rect>',
        pc(x),
        px(y),
        pc(width),
        px(height),
        px(rx),
        css,
        format_html("<title>{}</title>", hint) if hint else EMPTY,
    )


@lru_cache(maxsize=4096, typed=True)
def label_at(
    x: float, y: float, words: object, css: str = "", *, anchor: str = "middle", dx: float = 0
) -> SafeString:
    """Return a word at a share of the width."""
    return format_html(
        '<text x="{}" y="{}" dx="{}" text-anchor="{}" class="{}">{}</text>',
        pc(x),
        px(y),
        px(dx),
        anchor,
        css,
        words,
    )


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> SafeString:
    return format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>', pc(x1), px(y1), pc(x2), px(y2), css
    )


def svg(name: str, height: float, body: SafeString, css: str = "") -> SafeString:
    """Return a picture as wide as its place, with its accessible name."""
    return format_html(
        '<svg class="pic {}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
        css,
        px(height),
        name,
        body,
    )


def table_of(
    headers: Sequence[object], rows: Iterable[Sequence[object]], caption: str
) -> SafeString:
    """Return the numbers of a picture as a table folded under "Show as table".

    The first column names the row.
    """
    head = format_html_join("", '<th scope="col">{}</th>', ((header,) for header in headers))
    body = join(
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


def figure(
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


def legend_of(items: Iterable[tuple[str, object]]) -> SafeString:
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


def clip(words: object, letters: int) -> str:
    """Return a word that fits, with an ellipsis if it had to be cut.

    The whole is in the hover hint and the table.
    """
    text = str(words)
    return text if len(text) <= letters else text[: max(1, letters - 1)].rstrip() + "…"
