"""Which life of the installation this is: a restored backup begins another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from pmcycle.people.models import User


class LifeQuerySet(models.QuerySet["Life"]):
    def visible_to(self, user: User) -> Self:
        """Whoever runs the system, and HR admins, whose mails they are."""
        standing = user.standing
        return self if standing.is_it_admin or standing.is_hr_admin else self.none()

    def editable_by(self, user: User) -> Self:
        return self.visible_to(user)

    def held(self) -> Self:
        """Lives in which no mail leaves until somebody lets them go."""
        return self.filter(let_go_at__isnull=True)


class Life(models.Model):
    """One life of the installation. The newest row is the present one.

    `code` stands in every Message-ID, so that two copies of one database never send two mails under one.
    `place` says where the life began (see `actions.lives`): a copy finds itself elsewhere, and begins anew.
    """

    code = models.CharField(max_length=12, unique=True)
    # Empty: not known yet, because it began before lives were told apart.
    place = models.CharField(max_length=400, blank=True)
    began_at = models.DateTimeField(db_default=models.functions.Now())
    let_go_at = models.DateTimeField(null=True)
    # Empty: nobody had to, or it was done on the machine itself.
    let_go_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = LifeQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "lives"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex="^[0-9a-f]{12}$"),
                name="life_has_code",
                violation_error_message=_("A life is called by twelve hexadecimal digits."),
            ),
            models.CheckConstraint(
                condition=models.Q(let_go_by__isnull=True) | models.Q(let_go_at__isnull=False),
                name="life_let_go_has_time",
                violation_error_message=_("Who let the mails go did it at some time."),
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.code
