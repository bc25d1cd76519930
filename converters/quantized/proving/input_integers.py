"""Where two ways to make integers of one feature differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.proof.claim import OPEN, REFUTED

__all__ = ["other_integer"]

Floats = npt.NDArray[np.float64]


def other_integer(own: tuple[float, float], model: tuple[float, float], low: int, high: int) -> dict[str, Any]:
    """What is found of clip(round_half_even((x − offset) / scale), low, high) with two pairs (scale, offset).

    Both grow with x, so they differ, if at all, beside a value at which one of them changes.
    """
    levels = np.arange(low, high) + 0.5
    near = np.concatenate([levels * scale + offset for scale, offset in (own, model)])
    x = np.concatenate([near, *(np.nextafter(near, side * np.inf) for side in (-1, 1))])
    found, expected = (_integers(x, *pair, low, high) for pair in (own, model))
    if not (wrong := np.flatnonzero(found != expected)).size:
        return {"status": OPEN, "detail": "scale or offset is another; no value was found that shows it"}
    at = wrong[0]
    said = (
        f"for feature {float(x[at])!r} the integer is {found[at]}, and {expected[at]} in the trained model (confirmed)"
    )
    return {"status": REFUTED, "counterexample": said}


def _integers(x: Floats, scale: float, offset: float, low: int, high: int) -> npt.NDArray[np.int64]:
    return np.clip(np.rint((x - offset) / scale), low, high).astype(np.int64)
