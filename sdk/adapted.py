"""A bundle's network as it is when it has adapted: to windows in files, in golden, as a device would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .data.dataset import load_arrays, load_inputs
from .errors import InputError
from .system.files import write_beside
from .system.regular_file import read_regular

if TYPE_CHECKING:
    from .bundle import Bundle

__all__ = ["adapted"]

_MOST_PASSES = 20
_LARGEST_STATE = 2**26


def adapted(
    bundle: Bundle, on: str, calibrate: Path | None, learn: Path | None, state: Path | None, saved: Path | None
) -> tuple[Any, dict[str, Any]]:
    """The `AdaptingNetwork` of a bundle after a saved `state`, then windows to `calibrate` with, then labelled ones to
    `learn` from, each given once in the order of the file and rehearsed up to 20 times; and what happened, JSON-able.
    None and nothing without any of the files. saved : where the state is written.

    InputError where the executor `on` is not golden, a file is not sound, or the network does not adapt so.
    """
    network, told = bundle.network, dict[str, Any]()
    if calibrate is None and learn is None and state is None and saved is None:
        return None, told
    if on != "golden":
        raise InputError(f"executor {on!r}", "runs the network as it was converted", "Adapt it on golden")
    adapting = network.adapting()
    if state is not None:
        adapting.load(read_regular(state, _LARGEST_STATE))
    if calibrate is not None:
        q = bundle.quantize(load_inputs(calibrate))
        while adapting.calibrate(q):
            pass
        told["offsets_moved"] = sum(int(np.count_nonzero(each)) for each in adapting.offsets.values())
    if learn is not None:
        arrays = load_arrays(learn)
        if "x" not in arrays or "y" not in arrays:
            raise InputError(str(learn), "holds no labelled windows", "Save x [windows, features] and y [windows]")
        q, y = bundle.quantize(arrays["x"]), np.asarray(arrays["y"]).reshape(-1)
        if len(y) != len(q) or y.dtype.kind not in "iu":
            raise InputError(f"{learn}, y", f"must be a class for each of {len(q)} windows, found {y.dtype} {y.shape}")
        right = sum(adapting.learn(row, int(label)) == label for row, label in zip(q, y, strict=True))
        changed = [adapting.rehearse()]
        while changed[-1] and len(changed) < _MOST_PASSES:
            changed.append(adapting.rehearse())
        told |= {"learned": len(q), "right_before": int(right), "passes": len(changed), "left": changed[-1]}
    if saved is not None:
        write_beside(saved, adapting.state())
    return adapting, {**told, "state_bytes": len(adapting.state())}
