"""Where the browser of the journeys is, and how to get one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

INSTALL = "apt-get install -y --no-install-recommends chromium"


def find_chromium() -> str | None:
    """Return a Chromium program: the system's, else the one Playwright installed, else None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def ensure_chromium() -> None:
    """Install Chromium where that can be done without asking; else stop and say how to."""
    if find_chromium():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests …", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(
            INSTALL.split(), env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False
        )
        if find_chromium():
            return
    sys.exit(
        f"The tests need a browser. Run: sudo {INSTALL}   (or: .venv/bin/playwright install chromium)"
    )


def launch_arguments() -> list[str]:
    """Return Chromium's flags: nothing that phones home, nothing that needs a desktop."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--force-color-profile=srgb",
        "--no-first-run",
    ]
    # Chromium's sandbox refuses to work for root.
    return [*arguments, "--no-sandbox"] if os.geteuid() == 0 else arguments
