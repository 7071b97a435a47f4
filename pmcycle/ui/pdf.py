"""PDFs: typeset by typst, tagged for screen readers, in the scripts of everybody's name."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from pmcycle.ui.direction import neutral

FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
# What typst brings along writes Latin, Greek and Cyrillic; a letter that a font lacks is looked for in the next.
FIRST = ("Libertinus Serif", "Noto Sans")
# The scripts that the first ones lack. Named, because what typst picks by itself depends on the letters before.
OTHERS = (
    "Arabic",
    "Hebrew",
    "Thai",
    "Devanagari",
    "Armenian",
    "Bengali",
    "Ethiopic",
    "Georgian",
    "Gujarati",
    "Gurmukhi",
    "Kannada",
    "Khmer",
    "Lao",
    "Malayalam",
    "Myanmar",
    "Oriya",
    "Sinhala",
    "Tamil",
    "Telugu",
    "Symbols",
)
# Chinese, Japanese and Korean share code points whose shapes differ. Which is meant is told by the letters that only
# one of them writes; without any, by the language of the page.
KANA, HANGUL = (
    re.compile("[\u3040-\u30ff]"),
    re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
)
BY_LANGUAGE = {"ja": "JP", "ko": "KR", "zh-hant": "TC", "zh-tw": "TC", "zh-hk": "HK"}


@cache
def _fonts() -> Any:
    """Every font that a PDF may need, looked through once in a process; none of the machine's own."""
    return typst.Fonts(
        include_system_fonts=False, font_paths=[str(files(package)) for package in FONT_PACKAGES]
    )


def font_chain(text: str, language: str) -> list[str]:
    """The fonts in which the text is set, each for what those before it lack."""
    east = "KR" if HANGUL.search(text) else BY_LANGUAGE.get(language.lower(), "SC")
    east = "JP" if KANA.search(text) else east
    return [
        *FIRST,
        f"Noto Sans CJK {east}",
        *(f"Noto Sans {script}" for script in OTHERS),
        "Noto Emoji",
    ]


def typeset(template: str, data: dict[str, Any], language: str) -> bytes:
    """The PDF of a template below templates/. What people wrote goes in as data, never as markup."""
    said = neutral(json.dumps({**data, "lang": language.partition("-")[0]}, ensure_ascii=False))
    fonts = json.dumps(font_chain(said, language))
    source = Path(settings.BASE_DIR, "templates", template).read_bytes()
    document = typst.compile(
        source,
        format="pdf",
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": said, "fonts": fonts},
    )
    if not isinstance(document, bytes):
        raise TypeError("one PDF was asked for")
    return document
