"""The settings of production that matter for speed."""

from pmcycle.settings import *  # noqa: F403
from pmcycle.settings import AUTHENTICATION_BACKENDS, STORAGES

# The reader of the floor signs in as Django does by itself.
AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "django.contrib.auth.backends.ModelBackend"]
# Hashed names need collectstatic first.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
