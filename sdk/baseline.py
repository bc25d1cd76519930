"""The float model's qualities, of an integer network that lies in the bundle of an earlier conversion."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bundle import read_manifest
from .data.dataset import Dataset
from .errors import InputError, printable
from .metrics.baseline import DATA_NOT_GIVEN, OTHER_DATA, SAME_DATA, Baseline
from .metrics.json_values import mapping
from .system.sealed_folder import sha256_of

__all__ = ["baseline_of"]


def baseline_of(model: Any, data: Dataset | None) -> Baseline | None:
    """What the bundle says that the network file `model` is listed in, its own conversion's or one before it.

    data : of this conversion, which is held against the SHA-256 of the data then. None where `model` is not a file, or
    no manifest beside it lists it with its SHA-256, or where that says nothing of a float model.
    """
    if not isinstance(model, (str, os.PathLike)):
        return None
    path = Path(model)
    try:
        manifest = read_manifest(path.parent)
        entry = manifest["files"].get(path.name)
        if entry is None or sha256_of(path) != entry["sha256"]:
            return None
    except InputError:
        return None
    metrics = mapping(manifest.get("metrics"))
    conversion = printable(f"{manifest['form']} for {manifest['target']['name']}")
    own = Baseline.from_json({**metrics, "conversion": conversion, "data": manifest.get("data")})
    found = own or Baseline.from_json(metrics.get("baseline"))
    return None if found is None else replace(found, now=_compared(found.data, data))


def _compared(then: Mapping[str, Any], data: Dataset | None) -> str:
    if data is None:
        return DATA_NOT_GIVEN
    held_back = then.get("held_back")
    if data.split == "all" and isinstance(held_back, int) and 0 < held_back < len(data.x):
        # Both sides stand behind each other (`Dataset.undivided`): held apart again as they were then.
        cut = len(data.x) - held_back
        y, y_test = (None, None) if data.y is None else (data.y[:cut], data.y[cut:])
        data = replace(data, x=data.x[:cut], x_test=data.x[cut:], y=y, y_test=y_test)
    return SAME_DATA if data.described["sha256"] == then.get("sha256") else OTHER_DATA
