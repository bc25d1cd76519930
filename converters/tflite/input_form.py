"""How real features enter the .tflite file, which any runtime must be able to do from the file alone.

An int8 tensor has one scale and one integer zero point. A normalisation (x − offset) / scale at the model's head
therefore becomes part of the first layers' weights and biases, and the input tensor stands for x itself, if that keeps
the first layers' sums; with float inputs the file may also normalise by itself, in float32, before it quantizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.equalization import feature_units
from edgeml.errors import InputError
from edgeml.frontends.float_operators.gather import joined_ties, tied_mean
from edgeml.frontends.float_operators.weights import Weights

from .calibration import Calibration
from .fusion import INPUT, FloatGraph
from .model import Model
from .options import Options
from .stages import LinearStage, Stage
from .weights import weight_scales

__all__ = ["MOST_LOST", "choose_input_form", "evened_features", "in_units_of_x", "is_plain", "lost"]

Floats = npt.NDArray[np.float64]

MOST_LOST = 1e-3
"""Mean square of the first layers' errors, over the variance of their sums, that one scale for all features may cost:
about 20 times that of well-chosen 8-bit integers."""
_NEARLY_EQUAL = 1.5
_WORTH_EVENING = 0.1
_FINEST = 2.0**-12
"""Share of a feature's deviation that float32 must still tell apart for the file to normalise it: a 2^7th of a step."""


def is_plain(graph: FloatGraph) -> bool:
    """Whether the graph's input is x in a unit of its own (a power of two): nothing but scale and zero point."""
    scale = graph.input_scale
    return scale.size == 1 and not graph.input_offset.any() and bool(np.frexp(scale[0])[0] == 0.5)


def choose_input_form(graph: FloatGraph, samples: Floats, options: Options) -> FloatGraph:
    """`graph` with an input that the file can state: plain (see `is_plain`), or normalised by operators of the file.

    The same function of x [samples, features] in every case. Raises InputError, with what to do, where an int8 input
    would lose too much, or float32 holds the features too coarsely.
    """
    if is_plain(graph):
        return graph
    folded = _folded(graph)
    here = lost(graph, samples, options)
    there = np.inf if folded is None else lost(folded, samples, options)
    if folded is not None and there <= (_NEARLY_EQUAL * here if options.float_io else max(MOST_LOST, 2 * here)):
        return folded
    if not options.float_io:
        raise _refusal(graph, samples, there)
    return _in_float32(graph, samples)


def evened_features(graph: FloatGraph, samples: Floats, options: Options) -> FloatGraph | None:
    """`graph` with its features normalised, in float32, by their means and deviations in `samples`, for a file with
    float inputs, as no int8 tensor has a scale for each feature. None where one scale for all of them loses little, or
    no less than this, or where float32 holds them too coarsely."""
    if not is_plain(graph) or not graph.takes_only_linear:
        return None
    here = lost(graph, samples, options)
    if here <= MOST_LOST:
        return None
    x = graph.normalised(samples)
    first = _first_linears(graph)
    mean, units = _mean_and_units(x, first)
    changed = _scaled(first, units, mean)
    if changed is None:
        return None
    unit = graph.input_scale[0]
    evened = replace(graph, stages=_with(graph, changed), input_offset=mean * unit, input_scale=units * unit)
    try:
        evened = _in_float32(evened, samples)
    except InputError:
        return None
    return evened if lost(evened, samples, options) < _WORTH_EVENING * here else None


def in_units_of_x(model: Model, unit: float) -> Model:
    """`model`, whose input tensor counts in `unit`, a power of two, with that taken into its scale; integers stay."""
    counted = {model.input}
    for operator in model.operators:
        if operator.one_scale and counted.issuperset(operator.inputs):
            counted.add(operator.output)
    changed = {
        operator.output: replace(operator, weight_scale=operator.weight_scale / np.float32(unit))
        for operator in model.fully_connected
        if operator.inputs[0] in counted
    }
    operators = tuple(changed.get(operator.output, operator) for operator in model.operators)
    in_units = {name: replace(model.tensors[name], scale=model.tensors[name].scale * unit) for name in counted}
    tensors = {**model.tensors, **in_units}
    return replace(model, tensors=tensors, operators=operators)


def lost(graph: FloatGraph, samples: Floats, options: Options) -> float:
    """What quantizing the input and the first layers' weights costs: the mean square of the errors of their sums over
    the variance of these, on the average of all sums; errors that a bias takes off do not count."""
    x = graph.normalised(samples)
    low, high = Calibration(options.calibration, options.percentile, options.universal).range_of(x, -np.inf, np.inf)
    step = Calibration(powers_of_two=options.universal).rounded_scale((high - low) / 255)
    zero_point = np.rint(-128 - low / step)
    kept = (np.clip(np.rint(x / step) + zero_point, -128, 127) - zero_point) * step
    costs: list[Floats] = []
    for user in graph.consumers(INPUT):
        stage = graph.linears.get(user.name)
        if stage is None:
            costs.append((kept - x).var(axis=0) / np.maximum(x.var(axis=0), 1e-300))
            continue
        rows = stage.operator.rows
        error = (rows(kept) @ _quantized(stage, options).T - rows(x) @ stage.weight.T).var(axis=0)
        signal = (rows(x) @ stage.weight.T).var(axis=0)
        costs.append(error[signal > 0] / signal[signal > 0])
    every = np.concatenate(costs)
    return float(every.mean()) if every.size else 0.0


