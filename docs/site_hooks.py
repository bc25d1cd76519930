"""What MkDocs asks before and while it builds the site: where the package stands, and what of a fence is shown.

Named in mkdocs.yml under `hooks`.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority

__all__ = ["on_config", "on_page_markdown", "shown"]

_ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```(?=[^`\s])(.*)$", re.MULTILINE)
_package = tempfile.TemporaryDirectory(prefix="edgeml-site-")


@event_priority(100)  # before mkdocstrings, which reads its paths then
def on_config(config: Any) -> Any:
    """The folders under the names that they are installed by: mkdocstrings reads sources and does not import them."""
    package = Path(_package.name) / "edgeml"
    if not package.exists():
        package.mkdir()
        for path in (
            *(_ROOT / "sdk").iterdir(),
            *(_ROOT / name for name in ("converters", "targets", "firmware_stubs")),
        ):
            (package / path.name).symlink_to(path)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [_package.name]
    return config


def shown(info: str) -> str:
    """Of a fence's info string, its language and title.

    The rest ("slow", "whole", `exit=1`, `not-run="why"`) tells the tests how to run the block; MkDocs would take a
    fence with it for running text.
    """
    language, *words = shlex.split(info)
    titles = [word.partition("=")[2] for word in words if word.startswith("title=")]
    return " ".join([language, *(f'title="{title}"' for title in titles)])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called with the text of each page."""
    return _FENCE.sub(lambda fence: "```" + shown(fence[1]), markdown)
