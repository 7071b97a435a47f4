"""Accounts and roles for administrators; settings and tokens for everybody; the first visit for nobody else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pmcycle.access import UserRequest, get_editable, today
from pmcycle.activity.actions import hold_to
from pmcycle.days import today_here
from pmcycle.errors import Invalid, Refused
from pmcycle.people import pages
from pmcycle.people.actions import accounts as actions
from pmcycle.people.actions import addresses
from pmcycle.people.adapters import address_of
from pmcycle.people.forms import (
    AddressForm,
    FirstVisitForm,
    OthersAddressForm,
    RoleForm,
    SettingsForm,
    TokenForm,
    zone_choices,
)
from pmcycle.people.models import (
    AddressChange,
    ApiToken,
    Employee,
    Role,
    RoleGrant,
    RoleRequest,
    Unit,
    User,
    in_use,
)
from pmcycle.spelling import holding
from pmcycle.typed import done, row_number, search_words

PER_PAGE = 50


def _administrators_only(request: UserRequest) -> None:
    if not (request.user.standing.is_hr_admin or request.user.standing.is_it_admin):
        raise Http404


# --- the first visit --------------------------------------------------------------------------------


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
def first_visit(request: HttpRequest) -> HttpResponse:
    """Set an empty installation up; gone for ever once somebody can sign in."""
    if in_use():
        if request.method == "POST":
            return _set_up_already(request)
        raise Http404
    form = FirstVisitForm(request.POST or None)
    if form.is_bound:
        hold_to("setup_code_from_address", address_of(request))
    if form.is_valid():
        try:
            first, second = actions.first_visit(**form.cleaned_data)
        except Invalid as error:
            form.add_error(error.field, error.reason)
        except Refused:
            return _set_up_already(request)
        else:
            login(request, first, backend="pmcycle.people.backends.Backend")
            request.session["invited_second"] = actions.full_address(
                actions.invitation_path(second)
            )
            return redirect("people:imports")
    context = {"form": form, "zones": zone_choices(), "sample": Decimal("1234.5")}
    return render(request, "people/first_visit.html", context, status=422 if form.is_bound else 200)


def _set_up_already(request: HttpRequest) -> HttpResponse:
    """Who sent the form twice, or came second, is led on: with the password of the first time they can sign in."""
    messages.info(
        request,
        _("This installation is set up already. Sign in with the password that was chosen."),
    )
    return redirect("home:index" if request.user.is_authenticated else "account_login")


@never_cache
@require_GET
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """From the link of an invitation to the page on which a password is chosen."""
    return redirect(actions.accept_invitation(token))


# --- accounts and roles ----------------------------------------------------------------------------


@login_required
@require_GET
def accounts(request: UserRequest) -> HttpResponse:
    """Who can sign in, with which roles; and, for HR, who could be invited."""
    _administrators_only(request)
    search = search_words(request)
    show = request.GET.get("show", "")
    is_hr = request.user.standing.is_hr_admin
    is_without = show == "without" and is_hr
    context: dict[str, Any] = {"is_without": is_without, "tabs": _tabs(show, is_hr=is_hr)}
    rows: Any
    if is_without:
        rows = (
            Employee.objects.here().filter(user__isnull=True).select_related("unit").search(search)
        )
        context["can_invite"] = (
            Employee.objects.here().filter(user__isnull=True).exclude(email="").count()
        )
    else:
        rows = (
            User.objects.visible_to(request.user)
            .order_by("name", "pk")
            .prefetch_related(_current_grants())
        )
        rows = rows.filter(is_active=show != "closed").filter(holding(search, "name", "email"))
        if show == "roles":
            rows = rows.filter(pk__in=RoleGrant.objects.current().values("user"))
    page: Any = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    if not is_without:
        page.object_list = [pages.ListedAccount(user) for user in page]
    return render(request, "people/accounts.html", {**context, "page": page})


def _tabs(show: str, *, is_hr: bool) -> list[dict[str, Any]]:
    options = [("", _("Open")), ("roles", _("With a role")), ("closed", _("Closed"))]
    options += [("without", _("Without an account"))] if is_hr else []
    return [
        {"label": label, "url": f"?show={value}" if value else "?", "active": show == value}
        for value, label in options
    ]


def _current_grants() -> Prefetch[Any]:
    return Prefetch(
        "grants",
        RoleGrant.objects.current().select_related("unit").order_by("role"),
        to_attr="held",
    )


@login_required
@require_POST
def invite(request: UserRequest) -> HttpResponse:
    """Give accounts to the chosen employees, or to everybody who has an address."""
    if not request.user.standing.is_hr_admin:
        raise Http404
    chosen = [
        pk for text in request.POST.getlist("employee") if (pk := row_number(text)) is not None
    ]
    everybody = request.POST.get("who") == "all"
    if not chosen and not everybody:
        messages.warning(request, _("Nobody was chosen."))
        return redirect("/people/accounts/?show=without")
    count = actions.invite(None if everybody else chosen, by=request.user)
    said = ngettext(
        "%(n)d person is invited by e-mail.", "%(n)d people are invited by e-mail.", count
    ) % {"n": count}
    messages.success(request, said)
    return redirect("people:accounts")


@login_required
@require_GET
def account(request: UserRequest, pk: int) -> HttpResponse:
    """One account: state, roles past and present, and what an administrator can do with it."""
    _administrators_only(request)
    return _account_page(request, get_editable(User, request.user, pk=pk))


def _account_page(
    request: UserRequest,
    user: User,
    form: RoleForm | None = None,
    address_form: OthersAddressForm | None = None,
) -> HttpResponse:
    page = pages.account_page(user, request.user, today())
    shown = form or RoleForm(initial={"starts_on": today()})
    role: Any = shown.fields["role"]
    # Nothing is chosen beforehand: a role opens much, so somebody has to name it.
    role.choices = [
        ("", _("Choose a role")),
        *((r.value, r.label) for r in Role if r.value in page.may),
    ]
    context = {
        "account": user,
        "shown": page,
        "form": shown,
        "address_form": address_form or OthersAddressForm(),
        "units": Unit.objects.order_by("name")[:400],
    }
    return render(
        request, "people/account.html", context, status=422 if form or address_form else 200
    )


@login_required
@require_POST
def invite_again(request: UserRequest, pk: int) -> HttpResponse:
    """Send the invitation anew."""
    _administrators_only(request)
    actions.invite_again(get_editable(User, request.user, pk=pk), by=request.user)
    messages.success(request, _("The invitation is on its way again."))
    return redirect("people:account", pk=pk)


@login_required
@require_POST
def deactivate(request: UserRequest, pk: int) -> HttpResponse:
    """Close an account at once."""
    _administrators_only(request)
    actions.deactivate(get_editable(User, request.user, pk=pk), by=request.user)
    messages.success(request, _("The account is closed; its sessions and tokens have ended."))
    return redirect("people:account", pk=pk)


@login_required
@require_POST
def reactivate(request: UserRequest, pk: int) -> HttpResponse:
    """Open a closed account again."""
    _administrators_only(request)
    actions.reactivate(get_editable(User, request.user, pk=pk), by=request.user)
    messages.success(request, _("The account is open again."))
    return redirect("people:account", pk=pk)


@login_required
@require_POST
def request_role(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for a role for somebody else; a second person approves."""
    _administrators_only(request)
    user = get_editable(User, request.user, pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(
            form,
            lambda: actions.request_role(
                user,
                said["role"],
                said["unit"],
                said["starts_on"],
                said["ends_on"],
                by=request.user,
            ),
        ):
            messages.success(request, _("The role waits for a second person."))
            return redirect("people:account", pk=pk)
    return _account_page(request, user, form)


@login_required
@require_POST
def approve_role(request: UserRequest, pk: int) -> HttpResponse:
    """Approve a role as the second person."""
    asked = get_editable(RoleRequest, request.user, pk=pk)
    actions.approve_role(asked, by=request.user)
    messages.success(request, _("The role is granted."))
    return redirect("people:account", pk=asked.user_id)


@login_required
@require_POST
def withdraw_role(request: UserRequest, pk: int) -> HttpResponse:
    """Take the question for a role back."""
    asked = get_editable(RoleRequest, request.user, pk=pk)
    actions.withdraw_role(asked, by=request.user)
    messages.success(request, _("The question is taken back."))
    return redirect("people:account", pk=asked.user_id)


@login_required
@require_POST
def request_address(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for another sign-in address of somebody's account; a second HR admin agrees to it."""
    if not request.user.standing.is_hr_admin:
        raise Http404
    user = get_editable(User, request.user, pk=pk)
    form = OthersAddressForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        if done(
            form,
            lambda: addresses.request_address(user, said["email"], said["reason"], by=request.user),
        ):
            messages.success(request, _("The address waits for a second HR admin."))
            return redirect("people:account", pk=pk)
    return _account_page(request, user, address_form=form)


@login_required
@require_POST
def approve_address(request: UserRequest, pk: int) -> HttpResponse:
    """Agree to another sign-in address as the second person."""
    if not request.user.standing.is_hr_admin:
        raise Http404
    change = get_editable(AddressChange, request.user, pk=pk)
    addresses.approve_address(change, by=request.user)
    messages.success(request, _("The link is on its way to the new address."))
    return redirect("people:account", pk=change.user_id)


@login_required
@require_POST
def withdraw_address(request: UserRequest, pk: int) -> HttpResponse:
    """Take the question for another address back."""
    change = get_editable(AddressChange, request.user, pk=pk)
    addresses.withdraw_address(change, by=request.user)
    messages.success(request, _("The address stays as it was."))
    if change.user_id == request.user.pk:
        return redirect("people:change_address")
    return redirect("people:account", pk=change.user_id)


@login_required
@require_POST
def end_role(request: UserRequest, pk: int) -> HttpResponse:
    """Take a role back, from the next request on."""
    _administrators_only(request)
    grant = get_editable(RoleGrant, request.user, pk=pk)
    actions.end_role(grant, by=request.user)
    messages.success(request, _("The role has ended."))
    return redirect("people:account", pk=grant.user_id)


# --- one's own ------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: UserRequest) -> HttpResponse:
    """A person's own settings."""
    mine = {"zone": request.user.zone, "numbers": request.user.numbers}
    form = SettingsForm(request.POST or None, initial=mine)
    if request.method == "POST" and form.is_valid():
        actions.change_settings(
            request.user, form.cleaned_data["zone"], form.cleaned_data["numbers"]
        )
        messages.success(request, _("Saved."))
        return redirect("people:settings")
    context = {"form": form, "zones": zone_choices(), "sample": Decimal("1234.5")}
    return render(request, "people/settings.html", context, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "POST"])
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def change_address(request: UserRequest) -> HttpResponse:
    """The address one signs in with, and how it becomes another."""
    form = AddressForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            form, lambda: addresses.change_address(form.cleaned_data["email"], by=request.user)
        )
    ):
        messages.success(request, _("A link is on its way to the new address."))
        return redirect("people:change_address")
    mine = AddressChange.objects.visible_to(request.user).waiting().filter(user=request.user)
    context = {"form": form, "waiting": mine.select_related("requested_by").first()}
    return render(
        request, "people/change_address.html", context, status=422 if form.is_bound else 200
    )


