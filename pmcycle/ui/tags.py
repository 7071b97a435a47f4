"""The components of pmcycle's pages as template tags and filters; built in, so no template loads them.

``docs/ui.md`` shows each with an example. What needs more than a line of markup lies in ``templates/ui/``.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import structlog
from django import forms, template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.http import HttpRequest, QueryDict
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, pgettext

from pmcycle.days import today_here, zone_of
from pmcycle.ui import charts, formats
from pmcycle.ui.stencils import Filling

register = template.Library()

Row = Mapping[str, Any]

THEMES: Final = ("light", "dark", "auto")

TONE_ICONS: Final = {
    "ok": "circle-check",
    "warn": "alert-triangle",
    "danger": "alert-circle",
    "info": "progress",
    "accent": "point",
    "mute": "circle-dashed",
}

# --- writing --------------------------------------------------------------------------------------

register.filter("number", formats.number_text)
register.filter("percent", formats.percent_text)
register.filter("percent_number", formats.percent_number)
register.filter("markdown", formats.markdown_html)
register.filter("initials", formats.initials)
register.filter("name_of", formats.name_of)
register.filter("browser", formats.browser_text)
register.simple_tag(formats.money_text, name="money")
register.simple_tag(formats.diff_html, name="diff")


@register.simple_tag
def reference() -> SafeString:
    """Return the number under which the log knows this request, for pages that tell of a refusal or a fault."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    if not number:
        return SafeString("")
    return format_html(
        '<p class="text-secondary">{} <code>{}</code></p>',
        gettext("If you ask about this, name:"),
        number,
    )


@register.simple_tag(takes_context=True)
def csrf_token(context: Context) -> SafeString:
    """``{% csrf_token %}``: what every form sends: the token against forged requests, and a key of its own.

    It stands in for Django's tag of that name, the sign-in library's forms included, so that no form comes
    without the key by which one that is sent twice is done once (`activity.once`).
    """
    token = context.get("csrf_token")
    if not token or token == "NOTPROVIDED":  # noqa: S105 (no token, says Django)
        return SafeString("")
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}"><input type="hidden" name="form_key" value="{}">',
        token,
        secrets.token_urlsafe(12),
    )


@register.simple_tag
def options(choices: Iterable[tuple[object, object]], chosen: object) -> SafeString:
    """``{% options f.options f.value %}``: the options of a select, by (value, words); there may be hundreds."""
    is_chosen = {True: mark_safe(" selected"), False: ""}
    pairs = ((value, is_chosen[str(value) == chosen], words) for value, words in choices)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', pairs)


@register.simple_tag(takes_context=True)
def filled(context: Context, filling: Filling) -> SafeString:
    """``{% filled row.recording %}``: a form that is rendered once and filled in for each row (`ui.stencils`)."""
    return filling.stencil.fill(filling.shape, {**filling.values, "token": csrf_token(context)})


@register.filter("when_text")
def when_text(value: object) -> str:
    """Return a date or instant in plain words, for titles and mails; "–" for none."""
    return formats.when_text(value) if isinstance(value, dt.date) else "–"


@register.simple_tag
def when(value: formats.Day | None, full: bool = False, relative: bool = False) -> SafeString:
    """``{% when x %}``: a date or instant in words, the exact instant on hover.

    ``full``: with weekday and year.
    """
    return formats.when_html(value, full=full, relative=relative)


@register.simple_tag
def due(value: dt.date | None, zone: str) -> SafeString:
    """``{% due day zone %}``: how far off in the place of the due day, with colour, word and icon.

    ``zone``: that of the cycle that set the day, or "" for a day that belongs to no cycle and is judged
    where the reader is. Where midnight is another one there than for the reader, the place is named, and
    when the day is over for the reader stands on hover.
    """
    if value is None:
        return formats.when_html(value)
    return _due(value, zone, formats.today_at(zone), formats.here())


@lru_cache(maxsize=4096)
def _due(day: dt.date, zone: str, today: dt.date, _here: formats.Here) -> SafeString:
    tone = formats.due_tone(day, today)
    title, place = f"{day.isoformat()} {zone if zone_of(zone) else ''}".strip(), SafeString("")
    where, over = formats.due_place(day, zone)
    if where:
        words = gettext("ends %(when)s your time") % {"when": over}
        title = f"{title}, {words}"
        place = format_html('<span class="due-place"> · {}</span>', where)
    return format_html(
        '<time class="due due-{}" datetime="{}" title="{}">{}{}{}</time>',
        tone,
        day.isoformat(),
        title,
        icon({"late": "alert-circle", "soon": "clock"}.get(tone, "calendar")),
        formats.due_text(day, today),
        place,
    )


