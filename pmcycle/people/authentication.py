from __future__ import annotations

import hashlib
import secrets

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from pmcycle.access import let_through
from pmcycle.people.backends import Backend
from pmcycle.people.models import ApiToken, User


def digest(secret: str) -> str:
    """What the database keeps of a token: enough to recognise it, not to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer pmc_<prefix>_<secret>`; the token's scopes narrow what its user may do."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = get_authorization_header(request).decode("latin-1").split()
        if len(header) != 2 or header[0].lower() != "bearer":
            return None
        parts = header[1].split("_")
        token = ApiToken.objects.filter(prefix=parts[1]).first() if len(parts) == 3 else None
        now = timezone.now()
        if (
            token is None
            or not secrets.compare_digest(token.digest, digest(parts[2]))
            or token.revoked_at is not None
        ):
            raise AuthenticationFailed(_("This token is unknown, revoked or has run out."))
        user = Backend().get_user(token.user_id)
        if user is None:
            raise AuthenticationFailed(_("This account is closed."))
        if token.expires_on < user.local_day(now):
            raise AuthenticationFailed(_("This token is unknown, revoked or has run out."))
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        let_through(
            user, lambda _now: ApiToken.objects.filter(pk=token.pk, revoked_at=None).exists()
        )
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
