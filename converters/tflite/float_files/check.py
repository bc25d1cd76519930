"""A float file's check: the model that was read computes what LiteRT computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.self_check import check_against_source

from ..runtimes import RUNTIMES
from ..sessions import session
from .reader import FloatFile

__all__ = ["check_float_file"]

_TOLERANCE = 1e-4
"""Relative to the largest number in a sample's computation: LiteRT computes in float32."""
_RUNTIME = "litert"


def check_float_file(file: FloatFile, content: bytes, where: str) -> None:
    """CheckFailed if they differ. Nothing is compared without LiteRT, nor where weights are integers, with which it
    quantizes activations anew for every sample, nor of an argmax, whose float32 ties it breaks in its own way."""
    if file.integer_weights or file.mlp.final == "argmax" or RUNTIMES[_RUNTIME].missing():
        return

    def run(x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        with session(RUNTIMES[_RUNTIME]) as running:
            (found,), _ = running.run(content, x.astype(np.float32))
        return found

    check_against_source(file.mlp, run, where, _TOLERANCE)