# What is drawn again and again is kept, `typed`: markup and the same text typed by somebody are equal as
# strings, and only their types tell them apart.

# --- small parts ----------------------------------------------------------------------------------


def address(to: object, args: Sequence[object] = (), query: str = "") -> str:
    """Where a component leads: to the name of a URL with its arguments, or to an address that is one already.

    Raises NoReverseMatch for a name with arguments that do not fit it, and TypeError for arguments behind an
    address.
    """
    text = str(to)
    is_address = not text or text[0] in "/?#" or ":/" in text
    if is_address and args:
        raise TypeError(f"{text!r} is an address already and takes no {args!r}")
    found = text if is_address else reverse(text, args=args)
    return f"{found}{'&' if '?' in found else '?'}{query}" if query else found


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """``{% icon "target" %}``: an icon of the sprite; silent, unless ``label`` gives it a name.

    ``size``: sm, lg, xl.
    """
    return _icon(name, str(label), size)


@lru_cache(maxsize=2048, typed=True)
def _icon(name: str, label: str, size: str) -> SafeString:
    css = f"icon icon-{size}" if size else "icon"
    use = format_html('<use href="{}#{}"/>', static("vendor/icons.svg"), name)
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}">{}</svg>', css, label, use)
    return format_html('<svg class="{}" aria-hidden="true">{}</svg>', css, use)


@register.simple_tag
def kept(fragment: str, **inputs: object) -> SafeString:
    """``{% kept "ui/_keys.html" %}``: a fragment whose markup depends on its inputs and on the language alone.

    It is rendered once for each, so it must read nothing else of the page. Inputs are hashable.
    """
    return _kept(fragment, get_language() or "", tuple(inputs.items()))


@lru_cache(maxsize=2048)
def _kept(fragment: str, _language: str, inputs: tuple[tuple[str, object], ...]) -> SafeString:
    return render_to_string(fragment, dict(inputs))


@register.simple_tag
def logo(size: int = 28) -> SafeString:
    """``{% logo %}``: the ring of four stages as pmcycle's mark."""
    return charts.logo(size)


@register.simple_tag
def badge(tone: str, text: object, icon_name: str = "") -> SafeString:
    """``{% badge "ok" "agreed" %}``: a state as colour, word and icon.

    Tones: ok, warn, danger, info, accent, mute.
    """
    return _badge(tone if tone in TONE_ICONS else "mute", str(text), icon_name)


@lru_cache(maxsize=4096, typed=True)
def _badge(tone: str, words: str, icon_name: str) -> SafeString:
    return format_html(
        '<span class="badge tone-badge tone-badge-{}">{}{}</span>',
        tone,
        icon(icon_name or TONE_ICONS[tone]),
        words,
    )


@register.simple_tag
def badge_cells(cells: Sequence[Any]) -> SafeString:
    """``{% badge_cells row.stages %}``: a table cell with a badge for each, which has label, tone, words, url and,
    or None, another badge `beside` it."""
    drawn = [
        _linked_cell(cell.label, cell.tone, cell.words, cell.url, cell.beside)
        if cell.url
        else _badge_cell(cell.label, cell.tone, cell.words, cell.beside)
        for cell in cells
    ]
    return mark_safe("".join(drawn))  # noqa: S308 - each is markup that was drawn safely


@lru_cache(maxsize=4096, typed=True)
def _badge_cell(label: str, tone: str, words: str, beside: tuple[str, str] | None) -> SafeString:
    return format_html('<td data-label="{}">{}</td>', label, _two_badges(tone, words, beside))


def _linked_cell(
    label: str, tone: str, words: str, url: str, beside: tuple[str, str] | None
) -> SafeString:
    badges = _two_badges(tone, words, beside)
    return format_html('<td data-label="{}"><a href="{}">{}</a></td>', label, url, badges)


def _two_badges(tone: str, words: str, beside: tuple[str, str] | None) -> SafeString:
    one = badge(tone, words)
    return format_html("{}<br>{}", one, badge(*beside)) if beside else one


