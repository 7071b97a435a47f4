"""Whether the lock files say what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, Version]:
    """Return the version that a lock file gives to each package."""
    return {
        canonicalize_name(name): Version(version)
        for name, version in PINNED.findall(lock.read_text())
    }


def lock_problems() -> list[str]:
    """Return a sentence for everything that is wrong with the lock files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    everything, production = ROOT / "requirements.lock", ROOT / "requirements-runtime.lock"
    groups = project["dependency-groups"]
    asked = {
        everything: [*project["project"]["dependencies"], *groups["test"], *groups["lint"]],
        production: project["project"]["dependencies"],
    }
    problems = []
    for lock, requirements in asked.items():
        locked = pins(lock)
        for requirement in map(Requirement, requirements):
            version = locked.get(canonicalize_name(requirement.name))
            if version is None:
                problems.append(f"{lock.name} lacks {requirement.name}; run ./dev lock")
            elif version not in requirement.specifier:
                problems.append(f"{lock.name} has {requirement.name} {version}; run ./dev lock")
        if "psycopg" in locked:
            problems.append(f"{lock.name} holds psycopg 3, which Django would prefer to psycopg2")
        if "://" in lock.read_text():
            problems.append(f"{lock.name} names an address; it must work with every package index")
    both = pins(everything)
    problems += [
        f"{name} is {version} in {production.name}, another version in {everything.name}"
        for name, version in pins(production).items()
        if both.get(name) != version
    ]
    return problems
