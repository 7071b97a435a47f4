from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pmcycle.activity.actions import lives
from pmcycle.errors import Refused


class Command(BaseCommand):
    help = "Let the mails go that a restored copy holds; --drop-older drops what is from before the restore."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--drop-older", action="store_true", help="drop what was written before the restore"
        )

    def handle(self, *args: Any, drop_older: bool, **options: Any) -> None:
        life = lives.current()
        try:
            dropped = lives.let_mails_go(life, drop_older=drop_older, by=None)
        except Refused as refusal:
            raise CommandError("No mails are held here.") from refusal
        self.stdout.write(f"Mails leave from now on; {dropped} were dropped.")