@lru_cache(maxsize=32)
def _states(language: str) -> dict[str, tuple[str, str, str]]:
    """Return the usual states in one language: tone, icon, word. A page of the board asks a hundred times."""
    return {
        "draft": ("mute", "edit", pgettext("state", "draft")),
        "planned": ("mute", "circle-dashed", pgettext("state", "planned")),
        "not_started": ("mute", "circle-dashed", pgettext("state", "not started")),
        "proposed": ("info", "send", pgettext("state", "proposed")),
        "countered": ("warn", "arrows-exchange", pgettext("state", "countered")),
        "requested": ("info", "send", pgettext("state", "requested")),
        "waiting": ("info", "hourglass", pgettext("state", "waiting")),
        "open": ("accent", "player-play", pgettext("state", "open")),
        "active": ("accent", "player-play", pgettext("state", "active")),
        "under_way": ("info", "progress", pgettext("state", "under way")),
        "nothing": ("mute", "minus", pgettext("state", "nothing to do")),
        "in_progress": ("info", "progress", pgettext("state", "in progress")),
        "submitted": ("info", "send", pgettext("state", "submitted")),
        "agreed": ("ok", "checks", pgettext("state", "agreed")),
        "confirmed": ("ok", "circle-check", pgettext("state", "confirmed")),
        "approved": ("ok", "circle-check", pgettext("state", "approved")),
        "done": ("ok", "check", pgettext("state", "done")),
        "kept": ("ok", "check", pgettext("state", "kept")),
        "released": ("ok", "eye", pgettext("state", "released")),
        "acknowledged": ("ok", "thumb-up", pgettext("state", "acknowledged")),
        "on_track": ("ok", "trending-up", pgettext("state", "on track")),
        "at_risk": ("warn", "alert-triangle", pgettext("state", "at risk")),
        "off_track": ("danger", "alert-circle", pgettext("state", "off track")),
        "returned": ("warn", "arrow-back-up", pgettext("state", "returned")),
        "held": ("warn", "player-pause", pgettext("state", "held")),
        "exception": ("warn", "flag", pgettext("state", "exception")),
        "overdue": ("danger", "alert-circle", pgettext("state", "overdue")),
        "blocked": ("danger", "ban", pgettext("state", "blocked")),
        "refused": ("danger", "circle-x", pgettext("state", "refused")),
        "broken": ("danger", "circle-x", pgettext("state", "broken")),
        "failed": ("danger", "alert-circle", pgettext("state", "failed")),
        "appealed": ("warn", "scale", pgettext("state", "appealed")),
        "withdrawn": ("mute", "arrow-back-up", pgettext("state", "withdrawn")),
        "cancelled": ("mute", "x", pgettext("state", "cancelled")),
        "skipped": ("mute", "ban", pgettext("state", "skipped")),
        "lapsed": ("mute", "history", pgettext("state", "lapsed")),
        "closed": ("mute", "lock", pgettext("state", "closed")),
        "frozen": ("mute", "lock", pgettext("state", "frozen")),
    }


@register.simple_tag
def state(value: object, text: object = "") -> SafeString:
    """``{% state goal.state %}``: the badge of a usual state.

    ``text`` replaces the word, unknown states are pale.
    """
    tone, sign, word = _states(get_language() or "").get(
        str(value), ("mute", "point", str(value).replace("_", " "))
    )
    return badge(tone, text or word, sign)


@register.simple_tag
def button(
    label: object,
    to: object,
    *args: object,
    kind: str = "",
    icon_name: str = "",
    size: str = "",
    note: object = "",
    query: str = "",
) -> SafeString:
    """``{% button _("Open") "goals:detail" goal.pk %}``: a link in the form of a button.

    ``to``: the name of a URL, with its arguments behind it, or an address; ``query``: what follows its ``?``.
    ``kind``: primary, danger, ghost; ``size``: sm, lg.

    ``note`` completes the name for those who hear the page ("Open" → "Open: appraisal of Ana").
    """
    return _button(str(label), address(to, args, query), kind, icon_name, size, str(note))


@lru_cache(maxsize=8192, typed=True)
def _button(label: str, url: str, kind: str, icon_name: str, size: str, note: str) -> SafeString:
    return format_html(
        '<a class="{}" href="{}">{}{}{}</a>',
        _button_css(kind, size),
        url,
        icon(icon_name) if icon_name else "",
        label,
        format_html('<span class="visually-hidden">: {}</span>', note) if note else "",
    )


@register.simple_tag
def submit(
    label: object,
    kind: str = "primary",
    icon_name: str = "",
    name: str = "",
    value: str = "",
    size: str = "",
) -> SafeString:
    """``{% submit "Save" %}``: the button that sends the form around it."""
    return format_html(
        '<button class="{}" type="submit"{}>{}{}</button>',
        _button_css(kind, size),
        format_html(' name="{}" value="{}"', name, value) if name else "",
        icon(icon_name) if icon_name else "",
        label,
    )


