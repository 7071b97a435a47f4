"""Every prefix on one screen."""

from django.urls import URLPattern, URLResolver, include, path

from pmcycle.errors import not_here

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("pmcycle.home.urls")),
    # Addresses come from the company's records; a second one of one's own would part from them.
    path("account/email/", not_here),
    path("account/", include("allauth.urls")),
    path("people/", include("pmcycle.people.urls")),
    path("cycles/", include("pmcycle.cycles.urls")),
    path("activity/", include("pmcycle.activity.urls")),
    path("feedback/", include("feedback.urls")),
    path("goals/", include("goals.urls")),
    path("appraisals/", include("appraisals.urls")),
    path("incentives/", include("incentives.urls")),
    path("evaluations/", include("evaluations.urls")),
    path("ui/", include("pmcycle.ui.urls")),
    path("api/v1/", include("pmcycle.api")),
]

handler500 = "pmcycle.errors.server_error"
