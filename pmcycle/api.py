"""The API: one router that lists each app's viewsets; the same verbs as the pages, through the same actions."""

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

import appraisals.api
import feedback.api
import goals.api
import pmcycle.home.api
from pmcycle.people.throttling import PerUser

app_name = "api"

router = SimpleRouter()
for app in (pmcycle.home.api, goals.api, appraisals.api, feedback.api):
    app.register(router)

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(throttle_classes=[PerUser]), name="schema"),
    # Asked for its options, the page of the documentation has no template to answer with.
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api:schema", http_method_names=["get", "head"]
        ),
        name="docs",
    ),
    *router.urls,
]