def _button_css(kind: str, size: str) -> str:
    """Return the classes of a button."""
    names = {
        "": "",
        "primary": " btn-primary",
        "danger": " btn-outline-danger",
        "ghost": " btn-ghost-secondary",
    }
    return "btn" + names.get(kind, "") + (f" btn-{size}" if size in ("sm", "lg") else "")


@register.inclusion_tag("ui/_button_post.html", takes_context=True)
def button_post(
    context: Context,
    label: object,
    to: object,
    *args: object,
    kind: str = "",
    icon_name: str = "",
    size: str = "",
    confirm: object = "",
    note: object = "",
    **fields: object,
) -> dict[str, object]:
    """``{% button_post _("Withdraw") "goals:withdraw" goal.pk confirm=_("…") version=goal.version %}``.

    A form of one button that changes something.

    ``confirm``: what will happen, in a sentence; asks first, with and without script. Other keywords are
    hidden fields.
    """
    return {
        "csrf_token": context.get("csrf_token"),
        "label": label,
        "action": address(to, args),
        "css": _button_css(kind, size),
        "confirm_css": _button_css("danger" if kind == "danger" else "primary", size),
        "icon_name": icon_name,
        "confirm": confirm,
        "note": note,
        "fields": fields,
    }


@register.inclusion_tag("ui/_leftovers.html")
def leftovers(leaving: BaseForm) -> dict[str, object]:
    """``{% leftovers leaving %}``: what an act would leave open or held, by name, with the reasons to go on.

    ``leaving``: a ``pmcycle.typed.LeftoversForm``, inside the act's own ``<form>``.
    """
    return {"leaving": leaving}


@register.inclusion_tag("ui/_submit_confirmed.html")
def submit_confirmed(
    label: object,
    consequence: object,
    form_id: str,
    kind: str = "primary",
    icon_name: str = "check",
) -> dict[str, object]:
    """``{% submit_confirmed _("Close it") _("Nobody can add …") "close-form" %}``: sends a form, but asks first.

    ``form_id``: the id of the form around it, which the button in the dialog sends.
    """
    return {
        "label": label,
        "consequence": consequence,
        "form_id": form_id,
        "css": _button_css(kind, ""),
        "icon_name": icon_name,
    }


@register.simple_tag
def avatar(person: object, size: str = "") -> SafeString:
    """``{% avatar person %}``: initials on the person's own colour, silent (the name stands beside).

    ``size``: sm, lg.
    """
    return format_html(
        '<span class="avatar hue-{}{}" aria-hidden="true">{}</span>',
        formats.hue(person),
        f" avatar-{size}" if size in ("sm", "lg") else "",
        formats.initials(person),
    )


@register.simple_tag(name="person")
def person_chip(
    person: object, to: object = "", *args: object, url: str = "", note: object = "", size: str = ""
) -> SafeString:
    """``{% person employee "home:person" employee.pk note=job %}``.

    Avatar and name, linked if it leads somewhere (``to``, as of a button, or a ready ``url``), with a quiet
    second line.
    """
    link = address(to, args) if to else url
    return _chip(formats.name_of(person), link, str(note) if note else "", size)


@lru_cache(maxsize=8192, typed=True)
def _chip(name: str, url: str, note: str, size: str) -> SafeString:
    named = format_html('<a href="{}">{}</a>', url, name) if url else format_html("{}", name)
    second = format_html('<span class="person-note">{}</span>', note) if note else ""
    return format_html(
        '<span class="person">{}<span class="person-words"><span class="person-name">{}</span>{}'
        "</span></span>",
        avatar(name, size),
        named,
        second,
    )


# --- blocks ---------------------------------------------------------------------------------------


@register.simple_block_tag
def card(
    content: str,
    title: object = "",
    icon_name: str = "",
    note: object = "",
    pad: bool = True,
    tone: str = "",
    id: str = "",
    level: int = 2,
    actions: object = "",
) -> SafeString:
    """``{% card title="Goals" %}…{% endcard %}``: a surface with a heading.

    ``pad=False`` for tables and lists.

    ``note``: a quiet line in the head; ``tone``: a coloured edge; ``actions``: markup at the right of the
    head.
    """
    level = level if level in (2, 3, 4) else 2
    head = ""
    if title:
        head = format_html(
            '<div class="card-header">{}<h{} class="card-title">{}</h{}>{}{}</div>',
            icon(icon_name) if icon_name else "",
            level,
            title,
            level,
            format_html('<span class="card-note">{}</span>', note) if note else "",
            format_html('<div class="card-actions">{}</div>', actions) if actions else "",
        )
    body = format_html('<div class="card-body">{}</div>', content) if pad else content
    return format_html(
        '<section class="card{}"{}>{}{}</section>',
        f" card-tone card-tone-{tone}" if tone in TONE_ICONS else "",
        format_html(' id="{}"', id) if id else "",
        head,
        body,
    )


