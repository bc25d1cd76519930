"""Inputs of a stage for which the emulated machine code does not give the layer's integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeml.network.decisions import decisions
from edgeml.targets.c.hard_inputs import HardInputs

from .followed import Followed, FollowedStage
from .memory import OutsideObject, Region

__all__ = ["counterexample", "other_label"]

_DRAWN, _MOST = 24, 400


def counterexample(followed: Followed, found: FollowedStage) -> str:
    """Inputs within range for which a stage is wrong in the emulator, in words; empty if none was found."""
    stage = found.stage
    if found.outside is not None and (example := _outside(followed, found, found.outside)):
        return example
    if stage is None:
        return ""
    if not stage.job.inputs:
        return _clipped_otherwise(followed, found)
    open_ = [claim for claim in found.claims if not claim.proved]
    hard = HardInputs(stage, open_, followed.flow.space, followed.variables)
    return hard.wrong(lambda stored: followed.emulated(stage, stored) + stage.output.low, "emulator")


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
