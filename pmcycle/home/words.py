"""How what is done here reads in the trail, and what was shown to whoever looked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# What somebody had before them when they looked, where the record alone does not say it. By the page's name.
LOOKS: dict[str, Any] = {
    "home:person": _("the page with all there is about you"),
    "home:search": _("your goal, found by a search,"),
}
