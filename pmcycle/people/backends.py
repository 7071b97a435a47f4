from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from pmcycle.activity.models import Notice
from pmcycle.people.models import RoleGrant, User


class Backend(AuthenticationBackend):
    """Signs in by e-mail, and reads the user, their HR record and their standing in one statement.

    An inactive user is nobody from the next request on.
    """

    def get_user(self, user_id: Any) -> User | None:
        user: User | None = (
            User.objects.select_related("employee")
            .annotate(standing_row=RoleGrant.standing_row(), unread_notices=Notice.unread())
            .filter(pk=user_id, is_active=True)
            .first()
        )
        return user
