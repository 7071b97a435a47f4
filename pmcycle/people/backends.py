from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Subquery

from pmcycle.access import today
from pmcycle.activity.models import Notice
from pmcycle.kept import Kept, any_key
from pmcycle.people.models import Organisation, RoleGrant, User


def _with_standing(user: int) -> Any:
    rows = User.objects.select_related("employee").annotate(
        standing_row=RoleGrant.standing_row(),
        unread_notices=Notice.unread(),
        house_zone=Subquery(Organisation.objects.values("zone")[:1]),
    )
    # The clock closes the accounts of leavers; until it has come by, the day itself keeps them out.
    return rows.filter(pk=user, is_active=True).exclude(employee__left_on__lt=today())


WITH_STANDING: Kept[User] = Kept(_with_standing, user=any_key)


class Backend(AuthenticationBackend):
    """Signs in by e-mail, and reads the user, their HR record and their standing in one statement.

    An inactive user is nobody from the next request on, and so is who has left from the day after.
    """

    def get_user(self, user_id: Any) -> User | None:
        return WITH_STANDING.first(user=user_id)
