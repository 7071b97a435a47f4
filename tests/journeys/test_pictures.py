"""The demo company sits for its pictures: its main pages open, are accessible, and are photographed.

`PICTURES=docs/pictures ./dev test -n0 tests/journeys/test_pictures.py` renews those of README and docs;
without the variable they go where all pictures of the journeys go.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from appraisals.models import ReleasedResult
from incentives.models import Award, Run
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import User
from tests.journeys.looking import axe
from tests.journeys.running import Stack
from tests.journeys.walking import go
from tests.plugin import pictures_dir

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit

# Who comes to what, by which entry of the menu and which links; {…} stand for rows of the demo company.
PICTURES = {
    "home": ("Ana Popescu",),
    "goals": ("Ana Popescu", "My goals"),
    "team": ("Bashir Nouri", "My team"),
    "appraisal": ("Ana Popescu", "Appraisals", re.compile("^(Write|Continue)")),
    "board": ("Kim Larsen", "Cycles", "Board: {cycle}"),
    "rewards": ("{rewarder}", "Team rewards", re.compile("^(Open the sheet|Look)")),
    "check-in": ("Bashir Nouri", "Check-ins", re.compile(r"^(Open|Prepare)\s*: Ana Popescu")),
    "result": ("{rated}", "My menu", "Everything about me", "Result, {rated_in}"),
}
BOTH_THEMES = ("home",)


@pytest.mark.timeout(900)
def test_the_demo_company_sits_for_its_pictures(visit: Visit, stack: Stack) -> None:
    call_command("load_demo", verbosity=0)
    cycle = Cycle.objects.get(state=Cycle.State.RUNNING)
    result = ReleasedResult.objects.select_related(
        "participation__employee", "participation__cycle"
    ).earliest("pk")
    run = Run.objects.get(plan__cycle=cycle)
    # The manager with the largest team that gets something.
    rewarder, _count = Counter(
        Award.objects.filter(run=run, guideline__gt=0).values_list(
            "participation__assignments__manager__name", flat=True
        )
    ).most_common(1)[0]
    keys = {
        "cycle": cycle.name,
        "rated": result.participation.employee.name,
        "rated_in": result.participation.cycle.name,
        "rewarder": rewarder,
    }
    folder = pictures_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for name, way in PICTURES.items():
        who, *entries = (step.format(**keys) if isinstance(step, str) else step for step in way)
        page = visit(User.objects.get(name=who))
        if entries:
            go(page, str(entries[0]), *entries[1:])
        page.wait_for_load_state("networkidle")
        axe(page)
        page.screenshot(path=folder / f"{name}.png")
        if name in BOTH_THEMES:
            page.emulate_media(color_scheme="dark")
            page.screenshot(path=folder / f"{name}-dark.png")
        page.context.close()