@register.simple_block_tag
def tablewrap(content: str, label: object, cards: bool = True) -> SafeString:
    """``{% tablewrap "People" %}<table class="table">…{% endtablewrap %}``: scrolls if too wide.

    On a phone rows are cards.

    Give each ``<td>`` a ``data-label``; ``label`` names the region for those who hear the page.
    """
    return format_html(
        '<div class="table-responsive{}" role="region" aria-label="{}" tabindex="0">{}</div>',
        mark_safe(" table-cards") if cards else "",
        label,
        content,
    )


@register.simple_block_tag
def notice(content: str, tone: str = "info", title: object = "") -> SafeString:
    """``{% notice "warn" title="…" %}…{% endnotice %}``: a remark within the page, with its icon."""
    tone = tone if tone in TONE_ICONS else "info"
    return format_html(
        '<div class="remark remark-{}">{}<div>{}{}</div></div>',
        tone,
        icon("info-circle" if tone in ("info", "mute", "accent") else TONE_ICONS[tone]),
        format_html('<p class="remark-title">{}</p>', title) if title else "",
        content,
    )


@register.simple_block_tag
def fold(
    content: str, title: object, open: bool = False, note: object = "", icon_name: str = ""
) -> SafeString:
    """``{% fold "Private pad" icon_name="lock" %}…{% endfold %}``.

    A part that opens on demand, without script.
    """
    return format_html(
        '<details class="fold"{}><summary>{}<span>{}</span>{}</summary><div class="fold-body">{}'
        "</div></details>",
        mark_safe(" open") if open else "",
        icon(icon_name) if icon_name else "",
        title,
        format_html('<span class="fold-note">{}</span>', note) if note else "",
        content,
    )


@register.inclusion_tag("ui/_empty.html")
def empty(
    icon_name: str,
    text: object,
    label: object = "",
    to: object = "",
    *args: object,
    note: object = "",
) -> dict[str, object]:
    """``{% empty "target" _("No goals yet.") _("Write the first") "goals:propose" part.pk %}``.

    What to do where there is nothing; without a label it says so and no more.
    """
    url = address(to, args) if label and to else ""
    return {"icon_name": icon_name, "text": text, "label": label, "url": url, "note": note}


@register.inclusion_tag("ui/_stat.html")
def stat(
    label: object,
    value: object,
    hint: object = "",
    url: str = "",
    icon_name: str = "",
    tone: str = "",
    done: object = None,
    total: object = None,
) -> dict[str, object]:
    """``{% stat "Goals agreed" "18 / 24" done=18 total=24 %}``: one number with what it means."""
    bar = (
        charts.progress(done, total, title=str(label), show_words=False)
        if done is not None and total
        else ""
    )
    return {
        "label": label,
        "value": value,
        "hint": hint,
        "url": url,
        "icon_name": icon_name,
        "tone": tone if tone in TONE_ICONS else "",
        "bar": bar,
    }


@register.inclusion_tag("ui/_stepper.html")
def stepper(steps: Sequence[Row], label: object = "") -> dict[str, object]:
    """``{% stepper steps %}``.

    Dicts with ``label``, ``state`` (done, current, todo, problem) and optional ``url``.
    """
    return {"steps": steps, "label": label or gettext("Steps")}


@register.inclusion_tag("ui/_tabs.html")
def tabs(items: Sequence[Row], label: object = "") -> dict[str, object]:
    """``{% tabs items %}``: links to views of one thing.

    Dicts with ``label``, ``url``, ``active`` and optional ``count``.
    """
    return {"items": items, "label": label or gettext("Views")}


@register.inclusion_tag("ui/_thread.html", takes_context=True)
def thread(
    context: Context,
    entries: Sequence[Row],
    action: str = "",
    form: object = None,
    label: object = "",
) -> dict[str, object]:
    """``{% thread entries action=url form=form %}``.

    A conversation, oldest first, with the field to answer if there is one.

    Entry: ``author``, ``at``, ``text`` (Markdown) and optionally ``id``, ``mine``, ``read_by`` (words),
    ``edited``,
    ``private``, ``about`` (words), ``url``.
    """
    return {
        "csrf_token": context.get("csrf_token"),
        "entries": entries,
        "action": action,
        "form": form,
        "label": label or gettext("Conversation"),
    }


