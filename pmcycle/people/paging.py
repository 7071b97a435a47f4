"""How lists of the API are cut into pages; named in the settings, so it may import no viewset."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from pmcycle.typed import row_number

# Beyond it nobody reads on; they filter.
LAST = 1_000_000


class Paging(LimitOffsetPagination):
    """`limit` up to 200 (a larger one is taken for 200) and `offset` up to a million; what is no such number is 400."""

    default_limit = 50
    max_limit = 200

    def get_limit(self, request: Request) -> int | None:
        wanted = self._number(request, self.limit_query_param)
        if wanted == 0:
            raise ParseError(_("limit is a number from 1 to %(most)d.") % {"most": self.max_limit})
        return min(self.max_limit, self.default_limit if wanted is None else wanted)

    def get_offset(self, request: Request) -> int:
        wanted = self._number(request, self.offset_query_param) or 0
        if wanted > LAST:
            raise ParseError(
                _("offset is a number from 0 to %(most)d; use a filter.") % {"most": LAST}
            )
        return wanted

    def _number(self, request: Request, name: str) -> int | None:
        typed = request.query_params.get(name)
        if not typed:
            return None
        number = row_number(typed)
        if number is None:
            raise ParseError(_("%(name)s is not a number in range.") % {"name": name})
        return number

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        known: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for one in known:
            most = self.max_limit if one["name"] == self.limit_query_param else LAST
            least = 1 if one["name"] == self.limit_query_param else 0
            one["schema"] |= {"minimum": least, "maximum": most}
        return known
