"""A frontend's check on itself: the `Mlp` it read computes what the source computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed, EdgemlError, InputError, printable
from .float_operators.encode import Encode
from .mlp import Mlp

__all__ = ["check_against_source", "in_batches", "random_inputs", "whole_inputs"]

TOLERANCE = 1e-7
"""Allowed difference, relative to the largest number in a sample's computation: both sides run in float64."""

_SAMPLES_PER_SCALE = 2
_SMALLEST_LOG = -600.0
_WHOLE_SAMPLES = 32
_MOST_WHOLE = 128
_ABOVE = 1e-9
_MAGNITUDES = (0.1, 1.0, 10.0, 1000.0)


def random_inputs(features: int) -> npt.NDArray[np.float64]:
    """Samples of several magnitudes, so that clamps are met on both sides: [samples, features]."""
    generator = np.random.default_rng(features)
    scales = np.repeat(_MAGNITUDES, _SAMPLES_PER_SCALE)[:, None]
    return np.asarray(generator.standard_normal((scales.size, features)) * scales)


def whole_inputs(mlp: Mlp) -> npt.NDArray[np.float64]:
    """Samples for a model that takes whole numbers: the smallest, the largest, and random ones of each feature, in the
    units of the model's input: [samples, features]."""
    generator = np.random.default_rng(mlp.input_size)
    values = np.array(mlp.values or (_MOST_WHOLE,) * mlp.input_size)
    q = generator.integers(0, values, (_WHOLE_SAMPLES, mlp.input_size))
    q[0], q[1] = 0, values - 1
    for node in mlp.consumers("input"):
        if isinstance(node.operator, Encode) and (node.operator.scale, node.operator.offset) != (1.0, 0.0):
            # A little above: what is cut off to an integer may not fall below it by rounding.
            return np.asarray((q + _ABOVE) * node.operator.scale + node.operator.offset)
    return q.astype(np.float64)


def in_batches(
    run: Callable[[npt.NDArray[np.float64]], Any], x: npt.NDArray[np.float64], shape: tuple[int | None, ...]
) -> npt.NDArray[Any]:
    """`run` on x [samples, features] as a source takes it: in its input `shape`, so many samples at once as it wants
    (`None` as the first size: all), the last ones repeated to fill up."""
    batch = shape[0] or len(x)
    outputs = []
    for start in range(0, len(x), batch):
        part = np.resize(x[start : start + batch], (batch, x.shape[1]))
        outputs.append(
            np.asarray(run(part.reshape([batch, *(int(size or 1) for size in shape[1:])])))[: len(x) - start]
        )
    return np.concatenate(outputs)


def check_against_source(
    mlp: Mlp,
    run: Callable[[npt.NDArray[np.float64]], Any],
    where: str,
    tolerance: float = TOLERANCE,
    whole: bool = False,
) -> None:
    """Compare `mlp` with the source model on random inputs.

    Parameters
    ----------
    run : the source model: float64 [samples, inputs] → what the model gives for them, as an array.
    tolerance : see `TOLERANCE`; larger where the source computes in fewer bits.
    whole : the source takes integers alone. What a model that encodes its input is tried with, are integers always.

    Raises
    ------
    CheckFailed : they differ: edgeml misread the model.
    InputError : the model's numbers overflow, or the source cannot be run.
    """
    x = whole_inputs(mlp) if whole or mlp.values else random_inputs(mlp.input_size)
    with np.errstate(all="ignore"):
        trace = mlp.trace(x)
    logits = trace[mlp.nodes[-1].name]
    if not all(np.all(np.isfinite(values)) for values in trace.values()):
        raise InputError(where, "overflows for inputs of ordinary size", "Look for weights that have grown without end")
    try:
        with np.errstate(all="ignore"):
            source = np.asarray(run(x), dtype=np.float64)
    except (EdgemlError, ModuleNotFoundError):
        raise
    except Exception as error:
        line = printable(f"{type(error).__name__}: {error}", 300)
        raise InputError(where, f"cannot be computed by the framework it comes from ({line})") from error
    allowed = tolerance * np.maximum(1.0, np.max([np.abs(values).max(axis=1) for values in trace.values()], axis=0))
    if source.size != (len(x) if mlp.final == "argmax" else logits.size):
        raise _misread(where, f"the source gives an array of shape {list(source.shape)}, edgeml {list(logits.shape)}")
    if mlp.final == "argmax":
        chosen = source.reshape(-1)
        if not np.all((chosen >= 0) & (chosen < mlp.output_size) & (chosen == np.rint(chosen))):
            raise _misread(where, f"the source chooses outputs {chosen}")
        difference = logits.max(axis=1) - logits[np.arange(len(x)), chosen.astype(np.int64)]
    else:
        expected, found = source.reshape(logits.shape), _finished(logits, mlp.final)
        if mlp.final == "log_softmax":
            # A source that takes the logarithm of its softmax gives −∞ where that is too small for a float.
            expected, found = np.maximum(expected, _SMALLEST_LOG), np.maximum(found, _SMALLEST_LOG)
        difference = np.abs(found - expected).max(axis=1)
    # Written so that a NaN counts as a difference.
    if not np.all(difference <= allowed):
        raise _misread(where, f"its outputs differ from the source's by up to {np.max(difference):.3g}")


def _misread(where: str, problem: str) -> CheckFailed:
    return CheckFailed(where, f"edgeml misread this model: {problem}", "This is a defect of edgeml; please report it")


def _finished(logits: npt.NDArray[np.float64], final: str) -> npt.NDArray[np.float64]:
    """`logits` behind the model's softmax or log-softmax, if it has one."""
    if not final:
        return logits
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.asarray(np.exp(shifted - log_sum) if final == "softmax" else shifted - log_sum)