@register.inclusion_tag("ui/_entry.html")
def entry(e: Row) -> dict[str, object]:
    """``{% entry e %}``: one contribution to a conversation; see ``thread`` for its inputs."""
    return {"entry": e}


@register.inclusion_tag("ui/_why.html")
def why(node: Row, open: bool = True) -> dict[str, object]:
    """``{% why node %}``: the tree of a number, from the result down to its inputs.

    Node: ``label``, ``value`` (words, ready to read) and optionally ``note``, ``rule``, ``url``, ``parts``
    (nodes).
    """
    return {"node": node, "open": open}


@register.inclusion_tag("ui/_job.html")
def job(
    url: str,
    done: object,
    total: object,
    title: object,
    finished: bool = False,
    failed: object = "",
    result_url: str = "",
    words: str = "",
) -> dict[str, object]:
    """``{% job url 12 400 "Award letters" words="12 of 400 letters" %}``: long work with n of m.

    Asks ``url`` for itself anew until ``finished``.

    ``url`` answers with this same component. ``failed``: what went wrong and what to do. ``result_url``:
    where it led.
    """
    return {
        "url": url,
        "bar": charts.progress(done, total, title=str(title), words=words),
        "title": title,
        "finished": finished,
        "failed": failed,
        "result_url": result_url,
        "id": "job-" + "".join(c if c.isalnum() else "-" for c in url),
    }


TOAST_ICONS = {"danger": "alert-circle", "warn": "alert-triangle", "info": "info-circle"}


@register.inclusion_tag("ui/_toast.html", takes_context=True)
def toast(
    context: Context, text: object, tone: str = "ok", undo: str = "", **fields: object
) -> dict[str, object]:
    """``{% toast "Approved 3 awards." undo=url %}``.

    What was just done, with ten seconds' notice to undo it. ``tone`` may be the level of a Django message.
    """
    tone = {"error": "danger", "warning": "warn", "debug": "info", "success": "ok"}.get(tone, tone)
    return {
        "csrf_token": context.get("csrf_token"),
        "text": text,
        "tone": tone,
        "icon_name": TOAST_ICONS.get(tone, "circle-check"),
        "undo": undo,
        "fields": fields,
    }


# --- lists ----------------------------------------------------------------------------------------


def _query(context: Context) -> QueryDict:
    """Return a copy of the page's query, empty where there is no request."""
    request = context.get("request")
    return request.GET.copy() if isinstance(request, HttpRequest) else QueryDict(mutable=True)


@register.inclusion_tag("ui/_pager.html", takes_context=True)
def pager(context: Context, page: Page[Any], param: str = "page") -> dict[str, object]:
    """``{% pager page_obj %}``: which part of the list this is and the way to the others.

    Keeps filters and sort.
    """
    query = _query(context)

    def link(number: int) -> str:
        query[param] = str(number)
        return "?" + query.urlencode()

    return {
        "page": page,
        "first": page.start_index(),
        "last": page.end_index(),
        "total": page.paginator.count,
        "previous": link(page.previous_page_number()) if page.has_previous() else "",
        "next": link(page.next_page_number()) if page.has_next() else "",
        "pages": [
            {
                "number": n,
                "url": link(n) if isinstance(n, int) and n != page.number else "",
                "current": n == page.number,
            }
            for n in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
        ],
    }


@register.simple_tag(takes_context=True)
def sort_link(context: Context, key: str, label: object, param: str = "sort") -> SafeString:
    """``{% sort_link "name" "Name" %}``.

    A column head that sorts by ``?sort=name`` and turns to ``-name``; drops the page.
    """
    query = _query(context)
    now = query.get(param, "")
    up, down = now == key, now == f"-{key}"
    query[param] = f"-{key}" if up else key
    query.pop("page", None)
    sign = icon("chevron-up" if up else "chevron-down" if down else "arrows-sort", size="sm")
    aloud = gettext("sorted upward") if up else gettext("sorted downward") if down else ""
    return format_html(
        '<a class="sort-link{}" href="?{}">{}{}{}</a>',
        mark_safe(" is-sorted") if up or down else "",
        query.urlencode(),
        label,
        sign,
        format_html('<span class="visually-hidden"> ({})</span>', aloud) if aloud else "",
    )


