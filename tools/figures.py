"""How large the house is: the figures that `docs/house.md` limits; `python -m tools.figures` prints them."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOC = ROOT / "docs" / "house.md"
LONG, VERY_LONG = 30, 60
BY_HAND = re.compile(r"#\s*fmt:\s*(?:skip|off)")
# A line of the table in the document: | name | today's most |
LIMIT = re.compile(r"^\| (?P<name>[^|]+?) \| (?P<most>\d+) \|", re.MULTILINE)


def files_of(ending: str) -> list[Path]:
    """The files of the project that end so, as Git knows them, without migrations."""
    found = subprocess.run(
        ["git", "ls-files", f"*{ending}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    return [ROOT / name for name in found if "/migrations/" not in name and (ROOT / name).exists()]


def figures() -> dict[str, int]:
    """Each figure by its name, as in the document."""
    python = [
        path
        for path in files_of(".py")
        if path.relative_to(ROOT).parts[0] not in ("tests", "tools")
    ]
    templates = files_of(".html")
    trees = [ast.parse(path.read_text()) for path in python]
    lengths = [length for tree in trees for length in lengths_of_functions(tree)]
    return {
        "Python files": len(python),
        **_spread("Python file", [lines(path) for path in python]),
        f"functions over {LONG} lines": sum(length > LONG for length in lengths),
        f"functions over {VERY_LONG} lines": sum(length > VERY_LONG for length in lengths),
        "`Any`": sum(anys(tree) for tree in trees),
        "deepest indent of Python": max(deepest(path) for path in python),
        "layouts by hand (`fmt: skip`)": sum(
            len(BY_HAND.findall(path.read_text())) for path in files_of(".py")
        ),
        "templates": len(templates),
        **_spread("template", [lines(path) for path in templates]),
        "deepest indent of templates": max(deepest(path) for path in templates),
    }


def _spread(of: str, counts: Sequence[int]) -> dict[str, int]:
    tenth = statistics.quantiles(counts, n=10)[-1]
    return {
        f"lines of a {of}, median": round(statistics.median(counts)),
        f"lines of a {of}, nine of ten": round(tenth),
        f"lines of a {of}, longest": max(counts),
    }


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def lengths_of_functions(tree: ast.AST) -> Iterable[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def anys(tree: ast.AST) -> int:
    """How often `Any` is written as a type."""
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))


def deepest(path: Path) -> int:
    """The most spaces before a line."""
    return max(
        (len(line) - len(line.lstrip()) for line in path.read_text().splitlines() if line.strip()),
        default=0,
    )


def limits() -> dict[str, int]:
    """The most that the document allows of each figure."""
    return {found["name"]: int(found["most"]) for found in LIMIT.finditer(DOC.read_text())}


def main() -> int:
    """Print each figure beside its limit; 1 if one is over, or a limit is of no figure."""
    most, found, over = limits(), figures(), 0
    if unknown := most.keys() - found.keys():
        sys.exit(f"{DOC.name} limits what nobody counts: {', '.join(sorted(unknown))}")
    for name, figure in found.items():
        words = f" of at most {most[name]}" if name in most else ""
        is_over = name in most and figure > most[name]
        over += is_over
        print(f"{figure:>6}{words:<18} {name}{'   ← too many' if is_over else ''}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
