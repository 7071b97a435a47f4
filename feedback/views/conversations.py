"""The thread of a pair: its whole page, and saying something from any page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from feedback import actions
from feedback.forms import SayForm
from feedback.models import PAIR, Entry, as_line, thread_of
from feedback.views.going_back import back
from pmcycle.access import UserRequest, get_visible
from pmcycle.activity.actions import drop_draft
from pmcycle.cycles.models import Participation, StageKind, related
from pmcycle.errors import Invalid

ENTRIES_A_PAGE = 20


@login_required
@require_GET
def conversation(request: UserRequest, pk: int, stage: str) -> HttpResponse:
    """All that the two have said in a stage; a former manager finds their own words."""
    participation = _participation(request, pk, stage, kept_words=True)
    thread = thread_of(participation, stage, request.user)
    return _show(request, participation, stage, thread)


@login_required
@require_POST
def say(request: UserRequest, pk: int, stage: str) -> HttpResponse:
    """Add to the thread, from its own page or from the page of the stage."""
    participation = _participation(request, pk, stage)
    thread = thread_of(participation, stage, request.user)
    if thread is None:
        raise Http404
    form = SayForm(request.POST)
    if form.is_valid():
        try:
            actions.say(
                participation, stage, form.cleaned_data["body"], by=request.user, **form.about()
            )
        except Invalid as error:
            form.add_error(error.field, error.reason)
    if not form.is_valid():
        return _show(request, participation, stage, thread, form, status=422)
    drop_draft(request.user, thread["draft_key"])
    if request.htmx:
        context = {"thread": thread_of(participation, stage, request.user), "said": True}
        return render(request, "feedback/_thread.html", context)
    messages.success(request, _("Sent to %(name)s.") % {"name": thread["other"]})
    return back(request, thread["url"])


def _participation(
    request: UserRequest, pk: int, stage: str, *, kept_words: bool = False
) -> Participation:
    """The participation if the reader is of its pair, or (for reading) has once said something here."""
    if stage not in StageKind.values:
        raise Http404
    of_pair = related(request.user, *PAIR, to="")
    if kept_words and request.user.employee_id:
        own = Entry.objects.filter(
            conversation__participation=OuterRef("pk"),
            conversation__stage=stage,
            author=request.user.employee_id,
        )
        of_pair = Q(Exists(own)) | of_pair
    rows = Participation.objects.filter(of_pair).select_related("employee", "cycle")
    return get_visible(rows, request.user, pk=pk)


def _show(
    request: UserRequest,
    participation: Participation,
    stage: str,
    thread: dict[str, Any] | None,
    form: SayForm | None = None,
    status: int = 200,
) -> HttpResponse:
    if form is not None and request.htmx:
        return render(
            request, "feedback/_thread.html", {"thread": thread, "form": form}, status=status
        )
    rows = (
        Entry.objects.filter(conversation__participation=participation, conversation__stage=stage)
        .visible_to(request.user)
        .select_related("author")
        .order_by("-said_at", "-pk")
    )
    page = Paginator(rows, ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "participation": participation,
        "heading": _heading(participation, thread),
        "title": _("Conversation: %(stage)s") % {"stage": StageKind(stage).label},
        "stage": StageKind(stage),
        "thread": thread,
        "form": form,
        "page": page,
        "entries": [as_line(entry, request.user) for entry in page.object_list][::-1],
        "tabs": _tabs(participation, stage) if thread else [],
    }
    return render(request, "feedback/conversation.html", context, status=status)


def _heading(participation: Participation, thread: Mapping[str, object] | None) -> str:
    """Who talks with whom; a former manager finds their own words under the name of the person."""
    if thread and thread["other"]:
        return _("You and %(name)s") % {"name": thread["other"]}
    return _("Conversation with %(name)s") % {"name": participation.employee.name}


def _tabs(participation: Participation, stage: str) -> list[dict[str, object]]:
    """The conversations of the stages."""
    return [
        {
            "label": kind.label,
            "url": reverse("feedback:conversation", kwargs={"pk": participation.pk, "stage": kind}),
            "active": kind == stage,
        }
        for kind in StageKind
    ]
