"""The mailbox of a development run; it does not exist anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from tests.conftest import SignedIn, World

NAME = "20260302T090000000000-0123abcd.eml"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.MAILBOX_DIR = str(tmp_path)
    mail = EmailMultiAlternatives(
        "Two things need you", "http://localhost:8000/goals/", to=["ana@example.com"]
    )
    mail.attach_alternative("<p>Hello <script>alert(1)</script></p>", "text/html")
    (tmp_path / NAME).write_bytes(mail.message().as_bytes())
    return tmp_path


def test_mails_are_listed_and_found_by_their_recipient(
    world: World, as_: SignedIn, folder: Path
) -> None:
    ana = as_(world.ana)
    assert "Two things need you" in ana.get("/activity/mailbox/").content.decode()
    assert "Two things need you" in ana.get("/activity/mailbox/?q=ana@").content.decode()
    assert "Two things need you" not in ana.get("/activity/mailbox/?q=chen@").content.decode()


def test_a_mail_opens_as_text_with_its_link(world: World, as_: SignedIn, folder: Path) -> None:
    page = as_(world.ana).get(f"/activity/mailbox/{NAME}/").content.decode()
    assert 'href="http://localhost:8000/goals/"' in page
    assert "alert(1)" not in page


def test_a_mail_opens_as_it_looks_without_any_power(
    world: World, as_: SignedIn, folder: Path
) -> None:
    response = as_(world.ana).get(f"/activity/mailbox/{NAME}/page/")
    assert response.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "other.eml", "20260302T090000000000-99999999.eml"]
)
def test_other_files_cannot_be_reached(
    world: World, as_: SignedIn, folder: Path, name: str
) -> None:
    assert as_(world.ana).get(f"/activity/mailbox/{name}/").status_code == 404


def test_without_a_mailbox_there_is_no_page(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).get("/activity/mailbox/").status_code == 404
    assert "Mailbox" not in as_(world.ana).get("/").content.decode()


def test_a_broken_file_breaks_no_page(world: World, as_: SignedIn, folder: Path) -> None:
    (folder / "20260302T090000000001-0123abce.eml").write_bytes(b"\xff\xfe nonsense \x00")
    assert as_(world.ana).get("/activity/mailbox/").status_code == 200
    assert (
        as_(world.ana).get("/activity/mailbox/20260302T090000000001-0123abce.eml/").status_code
        == 200
    )
