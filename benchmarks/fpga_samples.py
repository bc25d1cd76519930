"""Random small networks of all forms, and FPGA designs for them: what the estimates are held against yosys on.

`lines` is the quantized form with more bits, and with thresholds that lie on lines; `encoded` has its inputs as bits
and levels; `logic` has functions of few bits behind levels; `few` is wide layers of neurons
of few inputs, as `--fan-in` makes them; `tables` are networks of functions, as quantized KANs are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, LEVEL, Encode
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.layers.tables import Tables
from edgeml.network.rounding import ROUNDINGS, float32_parts, float64_parts, quantize_multiplier
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.event_driven.choices import MembranesPerClock
from edgeml.targets.fpga.architectures.event_driven.plan import ENCODINGS, make_event_driven_plan
from edgeml.targets.fpga.architectures.folded.choices import choices_of
from edgeml.targets.fpga.architectures.folded.folding_choice import foldings_for_interval
from edgeml.targets.fpga.architectures.folded.plan import FoldedPlan, make_plan
from edgeml.targets.fpga.architectures.folded.timing import size_fifos
from edgeml.targets.fpga.architectures.folded.unit_choice import cheapest_units
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES, Family, budget_of
from edgeml.targets.fpga.design import Design
from edgeml.targets.fpga.estimate.constants import FOLDED
from edgeml.targets.fpga.estimate.costs import constants_of

from .fpga_table_neurons import few_inputs_network, logic_network

__all__ = ["FORMS", "Case", "case"]

FORMS = ("quantized", "int8", "spiking", "lines", "encoded", "logic", "few", "tables")
_FAMILIES = ("xc7", "ecp5", "ice40", "xcup")
_PARTS = {"xc7": "xc7z020", "ecp5": "ecp5-85k", "ice40": "ice40-hx8k", "xcup": "xczu7ev"}
"""Whose lookup tables and multipliers weigh what a unit takes."""


@dataclass(frozen=True, eq=False)
class Case:
    """A design to estimate and to synthesize."""

    name: str
    network: Network
    design: Design
    family: Family


def _quantized_network(rng: np.random.Generator, name: str, widest: int, *, most_input_bits: int = 8) -> Network:
    """2 or 3 dense layers with thresholds between them."""
    depth = int(rng.integers(2, 4))
    sizes = [int(size) for size in rng.integers(6, widest + 1, depth + 1)]
    sizes[-1] = int(rng.integers(2, 11))
    weight_bits = int(rng.choice([1, 2, 2, 2, 2, 3, 4]))
    levels = int(rng.choice([1, 3, 3, 3, 7]))
    input_bits = min(int(rng.choice([1, 2, 2, 4, 8])), most_input_bits)
    density = float(rng.choice([1.0, 1.0, 0.5]))
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, input_bits, False))]
    x = rng.integers(0, 2**input_bits, (500, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        if weight_bits == 1:
            weight = rng.choice(np.array([-1, 1]), (outputs, inputs))
        else:
            weight = rng.integers(-(2 ** (weight_bits - 1)), 2 ** (weight_bits - 1), (outputs, inputs))
            weight[rng.random((outputs, inputs)) >= density] = 0
        bias = rng.integers(-20, 21, outputs)
        nodes.append(Node(f"fc{index}", Dense(weight, weight_bits, bias), (nodes[-1].name,)))
        if index + 2 < len(sizes):
            acc = x @ weight.T + bias
            places = np.sort(rng.uniform(0.2, 0.9, levels))
            thresholds = np.sort(np.quantile(acc, places, axis=0).T.round().astype(np.int64), axis=1)
            nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
            x = (acc[:, :, None] >= thresholds).sum(axis=2)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _encoded_network(rng: np.random.Generator, name: str, widest: int) -> Network:
    """Bytes as bits, as a thermometer each, or features of both in any order; 2-bit layers behind them."""
    features, each = int(rng.integers(3, widest + 1)), int(rng.choice([4, 8, 12]))
    way = str(rng.choice(["bits", "bits", "thermometer", "mixed"]))
    source = np.repeat(np.arange(features), 8 if way == "bits" else each)
    places = np.tile(np.arange(8)[::-1], features) if way == "bits" else rng.integers(1, 256, len(source))
    rule = np.full(len(source), BIT if way == "bits" else LEVEL)
    if way == "mixed":
        rule = rng.choice([BIT, LEVEL], len(source))
        places = np.where(rule == BIT, rng.integers(0, 8, len(source)), places)
        source = rng.permutation(source)
    encode = Encode(source, rule, places, features)
    nodes = [Node("input", InputQuantizer(features, np.array([1.0]), np.array([0.0]), 0, 8, False))]
    nodes.append(Node("bits", encode, ("input",)))
    x = encode.evaluate(rng.integers(0, 256, (500, features)).astype(np.int32))
    sizes = [encode.outputs, *(int(size) for size in rng.integers(6, widest + 1, int(rng.integers(1, 3)))), 5]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.choice([-1, 1], (outputs, inputs)) * (rng.random((outputs, inputs)) < 0.45)
        bias = rng.integers(-9, 10, outputs)
        nodes.append(Node(f"fc{index}", Dense(weight, 2, bias), (nodes[-1].name,)))
        if index + 2 < len(sizes):
            acc = x @ weight.T + bias
            thresholds = np.quantile(acc, (0.35, 0.6, 0.85), axis=0).T.round().astype(np.int64)
            nodes.append(Node(f"act{index}", Threshold(np.sort(thresholds, axis=1)), (nodes[-1].name,)))
            x = (acc[:, :, None] >= thresholds).sum(axis=2)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _tables_network(rng: np.random.Generator, name: str, widest: int) -> Network:
    """2 or 3 layers of smooth functions of their inputs, thresholds between them."""
    sizes = [int(size) for size in rng.integers(3, widest + 1, int(rng.integers(2, 4)))]
    sizes.append(int(rng.integers(2, 6)))
    bits, entry_bits = int(rng.integers(1, 6)), int(rng.integers(2, 7))
    values = 1 << bits
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, bits, False))]
    x = rng.integers(0, values, (500, sizes[0])).astype(np.int32)
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        frequency, phase = rng.uniform(0, 6, (2, inputs, 1, outputs))
        functions = np.sin(frequency * np.arange(values)[None, :, None] / values + phase)
        functions *= rng.uniform(0.2, 1.0, (inputs, 1, outputs))
        entries = np.rint(functions * (2 ** (entry_bits - 1) - 1)).astype(np.int64).reshape(-1, outputs)
        rows = np.arange(inputs * values).reshape(inputs, values)
        layer = Tables(entries, entry_bits, rows, np.arange(inputs), rng.integers(-9, 10, outputs), inputs)
        nodes.append(Node(f"tables{index}", layer, (nodes[-1].name,)))
        if index + 2 < len(sizes):
            acc = layer.evaluate(x)
            levels = np.quantile(acc, np.linspace(0.1, 0.9, values - 1), axis=0).T.round().astype(np.int64)
            act = Threshold(np.sort(levels, axis=1))
            nodes.append(Node(f"act{index}", act, (nodes[-1].name,)))
            x = act.evaluate(acc)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _requantize(rng: np.random.Generator, acc: np.ndarray, zero_point: int, low: int) -> Requantize:
    """Brings accumulators into 8 bits, by any of the roundings, per tensor or per channel."""
    rounding = str(rng.choice(ROUNDINGS))
    spread = np.abs(acc).max(axis=0)
    eff = 120.0 / np.maximum(spread if rng.random() < 0.6 else spread.max(keepdims=True), 1)
    fields = {"zero_point": zero_point, "low": low, "high": 127}
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(eff)
        return Requantize(multiplier, shift, rounding, fraction=fraction, **fields)
    if rounding == "shift":
        eff = 2.0 ** np.floor(np.log2(eff))
    return Requantize(*(float32_parts(eff) if rounding == "fp32_rne" else quantize_multiplier(eff)), rounding, **fields)


def _int8_network(rng: np.random.Generator, name: str, widest: int) -> Network:
    """1 or 2 dense layers, 8-bit (sometimes 4-bit) weights and activations of 8 bits, some with a table behind them."""
    depth = int(rng.integers(1, 3))
    sizes = [int(size) for size in rng.integers(3, widest + 1, depth + 1)]
    sizes[-1] = int(rng.integers(2, 7))
    weight_bits = int(rng.choice([8, 8, 8, 4]))
    zero_point = int(rng.integers(-20, 20))
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([0.1]), np.array([0.0]), zero_point, 8, True))]
    x = rng.integers(-128, 128, (500, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-(2 ** (weight_bits - 1)) + 1, 2 ** (weight_bits - 1), (outputs, inputs))
        dense = Dense(weight, weight_bits, rng.integers(-3000, 3000, outputs), zero_point)
        nodes.append(Node(f"fc{index}", dense, (nodes[-1].name,)))
        acc = dense.evaluate(x)
        relu = bool(rng.random() < 0.5)
        zero_point = -128 if relu else int(rng.integers(-20, 20))
        layer = _requantize(rng, acc, zero_point, -128)
        nodes.append(Node(f"scale{index}", layer, (nodes[-1].name,)))
        x = layer.evaluate(acc)
        if index + 2 < len(sizes) and rng.random() < 0.6:
            table = np.rint(127 * np.tanh(np.arange(-128, 128) / float(rng.uniform(20, 60)))).astype(np.int64)
            nodes.append(Node(f"table{index}", Lookup(table), (nodes[-1].name,)))
            x, zero_point = table[x + 128], 0
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _lines_network(rng: np.random.Generator, name: str, widest: int) -> Network:
    """2 dense layers of 3 to 8 bits; the thresholds between them are the rounding of a line for each channel, as those
    of trained networks are."""
    bits = int(rng.integers(3, 9))
    sizes = [*(int(size) for size in rng.integers(6, widest + 1, 2)), int(rng.integers(2, 7))]
    levels = 2**bits - 1
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, bits, False))]
    x = rng.integers(0, 2**bits, (500, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (outputs, inputs))
        bias = rng.integers(-20, 21, outputs)
        nodes.append(Node(f"fc{index}", Dense(weight, bits, bias), (nodes[-1].name,)))
        if index + 2 < len(sizes):
            acc = x @ weight.T + bias
            step = acc.std(axis=0) * rng.uniform(2.0, 4.0, outputs) / levels
            first = np.quantile(acc, 0.4, axis=0) + rng.normal(size=outputs)
            thresholds = np.ceil(first[:, None] + (np.arange(1, levels + 1) - 0.5) * step[:, None]).astype(np.int64)
            nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
            x = (acc[:, :, None] >= thresholds).sum(axis=2)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _on_lines(plan: FoldedPlan, family: Family) -> FoldedPlan:
    """The plan with the units that take least of a part of the family."""
    budget = budget_of(load_profile(_PARTS[family.name]))
    units = cheapest_units(plan, budget, None, FOLDED[constants_of(family)])
    return make_plan(plan.network, plan.foldings, keep_block_rams=family.name == "ice40", units=units)


def _folded(rng: np.random.Generator, network: Network, family: Family, *, fastest: float) -> Design:
    """Folds for a random interval, FIFOs sized; `fastest` is the least power of the clocks at one product a clock."""
    most = max(chain.clocks_per_frame for chain in make_plan(network, {}).chains)
    interval = max(4, round(most ** float(rng.uniform(fastest, 0.9))))
    plan = make_plan(network, foldings_for_interval(network, interval) or {}, keep_block_rams=family.name == "ice40")
    plan = _on_lines(plan, family)
    size_fifos(plan)
    return Design("folded", choices_of(plan))


def _spiking(seed: int, rng: np.random.Generator, family: Family) -> Case:
    """Thresholds as spikes in one of the encodings, one to eight membranes per clock."""
    encoding = tuple(ENCODINGS)[seed // 4 % 4]
    quantized = _quantized_network(rng, f"sample{seed}", 24, most_input_bits=4)
    network = to_spikes(quantized, encoding, "direct" if rng.random() < 0.3 else None)
    most = int(rng.choice([1, 2, 4, 8]))
    layers = make_event_driven_plan(network, {}).layers
    membranes = MembranesPerClock({layer.name: min(most, layer.neurons) for layer in layers})
    design = Design("folded", membranes)
    return Case(f"{_sizes(network)} {encoding}, {most} a clock", network, design, family)


def _sizes(network: Network) -> str:
    widths = (network.sizes[node.name] for node in network.layers if isinstance(node.layer, (Dense, Tables)))
    return "-".join(str(width) for width in (network.input_size, *widths))


def case(seed: int, form: str = "quantized") -> Case:
    """Design number `seed` of a form: architectures alternate (int8 and lines: one in four is unrolled), families take
    turns."""
    # The numbers of streams are those that the tables in the docs were drawn by.
    rng = np.random.default_rng(seed if form == "quantized" else [seed, min(FORMS.index(form), 6)])
    if form == "spiking":
        return _spiking(seed, rng, FAMILIES[_FAMILIES[seed % 4]])
    if form == "encoded":
        family, unrolled = FAMILIES[_FAMILIES[seed // 2 % 4]], seed % 2 == 1
        network = _encoded_network(rng, f"sample{seed}", 9 if unrolled else 16)
        every = int(rng.integers(1, 3))
    elif form == "logic":
        family, unrolled = FAMILIES[_FAMILIES[seed % 4]], True
        network, every = logic_network(rng, f"sample{seed}"), int(rng.integers(1, 3))
    elif form == "few":
        # 5 of 7 for UltraScale+, where users of this form are; the widths of digits, and of a few bytes as bits
        family, unrolled = FAMILIES[{3: "ecp5", 6: "ice40"}.get(seed % 7, "xcup")], True
        network = few_inputs_network(rng, f"sample{seed}", int(rng.choice([32, 64, 64, 96])), largest=seed % 2 == 1)
        every = int(rng.choice([1, 1, 2, 3]))
    elif form == "tables":
        family, unrolled = FAMILIES[_FAMILIES[seed // 2 % 4]], seed % 2 == 1
        network = _tables_network(rng, f"sample{seed}", 8 if unrolled else 16)
        every = int(rng.integers(1, 3))
    elif form == "lines":
        family, unrolled = FAMILIES[_FAMILIES[seed % 4]], seed // 4 % 4 == 3
        network = _lines_network(rng, f"sample{seed}", 8 if unrolled else 24)
        every = int(rng.integers(1, 4))
    elif form == "int8":
        family, unrolled = FAMILIES[_FAMILIES[seed % 4]], seed // 4 % 4 == 3
        network = _int8_network(rng, f"sample{seed}", 5 if unrolled else 10)
        every = int(rng.integers(1, 4))
    else:
        family, unrolled = FAMILIES[_FAMILIES[seed // 2 % 4]], seed % 2 == 1
        # The pipelining is drawn first, so that the networks are those of earlier tables.
        every = int(rng.integers(1, 4)) if unrolled else 1
        network = _quantized_network(np.random.default_rng(seed), f"sample{seed}", 12 if unrolled else 40)
    design = (
        Design("unrolled", Pipelining(every))
        if unrolled
        else _folded(rng, network, family, fastest=0.6 if form == "int8" else 0.35)
    )
    detail = f" every {every}" if unrolled else ""
    return Case(f"{_sizes(network)} {design.architecture}{detail}", network, design, family)
