"""The test servers, and the promise that tests stay on this machine."""

import socket

import pytest
from django.core.cache import cache
from django.db import connection

from tests.plugin import with_number
from tools.lock import lock_problems


@pytest.mark.django_db
def test_the_database_is_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int >= 150000, current_setting('TimeZone')"
        )
        assert cursor.fetchone() == (True, "UTC")


@pytest.mark.django_db
def test_the_cache_answers() -> None:
    cache.set("greeting", "hello")
    assert cache.get("greeting") == "hello"


def test_no_test_leaves_this_machine() -> None:
    with pytest.raises(RuntimeError, match="tests stay on this machine"):
        socket.create_connection(("198.51.100.1", 80), timeout=1)
    with pytest.raises(RuntimeError, match="tests stay on this machine"):
        socket.getaddrinfo("example.com", 80)


@pytest.mark.parametrize(
    ("address", "moved"),
    [
        ("unix:///tmp/s?db=0", "unix:///tmp/s?db=3"),
        ("redis://:secret@localhost:6379/0", "redis://:secret@localhost:6379/3"),
        ("redis://localhost:6379", "redis://localhost:6379/3"),
    ],
)
def test_a_redis_address_moves_to_another_number(address: str, moved: str) -> None:
    assert with_number(address, 3) == moved


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    assert lock_problems() == []
