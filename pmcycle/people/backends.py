from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from pmcycle.activity.models import Notice
from pmcycle.kept import Kept, any_key
from pmcycle.people.models import RoleGrant, User


def _with_standing(user: int) -> Any:
    rows = User.objects.select_related("employee").annotate(
        standing_row=RoleGrant.standing_row(), unread_notices=Notice.unread()
    )
    return rows.filter(pk=user, is_active=True)


WITH_STANDING: Kept[User] = Kept(_with_standing, user=any_key)


class Backend(AuthenticationBackend):
    """Signs in by e-mail, and reads the user, their HR record and their standing in one statement.

    An inactive user is nobody from the next request on.
    """

    def get_user(self, user_id: Any) -> User | None:
        return WITH_STANDING.first(user=user_id)
