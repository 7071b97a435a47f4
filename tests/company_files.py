"""The files from which a company is imported in tests: our own export, and a real one where it lies beside us."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
OWN = HERE / "people" / "data"


def real_folder() -> Path | None:
    """The folder `shared/data` beside this checkout or above it, if it holds the real export."""
    for parent in Path(os.path.abspath(HERE)).parents:
        folder = parent / "shared" / "data"
        if (folder / "core_dataset.csv").exists():
            return folder
    return None


@dataclass(frozen=True)
class CompanyFiles:
    """A people file, its pay ranges, and what must come of them."""

    people: Path
    ranges: Path
    created: int
    passed: int
    doubtful: int
    leavers: int
    leaves: int
    tops: int
    units: int
    pay_ranges: int
    # An employee's number, and the number of the manager whom the file names in other words.
    manager_of: dict[str, str]


OUR_OWN = CompanyFiles(
    people=OWN / "people.csv",
    ranges=OWN / "pay_ranges.csv",
    created=20,
    passed=2,
    doubtful=2,
    leavers=4,
    leaves=2,
    tops=2,
    units=4,
    pay_ranges=5,
    manager_of={"7004": "7003", "7005": "7003", "7009": "7007", "7013": "7012"},
)


def all_files() -> list[Any]:
    """Our own export and, visibly named either way, the real one."""
    folder = real_folder()
    if folder is None:
        return [pytest.param(OUR_OWN, id="our own export (bare clone: only our own export)")]
    real = CompanyFiles(
        people=folder / "core_dataset.csv",
        ranges=folder / "salary_grid.csv",
        created=301,
        passed=0,
        doubtful=2,
        leavers=102,
        leaves=14,
        tops=2,
        units=6,
        pay_ranges=12,
        manager_of={"1103024456": "1102024115", "1102024115": "1001495124"},
    )
    return [
        pytest.param(OUR_OWN, id="our own export"),
        pytest.param(real, id="the real export in shared/data"),
    ]


def report_line() -> str:
    """What the head of a test run says about it."""
    folder = real_folder()
    return (
        f"company files: our own export and {folder}"
        if folder
        else "company files: bare clone: only our own export"
    )
