from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import filesystem

INDENT = re.compile(r"\n[ \t]+")


class Loader(filesystem.Loader):
    """Our templates without their indentation, which is for those who read them and half of a table's weight.

    Lines stay, so that an error names the line of the file. Nothing between `<pre>` or `<textarea>` is
    written over several lines in a template, which a test holds.
    """

    def get_contents(self, origin: Origin) -> str:
        text: str = super().get_contents(origin)
        return INDENT.sub("\n", text) if origin.name.endswith(".html") else text
