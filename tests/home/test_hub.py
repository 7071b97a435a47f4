from __future__ import annotations
import pytest
from django.urls import reverse
from tests.conftest import SignedIn, World, ACTORS
pytestmark = pytest.mark.django_db

def test_x(world: World, as_: SignedIn) -> None:
    for who in ACTORS.values():
        if who:
            r = as_(getattr(world, who)).get(reverse("home:hub", args=[world.cycle.pk]))
            r2 = as_(getattr(world, who)).get(reverse("home:person", args=[world.ana.employee_id]))
            print(who, r.status_code, r2.status_code)
    print(r2.content.decode()[:10])
    assert 0
