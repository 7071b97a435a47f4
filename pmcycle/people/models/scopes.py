"""What the models of people have in common: dated rows, and whom HR reaches."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Func, Q, Value

from pmcycle.access import in_force

if TYPE_CHECKING:
    from pmcycle.people.models.accounts import User


def date_span() -> Func:
    """`daterange(starts_on, ends_on, '[]')` for exclusion constraints: both ends inclusive."""
    return Func(F("starts_on"), F("ends_on"), Value("[]"), function="daterange")


class DatedQuerySet(models.QuerySet[Any]):
    """Rows with `starts_on` and `ends_on`, both inclusive."""

    def current(self, on: date | None = None) -> Self:
        return self.filter(in_force(on))


def hr_scope(user: User, *, unit: str, employee: str) -> Q:
    """Rows that `user` may reach as HR: all for an HR admin, the units' subtree for an HR partner.

    `unit` and `employee` are the lookups from the row to its unit and to the person it is about.
    HR never reaches its own file this way (4-access, rule 5): the exclusion is here, in the query.
    """
    standing = user.standing
    if standing.is_hr_admin:
        # Not Q(): an empty condition vanishes when it is joined by "or", and would open nothing.
        reach = Q(pk__isnull=False)
    elif standing.partner_paths:
        reach = Q(pk__in=[])
        for path in standing.partner_paths:
            reach |= Q(**{f"{unit}__path__startswith": path})
    else:
        return Q(pk__in=[])
    return reach & ~Q(**{employee: user.employee_id}) if user.employee_id else reach
