"""A float graph and data become an int8 model: scales, integers, bias correction, and the universal mode's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.graph_walk import walk

from .calibration import Calibration, activation_tensors
from .fusion import INPUT, FloatGraph
from .input_form import in_units_of_x, is_plain
from .model import Model
from .operators.fully_connected import FullyConnected, by_rule
from .operators.operator import Lowering, TfliteOperator
from .operators.tensor_info import TensorInfo
from .options import GUARD_BITS, Options
from .stages import LinearStage, Stage
from .weights import QuantizedWeights, accumulator_bound, quantize_weights, weight_scales
from .written import Written

__all__ = ["quantize_graph"]

Floats = npt.NDArray[np.float64]

_LARGEST_EXACT = 2**24
"""float32 holds every integer up to here, so that runtimes which round in float32 still see the accumulator itself."""
_FEWEST_SHIFTED = 3
"""The least k + g of the universal mode: below, the added 1 would be more than an eighth of an output step."""


def quantize_graph(
    graph: FloatGraph, name: str, data: Floats, options: Options, scales: Mapping[str, Floats] | None = None
) -> Model:
    """The int8 model of `graph`, calibrated on features `data` [samples, features].

    The input is in a form that the file can state (see `input_form`).
    `scales` gives weight scales [outputs] or [1] of linear stages by name, where training has found them. In universal
    mode (see `Options`) all scales are powers of two, every accumulator with its guard bits is below 2^24, and the
    shift is long enough: one file, the same bytes in every runtime. Raises InputError where that cannot be had.
    """
    values = graph.trace(data)
    how = Calibration(options.calibration, options.percentile, options.universal)
    floors: dict[str, float] = {}
    for _ in range(64):
        tensors = activation_tensors(graph, values, how, floors)
        try:
            model = _Quantizer(graph, name, tensors, options, scales or {}).model(values)
            return in_units_of_x(model, float(graph.input_scale[0])) if is_plain(graph) else model
        except _ScaleTooSmallError as small:
            layer = small.layer
            floors[layer] = max(tensors[layer].scale * 2, small.least)
    raise InputError(f"layer {layer}", "no output scale is large enough for its accumulator")


class _ScaleTooSmallError(Exception):
    """A layer whose output scale is below what one step of its accumulator stands for (as where a ReLU never lets
    anything through), or in universal mode below 8 times that with guard bits; and the least scale that is not."""

    def __init__(self, layer: str, least: float) -> None:
        super().__init__(layer)
        self.layer, self.least = layer, least


@dataclass(frozen=True, eq=False)
class _Integers:
    """The layers of the stages so far, and the integers [samples, size] of what later stages may take, by node."""

    lowering: Lowering
    given: dict[str, npt.NDArray[np.int32]]


class _Quantizer:
    def __init__(
        self,
        graph: FloatGraph,
        name: str,
        tensors: Mapping[str, TensorInfo],
        options: Options,
        scales: Mapping[str, Floats],
    ) -> None:
        self._graph, self._tensors, self._options, self._scales = graph, dict(tensors), options, scales
        self._empty = Model(
            name,
            self._tensors,
            (),
            INPUT,
            graph.stages[-1].name,
            options.float_io,
            options.float_io,
            *(() if is_plain(graph) else (graph.input_offset, graph.input_scale)),
        )

    def model(self, values: Mapping[str, Floats]) -> Model:
        """All stages in order; with bias correction each layer sees the errors of those before it."""
        first = self._tensors[INPUT]
        given = np.clip(np.rint(values[INPUT] / first.scale) + first.zero_point, first.low, first.high)

        def quantized(stage: Stage, integers: list[Floats]) -> Floats:
            before, given_now[:] = len(written.operators), integers[:1]
            stage.written(written)
            added = written.operators[before:]
            return self._evaluate(stage, added, known) if self._options.bias_correction else given

        rule = "shift" if self._options.universal else "double_rounding"
        lowering = Lowering(self._tensors, by_rule(rule), rule, {INPUT: INPUT})
        known = _Integers(lowering, {INPUT: given.astype(np.int32)})
        given_now: list[Floats] = []
        written = Written(self._tensors, lambda linear, rows: self._linear(linear, rows, given_now[0], values))
        walk(self._graph.stages, {INPUT: given}, quantized)
        return replace(self._empty, operators=tuple(written.operators))

    def _linear(self, stage: LinearStage, rows: str, integers: Floats, values: Mapping[str, Floats]) -> FullyConnected:
        operator = self._fully_connected(stage, rows, stage.bias)
        return self._corrected(operator, stage, integers, values) if self._options.bias_correction else operator

    def _fully_connected(self, stage: LinearStage, rows: str, bias: Floats) -> FullyConnected:
        options, source, target = self._options, self._tensors[stage.inputs[0]], self._tensors[stage.name]
        bits = options.weight_bits_of(trained=stage.trained)
        scale = self._scales.get(stage.name)
        if scale is None:
            scale = weight_scales(stage.weight, bits, per_tensor=options.per_tensor, powers_of_two=options.universal)
        if options.universal:
            # What carries a product's scale (see `products`) has it in its weights' scales too: the factor of its sums
            # stays a power of two.
            mantissa = np.frexp(target.scale)[0]
            scale = scale * (mantissa if mantissa > 0.5 else 1.0)
        quantized = quantize_weights(stage.weight, bias, scale, bits, source, target)
        activation = "none"
        if stage.low == 0 and stage.high in (6.0, np.inf):
            activation = "relu6" if stage.high == 6 else "relu"
        guard_bits = GUARD_BITS if options.universal else 0
        if options.universal:
            quantized = self._bounded(stage, bias, quantized, bits, source, target)
        stored = quantized.scale / np.float32(2**guard_bits)
        steps = target.scale / (source.scale * stored.astype(np.float64))
        fewest = 2.0**_FEWEST_SHIFTED if options.universal else 1.0
        if steps.min() < fewest:
            raise _ScaleTooSmallError(stage.name, target.scale * fewest / float(steps.min()))
        return FullyConnected(
            stage.name,
            (rows,),
            quantized.weight,
            8 if options.universal else bits,
            stored,
            quantized.bias,
            activation,
            guard_bits,
        )

    def _bounded(
        self,
        stage: LinearStage,
        bias: Floats,
        quantized: QuantizedWeights,
        bits: int,
        source: TensorInfo,
        target: TensorInfo,
    ) -> QuantizedWeights:
        """Coarser scales where an accumulator with its guard bits could reach 2^24."""
        for _ in range(24):
            over = accumulator_bound(quantized, source) * 2**GUARD_BITS + 1 >= _LARGEST_EXACT
            if not over.any():
                return quantized
            coarser = quantized.scale * np.where(over if quantized.scale.size > 1 else over.any(), 2, 1)
            quantized = quantize_weights(stage.weight, bias, coarser.astype(np.float64), bits, source, target)
        raise InputError(f"layer {stage.name}", "its accumulator reaches 2^24: too many inputs for the universal mode")

    def _corrected(
        self, operator: FullyConnected, stage: LinearStage, integers: Floats, values: Mapping[str, Floats]
    ) -> FullyConnected:
        """The bias raised by the mean error of each channel's accumulator on the calibration data."""
        source = self._tensors[stage.inputs[0]]
        scale = operator.weight_scale.astype(np.float64) * 2.0**operator.guard_bits * source.scale
        rows = stage.operator.rows
        accumulated = rows(integers - source.zero_point) @ operator.weight.T.astype(np.float64) + operator.bias
        expected = rows(values[stage.inputs[0]]) @ stage.weight.T + stage.bias
        error = expected.mean(axis=0) - accumulated.mean(axis=0) * scale
        corrected = self._fully_connected(stage, operator.inputs[0], stage.bias + error)
        # Scales follow the weights, not the bias, but for a bias near the end of its range: keep the first ones then.
        return corrected if np.array_equal(corrected.weight_scale, operator.weight_scale) else operator

    def _evaluate(self, stage: Stage, operators: list[TfliteOperator], integers: _Integers) -> Floats:
        """The integers of one stage on the calibration data, by the golden layers themselves."""
        lowering, before = integers.lowering, len(integers.lowering.nodes)
        for operator in operators:
            operator.lower(lowering)
        last = lowering.node(stage.name)
        nodes = lowering.nodes[before:]
        found = walk(nodes, integers.given, lambda node, taken: node.layer.evaluate(*taken))
        integers.given[last] = found[last]
        return found[last].astype(np.float64)
