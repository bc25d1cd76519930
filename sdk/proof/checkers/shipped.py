"""Whether a module of the RTL library is the one that ships: what is proved of it is the prover's word."""

from __future__ import annotations

import re
from importlib import resources

from .statements import need

__all__ = ["need_shipped"]


def need_shipped(path: str, content: bytes) -> None:
    """CheckFailed where a file is named as a module of the library and is another text than that of this version."""
    name = path.rpartition("/")[2]
    if not re.fullmatch(r"edgeml_\w+\.v", name):
        return
    file = resources.files("edgeml.firmware_stubs") / "rtl" / name
    need(file.is_file() and file.read_bytes() == content, path, "is not the module that ships with this version")
