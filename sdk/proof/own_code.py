"""A digest of the code that proves: what other code found is not taken from the cache as proved."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from ..system.cache import digest_of

__all__ = ["code_digest"]


@cache
def code_digest(*names: str) -> str:
    """A digest of the texts of modules, and of packages with all below them, by their import names."""
    parts: list[str | bytes] = []
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ValueError(f"{name} is not a module of Python text")
        own = Path(spec.origin)
        texts = sorted(own.parent.rglob("*.py")) if own.name == "__init__.py" else [own]
        for text in texts:
            parts += [name, text.relative_to(own.parent).as_posix(), text.read_bytes()]
    return digest_of(*parts)
