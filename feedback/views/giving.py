"""Feedback: the list, giving it, asking for it, answering."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback import actions
from feedback.forms import (
    AnswerForm,
    ChooseForm,
    FilterForm,
    RequestForm,
    UsefulForm,
    Versioned,
    WordsForm,
)
from feedback.models import AgendaPoint, Feedback, FeedbackRequest, reports_of
from feedback.pages import Asked, Piece, audience_of, nothing_of
from feedback.views.going_back import back
from pmcycle.access import UserRequest, get_editable, get_visible
from pmcycle.activity.actions import drop_draft
from pmcycle.days import today_here
from pmcycle.errors import Invalid
from pmcycle.people.models import Employee, ReportingLine
from pmcycle.spelling import holding
from pmcycle.typed import row_number

A_PAGE = 20
# Under which name the question that somebody is writing is kept.
QUESTION = "feedback-question"


@login_required
@require_GET
def list_feedback(request: UserRequest) -> HttpResponse:
    """What the reader got and gave, and what everybody may read."""
    form = FilterForm(request.GET)
    form.is_valid()
    wanted = form.cleaned_data
    show = wanted.get("show") or "received"
    rows = Feedback.objects.visible_to(request.user).filter(_shown(request, show))
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    if wanted.get("q"):
        rows = rows.filter(holding(wanted["q"], "body", "giver__name", "recipient__name"))
    me, works_here = request.user.employee_id, request.user.employee_id is not None
    page: Any = Paginator(_listed(rows), A_PAGE).get_page(request.GET.get("page"))
    page.object_list = [Piece(row, me) for row in page.object_list]
    asked = FeedbackRequest.objects.visible_to(request.user).filter(
        state=FeedbackRequest.State.OPEN
    )
    requests = list(
        asked.select_related("requester", "reviewer", "about").order_by("due_on", "pk")[:40]
    )
    context = {
        "page": page,
        "audience": audience_of(show),
        "nothing": nothing_of(
            show, is_filtered=bool(wanted.get("q") or wanted.get("kind")), works_here=works_here
        ),
        "tabs": _tabs(request, show),
        "filters": [{"name": "kind", "label": _("Kind"), "options": Feedback.Kind.choices}],
        "to_answer": [Asked(r) for r in requests if r.reviewer_id == me],
        "asked": [r for r in requests if r.requester_id == me],
        "works_here": works_here,
    }
    return render(request, "feedback/list.html", context)


def _tabs(request: UserRequest, show: str) -> list[dict[str, object]]:
    """The views of feedback that the reader has."""
    names = [("received", _("For me")), ("given", _("From me")), ("praise", _("Praise for all"))]
    if request.user.standing.leads_people:
        names.append(("team", _("My team")))
    return [
        {"label": label, "url": f"?show={name}", "active": name == show} for name, label in names
    ]


def _shown(request: UserRequest, show: str) -> Q:
    """Which part of what the reader may see a tab holds."""
    me = request.user.employee_id
    if show == "given":
        return Q(giver=me)
    if show == "praise":
        return Q(visibility=Feedback.Visibility.PUBLIC, hidden_at__isnull=True)
    if show == "team":
        shown = [Feedback.Visibility.MANAGER, Feedback.Visibility.PUBLIC]
        return Q(recipient__in=reports_of(me), visibility__in=shown)
    return Q(recipient=me)


def _listed(rows: QuerySet[Feedback]) -> QuerySet[Feedback]:
    return rows.select_related("giver", "recipient", "request").order_by("-given_at", "-pk")


@login_required
@require_http_methods(["GET", "POST"])
def give(request: UserRequest) -> HttpResponse:
    """First for whom and who will read it; then, with that fixed, the words."""
    if request.user.employee_id is None:
        raise Http404
    begun = request.method == "POST" or "visibility" in request.GET
    sent = request.POST if request.method == "POST" else request.GET
    choice = ChooseForm(sent if begun else None, initial=_chosen_before(request), user=request.user)
    if not begun or not choice.is_valid():
        status = 422 if choice.errors else 200
        return render(request, "feedback/give.html", {"choice": choice}, status=status)
    chosen = choice.cleaned_data
    key = f"give-{chosen['to'].pk}"
    words = WordsForm(
        request.POST if request.method == "POST" else None, initial={"body": _quoted(request)}
    )
    if request.method == "POST" and words.is_valid():
        try:
            actions.give(
                chosen["to"],
                kind=chosen["kind"],
                visibility=chosen["visibility"],
                body=words.cleaned_data["body"],
                by=request.user,
            )
            drop_draft(request.user, key)
            messages.success(request, _("Sent to %(name)s.") % {"name": chosen["to"].name})
            return redirect(f"{reverse('feedback:list')}?show=given")
        except Invalid as error:
            if error.field in words.fields:
                words.add_error(error.field, error.reason)
            else:
                choice.add_error(error.field, error.reason)
                return render(request, "feedback/give.html", {"choice": choice}, status=422)
    context = {
        "choice": choice,
        "words": words,
        "person": chosen["to"],
        "title": _("Feedback for %(name)s") % {"name": chosen["to"].name},
        "again": f"{reverse('feedback:give')}?to={chosen['to'].pk}",
        "readers": readers(chosen["to"], chosen["visibility"]),
        "kind": Feedback.Kind(chosen["kind"]),
        "fixed": {
            "to": chosen["to"].pick_text,
            "kind": chosen["kind"],
            "visibility": chosen["visibility"],
        },
        "draft_key": key,
    }
    return render(request, "feedback/give_words.html", context, status=422 if words.errors else 200)


def _chosen_before(request: UserRequest) -> dict[str, str]:
    """The person that a link named, ready in the field."""
    to = row_number(request.GET.get("to"))
    person = Employee.objects.here().filter(pk=to).first() if to else None
    return {"to": person.pick_text} if person else {}


def _quoted(request: UserRequest) -> str:
    """A point of an agenda that the reader turns into feedback."""
    point = request.GET.get("point", "")
    if not point.isdecimal():
        return ""
    return f"> {get_visible(AgendaPoint, request.user, pk=point).text}\n\n"


def readers(person: Employee, visibility: str) -> str:
    """Exactly who will read it, in a sentence."""
    names = {"name": person.name}
    if visibility == Feedback.Visibility.PERSON:
        return _("Only %(name)s reads this: not their manager, not HR.") % names
    if visibility == Feedback.Visibility.PUBLIC:
        return _("Everybody who works here reads this, until %(name)s hides it.") % names
    line = ReportingLine.objects.current().filter(employee=person, kind=ReportingLine.Kind.LINE)
    found = line.select_related("manager").first()
    if found is None:
        return _("%(name)s reads this, and whoever becomes their manager.") % names
    return _("%(name)s and their manager, today %(manager)s, read this.") % {
        **names,
        "manager": found.manager.name,
    }


@login_required
@require_http_methods(["GET", "POST"])
def request_feedback(request: UserRequest) -> HttpResponse:
    """Ask a colleague a question."""
    if request.user.employee_id is None:
        raise Http404
    initial: dict[str, Any] = {
        "about": request.user.employee_id,
        "due_on": today_here() + timedelta(days=14),
    }
    form = RequestForm(request.POST or None, initial=initial, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.request_feedback(
                data["reviewer"],
                data["about"],
                question=data["question"],
                due_on=data["due_on"],
                by=request.user,
            )
            drop_draft(request.user, QUESTION)
            messages.success(request, _("%(name)s is asked.") % {"name": data["reviewer"].name})
            return redirect("feedback:list")
        except Invalid as error:
            form.add_error(error.field, error.reason)
    context = {"form": form, "draft_key": QUESTION}
    return render(
        request, "feedback/request_feedback.html", context, status=422 if form.errors else 200
    )


@login_required
@require_http_methods(["GET", "POST"])
def answer(request: UserRequest, pk: int) -> HttpResponse:
    """Answer what one was asked; who reads the answer stands above the field."""
    rows = FeedbackRequest.objects.select_related("requester", "about", "reviewer", "answer")
    row = get_editable(rows, request.user, pk=pk)
    for_manager = row.requester_id != row.about_id
    chosen = Feedback.Visibility.MANAGER if for_manager else request.GET.get("visibility", "person")
    initial = {"version": row.version, "visibility": "manager" if chosen == "manager" else "person"}
    form = AnswerForm(request.POST or None, initial={**initial, "kind": Feedback.Kind.SUGGESTION})
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer(row, **form.cleaned_data, by=request.user)
            drop_draft(request.user, f"answer-{pk}")
            messages.success(request, _("Sent. Thank you."))
            return redirect("feedback:list")
        except Invalid as error:
            form.add_error(error.field, error.reason)
    visibility = str(form["visibility"].value() or "person")
    context = {
        "asked": row,
        "title": _("Feedback about %(name)s") % {"name": row.about.name},
        "draft_key": f"answer-{pk}",
        "form": form,
        "for_manager": for_manager,
        "visibility": visibility,
        "readers": readers(row.about, visibility),
        "is_open": row.state == FeedbackRequest.State.OPEN,
    }
    return render(request, "feedback/answer.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def decline(request: UserRequest, pk: int) -> HttpResponse:
    """Not this time."""
    row = get_editable(FeedbackRequest, request.user, pk=pk)
    actions.decline(row, version=_version(request), by=request.user)
    messages.success(request, _("Declined. %(name)s is told.") % {"name": row.requester.name})
    return redirect("feedback:list")


@login_required
@require_POST
def say_useful(request: UserRequest, pk: int) -> HttpResponse:
    """Tell the giver whether it helped."""
    row = get_editable(Feedback, request.user, pk=pk)
    form = UsefulForm(request.POST)
    if form.is_valid():
        actions.say_useful(row, **form.cleaned_data, by=request.user)
        messages.success(request, _("%(name)s is told.") % {"name": row.giver.name})
    else:
        messages.error(request, _("Open the list again, then say whether it helped."))
    return back(request, reverse("feedback:list"))


@login_required
@require_POST
def hide(request: UserRequest, pk: int) -> HttpResponse:
    """Take praise off the wall."""
    actions.hide(
        get_editable(Feedback, request.user, pk=pk), version=_version(request), by=request.user
    )
    messages.success(request, _("Hidden. You and the giver keep it."))
    return back(request, reverse("feedback:list"))


@login_required
@require_POST
def show_again(request: UserRequest, pk: int) -> HttpResponse:
    """Put praise back on the wall."""
    actions.show_again(
        get_editable(Feedback, request.user, pk=pk), version=_version(request), by=request.user
    )
    messages.success(request, _("Everybody can read it again."))
    return back(request, reverse("feedback:list"))


def _version(request: UserRequest) -> int:
    """The version that the page sent; none counts as stale."""
    form = Versioned(request.POST)
    return int(form.cleaned_data["version"]) if form.is_valid() else -1
