"""An exchange file as its receiver uses it: real numbers in and out, by what the file itself says of them.

That an artifact computes the golden integers does not say that it can be used: a file that has lost the model's input
normalisation computes them too. The second question of verification is therefore put to whatever carries a statement
of its own of how real numbers become integers and integers real numbers (a .tflite file, a header): an executor that
follows `plugins.ReceivesReals` is fed real numbers, and what it gives must be what the bundle gives for them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..bundle import Bundle
from ..network import Network, decisions, simulate
from ..network.layers.input_quantizer import InputQuantizer
from ..plugins.executor import ReceivesReals, Reception
from .verdict import Verdict

__all__ = ["Reception", "compare", "real_vectors"]

Floats = npt.NDArray[np.float64]

_MOST_VECTORS = 192
_WITHIN_STEP = 0.375
_STEPS_OUTSIDE = 3.0
_EQUAL = 0.01
"""Real outputs are equal within this share of a step, and what float32 loses of them."""
_FLOAT32 = 2.0**-23
"""Share of a number that float32 may lose: much of a step where sums are of more than 17 bits."""
_PROBABILITY_STEPS = 2.0
"""By how many steps of 1/256 a runtime's softmax may be off."""


def real_vectors(quantizer: InputQuantizer, q: npt.NDArray[np.int32]) -> Floats:
    """Real numbers [samples, inputs] that become the integers q, clear of ties; some beyond the range's ends."""
    generator = np.random.default_rng(0)
    steps = q - quantizer.zero_point + generator.uniform(-_WITHIN_STEP, _WITHIN_STEP, q.shape)
    outside = np.where(q == quantizer.high, 1.0, 0.0) - np.where(q == quantizer.low, 1.0, 0.0)
    steps = steps + outside * generator.uniform(0, _STEPS_OUTSIDE, q.shape)
    x: Floats = steps * quantizer.scale + quantizer.offset
    short = x.astype(np.float32).astype(np.float64)
    return short if not _near_ties(quantizer, short).any() and np.array_equal(quantizer.quantize(short), q) else x


def _near_ties(quantizer: InputQuantizer, x: Floats) -> npt.NDArray[np.bool_]:
    """The samples, bool [samples], that arithmetic in float32 may quantize to a neighbouring integer."""
    ends = quantizer.low - quantizer.zero_point, quantizer.high - quantizer.zero_point
    position = np.clip((x - quantizer.offset) / quantizer.scale, *ends)
    largest = np.maximum(np.abs(x), np.abs(quantizer.offset)).astype(np.float32)
    unsure = 4 * np.spacing(largest).astype(np.float64) / quantizer.scale + 2.0**-20 * np.maximum(np.abs(position), 1)
    near = np.abs(position - np.floor(position) - 0.5) < unsure
    return np.asarray(near.any(axis=1))


def compare(verdict: Verdict, executor: ReceivesReals[Bundle], bundle: Bundle, network: Network) -> Verdict | None:
    """The verdict on what `executor` receives; None where it receives nothing from this bundle.

    `network` is the integer network as the executor computes it, with the bundle's own input and output.
    """
    quantizer, output = bundle.network.quantizer, bundle.network.output
    q, _ = bundle.golden()
    chosen = np.unique(np.linspace(0, len(q) - 1, min(len(q), _MOST_VECTORS)).astype(np.int64))
    kept = bundle.samples()
    x = real_vectors(quantizer, q[chosen])
    vectors = len(x)
    if kept is not None:
        x = np.concatenate([x, kept[0]])
    reception = executor.receive(bundle, x)
    if reception is None:
        return None
    integers = simulate(network, quantizer.quantize(x))
    expected, step = output.real(integers), np.broadcast_to(output.scale, (integers.shape[1],))
    if reception.softmax:
        powers = np.exp(expected - expected.max(axis=1, keepdims=True))
        expected, step = (
            powers / powers.sum(axis=1, keepdims=True),
            np.full(integers.shape[1], _PROBABILITY_STEPS / 256),
        )
    allowed = step if reception.softmax else step * _EQUAL + np.abs(expected) * _FLOAT32
    if reception.real.shape != expected.shape:
        problem = f"gives real outputs of shape {list(reception.real.shape)}, expected {list(expected.shape)}"
        return replace(verdict, status="error", vectors=len(x), detail=problem, artifact_wrong=True)
    differs = ~(np.abs(reception.real - expected) <= allowed)
    if reception.float32:
        differs[_near_ties(quantizer, x)] = False
    first = None
    if differs.any():
        row, column = (int(i) for i in np.argwhere(differs)[0])
        wanted, found = float(expected[row, column]), float(reception.real[row, column])
        first = {"vector": row, "layer": "real output", "index": column, "expected": wanted, "found": found}
    wrong = int(differs.any(axis=1).sum())
    answers = "" if kept is None else _answers(bundle.network, integers[vectors:], reception.real[vectors:], kept[1])
    return replace(
        verdict,
        status="mismatch" if wrong else "exact",
        vectors=len(x),
        mismatches=wrong,
        layers=1,
        first_mismatch=first,
        detail=f"{reception.detail}{answers}",
    )


def _answers(network: Network, integers: npt.NDArray[np.int32], real: Floats, model: Floats) -> str:
    """How many of the kept samples the file and the bundle answer as the trained model does."""
    if network.task != "classes":
        return ""
    wanted = model.argmax(axis=1)
    by_file = float(np.mean(real.argmax(axis=1) == wanted))
    by_bundle = float(np.mean(decisions(network, integers) == wanted))
    return f"; of {len(real)} samples {by_file:.1%} answered as the trained model does (the bundle: {by_bundle:.1%})"
