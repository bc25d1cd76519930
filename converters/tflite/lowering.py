"""From a model with scales to the integer network that a given rounding rule makes of it."""

from __future__ import annotations

import numpy as np

from edgeml.errors import InputError
from edgeml.network import InputQuantizer, Network, Node, Output, integer_threshold
from edgeml.network.task import BINARY

from .model import Model
from .operators.fully_connected import RoundingRule, by_rule
from .operators.operator import Lowering

__all__ = ["lower"]


def lower(model: Model, rounding: RoundingRule | str) -> Network:
    """The integer network that computes what a runtime with this rounding rule computes for `model`.

    A final SOFTMAX is not a part of it: the network ends at its input, whose argmax is the same. Raises InputError
    where an operator cannot be exact, NetworkError where a value may pass 32 bits.
    """
    first = model.tensors[model.input]
    quantizer = InputQuantizer(
        first.size,
        model.input_scale * np.float64(first.scale),
        model.input_offset,
        first.zero_point,
        8,
        first.signed,
    )
    lowering = lowering_of(model, rounding)
    lowering.nodes += [Node("input", quantizer)] if model.encoded is None else list(model.encoded.nodes)
    for operator in model.operators:
        if operator is model.behind:
            break
        if operator.behind_integers:
            raise InputError(f"layer {operator.output}", "SOFTMAX is supported at the end of a model only")
        operator.lower(lowering)
    last = model.logits
    lowering.node(last.name)
    output = Output(np.array([last.scale], np.float64), last.zero_point, model.labels, *_task(model))
    return Network(model.name, tuple(lowering.nodes), output)


def lowering_of(model: Model, rounding: RoundingRule | str) -> Lowering:
    """The start of a lowering of `model`, with its input alone."""
    rule = by_rule(rounding) if isinstance(rounding, str) else rounding
    named = rounding if isinstance(rounding, str) else "double_rounding"
    return Lowering(model.tensors, rule, named, {model.input: "input" if model.encoded is None else "encode"})


def _task(model: Model) -> tuple[str, int | None]:
    """The task that the model states, or that an only output behind a sigmoid suggests; and its integer threshold."""
    last = model.logits
    operators = [operator for operator in model.operators if not operator.keeps_values]
    task, threshold = model.task, model.threshold
    if not task and operators and operators[-1].gives_probability and last.size == 1:
        task, threshold = BINARY, 0.5
    return task, integer_threshold(threshold, float(last.scale), last.zero_point) if task == BINARY else None
