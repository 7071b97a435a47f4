from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from pmcycle.activity.actions import definitions as todos
from pmcycle.activity.actions import lives, recount, settle_all
from pmcycle.activity.models import PlaceCount
from pmcycle.cycles.models import Participation


class Command(Migrate):
    """Django's own `migrate`; then the functions of the database, and what is open, as this code defines it."""

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        # Not for a plan, nor in the middle of the migrations.
        if options.get("plan") or options.get("check_unapplied") or not todos.can_install():
            return
        todos.install()
        lives.current()  # a restored copy holds its mails from here on
        if Participation.objects.exists():
            settle_all("repaired", by=None)
            if not PlaceCount.objects.exists():
                recount()
