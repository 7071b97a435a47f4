"""The settings of production that matter for speed, with the floor's page among the URLs."""

from pathlib import Path

from pmcycle.settings import *  # noqa: F403
from pmcycle.settings import BASE_DIR, STORAGES, TEMPLATES

ROOT_URLCONF = "tests.bench.urls"
TEMPLATES = [{**TEMPLATES[0], "DIRS": [BASE_DIR / "templates", Path(__file__).parent / "templates"]}]
# Hashed names need collectstatic first.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
