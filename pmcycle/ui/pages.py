"""The head of a page and its tables: components that are declared once and draw what follows from them.

``docs/ui.md`` shows each with an example. Built in, like ``pmcycle.ui.tags``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import template
from django.core.paginator import Page
from django.http import HttpRequest
from django.template import Context
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from pmcycle.ui import tags

register = template.Library()


# --- the head of a page ---------------------------------------------------------------------------


@dataclass
class Head:
    """What a page says of itself, gathered while its head is drawn."""

    title: str = ""
    audience: str = ""
    pretitle: str = ""
    crumbs: list[tuple[str, str]] = field(default_factory=list)


@register.simple_tag
def new_head() -> Head:
    """``{% new_head as page_head %}``: what the base of all pages fills, and the name of the window is read from."""
    return Head()


@register.simple_block_tag
def drawn(content: str) -> SafeString:
    """``{% drawn as header %}…{% enddrawn %}``: markup that is drawn here and shown further down."""
    return mark_safe(content)  # noqa: S308 - a template drew it


@register.simple_tag(takes_context=True)
def crumb(context: Context, label: object, to: str, *args: object) -> str:
    """``{% crumb _("Goals") "goals:of" part.pk %}``: one page on the way to this one, within ``{% page %}``."""
    context["page_head"].crumbs.append((str(label), tags.address(to, args)))
    return ""


@register.simple_block_tag(takes_context=True)
def audience(context: Context, content: str) -> str:
    """``{% audience %}…{% endaudience %}``: who sees this page, in words, within ``{% page %}``."""
    context["page_head"].audience = mark_safe(content.strip())  # noqa: S308 - a template drew it
    return ""


@register.simple_block_tag(takes_context=True)
def pretitle(context: Context, content: str) -> str:
    """``{% pretitle %}…{% endpretitle %}``: the quiet line above the heading, within ``{% page %}``."""
    context["page_head"].pretitle = mark_safe(content.strip())  # noqa: S308 - a template drew it
    return ""


@register.simple_block_tag(takes_context=True)
def page(
    context: Context,
    content: str,
    heading: object,
    title: object = "",
    pretitle: object = "",
    audience: object = "",
    here: object = "",
) -> SafeString:
    """``{% page _("My team") %}…{% endpage %}`` in the block ``header``: everything above a page's content.

    Within it stand ``crumb``, ``audience`` and ``pretitle``; what else is drawn there are its actions. The way
    begins at home and ends here by itself. ``title`` names the window and ``here`` the last step where they
    differ from the heading.
    """
    head: Head = context["page_head"]
    head.title = str(title or heading)
    home, request = reverse("home:index"), context.get("request")
    # Home itself is where the way begins.
    is_home = isinstance(request, HttpRequest) and request.path == home and not head.crumbs
    way = [] if is_home else [(gettext("Home"), home), *head.crumbs]
    return format_html(
        '<div class="page-head"><nav class="crumbs" aria-label="{}"><ol>{}<li><span aria-current="page">{}</span>'
        '</li></ol></nav><div class="page-title-row"><div class="page-title-words"><p class="page-pretitle">{}</p>'
        '<h1>{}</h1><p class="audience">{}<span>{}</span></p></div><div class="page-actions">{}</div></div></div>',
        gettext("Where you are"),
        format_html_join("", '<li><a href="{1}">{0}</a></li>', way),
        here or heading,
        pretitle or head.pretitle,
        heading,
        tags.icon("eye", label=gettext("Who sees this"), size="sm"),
        audience or head.audience,
        mark_safe(content.strip()),  # noqa: S308 - a template drew it
    )


# --- tables ---------------------------------------------------------------------------------------


class ColumnNode(template.Node):
    """What a column shows of each row; or several columns, whose cells are written together (`is_many`)."""

    child_nodelists = ("nodelist",)

    def __init__(
        self,
        nodelist: NodeList,
        label: FilterExpression,
        options: dict[str, FilterExpression],
        *,
        is_many: bool = False,
    ) -> None:
        self.nodelist, self.label, self.options, self.is_many = nodelist, label, options, is_many


@dataclass
class Column:
    """A column (or several, with one writer of their cells) of one drawing of a table."""

    labels: list[str]
    cells: NodeList
    sort: str = ""
    kind: str = ""
    hidden: bool = False

    @property
    def css(self) -> str:
        return mark_safe(' class="num"') if self.kind == "number" else ""

    def head(self, context: Context) -> SafeString:
        return _joined(self._head(label, context) for label in self.labels)

    def _head(self, label: str, context: Context) -> SafeString:
        words: object = tags.sort_link(context, self.sort, label) if self.sort else label
        if self.hidden:
            words = format_html('<span class="visually-hidden">{}</span>', words)
        return format_html('<th scope="col"{}>{}</th>', self.css, words)

    def cell(self, context: Context) -> SafeString:
        content = mark_safe(self.cells.render(context).strip())  # noqa: S308 - a template drew it
        if self.kind == "cells":
            return content
        if self.kind == "head":
            return format_html('<th scope="row">{}</th>', content)
        return format_html('<td data-label="{}"{}>{}</td>', self.labels[0], self.css, content)


class TableNode(template.Node):
    """A table with its columns, drawn row by row."""

    child_nodelists = ("columns",)
    NAMES = (
        "label",
        "each",
        "nothing",
        "nothing_icon",
        "nothing_note",
        "row_id",
        "css",
        "cards",
        "pager",
    )

    def __init__(
        self,
        rows: FilterExpression,
        options: dict[str, FilterExpression],
        columns: list[ColumnNode],
    ) -> None:
        self.rows, self.options, self.columns = rows, options, NodeList(columns)

    def render(self, context: Context) -> SafeString:
        rows: Any = self.rows.resolve(context)
        options = {name: value.resolve(context) for name, value in self.options.items()}
        shown = list(rows or ())
        if not shown and options.get("nothing"):
            return self._nothing(context, options)
        columns = [column for node in self.columns if (column := _column(node, context))]
        body = [self._row(columns, row, options, context) for row in shown]
        markup = format_html(
            '<table class="table{}"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
            f" {options['css']}" if options.get("css") else "",
            _joined(column.head(context) for column in columns),
            _joined(body),
        )
        wrapped = tags.tablewrap(markup, options.get("label", ""), cards=options.get("cards", True))
        if (
            not isinstance(rows, Page)
            or options.get("pager") is False
            or not rows.has_other_pages()
        ):
            return wrapped
        return format_html("{}{}", wrapped, _pager(context, rows))

    def _row(
        self, columns: list[Column], row: Any, options: dict[str, Any], context: Context
    ) -> SafeString:
        with context.push(**{str(options.get("each") or "row"): row}):
            cells = _joined(column.cell(context) for column in columns)
        own = format_html(' id="{}{}"', options["row_id"], row.pk) if options.get("row_id") else ""
        return format_html("<tr{}>{}</tr>", own, cells)

    @staticmethod
    def _nothing(context: Context, options: dict[str, Any]) -> SafeString:
        values = tags.empty(
            options.get("nothing_icon") or "list",
            options["nothing"],
            note=options.get("nothing_note") or "",
        )
        return _drawn("ui/_empty.html", values, context)


def _column(node: Any, context: Context) -> Column | None:
    """The column as this reader sees it; none if it is not shown."""
    options = {name: value.resolve(context) for name, value in node.options.items()}
    if not options.pop("shown", True):
        return None
    label = node.label.resolve(context)
    if node.is_many:
        return Column([str(each) for each in label], node.nodelist, kind="cells")
    return Column([str(label)], node.nodelist, **options)


def _joined(pieces: Iterable[SafeString]) -> SafeString:
    return mark_safe("".join(pieces))  # noqa: S308 - each is markup


def _drawn(name: str, values: dict[str, object], context: Context) -> SafeString:
    engine = context.template.engine if context.template else template.Engine.get_default()
    return engine.get_template(name).render(context.new(values))


def _pager(context: Context, rows: Page[Any]) -> SafeString:
    return _drawn("ui/_pager.html", tags.pager(context, rows), context)


@register.tag("table")
def table(parser: Parser, token: Token) -> TableNode:
    """``{% table page.people label=_("My team") each="row" nothing=_("Nobody yet.") %}…{% endtable %}``.

    Only columns stand within it: head, cells, the labels that phones show, sort links, what is said where there
    is no row, and the pager of a Django page follow from them. ``row_id="kr-"`` names each row by its key;
    ``css`` adds a class; ``cards=False`` keeps the table on a phone; ``pager=False`` leaves out the pager.
    """
    name, *bits = token.split_contents()
    if not bits:
        raise template.TemplateSyntaxError(f"{name} takes the rows that it shows")
    options = _options(name, bits[1:], parser, TableNode.NAMES)
    inside = parser.parse(("endtable",))
    parser.delete_first_token()
    columns = [node for node in inside if isinstance(node, ColumnNode)]
    others = [
        node
        for node in inside
        if not isinstance(node, ColumnNode) and str(getattr(node, "s", "x")).strip()
    ]
    if others or not columns:
        raise template.TemplateSyntaxError(
            f"Only columns stand within {name}, and at least one of them"
        )
    return TableNode(parser.compile_filter(bits[0]), options, columns)


@register.tag("column")
def column(parser: Parser, token: Token) -> ColumnNode:
    """``{% column _("Rating") kind="number" %}…{% endcolumn %}``: a column of a table, and what stands in its cells.

    ``kind``: head (names the row), number (at the right) or none. ``sort``: the key by which its head sorts.
    ``hidden``: its head is for those who hear the page. ``shown=False`` leaves it out.
    """
    name, *bits = token.split_contents()
    if not bits:
        raise template.TemplateSyntaxError(f"{name} takes what its head says")
    options = _options(name, bits[1:], parser, ("kind", "sort", "hidden", "shown"))
    inside = parser.parse(("endcolumn",))
    parser.delete_first_token()
    return ColumnNode(inside, parser.compile_filter(bits[0]), options)


@register.tag("many_columns")
def many_columns(parser: Parser, token: Token) -> ColumnNode:
    """``{% many_columns page.labels %}{% badge_cells row.cells %}{% endmany_columns %}``.

    As many columns as there are labels; what stands within it writes the ``<td>`` of all of them.
    """
    name, *bits = token.split_contents()
    if len(bits) != 1:
        raise template.TemplateSyntaxError(f"{name} takes what its heads say, and nothing else")
    inside = parser.parse(("endmany_columns",))
    parser.delete_first_token()
    return ColumnNode(inside, parser.compile_filter(bits[0]), {}, is_many=True)


def _options(
    name: str, bits: list[str], parser: Parser, known: tuple[str, ...]
) -> dict[str, FilterExpression]:
    options = token_kwargs(bits, parser)
    if bits or set(options) - set(known):
        raise template.TemplateSyntaxError(
            f"{name} does not know {bits or sorted(set(options) - set(known))}"
        )
    return options
