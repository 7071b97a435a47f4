"""Who may give which role to whom."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

HR_ROLES = frozenset({"hr_admin", "hr_partner", "auditor", "unit_head"})
SCOPED = frozenset({"hr_partner", "unit_head"})


def why_not_grant(
    role: str, *, own: Collection[str], held: Collection[str], to_oneself: bool, names_unit: bool
) -> str:
    """The sentence that refuses a grant to somebody who holds `held`, or "" if it is allowed.

    HR admins grant every role; IT admins only IT's own, because an HR role opens personnel files
    (4-access, rule 6). The IT role takes those away: nobody holds both, else IT could disarm HR with a
    grant. Nobody grants to themselves, and partners and heads are named for a unit.
    """
    if to_oneself:
        return _("Nobody grants a role to themselves. Ask another HR admin.")
    if role in HR_ROLES and "hr_admin" not in own:
        return _("A role that opens personnel files is granted by an HR admin, not by IT.")
    if not {"hr_admin", "it_admin"} & set(own):
        return _("Only HR and IT admins grant roles.")
    if {role, *held} & HR_ROLES and "it_admin" in {role, *held}:
        return _("Who runs the system opens no personnel files. End the other role first.")
    if role in SCOPED and not names_unit:
        return _("HR partners and unit heads are named for a unit.")
    return ""


def why_not_second(*, asked: bool, gets: bool, made: bool) -> str:
    """The sentence that refuses somebody as the second person of a grant, or "" if they are one.

    Who makes an account and says which roles it holds is both of the two; so is who gets the role.
    """
    if asked:
        return _("You asked for it; a second person approves.")
    if gets:
        return _("Nobody grants a role to themselves. Ask another HR admin.")
    if made:
        return _("You made this account. Another HR admin approves.")
    return ""
