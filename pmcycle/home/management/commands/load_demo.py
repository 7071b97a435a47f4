"""`manage.py load_demo [--people N | --who]`: a believable company in an empty database, and who signs in there."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from pmcycle.activity.actions import add_up_places, lives, settle_all
from pmcycle.home.demo.closing import build_evaluations
from pmcycle.home.demo.company import PASSWORD, WHO_SIGNS_IN, build_company
from pmcycle.home.demo.cycle import build_last_cycle, build_this_cycle
from pmcycle.home.demo.last_year import build_last_year, settle_mail
from pmcycle.home.demo.objectives import build_goals
from pmcycle.home.demo.results import build_results
from pmcycle.home.demo.rewards import build_rewards
from pmcycle.home.demo.talks import build_talks
from pmcycle.people.models import Employee, User


class Command(BaseCommand):
    help = "Load the demo company into an empty database, in one transaction; what is open in it follows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--people", type=int, default=None, help="fill the company up to so many people"
        )
        parser.add_argument(
            "--without-last-year",
            action="store_true",
            help="leave out what was written and rewarded in last year's cycle",
        )

        parser.add_argument(
            "--who", action="store_true", help="only say who can sign in, if the demo is loaded"
        )

    def handle(
        self, *args: Any, people: int | None, without_last_year: bool, who: bool, **options: Any
    ) -> None:
        if who:
            if User.objects.filter(email=WHO_SIGNS_IN[0][0]).exists():
                self._say_who()
            return
        if User.objects.exists() or Employee.objects.exists():
            raise CommandError(
                "There are people in this database already; the demo goes into an empty one only."
            )
        begun = time.monotonic()
        with transaction.atomic():
            lives.current()  # before anything counts as sent
            company = build_company(people)
            last = build_last_cycle(company)
            form = build_last_year(company, last, is_told=not without_last_year)
            this = build_this_cycle(company, last)
            build_goals(company, this)
            build_talks(company, this)
            build_results(company, this, form)
            build_rewards(company, this)
            build_evaluations(company, this)
            if people:
                # Of rows written in this transaction the planner knows nothing yet.
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE")
            company.script.play()
            company.script.set_back()
            settle_mail(company)
        settle_all("repaired", by=None)
        add_up_places()
        took = time.monotonic() - begun
        self.stdout.write(f"Demo company with {len(company.people)} people, in {took:.1f} s.\n\n")
        self._say_who()

    def _say_who(self) -> None:
        self.stdout.write("Sign in as:\n")
        for email, what in WHO_SIGNS_IN:
            self.stdout.write(f"  {email:<34} {what}\n")
        self.stdout.write(f"\nEverybody's password: {PASSWORD}\n")
