"""From a model with scales to the integer network that a given rounding rule makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Add as AddLayer
from edgeml.network import Dense, InputQuantizer, Layer, Network, Node, Output, integer_threshold
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import float32_parts, float64_parts, quantize_multiplier
from edgeml.network.task import BINARY

from .model import Add, FullyConnected, Function, Model, Operator, Relu, Retype, Softmax, TensorInfo
from .tables import clip_table, function_table, retype_table

__all__ = ["Arithmetic", "RoundingRule", "by_rule", "factors", "logits", "lower"]


@dataclass(frozen=True)
class Arithmetic:
    """How a kernel gets from an accumulator to an output.

    Parameters
    ----------
    rounding : name of its rounding rule.
    float32_product : whether, where the weights have one scale, it multiplies that with the input's in float32 and not
        in float64. (One output row counts as one scale.)
    """

    rounding: str
    float32_product: bool = False


RoundingRule = Callable[[FullyConnected], Arithmetic]
"""The arithmetic of each layer: some runtimes have more than one kernel."""


def by_rule(rounding: str) -> RoundingRule:
    """The rule of that name for all layers, as its best known runtime applies it."""
    arithmetic = Arithmetic(rounding, float32_product=rounding == "ruy_half_up")
    return lambda operator: arithmetic


def factors(
    operator: FullyConnected, source: TensorInfo, target: TensorInfo, arithmetic: Arithmetic
) -> dict[str, npt.NDArray[np.int32]]:
    """`multiplier`, `shift` and `fraction` of a fully connected layer, in the runtimes' order of operations.

    float64(si)·float64(sw)/float64(so), with one scale maybe float32(si·sw); `fp32_rne`: si·sw/so in float32.
    `float64_away` multiplies with that float64 number itself, the integer rules with its first 31 bits.
    """
    scale = operator.weight_scale
    si, so = np.float32(source.scale), np.float32(target.scale)
    if arithmetic.rounding == "fp32_rne":
        multiplier, shift = float32_parts(si * scale / so)
        return {"multiplier": multiplier, "shift": shift}
    if scale.size == 1 and arithmetic.float32_product:
        product = (si * scale).astype(np.float64)
    else:
        product = np.float64(si) * scale.astype(np.float64)
    if arithmetic.rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(product / np.float64(so))
        return {"multiplier": multiplier, "shift": shift, "fraction": fraction}
    multiplier, shift = quantize_multiplier(product / np.float64(so))
    return {"multiplier": multiplier, "shift": shift}


def _bounds(operator: FullyConnected, target: TensorInfo, rounding: str) -> tuple[int, int]:
    """The integers that the fused activation clips to: zero, and six in the output's scale."""
    low, high = target.low, target.high
    if operator.activation != "none":
        low = max(low, target.zero_point)
    if operator.activation == "relu6":
        steps = float(np.float32(6) / np.float32(target.scale))
        six = np.rint(steps) if rounding == "fp32_rne" else np.floor(steps + 0.5)
        high = min(high, target.zero_point + int(min(six, 2**16)))
    return low, high


def _fully_connected(
    operator: FullyConnected, source: TensorInfo, target: TensorInfo, arithmetic: Arithmetic
) -> tuple[Dense, Requantize]:
    rounding = arithmetic.rounding
    parts = factors(operator, source, target, arithmetic)
    if rounding == "shift":
        if np.any(parts["multiplier"] != 2**30):
            raise InputError(
                f"layer {operator.output}",
                "rounding `shift` needs scales that are powers of two, found others",
                "Convert with --rounding shift, or choose the rule of the runtime you mean",
            )
        weight, bias = operator.weight, operator.bias
        parts["shift"] = parts["shift"] + np.int32(operator.guard_bits)
    else:
        weight, bias = operator.stored_weight, operator.stored_bias
    dense = Dense(weight.astype(np.int32), _weight_bits(weight, operator), bias, source.zero_point)
    low, high = _bounds(operator, target, rounding)
    return dense, Requantize(rounding=rounding, zero_point=target.zero_point, low=low, high=high, **parts)


def _weight_bits(weight: npt.NDArray[np.int8], operator: FullyConnected) -> int:
    """Bits that the weights have: those of the file, less the guard bits where those are taken off."""
    if not operator.guard_bits:
        return operator.weight_bits
    low, high = int(weight.min()), int(weight.max())
    return max((-low - 1).bit_length() if low < 0 else 0, high.bit_length(), 1) + 1


