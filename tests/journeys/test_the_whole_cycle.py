"""A company walks from its first visit to the proposals of its second cycle, in a real browser.

Each company is walked by one long test, because a step stands on what the step before has left. What
fails names its step. The clicks of each job are held against what the design of the pages allows, and
written to .dev/clicks.md. The reminders come before the appraisals of which they remind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.company_files import OUR_OWN, CompanyFiles
from tests.journeys.cast import CASTS, Journey, companies
from tests.journeys.running import Stack
from tests.journeys.steps import (
    appraising,
    company,
    ending,
    objectives,
    reminding,
    rewards,
    setting_up,
    talks,
)
from tests.journeys.walking import Walk

if TYPE_CHECKING:
    from tests.journeys.conftest import Visit

STEPS = {
    "1 The company comes in": company.walk,
    "2 A cycle is set up and launched": setting_up.walk,
    "3 Objectives are agreed": objectives.walk,
    "4 Two people talk": talks.walk,
    "8 A due self-appraisal reminds its author": reminding.walk,
    "5 Appraisals are written, released and answered": appraising.walk,
    "6 Rewards are calculated, decided and paid": rewards.walk,
    "7 The cycle is evaluated and closed": ending.walk,
}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("files", companies())
def test_the_whole_cycle(files: CompanyFiles, visit: Visit, stack: Stack) -> None:
    walk = Walk("Harbour Tools") if files is OUR_OWN else Walk("The real export", dark_too=False)
    journey = Journey(files, CASTS[files.created], visit, stack, walk)
    for name, step in STEPS.items():
        with walk.step(name):
            step(journey)
    walk.write_down()
    print(walk.summary())
