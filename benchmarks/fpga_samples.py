"""Random small networks of all forms, and FPGA designs for them: what the estimates are held against yosys on.

`lines` is the quantized form with more bits, and with thresholds that lie on lines; `encoded` has its inputs as bits
and levels; `logic` has functions of few bits behind levels; `few` is wide layers of neurons
of few inputs, as `--fan-in` makes them; `tables` are networks of functions, as quantized KANs are; `joined` have
convolutions, maxima, concatenations, gates, residual sums or tables of one number in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, LEVEL, Encode
from edgeml.network.layers.tables import Tables
from edgeml.network.reduction import reduced
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

from .fpga_joined_shapes import joined_network
from .fpga_shapes import int8_shape, quantized_shape
from .fpga_table_neurons import few_inputs_network, logic_network

__all__ = ["FORMS", "Case", "case"]

FORMS = (
    "quantized-unrolled", "quantized-folded", "int8-unrolled", "int8-folded", "spiking-unrolled", "spiking-folded",
    "lines", "encoded", "logic", "few", "tables", "joined",
)  # fmt: skip
_STREAMS = {"lines": 3, "encoded": 4, "logic": 5, "few": 6, "tables": 6, "joined": 7}
"""Which stream of random numbers a form has; the others one each."""
_FAMILIES = ("xc7", "ecp5", "ice40", "xcup")
_PARTS = {
    "xc7": "xc7z020", "ecp5": "ecp5-85k", "ice40": "ice40-hx8k", "xcup": "xczu7ev", "gowin": "gw2ar-18",
    "nexus": "lifcl-40", "machxo": "lcmxo3-6900", "gatemate": "ccgm1a1",
}  # fmt: skip
"""Whose lookup tables and multipliers weigh what a unit takes."""


@dataclass(frozen=True, eq=False)
class Case:
    """A design to estimate and to synthesize."""

    name: str
    network: Network
    design: Design
    family: Family


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
    return make_plan(plan.network, plan.foldings, keep_block_rams=not family.distributed_ram, units=units)


def _folded(rng: np.random.Generator, network: Network, family: Family, *, fastest: float) -> Design:
    """Folds for a random interval, FIFOs sized; `fastest` is the least power of the clocks at one product a clock."""
    most = max(chain.clocks_per_frame for chain in make_plan(network, {}).chains)
    interval = max(4, round(most ** float(rng.uniform(fastest, 0.9))))
    keep_block_rams = not family.distributed_ram
    plan = make_plan(network, foldings_for_interval(network, interval) or {}, keep_block_rams=keep_block_rams)
    plan = _on_lines(plan, family)
    size_fifos(plan)
    return Design("folded", choices_of(plan))


def _spiking(seed: int, rng: np.random.Generator, family: Family) -> Case:
    """Thresholds as spikes in one of the encodings, event by event, one to eight membranes per clock."""
    encoding = str(rng.choice(list(ENCODINGS)))
    quantized = quantized_shape(rng, f"sample{seed}", 32, 900, most_input_bits=4, all_levels=True)
    network = to_spikes(reduced(quantized), encoding, "direct" if rng.random() < 0.3 else None)
    most = int(rng.choice([1, 2, 4, 8]))
    layers = make_event_driven_plan(network, {}).layers
    membranes = MembranesPerClock({layer.name: min(most, layer.neurons) for layer in layers})
    design = Design("folded", membranes)
    return Case(f"{_sizes(network)} {encoding}, {most} a clock", network, design, family)


def _spiking_unrolled(seed: int, rng: np.random.Generator, family: Family) -> Case:
    """Thresholds as spikes in one of the encodings, all neurons at once, a slot of a frame per clock."""
    encoding, every = str(rng.choice(list(ENCODINGS))), int(rng.integers(1, 4))
    quantized = quantized_shape(rng, f"sample{seed}", 20, 180, most_input_bits=4, all_levels=True)
    network = to_spikes(reduced(quantized), encoding, "direct" if encoding != "stbif" and rng.random() < 0.2 else None)
    return Case(f"{_sizes(network)} {encoding} every {every}", network, Design("unrolled", Pipelining(every)), family)


def _sizes(network: Network) -> str:
    widths = (network.sizes[node.name] for node in network.layers if isinstance(node.layer, (Dense, Tables)))
    return "-".join(str(width) for width in (network.input_size, *widths))


def _detailed(form: str, seed: int, rng: np.random.Generator, family: Family) -> Case:
    """A design of the quantized or int8 form, folded by a random amount or unrolled with random pipelining."""
    kind, architecture = form.split("-")
    every, name = int(rng.integers(1, 4)), f"sample{seed}"
    unrolled = architecture == "unrolled"
    if kind == "int8":
        network = reduced(int8_shape(rng, name, *((6, 24) if unrolled else (16, 200))))
    else:
        network = reduced(quantized_shape(rng, name, *((24, 250) if unrolled else (48, 1200))))
    fastest = 0.6 if kind == "int8" else 0.35
    design = Design("unrolled", Pipelining(every)) if unrolled else _folded(rng, network, family, fastest=fastest)
    return Case(f"{_sizes(network)} {architecture}{f' every {every}' if unrolled else ''}", network, design, family)


def case(seed: int, form: str = "quantized-unrolled", wanted: str | None = None) -> Case:
    """Design number `seed` of a form, for the family that is wanted; without one, four families take turns. Of forms
    that do not name an architecture, one in two or four is unrolled."""
    stream = _STREAMS.get(form, 20 + FORMS.index(form))
    rng, family = np.random.default_rng([seed, stream]), FAMILIES[wanted or _FAMILIES[seed % 4]]
    if form == "spiking-folded":
        return _spiking(seed, rng, family)
    if form == "spiking-unrolled":
        return _spiking_unrolled(seed, rng, family)
    if form not in _STREAMS:
        return _detailed(form, seed, rng, family)
    if form == "encoded":
        family, unrolled = FAMILIES[wanted or _FAMILIES[seed // 2 % 4]], seed % 2 == 1
        network = _encoded_network(rng, f"sample{seed}", 9 if unrolled else 16)
        every = int(rng.integers(1, 3))
    elif form == "logic":
        unrolled = True
        network, every = logic_network(rng, f"sample{seed}"), int(rng.integers(1, 3))
    elif form == "few":
        # 5 of 7 for UltraScale+, where users of this form are; the widths of digits, and of a few bytes as bits
        family, unrolled = FAMILIES[wanted or {3: "ecp5", 6: "ice40"}.get(seed % 7, "xcup")], True
        network = few_inputs_network(rng, f"sample{seed}", int(rng.choice([32, 64, 64, 96])), largest=seed % 2 == 1)
        every = int(rng.choice([1, 1, 2, 3]))
    elif form == "tables":
        family, unrolled = FAMILIES[wanted or _FAMILIES[seed // 2 % 4]], seed % 2 == 1
        network = _tables_network(rng, f"sample{seed}", 8 if unrolled else 16)
        every = int(rng.integers(1, 3))
    elif form == "joined":
        unrolled = seed // 4 % 2 == 1
        join, network = joined_network(rng, f"sample{seed}", 8 if unrolled else 12)
        every = int(rng.integers(1, 4))
    else:
        unrolled = seed // 4 % 4 == 3
        network = _lines_network(rng, f"sample{seed}", 8 if unrolled else 24)
        every = int(rng.integers(1, 4))
    design = Design("unrolled", Pipelining(every)) if unrolled else _folded(rng, network, family, fastest=0.35)
    detail = f" every {every}" if unrolled else ""
    shape = join if form == "joined" else _sizes(network)
    return Case(f"{shape} {design.architecture}{detail}", network, design, family)
