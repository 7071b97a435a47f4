from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivityConfig(AppConfig):
    name = "pmcycle.activity"
    verbose_name = _("Activity")

    def ready(self) -> None:
        from pmcycle.activity import checks  # noqa: F401 - registers itself
