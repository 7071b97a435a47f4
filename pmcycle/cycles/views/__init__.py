"""Pages of cycles; a module a subject."""

from pmcycle.cycles.views.exceptions import (
    add_person,
    extend,
    life_line,
    mark_left,
    return_person,
    transfer,
)
from pmcycle.cycles.views.listing import list_exceptions
from pmcycle.cycles.views.reading import (
    approve_reopening,
    archive,
    close,
    detail,
    list_cycles,
    request_reopening,
    withdraw_reopening,
)
from pmcycle.cycles.views.setting_up import (
    accept_warning,
    configure,
    create,
    discard,
    launch,
    preview,
)
from pmcycle.cycles.views.stages import close_stage, open_stage, postpone_stage

__all__ = [
    "accept_warning",
    "add_person",
    "approve_reopening",
    "archive",
    "close",
    "close_stage",
    "configure",
    "create",
    "detail",
    "discard",
    "extend",
    "launch",
    "life_line",
    "list_cycles",
    "list_exceptions",
    "mark_left",
    "open_stage",
    "postpone_stage",
    "preview",
    "request_reopening",
    "return_person",
    "transfer",
    "withdraw_reopening",
]
