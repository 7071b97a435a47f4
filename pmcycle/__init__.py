"""pmcycle, the yearly performance cycle of a company."""

# Shared tasks bind to the app that exists when they run.
from pmcycle.celery import app as celery_app

__all__ = ["celery_app"]