def _quantized(stage: LinearStage, options: Options) -> Floats:
    bits = options.weight_bits_of(trained=stage.trained)
    scale = weight_scales(stage.weight, bits, per_tensor=options.per_tensor, powers_of_two=options.universal)
    high = 2 ** (bits - 1) - 1
    levels: Floats = np.clip(np.rint(stage.weight / scale[:, None]), -high, high) * scale[:, None]
    return levels


def _folded(graph: FloatGraph) -> FloatGraph | None:
    """The normalisation in the first layers' weights and biases, but for a unit that all features share; None where
    something else than a linear layer takes the input."""
    if not graph.takes_only_linear:
        return None
    unit = float(2.0 ** np.rint(np.log2(graph.input_scale).mean()))
    first = _first_linears(graph)
    scale, offset = (np.broadcast_to(each, (graph.input_size,)) for each in (graph.input_scale, graph.input_offset))
    if all(stage.operator.gather is None for stage in first):
        changed = []
        for stage in first:
            weight = stage.weight / graph.input_scale
            bias = stage.bias - (weight * graph.input_offset).sum(axis=1)
            changed.append(stage.with_parameters(weight * unit, bias))
    elif (found := _scaled(first, unit / scale, -offset / scale)) is None:
        return None
    else:
        changed = found
    return replace(graph, stages=_with(graph, changed), input_offset=np.zeros(1), input_scale=np.full(1, unit))


def _first_linears(graph: FloatGraph) -> list[LinearStage]:
    """The linear stages that take the input."""
    return [stage for stage in graph.linears.values() if INPUT in stage.inputs]


def _scaled(stages: Sequence[LinearStage], scale: Floats, shift: Floats) -> list[LinearStage] | None:
    """The stages for x · scale + shift [features] in place of x; None where one that shares its weights has none."""
    changed = []
    for stage in stages:
        if stage.operator.gather is None:
            weight, bias = stage.weight * scale, stage.bias + (stage.weight * shift).sum(axis=1)
            changed.append(stage.with_parameters(weight, bias))
            continue
        merged = stage.operator.of_scaled_and_shifted(scale, shift)
        if not isinstance(merged, Weights):
            return None
        changed.append(replace(stage, operator=merged))
    return changed


def _mean_and_units(x: Floats, stages: Sequence[LinearStage]) -> tuple[Floats, Floats]:
    """Of each feature [features]; those that one weight takes at several positions have the same, and the mean 0 where
    padding, which stands for 0, is taken beside them."""
    gathers = [stage.operator.gather for stage in stages if stage.operator.gather is not None]
    if not gathers:
        return x.mean(axis=0), feature_units(x, [stage.weight for stage in stages])
    ties = joined_ties(gathers)
    mean = np.zeros(x.shape[1]) if any(gather.pads for gather in gathers) else tied_mean(x.mean(axis=0), ties)
    units = np.sqrt(tied_mean(np.square(x - mean).mean(axis=0), ties))
    ordinary = float(np.median(units[units > 0])) if np.any(units > 0) else 1.0
    return mean, np.where(units > 0, units, ordinary)


def _with(graph: FloatGraph, changed: Sequence[Stage]) -> tuple[Stage, ...]:
    """The graph's stages, those of `changed` in the place of theirs."""
    by_name = {stage.name: stage for stage in changed}
    return tuple(by_name.get(stage.name, stage) for stage in graph.stages)


def _in_float32(graph: FloatGraph, samples: Floats) -> FloatGraph:
    """`graph` with the offsets and scales that the file holds; InputError where float32 cannot tell features apart."""
    with np.errstate(over="ignore", under="ignore"):
        offset, scale = (
            _shortened(values).astype(np.float32).astype(np.float64)
            for values in (graph.input_offset, graph.input_scale)
        )
    largest = np.maximum(np.abs(samples).max(axis=0), np.abs(offset))
    coarse = ~(np.spacing(largest.astype(np.float32)) <= scale * _FINEST) | ~(scale > 0)
    if coarse.any():
        index = int(np.argmax(coarse))
        divisor = np.broadcast_to(graph.input_scale, largest.shape)[index]
        raise InputError(
            f"input, feature {index}",
            f"reaches {largest[index]:.6g} and is divided by {divisor:.3g}: float32 cannot hold it finely enough",
            "Subtract a constant from it before the model",
        )
    return replace(graph, input_offset=offset, input_scale=scale)


def _shortened(values: Floats) -> Floats:
    return values[:1] if np.all(values == values[0]) else values


def _refusal(graph: FloatGraph, samples: Floats, cost: float) -> InputError:
    what = (
        f"the first layer's sums would be off by {100 * min(cost, 99) ** 0.5:.0f} % of their deviation"
        if np.isfinite(cost)
        else "something else than a linear layer takes the normalised input"
    )
    spread = np.ptp(samples, axis=0)
    worst = int(np.argmin(spread))
    step = (max(float(samples.max()), 0.0) - min(float(samples.min()), 0.0)) / 255
    return InputError(
        "input",
        f"the model normalises its features, and an int8 input has one scale (here {step:.3g}; feature {worst} spans "
        f"{spread[worst]:.3g}): {what}",
        "Pass --float-io, so that the file normalises float inputs itself; or normalise before the model, and leave it "
        "out of the model",
    )
