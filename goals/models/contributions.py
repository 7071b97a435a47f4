"""What people gave beyond their goals."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmcycle.cycles.models import Participation, Relation, from_outside, related
from pmcycle.people.models import Employee, User


class ContributionQuerySet(models.QuerySet["Contribution"]):
    about = "participation__employee"

    def outside(self, user: User) -> Q:
        return from_outside(user, "author", "beneficiary")

    def visible_to(self, user: User) -> Self:
        me = user.employee_id
        own = Q(author=me) | Q(beneficiary=me) if me else Q(pk__in=[])
        return self.filter(
            own | related(user, Relation.MANAGER, Relation.SKIP_LEVEL, Relation.HR_PARTNER)
        )

    def editable_by(self, user: User) -> Self:
        """The beneficiary answers."""
        return self.filter(beneficiary=user.employee_id) if user.employee_id else self.none()


class Contribution(models.Model):
    """Something valuable outside the goals; the one who had the benefit confirms it."""

    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, related_name="contributions"
    )
    author = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    beneficiary = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    happened_on = models.DateField()
    confirmed_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(author=F("beneficiary")),
                name="contribution_benefits_another",
                violation_error_message=_("Somebody else confirms a contribution."),
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(declined_at__isnull=True),
                name="contribution_one_answer",
                violation_error_message=_("A contribution is confirmed or declined, not both."),
            ),
        ]

    def __str__(self) -> str:
        return f"contribution {self.pk}"
