"""Samples that a bundle keeps as the user has them, with what the trained model gives for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset, read_npy, to_npy
from ..errors import InputError
from ..frontends.mlp import Mlp
from ..network import Network

__all__ = ["FLOAT_OUTPUTS", "REAL_INPUTS", "integers_note", "read_samples", "write_samples"]

Floats = npt.NDArray[np.float64]

REAL_INPUTS = "golden/real_inputs.npy"
FLOAT_OUTPUTS = "golden/float_outputs.npy"
"""Of a bundle: samples as the user has them, and what the trained model gives for them, float64."""

_MOST_SAMPLES = 64


def write_samples(folder: Path, source: object, dataset: Dataset | None) -> None:
    """Keep some held-back samples with what the trained model gives for them, so that files can be held against it;
    nothing if the source is not a float model that can be evaluated, or if there is no data."""
    if dataset is None or not isinstance(source, Mlp) or not len(dataset.x):
        return
    x = np.asarray((dataset.x_test if len(dataset.x_test) else dataset.x)[:_MOST_SAMPLES], dtype=np.float64)
    (folder / REAL_INPUTS).write_bytes(to_npy(x))
    (folder / FLOAT_OUTPUTS).write_bytes(to_npy(np.asarray(source.evaluate(x), dtype=np.float64)))


def read_samples(folder: Path, files: Mapping[str, Any], network: Network) -> tuple[Floats, Floats] | None:
    """The samples in a bundle's folder, [samples, inputs], and the trained model's outputs [samples, outputs]; None if
    they are not among its `files`. Raises InputError if they do not fit the network."""
    if not {REAL_INPUTS, FLOAT_OUTPUTS} <= set(files):
        return None
    x, y = (read_npy(folder / name) for name in (REAL_INPUTS, FLOAT_OUTPUTS))
    sound = x.dtype.kind == y.dtype.kind == "f" and x.ndim == y.ndim == 2 and len(x) == len(y)
    if not sound or x.shape[1] != network.input_size or y.shape[1] != network.output_size:
        raise InputError(f"{folder}/{REAL_INPUTS}", f"does not fit the network: {x.shape} and {y.shape}")
    return x.astype(np.float64), y.astype(np.float64)


def integers_note(network: Network, samples: Callable[[], tuple[Floats, Floats] | None], x: npt.NDArray[Any]) -> str:
    """A sentence if x holds integers that may well be values: the bundle's own samples are whole numbers, and a value
    is another integer to the network. Empty otherwise, and for int32, as which edgeml gives its integers.

    samples : reads the bundle's samples, as `read_samples` does.
    """
    if x.dtype.kind not in "iu" or x.dtype == np.int32:
        return ""
    quantizer, kept = network.quantizer, samples()
    if kept is None or not np.array_equal(kept[0], np.rint(kept[0])):
        return ""
    if np.array_equal(quantizer.quantize(kept[0]), np.clip(kept[0], quantizer.low, quantizer.high)):
        return ""
    return (
        f"x holds integers ({x.dtype}): they were taken as the network's own, already quantized. The model's samples "
        "are whole numbers too: if these are such values, give them as floats."
    )
