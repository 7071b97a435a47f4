"""The quick set of `./dev faults`, as a part of the tests: what breaks, people do not notice for long."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools.processes import spawn, stop
from tools.services import ROOT


# The set begins nothing new after five minutes; what it waits for, it waits for longer on a slow machine.
@pytest.mark.timeout(1200)
def test_whatever_breaks_nothing_is_lost_nor_done_twice_nor_stuck(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as output:
        faults = spawn(
            [sys.executable, "-m", "tests.faults", "--quick"],
            env=os.environ,
            output=output,
            cwd=ROOT,
        )
        try:
            faults.wait()
        except BaseException:
            stop(faults, patience=30)
            raise
    print(said.read_text())
    assert faults.returncode == 0, said.read_text()
