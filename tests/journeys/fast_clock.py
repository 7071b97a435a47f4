"""The clock of pmcycle with every interval shortened, for beat in the journeys."""

from pmcycle.celery import CLOCK, app

SECONDS = 4.0

# Ticks that a busy worker has not begun in time are dropped, or a slow machine would never settle.
EXPIRES = {"expires": SECONDS}

app.conf.beat_schedule = {
    name: {**job, "schedule": SECONDS, "options": EXPIRES}
    if isinstance(job["schedule"], int | float)
    else job
    for name, job in CLOCK.items()
}
