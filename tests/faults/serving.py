"""gunicorn as in production, with the bug that a seed puts in."""

from __future__ import annotations

import os
from typing import Any

from pmcycle.home import serving
from pmcycle.home.serving import *  # noqa: F403


def post_worker_init(worker: Any) -> None:  # type: ignore[no-redef]
    """In each process that serves."""
    serving.post_worker_init(worker)
    # Not before: the settings ask what this process is, and `pmcycle.wsgi` says it.
    from tests.faults import seeds

    seeds.plant(os.environ.get(seeds.VARIABLE, ""))
