"""How often the API may be asked."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from pmcycle.activity.actions import count


class PerUser(BaseThrottle):
    """`settings.LIMITS["api"]` for each user, whatever token they use; who is not signed in is refused before."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.user.is_authenticated:
            self.seconds = count("api", request.user.pk)
        return not self.seconds

    def wait(self) -> float | None:
        return float(self.seconds)
