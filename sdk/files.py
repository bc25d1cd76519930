"""Files that are never half-written, and JSON that is never larger than it may be."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from .errors import InputError

__all__ = ["read_json", "write_beside"]


def write_beside(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it; InputError where that fails."""
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)


def read_json(path: Path, most: int, remedy: str = "") -> Any:
    """The JSON document in a file of at most `most` bytes; InputError with `remedy` where it cannot be read."""
    try:
        if path.stat().st_size > most:
            raise InputError(str(path), f"has more than {most} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"cannot be read ({error})", remedy) from error
