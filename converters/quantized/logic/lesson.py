"""What a logic network learns from: samples as bits, and what the float model answers.

Beside the user's samples there are mixes of two of them, which the float model answers too. Boolean functions of many
inputs learn samples by heart: the mixes show them more of the float model than a small data set does. A feature that is
taken apart into bits, or compared for equality, is a name or a pattern, not a quantity: it comes from one of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Encode, InputQuantizer
from edgeml.network.layers.encode import BIT, EQUAL

__all__ = ["Lesson", "lesson_of"]

_MIXES = 8
"""For each sample, as long as there are not more than `_MOST_MIXED` of them."""
_FEWEST_MIXED = 2**13
_MOST_MIXED = 2**15
_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Lesson:
    """Samples and answers; `mixed_bits` and `mixed_answers` are of mixes of two samples, which have no y.

    Parameters
    ----------
    bits, mixed_bits : uint8 [samples, inputs], 0 or 1.
    answers, mixed_answers : float32 [samples, outputs], the float model's.
    y : int64 [samples], classes; or float64 [samples, outputs], values; or None.
    task : classes, binary or values.
    threshold : of a binary model, what its output must pass.
    """

    bits: npt.NDArray[np.uint8]
    answers: npt.NDArray[np.float32]
    mixed_bits: npt.NDArray[np.uint8]
    mixed_answers: npt.NDArray[np.float32]
    y: npt.NDArray[Any] | None
    task: str
    threshold: float = 0.0


def lesson_of(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any] | None,
    answer: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float32]],
    quantizer: InputQuantizer,
    encode: Encode,
    task: str,
    threshold: float,
    seed: int,
) -> Lesson:
    """The lesson for samples x [samples, features] in the user's units; `answer` is the float model."""
    bits, answers = _seen(x, answer, quantizer, encode)
    names = np.unique(encode.source[np.isin(encode.rule, (BIT, EQUAL))])
    mixed = _mixes(np.asarray(x), names, seed)
    mixed_bits, mixed_answers = _seen(mixed, answer, quantizer, encode)
    return Lesson(bits, answers, mixed_bits, mixed_answers, y, task, threshold)


def _seen(
    x: npt.NDArray[Any],
    answer: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float32]],
    quantizer: InputQuantizer,
    encode: Encode,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The bits of samples, and the float model's answers to them."""
    bits, answers = [], []
    for at in range(0, len(x), _AT_ONCE):
        part = np.asarray(x[at : at + _AT_ONCE], np.float64)
        bits.append(encode.evaluate(quantizer.quantize(part)).astype(np.uint8))
        answers.append(answer(part))
    return np.concatenate(bits), np.concatenate(answers)


def _mixes(x: npt.NDArray[Any], names: npt.NDArray[np.integer[Any]], seed: int) -> npt.NDArray[np.float64]:
    """Samples on the way from one sample to another, anywhere on it: [mixes, features]; features that are whole
    numbers everywhere stay such. Of the features `names` each is that of one of the two, the nearer one more often."""
    generator = np.random.default_rng(seed)
    count = min(max(_MIXES * len(x), _FEWEST_MIXED), _MOST_MIXED)
    first, second = generator.integers(0, len(x), (2, count))
    share = generator.uniform(0.0, 1.0, (count, 1))
    mixed = np.asarray(x[first] * share + x[second] * (1.0 - share), np.float64)
    whole = np.all(x == np.rint(x), axis=0)
    mixed[:, whole] = np.rint(mixed[:, whole])
    if names.size:
        of_first = generator.uniform(0.0, 1.0, (count, names.size)) < share
        mixed[:, names] = np.where(of_first, x[first][:, names], x[second][:, names])
    return mixed
