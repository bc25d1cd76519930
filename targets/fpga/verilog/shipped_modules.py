"""The hand-written Verilog modules that ship with edgeml."""

from __future__ import annotations

from importlib import resources

__all__ = ["library_text"]


def library_text(name: str) -> bytes:
    """A module of the RTL library that ships with edgeml."""
    return (resources.files("edgeml.firmware_stubs") / "rtl" / name).read_bytes()
