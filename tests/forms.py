"""Forms as a page shows them, and filled in by somebody who takes no trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

# What stands for whatever a field asks; the first choice is taken of those that offer some.
IN_TEN_DAYS = (datetime.now(UTC) + timedelta(days=10)).date()
TYPED = {
    "date": IN_TEN_DAYS.isoformat(),
    "datetime-local": f"{IN_TEN_DAYS}T10:00",
    "time": "10:00",
    "number": "10",
    "email": "somebody.new@example.test",
    "url": "https://example.test/",
}
WORDS = "Written once, by one person."


@dataclass
class Form:
    """One form that sends: where to, and what it sends as it stands on the page; `typed` with its gaps filled."""

    action: str
    standing: dict[str, list[str]] = field(default_factory=dict)
    typed: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        return self.standing.get("form_key", [])

    def filled(self) -> dict[str, list[str]]:
        button = {name: [value] for name, value in self.buttons[:1] if name and name != "find"}
        return {**self.typed, **{k: v for k, v in self.standing.items() if any(v)}, **button}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.form: Form | None = None
        self.select = ""
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            sends = given.get("method", "get").lower() == "post"
            self.form = Form(given.get("action") or given.get("hx-post", "")) if sends else None
            if self.form is not None:
                self.found.append(self.form)
        if self.form is None or "disabled" in given:
            return
        name, kind, value = given.get("name", ""), given.get("type", "text"), given.get("value", "")
        if tag == "button" and given.get("type", "submit") == "submit":
            self.form.buttons.append((name, value))
        elif tag == "input" and name and kind in ("radio", "checkbox"):
            self.form.typed.setdefault(name, [value or "on"])
            if "checked" in given:
                self.form.standing.setdefault(name, []).append(value or "on")
        elif tag == "input" and name and kind not in ("submit", "file", "button"):
            self.form.standing.setdefault(name, []).append(value)
            self.form.typed.setdefault(name, [TYPED.get(kind, WORDS)])
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and value:
            self.form.typed.setdefault(self.select, [value])
            if "selected" in given:
                self.form.standing.setdefault(self.select, []).append(value)
        elif tag == "textarea":
            self.area = name
            self.form.typed.setdefault(name, [WORDS])

    def handle_data(self, data: str) -> None:
        if self.form is not None and self.area and data.strip():
            self.form.standing.setdefault(self.area, []).append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = None


def forms_of(html: str) -> list[Form]:
    """The forms of a page that send (POST), in its order."""
    parser = _Forms()
    parser.feed(html)
    return parser.found
