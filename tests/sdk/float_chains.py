"""Small float MLPs: chains of operators, and random linear layers for them."""

from __future__ import annotations

import numpy as np

from edgeml.frontends.mlp import Clamp, FloatOperator, Linear, Mlp, MlpNode

RELU = Clamp(0.0, np.inf)


def chain(*operators: FloatOperator, inputs: int) -> Mlp:
    names = ["input", *(f"n{k}" for k in range(len(operators)))]
    nodes = (MlpNode(name, op, (source,)) for name, op, source in zip(names[1:], operators, names, strict=False))
    return Mlp("chain", inputs, tuple(nodes))


def linear(rng: np.random.Generator, outputs: int, inputs: int) -> Linear:
    return Linear(rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), rng.normal(size=outputs) * 0.3)
