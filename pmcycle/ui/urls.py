"""Addresses of the look: ``path("ui/", include("pmcycle.ui.urls"))``."""

from __future__ import annotations

from django.urls import path

from pmcycle.ui import views

app_name = "ui"

urlpatterns = [path("theme/", views.set_theme, name="set_theme")]