@register.inclusion_tag("ui/_filter_bar.html", takes_context=True)
def filter_bar(
    context: Context,
    filters: Sequence[Row] = (),
    search: str = "q",
    placeholder: object = "",
    export: str = "",
    keep: str = "sort",
) -> dict[str, object]:
    """``{% filter_bar filters %}``: search and selects that end in the URL.

    ``filters``: dicts with ``name``, ``label`` and ``options`` ((value, label) pairs). ``search``: its
    parameter, "" for none.
    ``export``: the address that gives exactly what is shown as a file. ``keep``: parameters to carry,
    comma-separated.
    """
    query = _query(context)
    rows = [{**f, "value": query.get(str(f["name"]), "")} for f in filters]
    used = [
        name for name in (*(str(f["name"]) for f in filters), search) if name and query.get(name)
    ]
    kept = [(name, query[name]) for name in keep.split(",") if name in query]
    export_url = f"{export}{'&' if '?' in export else '?'}{query.urlencode()}" if export else ""
    return {
        "filters": rows,
        "search": search,
        "searched": query.get(search, "") if search else "",
        "active": bool(used),
        "placeholder": placeholder or gettext("Search"),
        "kept": kept,
        "export_url": export_url,
    }


# --- forms ----------------------------------------------------------------------------------------


def _kind(widget: forms.Widget) -> str:
    """Return which of our shapes a widget takes."""
    shapes: list[tuple[type[forms.Widget] | tuple[type[forms.Widget], ...], str]] = [
        (forms.CheckboxSelectMultiple, "checkboxes"),
        (forms.RadioSelect, "radio"),
        (forms.CheckboxInput, "checkbox"),
        (forms.Textarea, "textarea"),
        (forms.FileInput, "file"),
        (forms.Select, "select"),
        ((forms.SplitDateTimeWidget, forms.MultiWidget), "multi"),
        (forms.HiddenInput, "hidden"),
    ]
    return next((kind for types, kind in shapes if isinstance(widget, types)), "input")


@register.inclusion_tag("ui/_field.html")
def field(
    bound: BoundField,
    label: object = "",
    help: object = "",
    counter: int = 0,
    rating: bool = False,
    descriptions: Mapping[Any, object] | None = None,
    hide_label: bool = False,
    rows: int = 0,
    prefix: object = "",
    suffix: object = "",
    placeholder: object = "",
    autofocus: bool = False,
) -> dict[str, object]:
    """``{% field form.name %}``: label, control, help and error of a field, whatever its widget.

    ``rating=True`` shows a radio field as a segmented control; ``descriptions`` (value → sentence) stand
    with its choices.
    ``counter``: show how many of so many letters. ``prefix``/``suffix``: words at the edge of a short input.
    """
    widget = bound.field.widget
    kind = _kind(widget)
    if isinstance(widget, forms.DateInput):
        widget.input_type, widget.format = "date", "%Y-%m-%d"
    elif isinstance(widget, forms.DateTimeInput):
        widget.input_type, widget.format = "datetime-local", "%Y-%m-%dT%H:%M"
    elif isinstance(widget, forms.TimeInput):
        widget.input_type, widget.format = "time", "%H:%M"
    elif isinstance(widget, forms.SplitDateTimeWidget):
        for part, shape, form_at, name in (
            (0, "date", "%Y-%m-%d", gettext("day")),
            (1, "time", "%H:%M", gettext("time")),
        ):
            piece = cast(forms.DateInput, widget.widgets[part])
            piece.input_type, piece.format = shape, form_at
            piece.attrs["aria-label"] = f"{label or bound.label}: {name}"
    auto_id = bound.id_for_label or bound.auto_id or bound.html_name
    help_text = help or bound.help_text
    limit = counter or 0
    group = kind in ("radio", "checkboxes", "multi")
    if group:
        auto_id = bound.auto_id or auto_id
    described = [
        f"{auto_id}_{part}"
        for part, present in (("help", help_text), ("counter", limit), ("error", bound.errors))
        if present
    ]
    css = {
        "select": "form-select",
        "checkbox": "form-check-input",
        "radio": "form-check-input",
        "checkboxes": "form-check-input",
    }
    attrs: dict[str, Any] = {
        "class": f"{widget.attrs.get('class', '')} {css.get(kind, 'form-control')}".strip()
    }
    if bound.errors:
        attrs["class"] += " is-invalid"
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if kind == "textarea":
        attrs |= {"data-autosize": True, "rows": rows or min(int(widget.attrs.get("rows", 4)), 6)}
    if limit:
        attrs["data-counter"] = f"{auto_id}_counter"
    if placeholder:
        attrs["placeholder"] = placeholder
    if autofocus:
        attrs["autofocus"] = True
    options: list[dict[str, object]] = []
    if kind in ("radio", "checkboxes"):
        texts = {
            str(key): value
            for key, value in (
                descriptions or getattr(bound.field, "descriptions", None) or {}
            ).items()
        }
        options = [
            {
                "id": option.id_for_label,
                "name": option.data["name"],
                "value": option.data["value"],
                "label": option.choice_label,
                "checked": option.data["selected"],
                "disabled": bool(bound.field.disabled or option.data["attrs"].get("disabled")),
                "description": texts.get(str(option.data["value"]), ""),
                "description_id": f"{option.id_for_label}_text",
            }
            for option in bound.subwidgets
            if str(option.data["value"]) != "" or not bound.field.required
        ]
    return {
        "bound": bound,
        "kind": kind,
        "group": group,
        "control": "" if options else bound.as_widget(attrs=attrs),
        "options": options,
        "input_type": "radio" if kind == "radio" else "checkbox",
        "rating": rating and kind == "radio",
        "label": label or capfirst(str(bound.label)),
        "hide_label": hide_label,
        "auto_id": auto_id,
        "help": help_text,
        "counter": limit,
        "used": len(str(bound.value() or "")),
        "described": " ".join(described),
        "prefix": prefix,
        "suffix": suffix,
        "optional": not bound.field.required and kind != "checkbox",
    }


