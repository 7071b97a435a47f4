"""Name an HR admin where fewer than two are left."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pmcycle.errors import Refused
from pmcycle.people.actions import accounts


class Command(BaseCommand):
    help = "Makes an open account HR admin where fewer than two are left, who cannot grant roles any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address with which the person signs in")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            grant = accounts.name_hr_admin(options["email"])
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        self.stdout.write(f"{grant.user.name} is HR admin from today on. Every HR admin is told.")
