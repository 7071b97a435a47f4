"""Pages of appraisals; a module a subject."""

from appraisals.views.writing import (
    autosave,
    cite,
    index,
    preview,
    read,
    reopen,
    return_for_rework,
    submit,
    write,
)

__all__ = [
    "autosave", "cite", "index", "preview", "read", "reopen", "return_for_rework", "submit", "write",
]
