from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pmcycle.activity.actions import drift, miscounted, misplaced, recount, settle_all

SHOWN = 50


class Command(BaseCommand):
    help = "Compare what is open, reached and counted with its definitions; --repair brings it up to them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write what is missing, drop what is not")

    def handle(self, *args: Any, **options: Any) -> None:
        found, places, counts = drift(), misplaced(), miscounted()
        for line in (found + places)[:SHOWN]:
            self.stdout.write(
                f"{line.what} {line.kind} of {line.subject} for {line.recipient or 'nobody'}:"
                f" should be {line.wanted or 'absent'}, is {line.kept or 'absent'}"
            )
        self.stdout.write(f"to-dos and milestones: {len(found)} differ")
        self.stdout.write(f"places: {len(places)} differ")
        self.stdout.write(f"counts: {counts} differ")
        if not (found or places or counts):
            self.stdout.write("Everything is as it is defined.")
            return
        if not options["repair"]:
            raise CommandError("Not everything is as it is defined; --repair mends it.")
        settle_all("repaired", by=None)
        if miscounted():
            recount()
        self.stdout.write("Repaired.")
