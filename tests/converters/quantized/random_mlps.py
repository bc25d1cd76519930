"""Random float MLPs: every mix of batch norm, activation, residual path and size that the quantized form takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from edgeml.data.dataset import Dataset
from edgeml.frontends.mlp import Add, Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode

ACTIVATIONS: dict[str, FloatOperator | None] = {
    "relu": Clamp(0.0, np.inf),
    "relu6": Clamp(0.0, 6.0),
    "hardtanh": Clamp(-1.0, 1.0),
    "clamp": Clamp(-0.5, 2.25),
    "none": None,
}


@dataclass(frozen=True)
class Shape:
    """What decides a random MLP.

    Parameters
    ----------
    widths : sizes of the input and of each linear layer.
    activations : behind each linear layer but the last, names in `ACTIVATIONS`.
    norms : for each of them "before", "after", "both" or "none": batch norm about the activation, its gamma of
        either sign and sometimes zero.
    residual : for each of them, whether the block's input is added where the sizes agree.
    normalised : whether the input is normalised first.
    ending : what follows the last linear layer: "", "relu", "norm", or "add": its input added, where sizes agree.
    seed : of all numbers.
    """

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    norms: tuple[str, ...]
    residual: tuple[bool, ...]
    normalised: bool
    ending: str
    seed: int


@st.composite
def shapes(draw: st.DrawFn, widest: int = 12, most_layers: int = 5) -> Shape:
    """Strategies for shapes; a third of the widths repeat the one before, so that residual paths occur."""
    layers = draw(st.integers(1, most_layers))
    widths = [draw(st.integers(1, widest))]
    for _ in range(layers):
        widths.append(widths[-1] if draw(st.integers(0, 2)) == 0 else draw(st.integers(1, widest)))
    hidden = layers - 1
    return Shape(
        tuple(widths),
        tuple(draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in range(hidden)),
        tuple(draw(st.sampled_from(("none", "before", "after", "both"))) for _ in range(hidden)),
        tuple(draw(st.booleans()) for _ in range(hidden)),
        draw(st.booleans()),
        draw(st.sampled_from(("", "", "", "relu", "norm", "add"))),
        draw(st.integers(0, 2**32 - 1)),
    )


def _norm(rng: np.random.Generator, size: int) -> Affine:
    gamma = rng.normal(size=size)
    gamma[rng.random(size) < 0.15] = 0.0
    return Affine(gamma, rng.normal(size=size) * 0.5)


def mlp_of(shape: Shape, name: str = "random") -> Mlp:
    """The MLP that `shape` describes; the same shape gives the same MLP."""
    rng = np.random.default_rng(shape.seed)
    nodes: list[MlpNode] = []
    at = "input"

    def add(node_name: str, operator: FloatOperator, *inputs: str) -> str:
        nodes.append(MlpNode(node_name, operator, inputs))
        return node_name

    if shape.normalised:
        size = shape.widths[0]
        deviation = np.exp(rng.normal(size=size) * 2)
        at = add("normalise", Affine(1 / deviation, -rng.normal(size=size) * 3 / deviation), at)
    for number, (inputs, outputs) in enumerate(zip(shape.widths, shape.widths[1:], strict=False), start=1):
        begin = at
        weight = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
        at = add(f"linear{number}", Linear(weight, rng.normal(size=outputs) * 0.3), at)
        if number == len(shape.widths) - 1:
            break
        norm = shape.norms[number - 1]
        if norm in ("before", "both"):
            at = add(f"norm{number}", _norm(rng, outputs), at)
        activation = ACTIVATIONS[shape.activations[number - 1]]
        if activation is not None:
            at = add(f"act{number}", activation, at)
        if norm in ("after", "both"):
            at = add(f"after{number}", _norm(rng, outputs), at)
        if shape.residual[number - 1] and inputs == outputs:
            at = add(f"add{number}", Add(), begin, at)
    if shape.ending == "relu":
        at = add("last_relu", Clamp(0.0, np.inf), at)
    elif shape.ending == "add" and inputs == outputs:
        at = add("last_add", Add(), begin, at)
    elif shape.ending == "norm":
        at = add("last_norm", _norm(rng, shape.widths[-1]), at)
    return Mlp(name, shape.widths[0], tuple(nodes))


def data_of(mlp: Mlp, seed: int, samples: int = 96, nonnegative: bool = False) -> Dataset:
    """Random samples for an MLP: normal ones, or pixels of which half are zero."""
    rng = np.random.default_rng((seed, 1))  # not the numbers that an MLP of the same seed is made of
    x: npt.NDArray[np.float64] = rng.normal(size=(samples, mlp.input_size)) * 2
    if nonnegative:
        x = np.maximum(x, 0.0)
    return Dataset(x[: samples * 2 // 3], x[samples * 2 // 3 :])
