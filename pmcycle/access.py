"""The only way from a URL to a row, and the place where it is noted who looked.

`get_visible` hides (404), `get_editable` explains (403 when the person may see the row but not
change it). Both stand on the querysets' own `visible_to(user)` and `editable_by(user)`; a model
that has neither cannot be reached.

A queryset that has `outside(user)` holds records of people. What such a row shows to somebody who is no
party to it is gathered here while the request runs, and written once by `people.middleware.Noted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from pmcycle.days import today_for_relations

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from pmcycle.people.models import User

M = TypeVar("M", bound=models.Model)


class UserRequest(HttpRequest):
    """The request that `@login_required` lets through: somebody is signed in."""

    if TYPE_CHECKING:
        user: User
        htmx: HtmxDetails


class Scoped(Protocol):
    """A queryset that knows who may see and who may change its rows."""

    def visible_to(self, user: User) -> Any: ...

    def editable_by(self, user: User) -> Any: ...


@dataclass
class LetThrough:
    """By which scope a user came to a row; judged again when they write (`people.middleware.JudgedAgain`).

    `row` is what they came to, where the scope is that of seeing or changing it. What is answered stands on it:
    the answer is given again only to who still sees it (`activity.once`).
    """

    holds_for: Callable[[User], bool]
    is_judged: bool = False
    row: models.Model | None = None


def let_through(
    user: User, holds_for: Callable[[User], bool], row: models.Model | None = None
) -> None:
    """Note by what this user came through the door, so that it is asked once more at the moment of the write."""
    kept_with(user).setdefault("let_through", []).append(LetThrough(holds_for, row=row))


def answered_with(user: User, row: models.Model) -> None:
    """Note that the answer shows this row of theirs, to which they came by no door: it was made just now."""
    kept_with(user).setdefault("let_through", []).append(
        LetThrough(lambda _now: True, is_judged=True, row=row)
    )


def stood_on(user: User) -> dict[str, list[Any]]:
    """The rows on which an answer stands, keys by kind: those that were come to, and those that were shown."""
    found: dict[str, set[Any]] = {}
    for door in doors_of(user):
        if door.row is not None and door.row.pk is not None:
            found.setdefault(door.row._meta.label_lower, set()).add(door.row.pk)
    for rows in shown_to(user):
        found.setdefault(rows.model._meta.label_lower, set()).update(
            rows.values_list("pk", flat=True)
        )
    return {kind: sorted(pks) for kind, pks in found.items() if pks}


def show_again(user: User, stood: dict[str, list[Any]]) -> bool:
    """Whether this user may still see all the rows of `stood_on`; if so it is a look at them like any other."""
    seen: list[Any] = []
    for kind, pks in stood.items():
        rows = _scoped(apps.get_model(kind))
        if not hasattr(rows, "visible_to"):
            return False
        found = list(with_outside(rows.visible_to(user), user).filter(pk__in=pks))
        if not {row.pk for row in found}.issuperset(pks):
            return False
        seen += found
    show(user, seen)
    return True


def lets_through(user: User, holds_for: Callable[[User], bool]) -> bool:
    """Whether a scope beside seeing and changing lets this user through; it is asked again when they write."""
    if not holds_for(user):
        return False
    let_through(user, holds_for)
    return True


def doors_of(user: User) -> list[LetThrough]:
    """Through which doors this user object has come, in this request."""
    found: list[LetThrough] = kept_with(user).get("let_through", [])
    return found


def kept_with(user: User) -> dict[str, Any]:
    """What is kept on a user as long as this object of it lasts, which is one request."""
    found: Any = user
    # Signed in, they stand behind stand-ins that find them when they are first asked for.
    while hasattr(found, "_wrapped"):
        found = found._wrapped
    kept: dict[str, Any] = vars(found)
    return kept


def _scoped(source: Any) -> Any:
    """A model class or a queryset of one, as a queryset."""
    rows: Any = getattr(source, "_default_manager", source)
    return rows.all()


def get_visible(source: type[M] | models.QuerySet[M], user: User, **lookup: Any) -> M:
    """The row that `user` may see, or 404 — the same whether it is absent or hidden."""
    rows = with_outside(_scoped(source).visible_to(user), user)
    try:
        row: M = rows.get(**lookup)
    except (ObjectDoesNotExist, ValueError, OverflowError) as error:
        raise Http404 from error
    show(user, [row])
    let_through(
        user, lambda now: bool(_scoped(source).visible_to(now).filter(**lookup).exists()), row
    )
    return row


def get_editable(source: type[M] | models.QuerySet[M], user: User, **lookup: Any) -> M:
    """The row that `user` may change; 403 with a reason if they may only see it, else 404."""
    rows = with_outside(_scoped(source).editable_by(user), user)
    try:
        row: M = rows.get(**lookup)
    except (ObjectDoesNotExist, ValueError, OverflowError) as error:
        if not isinstance(error, ObjectDoesNotExist):
            raise Http404 from error
        get_visible(source, user, **lookup)
        raise PermissionDenied(
            _("You may read this, but changing it is not yours to do.")
        ) from error
    show(user, [row])
    let_through(
        user, lambda now: bool(_scoped(source).editable_by(now).filter(**lookup).exists()), row
    )
    return row


def with_outside(rows: Any, user: User) -> Any:
    """Rows of people's records, each annotated with whether `user` reads it from outside: as no party to it.

    Asked in the statement that reads the rows, so that those who work with a record pay nothing for it.
    """
    if not hasattr(rows, "outside"):
        return rows
    return rows.annotate(
        is_a_look=models.ExpressionWrapper(rows.outside(user), models.BooleanField())
    )


def show(user: User, rows: Iterable[Any]) -> None:
    """Note that this answer shows these records to `user`: rows read through `with_outside`, or a queryset.

    A page that lists what many people are, were given or wrote says so here. What is written about it, and
    when, is the business of `people.middleware.Noted`.
    """
    if isinstance(rows, models.QuerySet):
        found: Any = rows
        shown_to(user).append(
            found.filter(found.outside(user)) if hasattr(found, "outside") else found
        )
        return
    keys: dict[Any, list[Any]] = {}
    for row in rows:
        if getattr(row, "is_a_look", False):
            keys.setdefault(type(row), []).append(row.pk)
    shown_to(user).extend(model._default_manager.filter(pk__in=pks) for model, pks in keys.items())


def shown_to(user: User) -> list[models.QuerySet[Any]]:
    """What this request has shown to them from outside, in querysets that name their `about`."""
    found: list[models.QuerySet[Any]] = kept_with(user).setdefault("shown", [])
    return found


def today() -> date:
    """The day by which relations are judged, in UTC so that every process agrees."""
    return today_for_relations()


def in_force(on: date | None = None, prefix: str = "") -> models.Q:
    """Dated rows (`starts_on`, `ends_on`, both inclusive) that hold on the given day."""
    day = on or today()
    return models.Q(**{f"{prefix}starts_on__lte": day}) & (
        models.Q(**{f"{prefix}ends_on__isnull": True}) | models.Q(**{f"{prefix}ends_on__gte": day})
    )


def not_found_unless(holds: bool) -> None:
    """Hide a page that is not for this reader: 404, the same as if it did not exist."""
    if not holds:
        raise Http404
