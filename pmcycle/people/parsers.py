from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON whose every text can be written down.

    `"\\ud800"` alone is half a character: JSON allows it, while neither the database nor an answer can
    hold it. Raises ParseError (400).
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        except UnicodeEncodeError:
            raise ParseError(
                _("The text holds half of a character (\\ud800 to \\udfff) without the other.")
            ) from None
        except ValueError as error:
            # A number beyond what a float holds becomes infinity, which no column of ours takes.
            raise ParseError(_("A number is out of range.")) from error
        return data


class TemporaryUpload(TemporaryFileUploadHandler):
    """A large upload on disk, of which nothing stays where the disk has no room for the rest."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            self.upload_interrupted()
            raise