@never_cache
@require_http_methods(["GET", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in the mail to the new address: a page with a button, because following a link changes nothing."""
    change = addresses.read_link(token)
    if change.is_own and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.method == "POST":
        by = request.user if isinstance(request.user, User) else None
        addresses.confirm_address(token, by=by)
    # Sent twice, or followed again: it counts, and nothing is left to be done.
    if request.method == "POST" or change.confirmed_at is not None:
        messages.success(request, _("The new address counts from now on."))
        return redirect("people:change_address" if change.is_own else "account_login")
    return render(request, "people/confirm_address.html", {"change": change})


@login_required
@require_http_methods(["GET", "POST"])
def tokens(request: UserRequest) -> HttpResponse:
    """One's own keys for the API; a new one's secret is shown in the answer and never again."""
    form = TokenForm(
        request.POST or None, initial={"expires_on": today_here() + timedelta(days=90)}
    )
    secret = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            _token, secret = actions.create_token(
                request.user, said["name"], said["scopes"], said["expires_on"]
            )
        except Invalid as error:
            form.add_error(error.field, error.reason)
        else:
            form = TokenForm(initial={"expires_on": today_here() + timedelta(days=90)})
    rows = [
        pages.ListedToken(t, today_here()) for t in ApiToken.objects.visible_to(request.user)[:50]
    ]
    context = {"form": form, "tokens": rows, "secret": secret}
    status = 422 if form.is_bound and form.errors else 201 if secret else 200
    return render(request, "people/tokens.html", context, status=status)


@login_required
@require_POST
def revoke_token(request: UserRequest, pk: int) -> HttpResponse:
    """End a key."""
    actions.revoke_token(get_editable(ApiToken, request.user, pk=pk), by=request.user)
    messages.success(request, _("The token is revoked."))
    return redirect("people:tokens")
