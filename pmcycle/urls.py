"""Every prefix on one screen."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from pmcycle.errors import not_here
from pmcycle.people.views.signing_in import ask_for_password, choose_password, second_factor

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("pmcycle.home.urls")),
    # Addresses come from the company's records; a second one of one's own would part from them.
    path("account/email/", not_here),
    path("account/password/reset/", ask_for_password, name="account_reset_password"),
    re_path(
        r"^account/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        choose_password,
        name="account_reset_password_from_key",
    ),
    path("account/2fa/authenticate/", second_factor, name="mfa_authenticate"),
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

handler400 = "pmcycle.errors.bad_request"
handler403 = "pmcycle.errors.forbidden"
handler404 = "pmcycle.errors.not_found"
handler429 = "pmcycle.errors.too_many"
handler500 = "pmcycle.errors.server_error"
