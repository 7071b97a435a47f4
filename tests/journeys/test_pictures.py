"""The demo company sits for its pictures: its main pages open, are accessible, and are photographed.

`PICTURES=docs/pictures ./dev test -n0 tests/journeys/test_pictures.py` renews those of README and docs;
without the variable they go where all pictures of the journeys go.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from appraisals.models import Appraisal, ReleasedResult
from feedback.models import CheckIn
from incentives.models import Award, Run
from pmcycle.cycles.models import Cycle
from pmcycle.people.models import User
from tests.journeys.looking import axe
from tests.journeys.running import Stack
from tests.plugin import pictures_dir

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit

# Who looks at what; {…} are keys of rows of the demo company.
PICTURES = {
    "home": ("Ana Popescu", "/"),
    "goals": ("Ana Popescu", "/goals/"),
    "team": ("Bashir Nouri", "/team/"),
    "appraisal": ("Ana Popescu", "/appraisals/{appraisal}/write/"),
    "board": ("Kim Larsen", "/cycles/{cycle}/board/"),
    "rewards": ("{rewarder}", "/incentives/runs/{run}/sheet/"),
    "check-in": ("Bashir Nouri", "/feedback/check-ins/{check_in}/"),
    "result": ("{rated}", "/appraisals/results/{result}/"),
}
BOTH_THEMES = ("home",)


@pytest.mark.timeout(300)
def test_the_demo_company_sits_for_its_pictures(visit: Visit, stack: Stack) -> None:
    call_command("load_demo", verbosity=0)
    cycle = Cycle.objects.get(state=Cycle.State.RUNNING)
    result = ReleasedResult.objects.select_related("participation__employee").earliest("pk")
    run = Run.objects.get(plan__cycle=cycle)
    # The manager with the largest team that gets something.
    rewarder, _count = Counter(
        Award.objects.filter(run=run, guideline__gt=0).values_list(
            "participation__assignments__manager__name", flat=True
        )
    ).most_common(1)[0]
    keys = {
        "cycle": cycle.pk,
        "appraisal": Appraisal.objects.get(
            participation__cycle=cycle, participation__employee__name="Ana Popescu", kind="self"
        ).pk,
        "check_in": CheckIn.objects.filter(
            manager__name="Bashir Nouri", employee__name="Ana Popescu", state="planned"
        )
        .earliest("starts_at")
        .pk,
        "result": result.pk,
        "rated": result.participation.employee.name,
        "run": run.pk,
        "rewarder": rewarder,
    }
    folder = pictures_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for name, (who, path) in PICTURES.items():
        page = visit(User.objects.get(name=who.format(**keys)), path.format(**keys))
        page.wait_for_load_state("networkidle")
        axe(page)
        page.screenshot(path=folder / f"{name}.png")
        if name in BOTH_THEMES:
            page.emulate_media(color_scheme="dark")
            page.screenshot(path=folder / f"{name}-dark.png")
        page.context.close()
