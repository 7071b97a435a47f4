"""What every app's API stands on: scopes of tokens, rows that one may see, the version that a change must name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from pmcycle.access import get_editable, show, with_outside
from pmcycle.people.models import ApiToken, User
from pmcycle.people.throttling import PerUser


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


class ScopedViewSet(ReadOnlyModelViewSet[Any]):
    """Rows that the user may see, for tokens of one `scope`; verbs are added by each app."""

    permission_classes = [IsAuthenticated, HasScope]
    throttle_classes = [PerUser]
    scope: str
    rows: Any
    # False where the list says no more than that there is something to read.
    lists_content = True

    def get_queryset(self) -> Any:
        user = getattr(self.request, "user", None)
        # The OpenAPI document is made without anybody signed in.
        if not isinstance(user, User):
            return self.rows.none()
        return with_outside(self.rows.all().visible_to(user), user)

    def get_object(self) -> Any:
        """The row; that it was shown is noted where the reader is no party to it."""
        row = super().get_object()
        show(self.by(), [row])
        return row

    def paginate_queryset(self, queryset: Any) -> Any:
        """The rows of a page, which are noted like one by one if the list shows what they hold."""
        rows = super().paginate_queryset(queryset)
        if self.lists_content:
            show(self.by(), rows or [])
        return rows

    def by(self) -> User:
        """The signed-in user."""
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user

    def mine(self, pk: str | None) -> Any:
        """The row if the user may change it; 403 if they may only read it, else 404."""
        return get_editable(self.rows.all(), self.by(), pk=pk)

    def checked(self, serializer: type[serializers.Serializer[Any]]) -> Any:
        """A serializer with the input, which is valid."""
        found = serializer(data=self.request.data)
        found.is_valid(raise_exception=True)
        return found

    def read(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The valid input."""
        return dict(self.checked(serializer).validated_data)

    def answer_with(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        """The row as it is now."""
        return Response(self.get_serializer(self.get_queryset().get(pk=pk)).data, status=code)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names our tokens."""

    target_class = "pmcycle.people.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
