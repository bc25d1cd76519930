"""Random quantized models, made directly: chains that the converter itself never leaves, and near ties on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from edgeml.converters.quantized.model import (
    Input,
    ModelNode,
    ModelOperator,
    QuantizedLinear,
    QuantizedModel,
    Quantizer,
)
from edgeml.converters.quantized.scales import ACTIVATION_SCALE_BITS, WEIGHT_SCALE_BITS, integer_range, round_scale
from edgeml.converters.quantized.user_operators import as_user_operator
from edgeml.frontends.mlp import Add, Affine, Clamp


@dataclass(frozen=True)
class ModelShape:
    """What decides a random quantized model.

    Parameters
    ----------
    widths : sizes of the input and of each linear layer; the last one is the output.
    weight_bits, act_bits : of each layer, and of the quantizer behind each but the last.
    signed : of each of these quantizers.
    chain : behind each of these layers, letters: a (affine, slopes of any sign and zero), c (clamp), r (ReLU).
    residual : whether each of these quantizers' integers are added to the layer's input where sizes agree.
    ties : scales are powers of two and biases multiples of half a step, so that accumulators hit ties exactly.
    input_bits, input_signed : of the input.
    seed : of all numbers.
    """

    widths: tuple[int, ...]
    weight_bits: tuple[int, ...]
    act_bits: tuple[int, ...]
    signed: tuple[bool, ...]
    chain: tuple[str, ...]
    residual: tuple[bool, ...]
    ties: bool
    input_bits: int
    input_signed: bool
    seed: int


@st.composite
def model_shapes(draw: st.DrawFn, widest: int = 8, most_layers: int = 4) -> ModelShape:
    """Strategies for shapes of quantized models."""
    layers = draw(st.integers(1, most_layers))
    widths = [draw(st.integers(1, widest))]
    for _ in range(layers):
        widths.append(widths[-1] if draw(st.booleans()) else draw(st.integers(1, widest)))
    hidden = layers - 1
    chains = st.sampled_from(("", "r", "a", "c", "ac", "ca", "ra", "aca", "cac", "aaca"))
    return ModelShape(
        tuple(widths),
        tuple(draw(st.integers(1, 8)) for _ in range(layers)),
        tuple(draw(st.integers(1, 8)) for _ in range(hidden)),
        tuple(draw(st.booleans()) for _ in range(hidden)),
        tuple(draw(chains) for _ in range(hidden)),
        tuple(draw(st.booleans()) for _ in range(hidden)),
        draw(st.booleans()),
        draw(st.integers(1, 8)),
        draw(st.booleans()),
        draw(st.integers(0, 2**32 - 1)),
    )


def _affine(rng: np.random.Generator, size: int, ties: bool) -> Affine:
    scale = rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 4.0], size) if ties else rng.normal(size=size)
    scale = np.where(rng.random(size) < 0.15, 0.0, scale)
    shift = rng.integers(-8, 9, size) / 4 if ties else np.rint(rng.normal(size=size) * 2**16) / 2**16
    return Affine(round_scale(np.abs(scale), 12) * np.sign(scale), shift)


def model_of(shape: ModelShape) -> QuantizedModel:
    """The model that `shape` describes; the same shape gives the same model. Weights are narrow."""
    rng = np.random.default_rng(shape.seed)
    first = Input(
        shape.widths[0], np.array([0.1]), np.array([0.0]), shape.input_bits, shape.input_signed, 2.0**-shape.input_bits
    )
    nodes = [ModelNode("input", first)]
    at, step = "input", first.step

    def add(name: str, operator: ModelOperator, *inputs: str) -> str:
        nodes.append(ModelNode(name, operator, inputs))
        return name

    for number, (inputs, outputs) in enumerate(zip(shape.widths, shape.widths[1:], strict=False), start=1):
        last = number == len(shape.widths) - 1
        bits = shape.weight_bits[number - 1]
        low, high = integer_range(bits, narrow=True)
        weight = rng.choice([-1, 1], (outputs, inputs)) if bits == 1 else rng.integers(low, high + 1, (outputs, inputs))
        count = 1 if last else outputs
        scale = 2.0 ** rng.integers(-4, 3, count) if shape.ties else np.exp(rng.normal(size=count))
        scale = round_scale(np.asarray(scale, np.float64), WEIGHT_SCALE_BITS)
        unit = scale * step
        if last:
            bias = np.rint(rng.normal(size=outputs) * 20) * unit
        elif shape.ties:
            bias = rng.integers(-6, 7, outputs) * unit / 2
        else:
            bias = np.rint(rng.normal(size=outputs) * 2**16) * np.ldexp(unit, -16)
        begin = at
        at = add(f"linear{number}", QuantizedLinear(weight.astype(np.int32), bits, True, scale, bias), at)
        if last:
            break
        for position, letter in enumerate(shape.chain[number - 1]):
            low_end, high_end = (0.0, np.inf) if letter == "r" else (-1.5, 2.25)
            operator = _affine(rng, outputs, shape.ties) if letter == "a" else Clamp(low_end, high_end)
            at = add(f"chain{number}_{position}", as_user_operator(operator), at)
        residual = shape.residual[number - 1] and inputs == outputs
        if not residual:
            spread = 2.0 ** rng.integers(-5, 4) if shape.ties else float(np.exp(rng.normal() * 2))
            step = round_scale(spread, ACTIVATION_SCALE_BITS)
        at = add(f"act{number}", Quantizer(step, shape.act_bits[number - 1], shape.signed[number - 1]), at)
        if residual:
            at = add(f"add{number}", as_user_operator(Add()), begin, at)
    return QuantizedModel("random", tuple(nodes))


def corner_inputs(model: QuantizedModel, seed: int, count: int = 6) -> np.ndarray:
    """Random input integers, and the two corners of their range."""
    bits, signed = model.input.bits, model.input.signed
    low = -(2 ** (bits - 1)) if signed else 0
    high = low + 2**bits - 1
    rng = np.random.default_rng(seed)
    middle = rng.integers(low, high + 1, (count, model.input.size))
    return np.concatenate([middle, np.full((1, middle.shape[1]), low), np.full((1, middle.shape[1]), high)])
