"""What the to-dos of accounts are called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pmcycle.activity.rules import Need

NEEDS: dict[str, Need] = {
    "people:second_role": Need(
        title=_("Give %(name)s a role, as the second person"),
        button=_("Decide about the role"),
        url_name="people:account",
        minutes=3,
    ),
    "people:second_address": Need(
        title=_("Agree to another sign-in address of %(name)s, as the second person"),
        button=_("Decide about the address"),
        url_name="people:account",
        minutes=3,
    ),
}
