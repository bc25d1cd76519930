"""What was learned as an integer network: Encode → Logic → … → Dense, whose weights are those of the groups.

Entries of a table that no sample of the lesson reaches may be anything: they are set so that the function depends on
fewer inputs, where that can be. Bits and functions that nobody takes then are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Layer, Logic, Network, Node, Output
from edgeml.network.task import BINARY, VALUES

from .inputs import LogicInputs
from .lesson import Lesson
from .model import LogicModel

__all__ = ["to_network"]

Bits = npt.NDArray[np.uint8]


@dataclass
class _Functions:
    """One layer: sources int64 [functions, k], tables uint8 [functions, 2^k]."""

    sources: npt.NDArray[np.int64]
    tables: Bits


def to_network(model: LogicModel, inputs: LogicInputs, lesson: Lesson, name: str) -> Network:
    """The integer network, which gives the trained model's sums for every sample of the lesson."""
    layers = [
        _Functions(layer.wiring.numpy().copy(), layer.tables.numpy().astype(np.uint8)) for layer in model.functions
    ]
    bits: Bits = np.concatenate([lesson.bits, lesson.mixed_bits])
    for layer in layers:
        _simplify(layer, bits)
        bits = _outputs(layer, bits)
    kept = _without_unused(layers)
    taken = inputs.only(kept)
    nodes = [Node("input", taken.quantizer), Node("encode", taken.encode, ("input",))]
    size = len(kept)
    for number, layer in enumerate(layers, start=1):
        whole = Logic(layer.sources.astype(np.int32), layer.tables, size)
        nodes.append(Node(f"logic{number}", whole, (nodes[-1].name,)))
        size = whole.outputs
    readout, output = _readout(model, lesson)
    return Network(name, (*nodes, Node("sums", readout, (nodes[-1].name,))), output)


def _addresses(layer: _Functions, bits: Bits) -> npt.NDArray[np.int64]:
    """Which entry each function comes to: int64 [samples, functions]."""
    address = np.zeros((len(bits), len(layer.sources)), np.int64)
    for j in range(layer.sources.shape[1]):
        address += bits[:, layer.sources[:, j]].astype(np.int64) << j
    return address


def _outputs(layer: _Functions, bits: Bits) -> Bits:
    return layer.tables[np.arange(len(layer.sources)), _addresses(layer, bits)]


def _simplify(layer: _Functions, bits: Bits) -> None:
    """Fewer inputs where no sample tells the difference. An input left out becomes the first one that is not."""
    functions, entries = layer.tables.shape
    fan_in = layer.sources.shape[1]
    place = _addresses(layer, bits) + np.arange(functions) * entries
    reached = np.bincount(place.reshape(-1), minlength=functions * entries).reshape(functions, entries)
    address = np.arange(entries)
    for function in range(functions):
        table, seen = layer.tables[function].copy(), reached[function].copy()
        needed = []
        for j in range(fan_in):
            other = address ^ (1 << j)
            if np.any((table != table[other]) & (seen > 0) & (seen[other] > 0)):
                needed.append(j)
                continue
            # Where one of the two was seen it says what both are; where both were, they agree, or no one was.
            table = np.where(seen >= seen[other], table, table[other])
            table = np.where((seen == seen[other]) & (address > other), table[other], table)
            seen = seen + seen[other]
        layer.tables[function] = table
        stand_in = layer.sources[function, needed[0] if needed else 0]
        for j in set(range(fan_in)) - set(needed):
            layer.sources[function, j] = stand_in


def _without_unused(layers: list[_Functions]) -> npt.NDArray[np.intp]:
    """Take functions out of all layers that the next one does not take; the bits that the first one takes."""
    wanted = np.arange(len(layers[-1].sources))
    for layer in reversed(layers):
        layer.sources, layer.tables = layer.sources[wanted], layer.tables[wanted]
        wanted, places = np.unique(layer.sources, return_inverse=True)
        layer.sources = places.reshape(layer.sources.shape).astype(np.int64)
    return wanted


def _readout(model: LogicModel, lesson: Lesson) -> tuple[Layer, Output]:
    """The sums of groups, and what they mean."""
    shape = model.shape
    of_group = np.array([shape.group_weights], np.int32)
    weight: npt.NDArray[np.int32] = np.kron(np.eye(shape.outputs, dtype=np.int32), of_group).astype(np.int32)
    bits = int(weight.max()).bit_length() + 1
    step, middle = np.array([shape.step]), int(shape.centre)
    if lesson.task != VALUES:
        threshold = middle if lesson.task == BINARY else None
        output = Output(step, middle, (), lesson.task, threshold)
        return Dense(weight, bits, np.zeros(shape.outputs, np.int32)), output
    answers = lesson.answers.astype(np.float64)
    step = step * np.maximum(answers.std(axis=0), 1e-15)
    bias = np.rint(answers.mean(axis=0) / step - model.centre.detach().numpy().astype(np.float64))
    return Dense(weight, bits, bias.astype(np.int32)), Output(step, 0, (), VALUES)
