"""The few template tags of the frozen layout, as they were. Not to be changed when the product changes."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter("name_of")
def name_of(person: Any) -> str:
    return str(person.name)


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    css = f"icon icon-{size}" if size else "icon"
    use = format_html('<use href="{}#{}"/>', static("vendor/icons.svg"), name)
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}">{}</svg>', css, label, use)
    return format_html('<svg class="{}" aria-hidden="true" focusable="false">{}</svg>', css, use)


@register.simple_tag
def logo(size: int = 28) -> SafeString:
    quarters = [
        "M58.06 12.86A38 38 0 0 1 87.14 41.94",
        "M87.14 58.06A38 38 0 0 1 58.06 87.14",
        "M41.94 87.14A38 38 0 0 1 12.86 58.06",
        "M12.86 41.94A38 38 0 0 1 41.94 12.86",
    ]
    return format_html(
        '<svg class="logo" width="{}" height="{}" viewBox="0 0 100 100" aria-hidden="true" focusable="false">'
        '<path d="{}" class="logo-1"/><path d="{}" class="logo-2"/><path d="{}" class="logo-3"/>'
        '<path d="{}" class="logo-4"/></svg>',
        size,
        size,
        *quarters,
    )


@register.simple_tag
def avatar(person: Any) -> SafeString:
    letters = "".join(word[0] for word in name_of(person).split()[:2])
    hue = zlib.crc32(name_of(person).encode()) % 8
    return format_html('<span class="avatar hue-{}" aria-hidden="true">{}</span>', hue, letters)


@register.simple_tag(takes_context=True)
def theme(context: Any) -> str:
    chosen = str(context["request"].COOKIES.get("theme", ""))
    return chosen if chosen in ("light", "dark", "auto") else "auto"


@register.simple_tag(takes_context=True)
def sidebar(context: Any) -> str:
    return "narrow" if context["request"].COOKIES.get("sidebar") == "narrow" else "wide"


@register.simple_tag(takes_context=True)
def htmx_headers(context: Any) -> str:
    return json.dumps({"X-CSRFToken": str(context.get("csrf_token") or "")})


@register.filter
def tab_entries(nav: list[Any]) -> list[Any]:
    return nav[:4]
