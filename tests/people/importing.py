"""The import as a person walks it, page by page, for the tests of its verbs."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from pmcycle.people import tasks
from pmcycle.people.models import Import, ImportLine


class Walk:
    """One file on its way, in the browser of one HR admin."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.run = Import()

    def url(self, name: str) -> str:
        return reverse(f"people:{name}", kwargs={"pk": self.run.pk})

    def post(self, name: str, **data: Any) -> HttpResponse:
        return self.client.post(self.url(name), data)  # type: ignore[return-value]

    def upload(
        self, content: bytes, name: str = "people.csv", kind: str = "people"
    ) -> HttpResponse:
        file = SimpleUploadedFile(name, content)
        response = self.client.post(reverse("people:upload_import"), {"kind": kind, "file": file})
        if response.status_code == 302:
            self.run = Import.objects.latest("pk")
        return response  # type: ignore[return-value]

    def shown(self, **changed: Any) -> dict[str, Any]:
        """What the page of columns shows, as the browser would send it back, with some answers changed."""
        form = self.client.get(self.url("map_columns")).context["form"]
        values = {name: form[name].value() for name in form.fields}
        return {name: "" if value is None else value for name, value in values.items()} | changed

    def in_order(self) -> dict[str, str]:
        """The answer to which name stands first, where it is asked: our files write "Ann Ash"."""
        form = self.client.get(self.url("map_columns")).context["form"]
        is_asked = "name_order" in form.fields and not form["name_order"].value()
        return {"name_order": "given"} if is_asked else {}

    def rehearse(self, **changed: Any) -> dict[str, int]:
        """Answer what is asked and go on; columns chosen anew are shown once more before that."""
        changed = self.in_order() | changed
        response = self.post("map_columns", **self.shown(**changed))
        if response.headers.get("Location") == self.url("map_columns"):
            response = self.post("map_columns", **self.shown(**changed))
        assert response.status_code == 302, response.context["form"].errors  # type: ignore[attr-defined]
        self.run.refresh_from_db()
        return dict(self.run.counts)

    def reread(self, **chosen: Any) -> HttpResponse:
        """Open the file otherwise, from the form of the page of columns."""
        form = self.client.get(self.url("map_columns")).context["reading"]
        shown = {name: form[name].value() for name in form.fields} | chosen
        response = self.post("reread", **shown)
        self.run.refresh_from_db()
        return response

    def in_doubt(self) -> list[str]:
        """The encodings between which a person has to choose."""
        self.run.refresh_from_db()
        return list(self.run.options["reading"]["in_doubt"])

    def bring(self, content: bytes, kind: str = "people", **changed: Any) -> dict[str, int]:
        """Upload and rehearse, with the answers that the pages propose."""
        response = self.upload(content, kind=kind)
        assert response.status_code == 302, response.context["form"].errors  # type: ignore[attr-defined]
        return self.rehearse(**changed)

    def settle(self, **decision: Any) -> HttpResponse:
        self.run.refresh_from_db()
        response = self.post("settle", version=self.run.version, **decision)
        self.run.refresh_from_db()
        return response

    def apply(self) -> HttpResponse:
        """Press the button, and let the worker work."""
        self.run.refresh_from_db()
        response = self.post("apply_import", version=self.run.version)
        tasks.apply_imports()
        self.run.refresh_from_db()
        return response

    def line(self, number: int) -> ImportLine:
        return ImportLine.objects.get(run=self.run, number=number)

    def fates(self) -> dict[int, str]:
        return dict(ImportLine.objects.filter(run=self.run).values_list("number", "fate"))
