"""How lists of the API are filtered; named in the settings, so it may import no viewset."""

from __future__ import annotations

from django.db import models
from django_filters import NumberFilter
from django_filters.rest_framework import DjangoFilterBackend, FilterSet


class Filters(FilterSet):  # type: ignore[misc]
    """Filters by fields. Keys are numbers, not choices: a choice would tell that a hidden row exists."""

    FILTER_DEFAULTS = {
        **FilterSet.FILTER_DEFAULTS,
        models.ForeignKey: {"filter_class": NumberFilter},
        models.OneToOneField: {"filter_class": NumberFilter},
    }


class Filtering(DjangoFilterBackend):  # type: ignore[misc]
    """Makes `Filters` of the `filterset_fields` that a viewset names."""

    filterset_base = Filters
