"""From a point of a search's front to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..bundle import Bundle
from ..errors import InputError
from ..network import network_file
from ..pipeline import convert
from .front import read_front
from .results import point_named

__all__ = ["convert_point"]


def convert_point(folder: Path, number: int, output: Path | None = None, **arguments: Any) -> Bundle:
    """Convert a point of a finished search into a bundle, as it stands; returns the `Bundle`."""
    document = read_front(folder)
    point = point_named(document, number)
    candidate = point.get("candidate")
    model, data = point.get("model"), document.get("data", {}).get("path")
    options = candidate.get("options") if isinstance(candidate, dict) else None
    if (
        not isinstance(candidate, dict)
        or not isinstance(options, dict)
        or not isinstance(model, str)
        or not isinstance(data, str)
    ):
        raise InputError(f"{folder}, point {number}", "is not sound: it lacks its candidate, model or data")
    path = (folder / model).resolve()
    if not path.is_relative_to(folder.resolve()) or path.suffix not in (".edgeml", ".tflite"):
        raise InputError(f"{folder}, point {number}", f"names a model outside of its folder: {model!r:.80}")
    if path.suffix == ".edgeml":
        network_file.read(path)
    return convert(
        path,
        to=str(candidate.get("form")),
        target=str(candidate.get("target")),
        data=data if Path(data).exists() else None,
        output=output or folder / "bundles" / str(number),
        options=options,
        **arguments,
    )
