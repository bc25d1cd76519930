"""What edgeml writes into the metadata of its .tflite files: JSON that other readers pass over."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from edgeml.errors import InputError
from edgeml.network.task import TASKS

__all__ = ["METADATA_NAME", "labels", "metadata_entry", "own_metadata", "refuse_stated_normalisation", "task"]

METADATA_NAME = "edgeml"
"""Name of our entry in the file's metadata: JSON with the rounding rule, model hash, guard bits, labels and task."""


def metadata_entry(values: dict[str, Any]) -> dict[str, bytes]:
    """Our metadata entry, ready for `Model.metadata`."""
    return {METADATA_NAME: json.dumps(values, sort_keys=True).encode()}


def own_metadata(entries: Mapping[str, bytes]) -> dict[str, Any]:
    """What edgeml wrote into the metadata; empty for a file of anybody else's."""
    content = entries.get(METADATA_NAME)
    if content is None:
        return {}
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"metadata {METADATA_NAME!r}", f"is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"metadata {METADATA_NAME!r}", "is not a JSON object")
    return values


def refuse_stated_normalisation(values: Mapping[str, Any]) -> None:
    """InputError for a file of an early edgeml, whose input normalisation stood in the metadata alone: no runtime
    applies it, and to read the file without it would be another model."""
    for name, neutral in (("input_offset", 0), ("input_scale", 1)):
        stated = values.get(name, [])
        if not isinstance(stated, list) or any(value != neutral for value in stated):
            raise InputError(
                f"metadata {METADATA_NAME!r}",
                f"states an {name} that no operator of the file applies",
                "Convert the trained model again",
            )


def labels(values: Any) -> tuple[str, ...]:
    """`values` as names of the outputs; InputError where they are not a list of texts."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"metadata {METADATA_NAME!r}", "labels must be a list of texts")
    return tuple(values)


def task(own: Mapping[str, Any]) -> tuple[str, float]:
    """The task and the real threshold that edgeml wrote, ("", 0) if none. InputError where they cannot be."""
    stated, threshold = own.get("task", ""), own.get("threshold", 0.0)
    if stated not in ("", *TASKS):
        raise InputError(f"metadata {METADATA_NAME!r}", f"task must be one of {', '.join(TASKS)}")
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not math.isfinite(threshold):
        raise InputError(f"metadata {METADATA_NAME!r}", "threshold must be a finite number")
    return str(stated), float(threshold)
