"""The floor: a bare Django page, frozen, that pages are measured beside.

It must cost the same next year, whatever becomes of the product: so it has its own list of middleware, Django's
own sessions in the database and sign-in, its own template engine, and a copy of layout, tags and menu.
Nothing of it is to be changed when the product changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import Engine, RequestContext
from django.test import Client, override_settings
from django.test.client import ClientHandler
from django.urls import include, path, reverse
from django.utils.translation import gettext as _

ADDRESS = "/bench/floor/"
BACKEND = "django.contrib.auth.backends.ModelBackend"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
FROZEN = {
    "MIDDLEWARE": MIDDLEWARE,
    "SESSION_ENGINE": "django.contrib.sessions.backends.db",
    "AUTHENTICATION_BACKENDS": [BACKEND],
    "ROOT_URLCONF": __name__,
}
ENGINE = Engine(
    dirs=[str(Path(__file__).parent / "templates")],
    loaders=[
        ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"]),
    ],
    libraries={"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"},
    builtins=[*Engine.default_builtins, "tools.bench.floor_tags"],
    context_processors=[
        "django.template.context_processors.request",
        "django.template.context_processors.i18n",
        "django.template.context_processors.tz",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
        "tools.bench.floor.shell",
    ],
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """The way through the product as it was for an employee."""
    company = _("Company")
    entries = [
        (_("What needs me"), "home:index", "home", "", _("Home")),
        (_("Inbox"), "activity:inbox", "inbox", "", ""),
        (_("My goals"), "goals:list", "target", "", _("Goals")),
        (_("Check-ins"), "feedback:check_ins", "calendar-event", "", ""),
        (_("Feedback"), "feedback:list", "message", "", ""),
        (_("Appraisals"), "appraisals:list", "list-check", "", ""),
        (_("Rewards"), "incentives:mine", "award", "", ""),
        (_("Evaluations"), "evaluations:list", "file-text", "", ""),
        (_("People"), "people:org_chart", "sitemap", company, ""),
    ]
    nav = []
    for label, name, icon, section, short in entries:
        url = reverse(name, ADDRESSES)
        active = request.path == url if url == "/" else request.path.startswith(url)
        nav.append(
            {
                "label": label,
                "url": url,
                "icon": icon,
                "active": active,
                "section": section,
                "short": short,
            }
        )
    return {"nav": nav, "palette_url": reverse("home:palette", ADDRESSES)}


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    """Session, signed-in user and layout like every page, 25 rows, three statements of its own."""
    from pmcycle.people.models import Employee, Unit

    context = {
        "people": list(
            Employee.objects.order_by("pk").values("name", "job_title", "location")[:25]
        ),
        "count": Employee.objects.filter(
            pk__lte=25
        ).count(),  # the same work in a company of any size
        "units": list(Unit.objects.order_by("pk").values("pk", "name", "path")[:10]),
    }
    return HttpResponse(ENGINE.get_template("floor.html").render(RequestContext(request, context)))


# The floor alone is served; the others are there to be linked to.
LINKED = {
    "home": [("", "index"), ("find/", "palette")],
    "activity": [("activity/inbox/", "inbox"), ("activity/who-looked/", "who_looked")],
    "goals": [("goals/", "list")],
    "feedback": [("feedback/check-ins/", "check_ins"), ("feedback/", "list")],
    "appraisals": [("appraisals/", "list")],
    "incentives": [("incentives/mine/", "mine")],
    "evaluations": [("evaluations/", "list")],
    "people": [("people/", "org_chart"), ("people/<int:pk>/", "profile")],
    "ui": [("ui/theme/", "set_theme")],
}
urlpatterns = [
    path(ADDRESS[1:], floor),
    path("account/2fa/", floor, name="mfa_index"),
    path("account/sessions/", floor, name="usersessions_list"),
    path("account/password/change/", floor, name="account_change_password"),
    path("account/logout/", floor, name="account_logout"),
    *(
        path("", include(([path(route, floor, name=name) for route, name in pages], app)))
        for app, pages in LINKED.items()
    ),
]
ADDRESSES = __name__


class Handler(ClientHandler):
    """Requests as the test client sends them, through the frozen middleware to the frozen page."""

    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(**FROZEN):
            super().load_middleware(is_async)

    def get_response(self, request: Any) -> Any:
        request.urlconf = __name__
        return super().get_response(request)


def client(user: Any) -> Client:
    """A signed-in reader of the floor."""
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    reader = Client(SERVER_NAME="localhost")
    reader.handler = Handler(enforce_csrf_checks=False)
    reader.cookies["sessionid"] = str(session.session_key)
    return reader
