"""Inputs of a stage for which the emulated machine code does not give the layer's integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network.decisions import decisions
from edgeml.proof.statement import Affine, statement_of
from edgeml.targets.c.emitter import layer_emitter

from .followed import Followed, FollowedStage
from .memory import OutsideObject, Region

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage

__all__ = ["counterexample", "other_label"]

_DRAWN, _MOST = 24, 400

Stored = tuple[npt.NDArray[np.int64], ...]


def counterexample(followed: Followed, found: FollowedStage) -> str:
    """Inputs within range for which a stage is wrong in the emulator, in words; empty if none was found."""
    stage = found.stage
    if found.outside is not None and (example := _outside(followed, found, found.outside)):
        return example
    if stage is None:
        return ""
    if not stage.job.inputs:
        return _clipped_otherwise(followed, found)
    for tried, stored in enumerate(_candidates(followed, found)):
        if tried == _MOST:
            break
        expected = _expected(stage, stored)
        given = followed.emulated(stage, stored)
        wrong = np.flatnonzero(given != expected)
        if wrong.size:
            channel = int(wrong[0])
            values = " and ".join(", ".join(map(str, item[:24])) + (" …" if len(item) > 24 else "") for item in stored)
            low = stage.output.low
            return (
                f"for stored inputs {values} {found.name}[{channel}] must be {expected[channel] + low}, and is "
                f"{given[channel] + low} in the emulator"
            )
    return ""


def other_label(followed: Followed) -> str:
    """Inputs for which the emulated firmware returns another label than the network decides, in words; empty if none of
    those that were drawn is one. Of networks for classes and binary ones."""
    quantizer, generator = followed.network.quantizer, np.random.default_rng(0)
    for _ in range(_MOST):
        q = generator.integers(quantizer.low, quantizer.high, followed.network.input_size, endpoint=True)
        y, label = followed.answer(q.astype(np.int32))
        expected = int(decisions(followed.network, y[None])[0])
        if label != expected:
            return f"for inputs {q[:24].tolist()}, outputs {y.tolist()}, it is {label} in the emulator, not {expected}"
    return ""


def _clipped_otherwise(followed: Followed, found: FollowedStage) -> str:
    """Bytes of the caller's that the first stage does not clip to the quantizer's range, in words."""
    assert found.stage is not None
    quantizer, low = followed.network.quantizer, found.stage.output.low
    for byte in range(-128, 128) if quantizer.signed else range(256):
        expected = min(max(byte, quantizer.low), quantizer.high)
        given = followed.emulated(found.stage, (np.full(len(followed.raw), byte, np.int64),)) + low
        if (wrong := np.flatnonzero(given != expected)).size:
            channel = int(wrong[0])
            return (
                f"for bytes {byte} {found.name}[{channel}] must be {expected}, and is {given[channel]} in the emulator"
            )
    return ""


def _outside(followed: Followed, found: FollowedStage, outside: OutsideObject) -> str:
    """An input of the network for which the emulator makes an access that lies in no object of its stage, in words."""
    assert found.stage is not None
    sample = np.array([node.sample for node in followed.raw], np.int64).astype(np.int32)
    quantizer = followed.network.quantizer
    drawn = np.random.default_rng(0).integers(quantizer.low, quantizer.high, (_DRAWN, len(sample)), endpoint=True)
    for q in (sample, np.full_like(sample, quantizer.low), np.full_like(sample, quantizer.high), *drawn):
        if followed.touches(outside, q.astype(np.int32)):
            values = ", ".join(map(str, q[:24].tolist())) + (" …" if len(q) > 24 else "")
            verb, where = "writes" if outside.write else "reads", _place(followed.objects(found.stage), outside)
            return f"for inputs {values} {found.name} {verb} {outside.size} bytes {where} in the emulator"
    return ""


def _place(objects: Sequence[Region], outside: OutsideObject) -> str:
    """Where an access lies, by the object that it lies in or behind."""
    for each in objects:
        if each.start <= outside.address and outside.address + outside.size <= each.end:
            return f"of {each.name}, which it may only read,"
    before = max((each for each in objects if each.start <= outside.address), key=lambda each: each.end, default=None)
    if before is None:
        return f"at {outside.address:#010x}, before all objects,"
    size = before.end - before.start
    return f"{outside.address - before.start} bytes from the start of {before.name}, which has {size},"


def _expected(stage: Stage, stored: Stored) -> npt.NDArray[np.int64]:
    values: list[npt.NDArray[np.int32]] = [
        (item + tensor.low).astype(np.int32)[None] for item, tensor in zip(stored, stage.job.inputs, strict=True)
    ]
    for node in stage.job.nodes:
        values = [node.layer.evaluate(*values)]
    return np.asarray(values[0][0].astype(np.int64) - stage.output.low, np.int64)


def _candidates(followed: Followed, found: FollowedStage) -> Iterator[Stored]:
    """Where the proof gave up, corners of channels that are not proved, then the stage's own extremes, then drawn."""
    stage = found.stage
    assert stage is not None
    low = tuple(tensor.stored_low for tensor in stage.job.inputs)
    high = tuple(tensor.stored_high for tensor in stage.job.inputs)
    open_ = [claim for claim in found.claims if not claim.proved]
    for claim in open_[:16]:
        if isinstance(claim.corner, tuple):
            _, terms, target = claim.corner
            yield _placed(followed, stage, _reaching(followed, terms, target), low)
        elif claim.corner:
            yield _placed(followed, stage, claim.corner, low)
            yield _placed(followed, stage, claim.corner, high)
    for claim in open_[:64]:
        yield from _corners(stage, claim.channel, low, high)
    if len(stage.job.inputs) == 1:
        for row in layer_emitter(stage.job.nodes[0]).extremes(stage.job):
            yield (row - stage.job.inputs[0].low,)
    generator = np.random.default_rng(0)
    for _ in range(_DRAWN):
        yield tuple(generator.integers(a, b, endpoint=True) for a, b in zip(low, high, strict=True))


def _corners(stage: Stage, channel: int, low: Stored, high: Stored) -> Iterator[Stored]:
    """Where the sum of a channel is largest and smallest."""
    statement = statement_of(stage.job.nodes[0], channel)
    if not isinstance(statement, Affine):
        return
    for largest in (True, False):
        rows = tuple(item.copy() for item in low)
        for (tensor, place), weight in statement.weights.items():
            rows[tensor][place] = (high if (weight > 0) == largest else low)[tensor][place]
        yield rows


def _placed(followed: Followed, stage: Stage, values: Mapping[int, int], rest: Stored) -> Stored:
    """Stored inputs with these values of variables, the rest as given."""
    rows = tuple(item.copy() for item in rest)
    names = [tensor.name for tensor in stage.job.inputs]
    for variable, value in values.items():
        tensor, channel = followed.variables.get(variable, ("", 0))
        if tensor in names:
            rows[names.index(tensor)][channel] = value
    return rows


def _reaching(followed: Followed, terms: Mapping[int, int], target: int) -> dict[int, int]:
    """Values of variables whose weighted sum is, or comes near, a number: the largest weights first."""
    space = followed.flow.space
    values = {v: (space.low if c > 0 else space.high)[v] for v, c in terms.items()}
    left = target - sum(c * values[v] for v, c in terms.items())
    for v, c in sorted(terms.items(), key=lambda item: -abs(item[1])):
        step = min(left // abs(c), space.high[v] - space.low[v])
        values[v] += step if c > 0 else -step
        left -= step * abs(c)
    return values
