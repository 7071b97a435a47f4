"""How numbers are read from what people type, and percentages written so that nearly all is not all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.utils import translation

from pmcycle.ui import formats
from pmcycle.ui.fields import NumberField, WholeField


@pytest.mark.parametrize(
    ("typed", "language", "places", "number"),
    [
        ("0,5", "en", 2, "0.5"),
        ("0.5", "de", 2, "0.5"),
        ("12.50", "en", 2, "12.5"),
        ("33,33", "en", 2, "33.33"),
        ("1000", "en", 2, "1000"),
        ("1,000", "en", 2, "1000"),
        ("1.000", "de", 2, "1000"),
        ("65.000", "de", 2, "65000"),
        ("1.000.000", "en", 4, "1000000"),
        ("1,000,000", "de", 4, "1000000"),
        ("1,234.5", "de", 2, "1234.5"),
        ("1.234,5", "en", 2, "1234.5"),
        ("1.234.567,89", "en", 2, "1234567.89"),
        ("1 000,50", "fr", 2, "1000.5"),
        ("1\u202f000", "fr", 2, "1000"),
        ("1’000.50", "de", 2, "1000.5"),
        ("0.125", "en", 3, "0.125"),
        ("0,125", "de", 3, "0.125"),
        ("1000.125", "en", 4, "1000.125"),
        ("1.1250", "en", 4, "1.125"),
        ("−3,5", "en", 2, "-3.5"),
        (".5", "en", 2, "0.5"),
    ],
)
def test_a_number_with_one_reading_is_read(
    typed: str, language: str, places: int, number: str
) -> None:
    with translation.override(language):
        assert formats.read_number(typed, places) == Decimal(number)


@pytest.mark.parametrize(
    ("typed", "language", "places", "thousands", "decimals"),
    [
        ("1.000", "en", 2, "1000", "1.0"),
        ("1,000", "de", 2, "1000", "1,0"),
        ("1.000", "de", 4, "1000", "1,0"),
        ("1,250", "en", 4, "1250", "1.25"),
        ("65.125", "en", 4, "65125", "65.1250"),
        ("-1.000", "en", 2, "-1000", "-1.0"),
    ],
)
def test_a_number_with_two_readings_is_shown_back_in_both(
    typed: str, language: str, places: int, thousands: str, decimals: str
) -> None:
    with translation.override(language):
        assert formats.read_number(typed, places) == formats.Unsure(thousands, decimals)
        # Each of the two, typed as it is shown, has one reading.
        assert formats.read_number(thousands, places) == Decimal(thousands)
        assert formats.read_number(decimals, places) == Decimal(decimals.replace(",", "."))
        with pytest.raises(forms.ValidationError, match=f"Write {thousands} or {decimals}"):
            NumberField(max_digits=14, decimal_places=places).clean(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "k",
        "65k",
        "1e5",
        "NaN",
        "Infinity",
        "1..2",
        "5.",
        "1.00.000",
        "1,2,3",
        "1.2,3.4",
        "12 34",
        "--1",
        "9" * 50,
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    assert formats.read_number(typed) is None
    with pytest.raises(forms.ValidationError, match="Enter a number"):
        NumberField(max_digits=14, decimal_places=2).clean(typed)


@pytest.mark.parametrize(
    ("typed", "number"), [("7", 7), ("1,000", 1000), ("2 080", 2080), ("1.0", 1)]
)
def test_a_whole_number_is_read(typed: str, number: int) -> None:
    assert WholeField().clean(typed) == number


@pytest.mark.parametrize("typed", ["2.000", "1.5", "x"])
def test_a_thousand_is_never_taken_for_a_one(typed: str) -> None:
    with pytest.raises(forms.ValidationError):
        WholeField().clean(typed)


@pytest.mark.parametrize(
    ("number", "english", "german"),
    [
        ("30.00", "30.00", "30,00"),
        ("1.000", "1.0", "1,0"),
        ("1.125", "1.1250", "1,1250"),
        ("0.800", "0.800", "0,800"),
        ("1E+3", "1000", "1000"),
    ],
)
def test_a_form_shows_a_number_so_that_it_comes_back_as_it_was(
    number: str, english: str, german: str
) -> None:
    for language, text in (("en", english), ("de", german)):
        with translation.override(language):
            field = NumberField(max_digits=9, decimal_places=3)
            assert field.prepare_value(Decimal(number)) == text
            assert field.clean(text) == Decimal(number)


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        ("0", "0%"),
        ("0.004", "0.004%"),
        ("0.3", "0.3%"),
        ("0.5", "1%"),
        ("49.5", "50%"),
        ("99.4", "99%"),
        ("99.5", "99.5%"),
        ("99.996", "99.996%"),
        ("99.9999999", "99.9999%"),
        ("100", "100%"),
        ("100.4", "100.4%"),
        ("117", "117%"),
        ("-0.2", "-0.2%"),
        ("-25", "-25%"),
    ],
)
def test_nearly_all_is_not_all_and_a_little_not_nothing(percent: str, words: str) -> None:
    assert formats.percent_text(Decimal(percent) / 100) == words
    assert f"{formats.percent_number(percent)}%" == words
