"""What leaves edgeml says under which licence: one line in every file that has comments, and the licence beside them.

The licence is that of edgeml's code. Numbers in generated files (weights, thresholds, tables, vectors) come from the
user's model and data, and nobody's licence but the user's is on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

__all__ = ["LICENSE_FILE", "SPDX", "license_text", "licensed", "with_license"]

SPDX = "SPDX-License-Identifier: Apache-2.0"
"""The line of https://spdx.dev/learn/handling-license-info/, without comment marks."""
LICENSE_FILE = "LICENSE"
_MARKS = {**dict.fromkeys((".c", ".h"), "/* {} */"), **dict.fromkeys((".v", ".cpp"), "// {}")}
_MARKS |= dict.fromkeys((".tcl", ".lpf", ".pcf", ".xdc", ".py"), "# {}")


def with_license(name: str, text: str) -> str:
    """`text` of the file `name` with the line at its top, if it is of a kind that has comments and lacks the line."""
    mark = _MARKS.get(PurePosixPath(name).suffix)
    return text if mark is None or SPDX in text[:300] else f"{mark.format(SPDX)}\n{text}"


def licensed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """`with_license` for files by name."""
    return {
        name: with_license(name, content.decode()).encode() if PurePosixPath(name).suffix in _MARKS else content
        for name, content in files.items()
    }


def license_text() -> str:
    """The text of the licence."""
    return (resources.files("edgeml.firmware_stubs") / LICENSE_FILE).read_text(encoding="utf-8")
