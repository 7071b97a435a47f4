"""Querysets that are compiled once and run for every reader.

Building a queryset with a dozen subqueries and turning it into SQL takes Django several times as long as
PostgreSQL takes to run it, and so does planning it anew. Where a page is opened all day, that is most of its
time. So Django compiles each once a day, and each connection has it prepared by PostgreSQL, which keeps its plan.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from psycopg2.extensions import AsIs

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


NO_ROLES = SimpleNamespace(
    is_hr_admin=False,
    is_hr=False,
    is_auditor=False,
    is_it_admin=False,
    partner_paths=(),
    head_paths=(),
)


def any_reader(me: int, *, user: int = 0, unit: int = 0) -> User:
    """Stands for whoever reads without a role, in a scope that asks for no more than who they are.

    `me` is their key as an employee, `user` that of their account, `unit` that of their unit.
    """
    as_employee = SimpleNamespace(pk=me, unit_id=unit)
    return cast(
        "User", SimpleNamespace(pk=user, employee_id=me, employee=as_employee, standing=NO_ROLES)
    )


def reads_plainly(user: User) -> bool:
    """Whether `any_reader` can stand for them: they are an employee of a unit, and hold no role."""
    return bool(user.employee and user.employee.unit_id) and not user.standing.roles


# The first number beyond its bigint.
BEYOND = 2**63
# What PostgreSQL calls the values for which there are stand-ins.
TYPES: dict[type, str] = {int: "bigint", date: "date", datetime: "timestamptz"}

_statements = itertools.count(1)
# Which statements each connection of psycopg2 has prepared.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Compiled(NamedTuple):
    """A queryset as it is kept for a day: its SQL, and at which places of its parameters which value stands."""

    day: date
    name: str
    rows: models.QuerySet[Any, Any]
    compiler: Any
    sql: str
    params: list[object]
    places: dict[int, str]
    types: dict[str, str]

    def statement(self, values: dict[str, Any]) -> tuple[str, tuple[object, ...]]:
        """What to execute for these values, and its parameters; prepared first where that is allowed."""
        if not settings.KEEPS_PLANS:
            given = [
                values[self.places[place]] if place in self.places else value
                for place, value in enumerate(self.params)
            ]
            return self.sql, tuple(given)
        self._prepare()
        return f"EXECUTE {self.name} ({', '.join(['%s'] * len(self.types))})", tuple(
            values[name] for name in self.types
        )

    def _prepare(self) -> None:
        numbers = {name: AsIs(f"${number}") for number, name in enumerate(self.types, 1)}
        given = [
            numbers[self.places[place]] if place in self.places else value
            for place, value in enumerate(self.params)
        ]
        _prepare(self.name, f"({', '.join(self.types.values())})", self.sql, given)


def _prepare(name: str, types: str, sql: str, given: Sequence[object]) -> None:
    """Have PostgreSQL prepare a statement under a name, unless this connection knows it already."""
    connection.close_if_health_check_failed()  # as a cursor would, which comes too late
    connection.ensure_connection()
    known = _prepared.setdefault(connection.connection, set())
    if name in known:
        return
    # Past Django's cursor: preparing belongs to the connection, and is no statement of a page. What goes wrong is
    # named like there, so that a connection that ends meanwhile is an outage and no error of the program.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        body = cursor.mogrify(sql, given).decode()
        cursor.execute(f"PREPARE {name} {types} AS {body}")
    known.add(name)


class Prepared:
    """A statement that is written out, for work that comes by every minute: each connection keeps its plan.

    `sql` has a %s for each value, as a cursor takes it; of which type a value is must be clear where it stands.
    """

    def __init__(self, sql: str) -> None:
        self.sql, self.name = sql, f"kept_{next(_statements)}"

    def execute(self, cursor: Any, values: Sequence[object] = ()) -> None:
        """Execute it for these values; rows and their number are those of the cursor."""
        if not settings.KEEPS_PLANS:
            cursor.execute(self.sql, values)
            return
        _prepare(
            self.name, "", self.sql, [AsIs(f"${number}") for number in range(1, len(values) + 1)]
        )
        given = f" ({', '.join(['%s'] * len(values))})" if values else ""
        cursor.execute(f"EXECUTE {self.name}{given}", values)


NAMED = re.compile(r"%\((\w+)\)s")


@cache
def prepared(sql: str) -> tuple[Prepared, tuple[str, ...]]:
    """A statement with a %(name)s for each value, to be kept by each connection, and the names in their order.

    For statements of which the code writes few: each is kept for good.
    """
    return Prepared(NAMED.sub("%s", sql)), tuple(NAMED.findall(sql))


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
        self.kept: Compiled | None = None

    def _compiled(self) -> Compiled:
        if self.kept is None or self.kept.day != today():
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
            types = {name: TYPES[type(value)] for name, value in standing.items()}
            self.kept = Compiled(
                today(),
                f"kept_{next(_statements)}",
                rows,
                compiler,
                sql,
                list(params),
                places,
                types,
            )
        return self.kept

    def __call__(self, **values: object) -> models.QuerySet[M, Any]:
        """The queryset for these values, to be iterated as it is; nothing for a number that no key can be."""
        kept = self._compiled()
        if any(isinstance(value, int) and abs(value) >= BEYOND for value in values.values()):
            return cast("models.QuerySet[M, Any]", kept.rows.model._default_manager.none())
        run = copy.copy(kept.compiler)
        run.connection = connection
        run.as_sql = lambda *_args, **_options: kept.statement(values)
        query: Any = copy.copy(kept.rows.query)
        query.get_compiler = lambda *_args, **_options: run
        found: Any = copy.copy(kept.rows)
        found._query = query
        found._result_cache = None
        return cast("models.QuerySet[M, Any]", found)

    def first(self, **values: object) -> M | None:
        """The first row, or none: ``build`` cuts to one itself."""
        return next(iter(self(**values)), None)
