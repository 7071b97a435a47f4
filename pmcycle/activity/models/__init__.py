"""What is open (to-dos, milestones), what happened (events), who is told (notices, deliveries), what runs long (jobs),
how often somebody asked (uses) and looked (looks), which forms were sent (sent forms), and in which life of the
installation (lives).

This app stands below `people`: it knows users, employees and cycles only through their foreign keys.
"""

from pmcycle.activity.models.limits import CacheEntry, Look, Use
from pmcycle.activity.models.lives import Life
from pmcycle.activity.models.seals import TrailSeal
from pmcycle.activity.models.sending import SentForm
from pmcycle.activity.models.telling import (
    CLOCK_KINDS,
    EXCEPTIONS,
    PASSWORD_LINK,
    Delivery,
    Draft,
    Event,
    Heartbeat,
    Job,
    JobQuerySet,
    Notice,
)
from pmcycle.activity.models.todos import UNITS, Milestone, Place, PlaceCount, ToDo, named
from pmcycle.activity.triggers import WithoutSwitch

__all__ = [
    "CLOCK_KINDS",
    "EXCEPTIONS",
    "PASSWORD_LINK",
    "UNITS",
    "CacheEntry",
    "Delivery",
    "Draft",
    "Event",
    "Heartbeat",
    "Job",
    "JobQuerySet",
    "Life",
    "Look",
    "Milestone",
    "Notice",
    "Place",
    "PlaceCount",
    "SentForm",
    "ToDo",
    "TrailSeal",
    "Use",
    "WithoutSwitch",
    "named",
]
