"""pmcycle, and the floor: a bare Django page of the same kind."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from pmcycle.people.models import Employee, Unit


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    """Session, signed-in user and base layout like every page, 25 rows, three statements of its own."""
    context = {
        "people": list(Employee.objects.order_by("pk").values("name", "job_title", "location")[:25]),
        "count": Employee.objects.count(),
        "units": list(Unit.objects.order_by("pk")[:10]),
    }
    return render(request, "floor.html", context)


urlpatterns = [path("bench/floor/", floor, name="floor"), path("", include("pmcycle.urls"))]
