"""Who works here, where, for whom, for how much — and who may see it.

Dated rows (`starts_on`, `ends_on`) are inclusive on both ends; an open end is NULL. The exclusion
constraints of this app cannot be added to data that already breaks them, which is why they are
here from the first migration.
"""

from pmcycle.people.models.accounts import (
    SCOPES,
    AddressChange,
    ApiToken,
    Delegation,
    PasswordWish,
    Role,
    RoleGrant,
    RoleRequest,
    SetupCode,
    Standing,
    User,
    hr_admins,
    in_use,
    it_admins,
)
from pmcycle.people.models.company import (
    WORKS_ON,
    Holiday,
    Organisation,
    Unit,
    calendar,
    monday_to_friday,
)
from pmcycle.people.models.imports import (
    ColumnMapping,
    Import,
    ImportLine,
    Settlement,
    waiting_for_manager,
)
from pmcycle.people.models.open import SEATS, items, matters, put_to_each
from pmcycle.people.models.records import (
    Absence,
    Employee,
    FormerPeriod,
    PayRange,
    PrivateProfile,
    ReportingLine,
    Salary,
    named_here,
)
from pmcycle.people.models.scopes import (
    DatedQuerySet,
    date_span,
    hr_scope,
)

__all__ = [
    "SCOPES",
    "SEATS",
    "WORKS_ON",
    "Absence",
    "AddressChange",
    "ApiToken",
    "ColumnMapping",
    "DatedQuerySet",
    "Delegation",
    "Employee",
    "FormerPeriod",
    "Holiday",
    "Import",
    "ImportLine",
    "Organisation",
    "PasswordWish",
    "PayRange",
    "PrivateProfile",
    "ReportingLine",
    "Role",
    "RoleGrant",
    "RoleRequest",
    "Salary",
    "Settlement",
    "SetupCode",
    "Standing",
    "Unit",
    "User",
    "calendar",
    "date_span",
    "hr_admins",
    "hr_scope",
    "in_use",
    "it_admins",
    "items",
    "matters",
    "monday_to_friday",
    "named_here",
    "put_to_each",
    "waiting_for_manager",
]
