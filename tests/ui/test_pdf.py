"""PDFs in every script: the words that a reader's program finds in them, and a font with the letters of each."""

from __future__ import annotations

import ctypes
from contextlib import closing
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from django.urls import reverse

from pmcycle.people.models import Employee
from pmcycle.ui.pdf import font_chain, typeset
from tests.conftest import SignedIn, World
from tests.factories import appraisals as make

# What somebody is called, and the font that must be in the file: without one, letters are empty boxes.
SCRIPTS = {
    "Latin": ("Żółć Ñandú Ștefănescu ẞ", "LibertinusSerif"),
    "Greek and Cyrillic": ("Ελένη Щукин", "LibertinusSerif"),
    "Chinese": ("张伟 欧阳娜娜", "NotoSansCJK"),
    "Japanese": ("さとう 直樹", "NotoSansCJK"),
    "Korean": ("김민수 박지우", "NotoSansCJK"),
    "Thai": ("สมชาย น้ำทิพย์", "NotoSansThai"),
    "Hindi": ("नरेंद्र", "NotoSansDevanagari"),
    "Arabic": ("محمد أحمد", "NotoSansArabic"),
    "Hebrew": ("דוד כהן", "LibertinusSerif"),
    "emoji": ("😀🎉✅", "NotoEmoji"),
}


def read(pdf: bytes) -> tuple[str, set[str]]:
    """The text of the first page, and the fonts in which it is set."""
    with closing(pypdfium2.PdfDocument(pdf)) as document, closing(document[0]) as page:
        with closing(page.get_textpage()) as textpage:
            text = textpage.get_text_range()
        return text, {
            font_of(found) for found in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])
        }


def font_of(words: Any) -> str:
    font = pdfium.FPDFTextObj_GetFont(words)
    name = ctypes.create_string_buffer(200)
    pdfium.FPDFFont_GetBaseFontName(font, name, 200)
    return name.value.decode().partition("+")[2].partition("-")[0]


def result_of(person: str, **more: Any) -> bytes:
    texts = ("title", "job", "cycle", "level", "meaning", "rated_by", "released", "hash")
    empty: dict[str, Any] = dict.fromkeys(texts, "x")
    words = dict.fromkeys(
        ("strengths", "shortcomings", "own", "score", "missing", "weight", "version", "seal"), "x"
    )
    lists: dict[str, Any] = {
        "summary": [],
        "strengths": [],
        "shortcomings": [],
        "sections": [],
        "score": None,
    }
    data = {**empty, **lists, "person": person, "words": {**words, "reason": ""}, **more}
    return typeset("appraisals/result.typ", data, "en")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_in_any_script_is_set_in_a_font_that_has_it(script: str) -> None:
    name, font = SCRIPTS[script]
    text, fonts = read(result_of(name))
    assert any(found.startswith(font) for found in fonts), fonts
    if script in (
        "Arabic",
        "Hebrew",
    ):  # programs give back what is read from the right in the order it is drawn
        assert set(name.replace(" ", "")) <= set(text)
    else:
        assert name.replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "language", "font"),
    [
        ("直樹", "en", "Noto Sans CJK SC"),
        ("直樹", "ja", "Noto Sans CJK JP"),
        ("直樹", "zh-hant", "Noto Sans CJK TC"),
        ("直樹 さん", "en", "Noto Sans CJK JP"),
        ("金 김", "en", "Noto Sans CJK KR"),
    ],
)
def test_shared_letters_have_the_shape_of_the_language_they_are_written_in(
    text: str, language: str, font: str
) -> None:
    assert [name for name in font_chain(text, language) if "CJK" in name] == [font]


def test_arabic_is_set_from_the_right_and_its_letters_are_joined() -> None:
    """The first letter of a paragraph stands furthest to the right, in a form for the beginning of a word."""
    pdf = result_of("x", strengths=["محمد."])
    with closing(pypdfium2.PdfDocument(pdf)) as document, closing(document[0]) as page:
        width = page.get_width()
        with closing(page.get_textpage()) as textpage:
            at = [
                i
                for i in range(textpage.count_chars())
                if "\u0600" < textpage.get_text_range(i, 1) < "\u0700"
            ]
            right = max(textpage.get_charbox(i)[2] for i in at)
            spans = sum(box[2] - box[0] for box in map(textpage.get_charbox, at))
    assert right > width * 0.85
    # Four letters apart take half as much again.
    assert spans < 27


def test_a_mark_of_direction_turns_nothing_in_a_pdf() -> None:
    text, _fonts = read(result_of("Ana \u202eupsepoP\u202c 2026"))
    assert "Ana upsepoP 2026" in text


def test_the_pdf_of_a_result_has_the_name_as_the_page_has_it(world: World, as_: SignedIn) -> None:
    Employee.objects.filter(user=world.ana).update(name="张伟 สมชาย 김민수 😀")
    world.ana.refresh_from_db()
    result = make.released(world, "Partly meets")
    answer = as_(world.ana).get(reverse("appraisals:result_pdf", kwargs={"pk": result.pk}))
    text, fonts = read(answer.content)
    assert "张伟 สมชาย 김민수 😀" in text
    assert {"NotoSansCJKkr", "NotoSansThai", "NotoEmoji"} <= fonts
    assert len(answer.content) < 200_000  # the letters that are used, not the fonts
