"""What a token reaches: only what it names, on every address of the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from pmcycle.access import today
from pmcycle.api import router
from pmcycle.people.actions import accounts
from pmcycle.people.models import SCOPES, ApiToken
from tests.conftest import World


def addresses() -> Iterator[tuple[str, str, str]]:
    """Scope, method and address of everything the router knows; a row need not exist to be out of reach."""
    for _prefix, view, name in router.registry:
        scope = getattr(view, "scope", "none")
        yield f"{scope}:read", "get", reverse(f"api:{name}-list")
        yield f"{scope}:read", "get", reverse(f"api:{name}-detail", kwargs={"pk": 1})
        extras: list[Any] = view.get_extra_actions()
        for extra in extras:
            url = reverse(f"api:{name}-{extra.url_name}", kwargs={"pk": 1} if extra.detail else {})
            for method in extra.mapping:
                yield f"{scope}:{'read' if method == 'get' else 'write'}", method, url


def test_every_scope_can_be_chosen_and_opens_nothing_of_another(world: World) -> None:
    _token, secret = accounts.create_token(world.ana, "probe", [], today() + timedelta(days=5))
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for scope, method, url in addresses():
        assert scope in SCOPES, f"{url} asks for a scope that nobody can choose"
        ApiToken.objects.update(scopes=[one for one in SCOPES if one != scope])
        assert getattr(client, method)(url).status_code == 403, (
            f"{method.upper()} {url} without {scope}"
        )
        ApiToken.objects.update(scopes=[scope])
        assert getattr(client, method)(url).status_code != 403 or method == "post", url
