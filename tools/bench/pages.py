"""Four pages that everybody opens every day, in turn with the floor."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from tools.bench.measure import Measure, Spent, measure, milliseconds

if TYPE_CHECKING:
    from pmcycle.people.models import User

ROUNDS, WARM = 40, 4
FEWEST, LONGEST = 5, 60  # rounds, however slow a page is; seconds after which no more are asked


def bench_pages(_people: int) -> list[Measure]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from pmcycle.cycles.models import Cycle
    from pmcycle.people.models import User
    from tools.bench import floor

    def reader(user: User) -> Client:
        client = Client(SERVER_NAME="localhost")
        client.force_login(user, backend="pmcycle.people.backends.Backend")
        return client

    running = Cycle.objects.get(state="running")
    ana = User.objects.get(email="ana.popescu@meridian.example")
    kim = User.objects.get(email="kim.larsen@meridian.example")
    pages = {
        "floor": (floor.client(ana), floor.ADDRESS),
        "home": (reader(ana), reverse("home:index")),
        "goals": (reader(ana), reverse("goals:list")),
        "team": (reader(leader_of_ten()), reverse("home:team")),
        "board": (reader(kim), reverse("home:board", args=[running.pk])),
    }
    took: dict[str, list[Spent]] = {name: [] for name in pages}
    give_up = time.perf_counter() + LONGEST
    for turn in range(ROUNDS + WARM):
        if turn >= WARM + FEWEST and time.perf_counter() > give_up:
            break
        for name, (client, url) in pages.items():
            answers = []
            spent = milliseconds(lambda: answers.append(client.get(url)))  # noqa: B023 - called at once
            if answers[0].status_code != 200:
                raise SystemExit(f"{url} answered {answers[0].status_code}")
            if turn >= WARM:  # the first ones fill caches
                took[name].append(spent)
    found = []
    for name, (client, url) in pages.items():
        with CaptureQueriesContext(connection) as seen:
            size = len(client.get(url).content)
        late = statistics.quantiles([spent.wall for spent in took[name]], n=20)[-1]
        note = f"{len(seen)} statements, {size / 1024:.0f} kB, of twenty the slowest {late:.0f} ms"
        found.append(
            measure(
                name,
                zip(took[name], took["floor"], strict=True),
                note,
                statistics.median,
                is_page=True,
            )
        )
    return found


def leader_of_ten() -> User:
    """The manager of the written company whose team is nearest to ten: the same person at every size."""
    from django.db.models import Count, F, Func

    from pmcycle.people.models import User

    led = User.objects.filter(employee__assignments__participation__cycle__state="running")
    found: User = led.annotate(n=Count("pk"), off=Func(F("n") - 10, function="abs")).order_by(
        "off", "pk"
    )[0]
    return found
