"""What edgeml writes into the metadata of its .tflite files: JSON that other readers pass over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

__all__ = ["METADATA_NAME", "labels", "metadata_entry", "own_metadata", "reals"]

METADATA_NAME = "edgeml"
"""Name of our entry in the file's metadata: JSON with the rounding rule, the model hash, guard bits and labels."""


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


def reals(values: Any, what: str) -> npt.NDArray[np.float64]:
    """`values` as a vector of finite numbers; InputError naming `what` where they are not."""
    try:
        array = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"metadata {METADATA_NAME!r}", f"{what} must be numbers") from error
    if array.ndim != 1 or not np.all(np.isfinite(array)):
        raise InputError(f"metadata {METADATA_NAME!r}", f"{what} must be a list of finite numbers")
    return array


def labels(values: Any) -> tuple[str, ...]:
    """`values` as names of the outputs; InputError where they are not a list of texts."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"metadata {METADATA_NAME!r}", "labels must be a list of texts")
    return tuple(values)
