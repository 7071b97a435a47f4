"""Finding people, goals and pages, never more than one may see anyway."""

from __future__ import annotations

from django.test import Client

from tests.conftest import SignedIn, World


def test_people_are_found_by_a_part_of_their_name(world: World, as_: SignedIn) -> None:
    page = as_(world.ana).get("/search/?q=nour").content.decode()
    assert "Bashir Nouri" in page
    assert "Hugo Blanc" not in page


def test_the_palette_answers_the_script_with_a_list_and_others_with_a_page(
    world: World, as_: SignedIn
) -> None:
    listed = as_(world.ana).get("/find/?q=nour", headers={"X-Palette": "1"}).content.decode()
    assert listed.strip().startswith("<ul")
    assert "<html" not in listed
    assert "<html" in as_(world.ana).get("/find/?q=nour").content.decode()


def test_only_pages_of_one_s_own_menu_are_offered(world: World, as_: SignedIn) -> None:
    assert "Operations" in as_(world.noor).get("/search/?q=operat").content.decode()
    assert ">Operations<" not in as_(world.ana).get("/search/?q=operat").content.decode()


def test_who_left_is_not_found(world: World, as_: SignedIn) -> None:
    assert world.hugo.employee
    world.hugo.employee.left_on = world.hugo.employee.hired_on
    world.hugo.employee.save()
    assert "Hugo Blanc" not in as_(world.ana).get("/search/?q=hugo").content.decode()


def test_absurd_words_are_a_field_error(world: World, as_: SignedIn) -> None:
    assert as_(world.ana).get("/search/?q=%00").status_code == 422
    assert as_(world.ana).get("/search/?q=" + "x" * 500).status_code == 422


def test_markup_in_the_words_stays_text(world: World, as_: SignedIn) -> None:
    assert "<b>x" not in as_(world.ana).get("/search/?q=<b>x").content.decode()


def test_livez_and_readyz_answer_strangers(world: World, client: Client) -> None:
    assert client.get("/livez").content == b"ok"
    assert client.get("/readyz").json() == {"ready": True, "missing": []}
    assert "Disallow: /" in client.get("/robots.txt").content.decode()
    assert client.get("/favicon.ico").headers["Location"].endswith(".svg")