@register.simple_tag(takes_context=True)
def fields(context: Context, form: BaseForm) -> SafeString:
    """``{% fields form %}``: the errors, the hidden fields and every field of a form, in its order."""
    engine = context.template.engine if context.template else template.Engine.get_default()
    pieces = [engine.get_template("ui/_form_errors.html").render(Context(form_errors(form)))]
    pieces += [hidden.as_widget() for hidden in form.hidden_fields()]
    shape = engine.get_template("ui/_field.html")
    pieces += [shape.render(Context(field(bound))) for bound in form.visible_fields()]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.inclusion_tag("ui/_form_errors.html")
def form_errors(form: BaseForm) -> dict[str, object]:
    """``{% form_errors form %}``: what is wrong, on top, with links to the fields.

    Takes the focus when it appears.
    """
    if not form.is_bound or not form.errors:
        return {"problems": [], "general": []}
    problems = [
        {
            "id": bound.id_for_label or bound.auto_id or bound.html_name,
            "label": capfirst(str(bound.label)),
            "errors": list(bound.errors),
        }
        for bound in form
        if bound.errors and not bound.is_hidden
    ]
    hidden = [str(error) for bound in form.hidden_fields() for error in bound.errors]
    return {"problems": problems, "general": [*map(str, form.non_field_errors()), *hidden]}


# --- charts ---------------------------------------------------------------------------------------

for _name in (
    "ring",
    "timeline",
    "life_line",
    "weight_bar",
    "pool_bar",
    "columns",
    "distribution",
    "bars",
    "funnel",
    "track",
    "sparkline",
    "trajectory",
    "strip",
    "nine_box",
    "progress",
):
    register.simple_tag(getattr(charts, _name), name=_name)


# --- the page -------------------------------------------------------------------------------------


@register.simple_tag
def number_language() -> str:
    """Return the language by whose rules the reader writes numbers, for scripts."""
    return formats.number_language()


@register.filter
def typed(value: object) -> object:
    """Return a number as the reader would type it, for the value of a field; what is none as it is."""
    number = formats.to_decimal(value)
    return value if number is None else formats.typed_text(number)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return the reader's choice of light, dark or auto, from the cookie ``theme``."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if isinstance(request, HttpRequest) else ""
    return chosen if chosen in THEMES else "auto"


@register.simple_tag(takes_context=True)
def sidebar(context: Context) -> str:
    """Return ``narrow`` if the reader folded the sidebar, from the cookie ``sidebar``; else ``wide``."""
    request = context.get("request")
    narrow = isinstance(request, HttpRequest) and request.COOKIES.get("sidebar") == "narrow"
    return "narrow" if narrow else "wide"


@register.simple_tag(takes_context=True)
def htmx_headers(context: Context) -> str:
    """Return the headers that every htmx request carries, as JSON: the token against forged requests."""
    return json.dumps({"X-CSRFToken": str(context.get("csrf_token") or "")})


@register.simple_tag
def today() -> dt.date:
    """Return today's date in the active time zone."""
    return today_here()
