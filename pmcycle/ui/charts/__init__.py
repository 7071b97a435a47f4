"""Pictures of data as SVG, drawn on the server: they print, mail, read aloud and need no script.

Every picture has a name that says what it shows; all but the tiny ones carry their table, one click away.
Widths are percentages and heights pixels, so that a picture fills its place while its letters keep their
size. Colours are classes of the stylesheet: ``s1`` … ``s6`` are series, tones are ``ok``, ``warn``,
``danger``, ``info``, ``mute`` and ``accent``.
"""

from pmcycle.ui.charts.amounts import (
    bars,
    columns,
    distribution,
    funnel,
    pool_bar,
    progress,
    weight_bar,
)
from pmcycle.ui.charts.cycles import life_line, logo, ring, timeline
from pmcycle.ui.charts.people import nine_box
from pmcycle.ui.charts.values import sparkline, strip, track, trajectory

__all__ = [
    "bars",
    "columns",
    "distribution",
    "funnel",
    "life_line",
    "logo",
    "nine_box",
    "pool_bar",
    "progress",
    "ring",
    "sparkline",
    "strip",
    "timeline",
    "track",
    "trajectory",
    "weight_bar",
]
