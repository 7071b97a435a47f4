"""Querysets that are compiled once and run for every reader.

Building a queryset with a dozen subqueries and turning it into SQL takes Django several times as long as
PostgreSQL takes to run it. Where a page is opened all day, that is most of its time.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, models

from pmcycle.access import today

if TYPE_CHECKING:
    from pmcycle.people.models import User

M = TypeVar("M", bound=models.Model)

# Keys that no row has and moments that no clock shows: no two stand-ins of any queryset are the same.
_keys = itertools.count(10**15 + 1001)
_moments = itertools.count(1)


def any_key() -> int:
    """Stands for a number while a queryset is compiled."""
    return next(_keys)


def any_moment() -> datetime:
    """Stands for a moment while a queryset is compiled."""
    return datetime(4712, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_moments))


def any_day() -> date:
    """Stands for a day while a queryset is compiled."""
    return date(4713, 1, 1) + timedelta(days=next(_moments))


def any_reader(me: int) -> User:
    """Stands for whoever reads, in a scope that asks for nothing but who they are as an employee."""
    return cast("User", SimpleNamespace(employee_id=me))


class Kept(Generic[M]):
    """``Kept(build, me=any_key)``, then ``kept(me=employee_id)``: what ``build`` returns, compiled once a day.

    ``build`` gets stand-ins by name and must do nothing with them but compare rows with them: no
    branching, no arithmetic. What is kept has never seen a real person, so nothing of one reader can
    reach another. It may depend on the day (``pmcycle.access.today``), on nothing else outside.
    """

    def __init__(
        self, build: Callable[..., models.QuerySet[M, Any]], **stand_ins: Callable[[], object]
    ) -> None:
        self.build, self.stand_ins = build, stand_ins
        self.kept: tuple[date, models.QuerySet[M, Any], Any, str, list[object], dict[int, str]] | None = None

    def _compiled(self) -> tuple[date, models.QuerySet[M, Any], Any, str, list[object], dict[int, str]]:
        if self.kept is None or self.kept[0] != today():
            standing = {name: make() for name, make in self.stand_ins.items()}
            rows = self.build(**standing)
            compiler = rows.query.get_compiler(using=DEFAULT_DB_ALIAS)
            sql, params = compiler.as_sql()
            names = {value: name for name, value in standing.items()}
            places = {
                place: names[value]
                for place, value in enumerate(params)
                if isinstance(value, int | date) and value in names
            }
            if set(places.values()) != set(standing):
                raise TypeError(
                    f"{self.build} compares nothing with {standing.keys() - set(places.values())}"
                )
            self.kept = (today(), rows, compiler, sql, list(params), places)
        return self.kept

    def __call__(self, **values: object) -> models.QuerySet[M, Any]:
        """The queryset for these values, to be iterated as it is."""
        _day, rows, compiler, sql, params, places = self._compiled()
        given = list(params)
        for place, name in places.items():
            given[place] = values[name]
        run = copy.copy(compiler)
        run.connection = connection
        run.as_sql = lambda *_args, **_options: (sql, tuple(given))
        query: Any = copy.copy(rows.query)
        query.get_compiler = lambda *_args, **_options: run
        found: Any = copy.copy(rows)
        found._query = query
        found._result_cache = None
        return cast("models.QuerySet[M, Any]", found)

    def first(self, **values: object) -> M | None:
        """The first row, or none: ``build`` cuts to one itself."""
        return next(iter(self(**values)), None)
