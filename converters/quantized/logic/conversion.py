"""The quantized form with `--neurons logic`: from a float model and samples to a network of Boolean functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeml.errors import InputError
from edgeml.frontends.mlp import Mlp
from edgeml.judging.scores import judged
from edgeml.network import Network
from edgeml.plugins import Conversion, Progress

from ..options import Options
from .inputs import logic_inputs

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["convert_to_logic"]

_OF_WEIGHTS = ("bits", "weight_bits", "act_bits", "layer_bits", "weight_range", "fan_in")
"""Options that say something of weights or activations, which functions do not have."""
_GROUP = 20
_FEWEST_LAST = 64
_MOST_SCORES = 2**27
_KEPT_SHARE = 0.5
_FEWEST_KEPT = 30
"""Bits of the features that may be used in the end: half as many as functions, but enough for the features to be told
apart where there are few functions."""
_FEWEST_LABELLED = 500
"""Of fewer samples the labels are not learned from: tables soon know them by heart, the float model's answers less."""
_LEARNING_RATE_SHARE = 0.25
"""θ lies in −1 … 1; the option is in units of a layer's weights."""


def convert_to_logic(
    mlp: Mlp, data: Dataset | None, options: Options, given: Mapping[str, Any], progress: Progress
) -> Conversion:
    """Train and convert. `mlp` is the teacher, without its tail; `given` is what the user asked for.

    Raises
    ------
    InputError : there is no data, or an option does not fit.
    """
    for name in _OF_WEIGHTS:
        if name in given:
            raise InputError(
                f"option {name}", "is of weights and activations; --neurons logic has none", "Leave one of both out"
            )
    if data is None or options.epochs == 0:
        where, problem = ("data", "is needed") if data is None else ("option epochs", "cannot be 0")
        raise InputError(where, f"{problem}: Boolean functions must be trained", "Pass samples, and leave epochs out")
    from ..calibrate import float_outputs
    from ..torch_settings import torch_device
    from .integers import to_network
    from .lesson import lesson_of
    from .model import Shape
    from .training import Settings, train

    inputs = logic_inputs(data.x, options.encode, options.input_bits)
    shape = Shape(
        inputs.encode.outputs,
        _widths(mlp, options),
        options.logic_inputs,
        mlp.output_size,
        mlp.task,
        options.logic_weights,
    )
    _require_size(shape.inputs, shape.widths, shape.fan_in)
    y = data.y if len(data.x) >= _FEWEST_LABELLED else None
    lesson = lesson_of(
        data.x, y, lambda x: float_outputs(mlp, x), inputs.quantizer, inputs.encode, mlp.task, mlp.threshold,
        options.seed,
    )  # fmt: skip
    in_an_epoch = math.ceil(len(data.x) / options.batch_size)
    settings = Settings(
        options.batch_size,
        options.learning_rate * _LEARNING_RATE_SHARE,
        None if options.epochs is None else options.epochs * in_an_epoch,
        max(_FEWEST_KEPT, round(_KEPT_SHARE * shape.widths[0])),
        options.seed,
        torch_device(options.device),
    )
    model, steps = train(shape, lesson, settings, progress)
    network = to_network(model, inputs, lesson, mlp.name)
    network = replace(network, output=replace(network.output, labels=mlp.labels or data.labels))
    metrics = {"epochs": math.ceil(steps / in_an_epoch), **judged(mlp, network, data.x_test, data.y_test)}
    return Conversion(network, metrics, notes=(_note(network),))


def _widths(mlp: Mlp, options: Options) -> tuple[int, ...]:
    """Functions of each layer: as asked for, else one layer of as many as the outputs need."""
    outputs = mlp.output_size
    if options.logic_widths:
        if options.logic_widths[-1] % outputs:
            last = options.logic_widths[-1]
            raise InputError(
                "option logic_widths",
                f"ends in {last} functions, which {outputs} outputs cannot share",
                f"End in a multiple of {outputs}, such as {max(1, round(last / outputs)) * outputs}",
            )
        return options.logic_widths
    return (max(_GROUP, -(-_FEWEST_LAST // outputs)) * outputs,)


def _require_size(inputs: int, widths: tuple[int, ...], fan_in: int) -> None:
    scores = sum(before * after for before, after in zip((inputs, *widths), widths, strict=False)) * fan_in
    if scores > _MOST_SCORES:
        raise InputError(
            "option logic_widths",
            f"{', '.join(map(str, widths))} behind {inputs} bits: {scores} possible wires are more than {_MOST_SCORES}",
            "Use fewer functions, or fewer levels in --encode",
        )


def _note(network: Network) -> str:
    bits, *layers, _ = [network.sizes[node.name] for node in network.nodes[1:]]
    return (
        f"Boolean functions: {bits} bits of the features, then {' and '.join(map(str, layers))} functions, summed in "
        "groups. The outputs are counts; Brevitas has no such layers and does not take part in verification."
    )
