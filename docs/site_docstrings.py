"""What mkdocstrings shows of a docstring's sections: a name, its type by annotation, and the sentence behind the colon.

Docstrings here say `name : what it is`; griffe's reader of numpy docstrings takes what stands there for a type. Named
in mkdocs.yml under `extensions`.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

__all__ = ["ReadableSections", "readable"]

_SECTION = re.compile(r"^(Parameters|Raises|Attributes)\n-{3,}\n((?:.+\n?|\n(?=[ \t]))*)", re.MULTILINE)
_TITLES = {"Parameters": "Args", "Raises": "Raises", "Attributes": "Attributes"}


def readable(docstring: str) -> str:
    """Sections of names as griffe's reader of Google docstrings takes them; names that share a sentence each get it."""
    return _SECTION.sub(lambda section: f"{_TITLES[section[1]]}:\n{_entries(section[2])}", docstring)


def _entries(body: str) -> str:
    entries: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        names, colon, text = line.partition(" : ")
        if colon and not line.startswith((" ", "\t")):
            entries.append((names, [text]))
        elif entries:
            entries[-1][1].append(line.strip())
    return "".join(
        f"    {name.strip()}: {' '.join(text).strip()}\n" for names, text in entries for name in names.split(",")
    )


class ReadableSections(Extension):
    """Rewrites each docstring before it is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called by griffe with each function, class and module that it finds."""
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
