"""What of a record decides how much somebody is paid."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# Pay itself, the share of full time it is given for, and what finds its range. Who leads somebody is among
# it because handing them over for a day would open the rest.
PAY = frozenset({"annual", "fte", "grade", "job_title", "manager_number"})


def touches_pay(changed: Collection[str], values: Mapping[str, str], *, is_new: bool) -> bool:
    """Whether a line of a file decides what somebody is paid; of somebody new, whether it says any pay."""
    return bool(values.get("annual")) if is_new else bool(PAY & set(changed))
