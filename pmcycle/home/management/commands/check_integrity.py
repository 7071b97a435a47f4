from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pmcycle.activity.actions import drift, lives, miscounted, misplaced, recount, settle_all
from pmcycle.activity.actions.sealing import missing_from_trail
from pmcycle.activity.models import Event

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Check the trail, and compare what is open, reached and counted with its definitions;"
        " --repair brings the latter up to them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="write what is missing, drop what is not"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        broken = [stream for stream in Event.objects.chain() if stream["broken"]]
        lacks = missing_from_trail()
        for stream in broken[:SHOWN]:
            self.stdout.write(
                f"trail: {stream['stream']} is broken from line {stream['first_broken']}"
            )
        for lack in lacks[:SHOWN]:
            self.stdout.write(f"trail: {lack.where}: {lack.words}")
        self.stdout.write(
            f"trail: {len(broken)} streams broken, {len(lacks)} things missing that were sealed"
        )
        if held := lives.held():
            self.stdout.write(f"mails: this is a restored copy, which holds {held.waiting} of them")
        found, places, counts = drift(), misplaced(), miscounted()
        for line in (found + places)[:SHOWN]:
            self.stdout.write(
                f"{line.what} {line.kind} of {line.subject} for {line.recipient or 'nobody'}:"
                f" should be {line.wanted or 'absent'}, is {line.kept or 'absent'}"
            )
        self.stdout.write(f"to-dos and milestones: {len(found)} differ")
        self.stdout.write(f"places: {len(places)} differ")
        self.stdout.write(f"counts: {counts} differ")
        is_whole = not (broken or lacks)
        if not (found or places or counts):
            if not is_whole:
                raise CommandError(
                    "The trail has been changed; nothing mends that. Keep the database as it is."
                )
            self.stdout.write("Everything is as it is defined.")
            return
        if not options["repair"]:
            raise CommandError("Not everything is as it is defined; --repair mends it.")
        settle_all("repaired", by=None)
        if miscounted():
            recount()
        self.stdout.write("Repaired.")
        if not is_whole:
            raise CommandError(
                "The trail has been changed; nothing mends that. Keep the database as it is."
            )
