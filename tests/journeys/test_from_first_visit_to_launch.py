"""One company walks from its first visit to the board of its first cycle, in a real browser.

Each company is walked by one long test, because a step stands on what the step before has left. What
fails names its step. The clicks of each job are held against `docs` and written to .dev/clicks.md.
The stages after the launch are walked by the journeys of their apps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.company_files import CompanyFiles
from tests.journeys.cast import CASTS, Journey, companies
from tests.journeys.running import Stack
from tests.journeys.steps import company, setting_up
from tests.journeys.walking import Walk

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit

STEPS = {
    "1 The company comes in": company.walk,
    "2 A cycle is set up and launched": setting_up.walk,
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("files", companies())
def test_from_first_visit_to_launch(files: CompanyFiles, visit: Visit, stack: Stack) -> None:
    name = "Harbour Tools" if files.created == 20 else "The real export"
    journey = Journey(files, CASTS[files.created], visit, stack, Walk(name))
    for step, walk in STEPS.items():
        with journey.walk.step(step):
            walk(journey)
    journey.walk.write_down()
    print(journey.walk.summary())
