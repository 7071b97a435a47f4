"""What every app's API stands on: scopes of tokens, and the version that a change must name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from pmcycle.people.models import ApiToken


class HasScope(BasePermission):
    """A token reaches only what its scopes name: `<scope>:read` for reading, `<scope>:write` for changing.

    A view names its `scope`. A session has all that its user has; a view without a scope is closed
    to tokens.
    """

    message = _("This token has no scope for that.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        kind = "read" if request.method in SAFE_METHODS else "write"
        return f"{getattr(view, 'scope', '')}:{kind}" in request.auth.scopes


class VersionMissing(APIException):
    """428: a change must say which version of the row it was made from."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = _("Send the version that you have read, so that nothing of others is overwritten.")
    default_code = "version_missing"


class VersionedSerializer(serializers.Serializer[Any]):
    """Input of a change to an existing row: `version` is required, and its absence is 428."""

    version = serializers.IntegerField(min_value=1)

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "get") and data.get("version") in (None, ""):
            raise VersionMissing
        return super().to_internal_value(data)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names our tokens."""

    target_class = "pmcycle.people.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
