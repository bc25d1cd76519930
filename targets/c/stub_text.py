"""Text of the files in `firmware_stubs`."""

from __future__ import annotations

from functools import cache
from importlib import resources

__all__ = ["stub_text"]


@cache
def stub_text(path: str) -> str:
    """A file of `firmware_stubs`, by its path there."""
    return (resources.files("edgeml.firmware_stubs") / path).read_text(encoding="utf-8")