def _same_scale(operator: Operator, tensors: list[TensorInfo]) -> None:
    scales = {info.scale for info in tensors}
    if len(scales) > 1:
        kind = type(operator).__name__.upper()
        raise InputError(
            f"layer {operator.output}",
            f"{kind} between different scales {sorted(scales)}: the runtimes round it in different ways",
            "Give its inputs and its output one scale",
        )


def _layer(operator: Operator, sources: list[TensorInfo], target: TensorInfo) -> Layer:
    """The lookup that an operator on single 8-bit values is."""
    (source,) = sources
    if isinstance(operator, Function):
        return Lookup(function_table(operator.name, source, target), source.low)
    _same_scale(operator, [source, target])
    if isinstance(operator, Relu):
        return Lookup(clip_table(source, target, operator.limit), source.low)
    return Lookup(retype_table(source, target), source.low)


def lower(model: Model, rounding: RoundingRule | str) -> Network:
    """The integer network that computes what a runtime with this rounding rule computes for `model`.

    A final SOFTMAX is no part of it: the network ends at its input, whose argmax is the same. Raises InputError
    where an operator cannot be exact, NetworkError where a value may pass 32 bits.
    """
    rule = by_rule(rounding) if isinstance(rounding, str) else rounding
    tensors = model.tensors
    first = tensors[model.input]
    quantizer = InputQuantizer(
        first.size,
        model.input_scale * np.float64(first.scale),
        model.input_offset,
        first.zero_point,
        8,
        first.signed,
    )
    nodes = [Node("input", quantizer)]
    place = {model.input: "input"}
    for operator in model.operators:
        name, sources = operator.output, [tensors[source] for source in operator.inputs]
        target, feeding = tensors[name], tuple(place[source] for source in operator.inputs)
        if isinstance(operator, Softmax):
            if operator is not model.operators[-1]:
                raise InputError(f"layer {name}", "SOFTMAX is supported at the end of a model only")
            place[name] = feeding[0]
            continue
        if (
            isinstance(operator, Retype)
            and sources[0].signed == target.signed
            and sources[0].zero_point == target.zero_point
        ):
            _same_scale(operator, [sources[0], target])
            place[name] = feeding[0]
            continue
        if isinstance(operator, FullyConnected):
            dense, requantize = _fully_connected(operator, sources[0], target, rule(operator))
            nodes += [Node(f"{name}_acc", dense, feeding), Node(name, requantize, (f"{name}_acc",))]
        elif isinstance(operator, Add):
            _same_scale(operator, [*sources, target])
            zero_point = target.zero_point - sources[0].zero_point - sources[1].zero_point
            one = np.array([2**30], np.int32), np.array([1], np.int32)
            name_of_rule = rounding if isinstance(rounding, str) else "double_rounding"
            clip = Requantize(*one, name_of_rule, zero_point, target.low, target.high)
            nodes += [Node(f"{name}_sum", AddLayer(), feeding), Node(name, clip, (f"{name}_sum",))]
        else:
            nodes.append(Node(name, _layer(operator, sources, target), feeding))
        place[name] = name
    last = logits(model)
    output = Output(np.array([last.scale], np.float64), last.zero_point, model.labels, *_task(model, last))
    return Network(model.name, tuple(nodes), output)


def _task(model: Model, last: TensorInfo) -> tuple[str, int | None]:
    """The task that the model states, or that an only output behind a sigmoid suggests; and its integer threshold."""
    operators = [operator for operator in model.operators if not isinstance(operator, Retype)]
    sigmoid = bool(operators) and isinstance(operators[-1], Function) and operators[-1].name == "LOGISTIC"
    task, threshold = model.task, model.threshold
    if not task and sigmoid and last.size == 1:
        task, threshold = BINARY, 0.5
    return task, integer_threshold(threshold, float(last.scale), last.zero_point) if task == BINARY else None


def logits(model: Model) -> TensorInfo:
    """The tensor that the integer network ends with: the output, or the input of a final SOFTMAX."""
    name = model.output
    if model.operators and isinstance(model.operators[-1], Softmax):
        name = model.operators[-1].inputs[0]
    return model.tensors[name]
