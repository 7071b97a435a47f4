"""What every app's API stands on: scopes of tokens, rows that one may see, the version that a change must name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from pmcycle.access import answered_with, get_editable, show, with_outside
from pmcycle.activity.once import once
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
    default_detail = _(
        "Send the version that you have read, so that nothing of others is overwritten."
    )
    default_code = "version_missing"


class VersionedSerializer(serializers.Serializer[Any]):
    """Input of a change to an existing row: `version` is required, and its absence is 428."""

    version = serializers.IntegerField(min_value=1)

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "get") and data.get("version") in (None, ""):
            raise VersionMissing
        return super().to_internal_value(data)


ONCE_KEY = "Idempotency-Key"
# What a program may choose as a key: visible ASCII, as long as a name may be.
A_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Schema(AutoSchema):
    """The OpenAPI document, which names the key of every request that changes something."""

    def get_override_parameters(self) -> list[Any]:
        if self.method != "POST":
            return []
        words = (
            "A key that you choose, one for each thing that you want done (up to 255 visible ASCII characters, a "
            "UUID for example). Within a day the same key with the same body is done once, and every answer is the "
            "first one; with another body or address it is 422. What was refused (4xx) or broke (5xx) has "
            "used up no key: send it again with the same one."
        )
        return [
            OpenApiParameter(
                ONCE_KEY,
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                required=False,
                description=words,
            )
        ]


class ScopedViewSet(ReadOnlyModelViewSet[Any]):
    """Rows that the user may see, for tokens of one `scope`; verbs are added by each app.

    What is sent with an `Idempotency-Key` is done once: `initial`, which has judged who asks, puts that before
    the handler.
    """

    schema = Schema()
    permission_classes = [IsAuthenticated, HasScope]
    throttle_classes = [PerUser]
    scope: str
    rows: Any
    # False where the list says no more than that there is something to read.
    lists_content = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(ONCE_KEY)
        # Where a router leads a POST to a verb, the verb stands here under that name.
        handlers: dict[str, Any] = vars(self)
        if request.method == "POST" and key is not None and "post" in handlers:
            handlers["post"] = self._once(key, handlers["post"])

    def _once(self, key: str, act: Callable[..., Response]) -> Callable[..., Response]:
        """The handler, to be called once for this key of this user."""
        # The draft standard writes it as a quoted string; most programs send it bare.
        key = key.strip().removeprefix('"').removesuffix('"')
        if not A_KEY.fullmatch(key):
            raise ParseError(_("An Idempotency-Key has 1 to 255 visible ASCII characters."))

        def handler(request: Request, *args: Any, **kwargs: Any) -> Response:
            def answer() -> tuple[int, str]:
                response = act(request, *args, **kwargs)
                return response.status_code, JSONRenderer().render(response.data).decode()

            code, body = once(self.by(), key, _all_sent(request), answer)
            return Response(json.loads(body) if body else None, status=code)

        return handler

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
        answered_with(self.by(), row)
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
        row = self.get_queryset().get(pk=pk)
        answered_with(self.by(), row)
        return Response(self.get_serializer(row).data, status=code)


def _all_sent(request: Request) -> str:
    """The same text for the same request sent again, however its fields are ordered."""
    sent: Any = request.data
    if hasattr(sent, "lists"):
        sent = dict(sent.lists())
    return json.dumps([request.get_full_path(), sent], sort_keys=True, default=str)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names our tokens."""

    target_class = "pmcycle.people.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
