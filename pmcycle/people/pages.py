"""What the pages of people and accounts show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from pmcycle.people.models import (
    Absence,
    AddressChange,
    ApiToken,
    Employee,
    Import,
    PrivateProfile,
    ReportingLine,
    Role,
    RoleGrant,
    RoleRequest,
    User,
)
from pmcycle.people.rules import roles
from pmcycle.ui.formats import when_text

# --- Accounts ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountState:
    """Whether somebody can sign in, as a badge."""

    tone: str
    word: str
    icon: str = ""


def state_of(user: User) -> AccountState:
    """Closed, open, or invited and not answered yet."""
    if not user.is_active:
        return AccountState("mute", _("closed"), "lock")
    if user.has_password:
        return AccountState("ok", _("open"))
    return AccountState("info", _("invited"), "mail")


@dataclass(frozen=True)
class ListedAccount:
    """One account of the list, with the roles it holds today (`held`)."""

    user: User

    @property
    def state(self) -> AccountState:
        return state_of(self.user)


@dataclass(frozen=True)
class GrantRow:
    """A role of an account, past, present or to come."""

    grant: RoleGrant
    may_end: bool

    @property
    def by(self) -> str:
        """Who granted it, and who approved."""
        first = str(self.grant.granted_by or _("set-up"))
        return f"{first}, {self.grant.approved_by}" if self.grant.approved_by else first


@dataclass(frozen=True)
class AskedRole:
    """A role that waits for a second person."""

    asked: RoleRequest
    may_withdraw: bool
    may_approve: bool


@dataclass(frozen=True)
class AccountPage:
    """One account and what `reader` can do with it; `may` are the roles that they give and take."""

    account: User
    reader: User
    may: list[str]
    grants: list[GrantRow]
    asked: list[AskedRole]
    address: AddressChange | None

    @property
    def state(self) -> AccountState:
        return state_of(self.account)

    @property
    def is_own(self) -> bool:
        return self.account.pk == self.reader.pk

    @property
    def leads_to_profile(self) -> bool:
        return self.reader.standing.is_hr_admin and self.account.employee_id is not None

    @property
    def may_invite_again(self) -> bool:
        return self.account.is_active and not self.account.has_password

    @property
    def may_close(self) -> bool:
        return self.account.is_active and not self.is_own

    @property
    def may_change_address(self) -> bool:
        return self.reader.standing.is_hr_admin and self.may_close

    @property
    def may_agree(self) -> bool:
        """Whether the reader is the second person for the address that waits."""
        waiting = self.address
        if waiting is None or waiting.is_own or waiting.approved_by:
            return False
        return waiting.requested_by_id != self.reader.pk

    @property
    def address_words(self) -> str:
        """How far the address that waits has come."""
        waiting = self.address
        if waiting is None:
            return ""
        if waiting.is_own:
            return _("Its owner asked for it and has not followed the link yet.")
        words = {
            "name": waiting.requested_by,
            "second": waiting.approved_by,
            "reason": waiting.reason,
        }
        if waiting.approved_by:
            return (
                _("%(name)s asked, %(second)s agreed. The link has not been followed yet.") % words
            )
        return _("%(name)s asks for it: “%(reason)s”") % words


def account_page(account: User, reader: User, day: date) -> AccountPage:
    """What an administrator sees of one account."""
    is_hr = reader.standing.is_hr_admin
    may = [role for role in Role.values if role not in roles.HR_ROLES or is_hr]
    granted = account.grants.select_related("unit", "granted_by", "approved_by")
    waiting = (
        RoleRequest.objects.waiting().filter(user=account).select_related("unit", "requested_by")
    )
    address = AddressChange.objects.waiting().visible_to(reader).filter(user=account)
    # The second person is somebody else than who asks, and than whom the role or the account is of.
    is_second = account.pk != reader.pk and account.made_by_id != reader.pk
    return AccountPage(
        account=account,
        reader=reader,
        may=may,
        grants=[
            GrantRow(g, may_end=g.role in may and (g.ends_on is None or g.ends_on >= day))
            for g in granted.order_by("-starts_on", "-pk")
        ],
        asked=[
            AskedRole(
                a, a.role in may, a.role in may and is_second and a.requested_by_id != reader.pk
            )
            for a in waiting
        ],
        address=address.select_related("requested_by", "approved_by").first(),
    )


@dataclass(frozen=True)
class ListedToken:
    """A key for the API, on one of its owner's days."""

    token: ApiToken
    day: date

    @property
    def has_run_out(self) -> bool:
        return self.token.expires_on < self.day


# --- One person --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrivateRecord:
    """What only a person and HR see of their record; `former` are earlier periods as (hired, left)."""

    profile: PrivateProfile | None
    salaries: list[Any]
    pay: Any
    former: list[tuple[date, date]]
    absences: list[Absence]
    lines: list[ReportingLine]


def private_record(person: Employee, day: date) -> PrivateRecord:
    """The private side of a record; the person comes `for_profile`."""
    salaries = list(person.salaries.with_range().order_by("-effective_from")[:10])
    periods: Any = person
    return PrivateRecord(
        profile=getattr(person, "private", None),
        salaries=salaries,
        pay=next((s for s in salaries if s.effective_from <= max(day, person.hired_on)), None),
        former=list(zip(periods.former_hires, periods.former_ends, strict=True)),
        absences=list(person.absences.order_by("-starts_on")[:10]),
        lines=list(person.reporting_lines.select_related("manager").order_by("-starts_on")[:10]),
    )


@dataclass(frozen=True)
class Profile:
    """One person: managers above them, the nearest first, who reports to them, and their private record if shown."""

    person: Employee
    day: date
    is_own: bool
    may_edit: bool
    above: list[Employee]
    reports: list[Employee]
    private: PrivateRecord | None

    @property
    def manager(self) -> Employee | None:
        return self.above[0] if self.above else None

    @property
    def line_above(self) -> list[Employee]:
        """The whole line, where it is more than the manager."""
        return self.above if len(self.above) > 1 else []

    @property
    def audience(self) -> str:
        if self.private is None:
            return _("Everybody who works here sees this.")
        if self.is_own:
            return _("Colleagues see the first card; the rest only you and HR.")
        return _(
            "Colleagues see the first card; the rest only this person and HR. That you opened it is noted, and they "
            "can see it."
        )

    @property
    def remark(self) -> str:
        """That somebody has left or has not started yet, or ""."""
        if self.person.left_on is not None and self.person.left_on < self.day:
            if self.private is None:
                return _("This person has left the company.")
            return _("Left on %(day)s.") % {"day": when_text(self.person.left_on, full=True)}
        return _("Has not started yet.") if self.person.hired_on > self.day else ""


# --- Imports -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedImport:
    """A file that came in, with the page on which it goes on."""

    run: Import

    @property
    def url(self) -> str:
        name = "map_columns" if self.run.state == Import.State.UPLOADED else "rehearsal"
        return reverse(f"people:{name}", kwargs={"pk": self.run.pk})

    @property
    def tone(self) -> str:
        return {"applied": "ok", "checked": "info"}.get(self.run.state, "mute")
