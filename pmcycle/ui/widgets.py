"""The controls of forms, written by Python: a page has up to a hundred, and templates take ten times as long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

Widget = Mapping[str, Any]


def _attributes(attrs: Mapping[str, Any]) -> SafeString:
    """As Django writes them: True is the name alone, False nothing."""
    pieces = [
        f" {escape(name)}" if value is True else f' {escape(name)}="{escape(str(value))}"'
        for name, value in attrs.items()
        if value is not False
    ]
    return mark_safe("".join(pieces))  # noqa: S308 - each piece is escaped


def _input(widget: Widget) -> SafeString:
    value = "" if widget["value"] is None else format_html(' value="{}"', str(widget["value"]))
    return format_html(
        '<input type="{}" name="{}"{}{}>',
        widget["type"],
        widget["name"],
        value,
        _attributes(widget["attrs"]),
    )


def _textarea(widget: Widget) -> SafeString:
    # Browsers drop the first line break, so that one which was typed stays.
    return format_html(
        '<textarea name="{}"{}>\n{}</textarea>',
        widget["name"],
        _attributes(widget["attrs"]),
        str(widget["value"] or ""),
    )


def _select(widget: Widget) -> SafeString:
    pieces = []
    for name, options, _index in widget["optgroups"]:
        drawn = [_option(option) for option in options]
        if name:
            drawn = [format_html('<optgroup label="{}">', name), *drawn, mark_safe("</optgroup>")]
        pieces += drawn
    body = mark_safe("".join(pieces))  # noqa: S308 - each piece is markup
    return format_html(
        '<select name="{}"{}>{}</select>', widget["name"], _attributes(widget["attrs"]), body
    )


def _option(option: Widget) -> SafeString:
    return format_html(
        '<option value="{}"{}>{}</option>',
        str(option["value"]),
        _attributes(option["attrs"]),
        option["label"],
    )


_INPUTS = (
    "text",
    "number",
    "email",
    "url",
    "password",
    "hidden",
    "date",
    "datetime",
    "time",
    "checkbox",
    "input",
)
DRAWN: dict[str, Callable[[Widget], SafeString]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}


class Renderer(DjangoTemplates):
    """Draws the usual controls by itself, and leaves the others to Django's templates."""

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        draw = DRAWN.get(template_name)
        if draw:
            return draw(context["widget"])
        drawn: SafeString = super().render(template_name, context, request)  # type: ignore[assignment]
        return drawn
