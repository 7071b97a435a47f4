"""Vendor the third-party browser files that pmcycle serves.

Run ``python frontend/vendor.py`` after a change of ``package.json``: it installs the exact versions of the
lock file, copies the few files we serve into ``static/vendor``, trims Tabler's stylesheet, builds the icon
sprite, and writes ``VENDOR.json`` with version, licence and SHA-256 of each file. The result is committed, so
that nobody who runs pmcycle needs node.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULES = HERE / "node_modules"
OUT = ROOT / "static" / "vendor"

COPIED = {
    "htmx.org": ["dist/htmx.min.js"],
    "sortablejs": ["Sortable.min.js"],
    "@fontsource-variable/inter": [
        "files/inter-latin-wght-normal.woff2",
        "files/inter-latin-ext-wght-normal.woff2",
    ],
}
TABLER_LICENCE = "/*! Tabler {version} | MIT licence | The Tabler Authors and codecalm.net | trimmed by frontend/trim.mjs */\n"
SOURCE_MAP = re.compile(rb"\n?(//|/\*)# sourceMappingURL=[^\n*]*(\*/)?")

ICONS = """
adjustments alert-circle alert-triangle arrow-back-up arrow-down arrow-left arrow-right arrow-up arrows-exchange
arrows-sort award ban bell bolt bookmark building bulb calendar calendar-event chart-bar chart-pie check checks
chevron-down chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-x clock coin cash command copy
device-desktop device-laptop dots download edit external-link eye eye-off file-spreadsheet file-text filter fingerprint
flag git-branch grip-vertical heart help-circle history home hourglass inbox info-circle key keyboard layout-grid
layout-sidebar-left-collapse link list-check lock lock-open logout mail menu-2 message message-2 messages minus moon
paperclip player-pause player-play plus point printer progress quote refresh rocket scale search send settings shield
sitemap sort-ascending star sun sun-moon table target thumb-up trash trending-up upload user user-check user-plus users
world x
""".split()


def without_source_map(content: bytes) -> bytes:
    """Return the file without its source-map comment, which would name a file that we do not serve."""
    return SOURCE_MAP.sub(b"", content)


def read_meta(package: str) -> dict[str, str]:
    """Return the package's own ``package.json``."""
    meta: dict[str, str] = json.loads((MODULES / package / "package.json").read_text(encoding="utf-8"))
    return meta


def build_sprite() -> str:
    """Return one SVG file with a symbol for each icon that we use."""
    symbols = []
    for name in sorted(set(ICONS)):
        drawing = (MODULES / "@tabler/icons/icons/outline" / f"{name}.svg").read_text(encoding="utf-8")
        inner = re.sub(r"<!--.*?-->", "", drawing, flags=re.DOTALL)
        inner = re.sub(r"^.*?<svg.*?>|</svg>", "", inner, flags=re.DOTALL)
        inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inner)
        inner = re.sub(r"\s*\n\s*", "", inner)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return (
        "<!-- Tabler Icons, MIT licence, Paweł Kuna -->"
        '<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="1.75" '
        'stroke-linecap="round" stroke-linejoin="round">' + "".join(symbols) + "</svg>\n"
    )


def trim_tabler() -> bytes:
    """Return Tabler's stylesheet without the families that no page of ours uses."""
    target = HERE / "node_modules" / "tabler.trimmed.css"
    source = MODULES / "@tabler/core/dist/css/tabler.min.css"
    subprocess.run(["node", "trim.mjs", str(source), str(target), str(ROOT)], cwd=HERE, check=True)
    licence = TABLER_LICENCE.format(version=read_meta("@tabler/core")["version"])
    css = re.sub(rb"/\*!.*?\*/", b"", without_source_map(target.read_bytes()), flags=re.DOTALL)
    return licence.encode() + css.replace(b'@charset "UTF-8";', b"").strip() + b"\n"


def main() -> int:
    """Install, copy, trim and record; return the exit code."""
    if "--no-install" not in sys.argv:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    trimmed = trim_tabler()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    record: list[dict[str, str]] = []

    def keep(package: str, name: str, content: bytes) -> None:
        (OUT / name).write_bytes(content)
        meta = read_meta(package)
        record.append(
            {
                "file": name,
                "package": package,
                "version": meta["version"],
                "licence": meta["license"],
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )

    for package, files in COPIED.items():
        for file in files:
            content = (MODULES / package / file).read_bytes()
            keep(package, Path(file).name, without_source_map(content) if file.endswith(".js") else content)
    keep("@tabler/core", "tabler.min.css", trimmed)
    keep("@tabler/icons", "icons.svg", build_sprite().encode())
    for package, name in {
        "@fontsource-variable/inter": "inter",
        "htmx.org": "htmx",
        "sortablejs": "sortablejs",
    }.items():
        shutil.copy(MODULES / package / "LICENSE", OUT / f"LICENSE-{name}.txt")
    shutil.copy(MODULES / "@tabler/icons" / "LICENSE", OUT / "LICENSE-tabler.txt")
    (OUT / "VENDOR.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    for row in record:
        print(f"{row['file']:40} {row['package']} {row['version']} {row['licence']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
