"""People in boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from pmcycle.ui.charts.drawing import EMPTY, join
from pmcycle.ui.formats import name_of


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
                format_html(
                    '<li class="text-secondary">{}</li>', gettext("and %(n)s more") % {"n": more}
                )
                if more > 0
                else EMPTY
            )
            boxes.append(
                format_html(
                    '<td class="box heat-{}"><strong>{}</strong><ul>{}{}</ul></td>',
                    (2 - r) + c,
                    len(names),
                    join(names[:shown]),
                    extra,
                )
            )
        body.append(format_html('<tr><th scope="row">{}</th>{}</tr>', upward[r], join(boxes)))
    return format_html(
        '<figure class="figure-pic"><figcaption>{}</figcaption>'
        '<div class="table-responsive" tabindex="0" role="region" '
        'aria-label="{}"><table class="nine-box"><caption>{}</caption><thead><tr><td></td>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></figure>",
        title,
        title,
        gettext("across: %(x)s · upward: %(y)s") % {"x": x_label, "y": y_label},
        head,
        join(body),
    )
