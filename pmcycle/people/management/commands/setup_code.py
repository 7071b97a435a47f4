"""Print the one-time code of the first visit; does nothing where somebody can sign in already."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from pmcycle.errors import Refused
from pmcycle.people.actions import accounts


class Command(BaseCommand):
    help = "Prints the one-time code with which the first visitor sets pmcycle up. An earlier code ends."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = accounts.new_setup_code()
        except Refused as refusal:
            self.stderr.write(refusal.reason)
            return
        address = f"{settings.SITE_URL}{reverse('people:first_visit')}"
        self.stdout.write(f"pmcycle is empty. Open {address} and enter the one-time code: {code}")
