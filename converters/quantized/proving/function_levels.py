"""Levels behind functions of one number, such as tanh or GELU: every accumulator through the float64 reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.clamp import Clamp
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.leaky_relu import LeakyRelu
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.network import Node
from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED, REFUTED
from edgeml.proof.statement import Function, statement_of

from ..model import Quantizer
from ..proof import Reference
from .channels import Channels
from .differing_inputs import differing
from .model_sums import Between

__all__ = ["MOST_ACCUMULATORS", "function_claims", "unknown_operator"]

Int64 = npt.NDArray[np.int64]
Levels = Callable[[Int64], Int64]

MOST_ACCUMULATORS = 2**20
"""Accumulators of a channel that are all looked at."""
_LINES = (Affine.kind, Clamp.kind)
_FUNCTIONS = (Formula.kind, LeakyRelu.kind, Sigmoid.kind, Tanh.kind)


def unknown_operator(chain: list[FloatOperator]) -> str:
    """Why no checker follows a chain; empty if it does: lines and clamps, and one function of one number at most."""
    functions = [each.kind for each in chain if each.kind not in _LINES]
    if unknown := [kind for kind in functions if kind not in _FUNCTIONS]:
        return f"is behind a {unknown[0]}, which the checker does not know"
    return "is behind a function of a function, which the checker does not know" if len(functions) > 1 else ""


def function_claims(
    node: Node, quantizer: Quantizer, between: Between, channels: Channels, reach: tuple[Int64, Int64]
) -> list[dict[str, Any]]:
    """A claim for each channel of a layer of thresholds or a table; reach : the ends of what it takes."""
    rising = np.ones(len(between.scale), np.int64)
    reference = Reference(between.scale, between.bias, rising, between.chain, quantizer)
    claims = []
    for channel, (low, high) in enumerate(zip(*(side.tolist() for side in reach), strict=True)):
        statement = statement_of(node, channel)
        if not isinstance(statement, Function) or statement.sources != ((0, channel),):
            claims.append({"status": NOT_TRIED, "detail": "is not a function of its accumulator alone"})
            continue
        if high - low >= MOST_ACCUMULATORS:
            claims.append({"status": NOT_TRIED, "detail": f"has {high - low + 1:,} accumulators, 2^20 are looked at"})
            continue
        sides = _own(statement), _model(reference, channel)
        claims.append({"status": PROVED, "range": [low, high]} | _wrong(channels, channel, sides, (low, high)))
    return claims


def _own(statement: Function) -> Levels:
    return lambda z: np.asarray(statement.values([z]), np.int64)


def _model(reference: Reference, channel: int) -> Levels:
    return lambda z: reference.levels(z, channel)


def _wrong(channels: Channels, channel: int, sides: tuple[Levels, Levels], reach: tuple[int, int]) -> dict[str, Any]:
    """Empty where both levels are the same for all accumulators of a range; else what is said of the channel."""
    own, model = sides
    base, shift, sign = int(channels.constant[channel]), int(channels.model_constant[channel]), channels.same(channel)
    if sign:
        z = np.arange(reach[0], reach[1] + 1)
        if np.array_equal(own(z), model(sign * (z - base) + shift)):
            return {}
    names, mine, theirs = channels.functions(channel)
    detail = "its level is another" if sign else "its sum is another than the model's"
    try:
        found = differing(mine, theirs, (lambda s: own(s + base), lambda s: model(s + shift)))
    except ValueError:
        return {"status": OPEN, "detail": detail}
    if found is None:
        return {"status": OPEN, "detail": f"{detail}, but for no values of its inputs"}
    at = [
        start + sum(int(e[k]) for e, k in zip(side, found, strict=True))
        for start, side in ((base, mine), (shift, theirs))
    ]
    golden, expected = int(own(np.array(at[:1]))[0]), int(model(np.array(at[1:]))[0])
    given = ", ".join(f"{name}[{i}] = {low + k}" for (name, i, low), k in zip(names, found, strict=True) if k)
    said = f"for {given or 'the least inputs'}, others least, the golden simulator gives {golden}, "
    said += f"the float64 model {expected}"
    return {"status": REFUTED, "counterexample": f"{'confirmed' if golden != expected else 'not confirmed'}: {said}"}
