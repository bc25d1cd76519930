"""The unrolled architecture beside its peers: the same integer network through the same yosys.

    python -m benchmarks.fpga [--quick] [--network TEXT] [--only HOW ...] [--vectors N]
    python -m benchmarks.fpga --place [--register-every N ...]

Peers: one sum expression per neuron (what a straightforward generator writes), and da4ml's adder graphs (its own
RTL). All are combinational, from the input integers to the output integers, with the same comparisons as
activations. Cost is lookup tables plus carry cells of `synth_xilinx -family xcup`; UltraScale+ counts of yosys are
estimates. Every module is first simulated in Icarus on random vectors: where one output differs from the golden
simulator, its row is refused. A network of several layers is checked as a whole, then made and synthesized layer by
layer by every way alike (each with its activations; counts and depths are added up), because time of yosys grows
faster than the module. `--place` runs the pipelined 16-64-32-32-5 through nextpnr for ECP5 instead.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import EdgemlError
from edgeml.network import Dense, InputQuantizer, Layer, Network, Node, Output, Requantize, Threshold
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic, network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.architectures.unrolled.rtl import pipeline
from edgeml.targets.fpga.architectures.unrolled.stages import stages_by_depth
from edgeml.targets.fpga.budget import FAMILIES, budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.tools.synthesize import run_yosys, summary, synthesize

from . import fpga_estimates, fpga_simulation
from .fpga_exactness import Rtl, check

_FLOW = "synth_xilinx -family xcup"
_LEAST_FMAX, _GOAL_FMAX, _ASKED_FMAX = 145.0, 200.0, 220.0  # MHz on ECP5
_MLP = (16, 64, 32, 32, 5)
# label, sizes, weights from … to, density, name
_NETWORKS = (
    ("64x32 ternary", (64, 32), (-1, 1), 1.0, "matrix"),
    ("16-64-32-32-5", _MLP, (-2, 1), 1.0, "dense"),
    ("64x32 2-bit", (64, 32), (-2, 1), 1.0, "matrix2"),
    ("64x32 30 %", (64, 32), (-2, 1), 0.3, "sparse_matrix"),
    ("16-64-32-32-5 30 %", _MLP, (-2, 1), 0.3, "sparse"),
    ("16-64-32-32-5 int8", _MLP, (-127, 127), 1.0, "int8"),
    ("16-16-5 int8", (16, 16, 5), (-127, 127), 1.0, "small_int8"),
    ("8-8-5 int8", (8, 8, 5), (-127, 127), 1.0, "smallest_int8"),
)


def random_network(sizes: tuple[int, ...], weights: tuple[int, int], density: float, name: str) -> Network:
    """A network of random weights in weights[0] … weights[1] with 2-bit inputs and activations, or int8 ones where
    weights are wider.

    Thresholds stand at the quartiles of each accumulator over random inputs, so that every level occurs. Int8
    activations are acc · 2^−k, rounded, from 0 (a fused ReLU) to 127, with a k by which few are clipped.
    """
    rng = np.random.default_rng(7)
    wide = weights[1] > 1
    bits = 8 if wide else 2
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, bits, wide))]
    x = rng.integers(-128, 128, (2000, sizes[0])) if wide else rng.integers(0, 4, (2000, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(weights[0], weights[1] + 1, (outputs, inputs))
        weight[rng.random((outputs, inputs)) >= density] = 0
        nodes.append(Node(f"fc{index}", Dense(weight, bits, np.zeros(outputs, np.int64)), (nodes[-1].name,)))
        acc = x @ weight.T
        if index + 2 < len(sizes):
            layer: Layer
            if wide:
                k = max(int(np.ceil(np.log2(np.quantile(acc, 0.99) / 127))), 1)
                layer = Requantize(np.array([2**30]), np.array([1 - k]), "shift", 0, 0, 127)
                x = np.clip((acc + (1 << k - 1)) >> k, 0, 127)
            else:
                thresholds = np.sort(np.quantile(acc, [0.4, 0.65, 0.85], axis=0).T.round().astype(np.int64), axis=1)
                layer = Threshold(thresholds)
                x = (acc[:, :, None] >= thresholds).sum(axis=2)
            nodes.append(Node(f"act{index}", layer, (nodes[-1].name,)))
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def layers_apart(network: Network) -> list[Network]:
    """The network cut behind each activation: one dense layer each, whose inputs are the last one's activations."""
    pieces: list[list[Node]] = [[]]
    for node in network.layers:
        if isinstance(node.layer, Dense) and pieces[-1]:
            pieces.append([])
        pieces[-1].append(node)
    networks = []
    for index, piece in enumerate(pieces):
        head = piece[0].layer
        assert isinstance(head, Dense)
        taken = network.ranges[piece[0].inputs[0]]
        one, zero = np.array([1.0]), np.array([0.0])
        first = Node("input", InputQuantizer(head.inputs, one, zero, 0, taken.bits, taken.signed))
        nodes = [first]
        for node in piece:
            nodes.append(replace(node, inputs=(nodes[-1].name,)))
        networks.append(Network(f"{network.name}_{index}", tuple(nodes), Output(np.array([1.0]))))
    return networks


def _plain(network: Network, matrix: Any) -> Rtl:
    """The network in Verilog with `matrix(index, layer, x)` giving each dense layer's text; x is a packed bus name."""
    lines: list[str] = []
    extra: list[str] = []
    current, count, width = "in_data", network.input_size, network.ranges[network.nodes[0].name].bits
    head = f"module m(input [{count * width - 1}:0] in_data, "
    for index, node in enumerate(network.layers):
        layer = node.layer
        if isinstance(layer, Dense):
            text, modules, width = matrix(index, node, current)
            lines += text
            extra += modules
            count = layer.outputs
            current = "{" + ", ".join(f"a{index}_{k}" for k in reversed(range(count))) + "}"
            continue
        wide, width = width, network.ranges[node.name].bits
        values = []
        for channel in range(count):
            made, value = _activation(layer, f"{index}_{channel}", f"a{index - 1}_{channel}", wide, channel)
            lines += made
            values.append(value)
        lines.append(f"  wire [{width * count - 1}:0] y{index} = {{{', '.join(reversed(values))}}};")
        current = f"y{index}"
    signed = isinstance(network.layers[-1].layer, Dense)
    head += f"output [{count * width - 1}:0] out_data);"
    text = "\n".join([*extra, head, *lines, f"  assign out_data = {current};", "endmodule", ""])
    return Rtl(text, width, signed)


def _activation(layer: Layer, stem: str, acc: str, wide: int, channel: int) -> tuple[list[str], str]:
    """Lines and the value of an activation of the accumulator `acc`, which has so many bits: comparisons with three
    thresholds, or rounding by a shift and clipping."""
    if isinstance(layer, Threshold):
        row = layer.thresholds[channel]
        names = [f"t{stem}_{k}" for k in range(len(row))]
        lines = [f"  wire {n} = {acc} >= {_signed(int(t), wide)};" for n, t in zip(names, row, strict=True)]
        return lines, f"{{{names[1]}, {names[0]} ^ {names[1]} ^ {names[2]}}}"
    assert isinstance(layer, Requantize)
    k, bits = 1 - int(layer.shift[0]), layer.high.bit_length()
    rounded, low, high = f"r{stem}", layer.low, layer.high
    clipped = f"{rounded} < {low} ? {low} : {rounded} > {high} ? {high} : {rounded}[{bits - 1}:0]"
    lines = [
        f"  wire signed [{wide}:0] {rounded} = ({acc} + {_signed(1 << k - 1, wide + 1)}) >>> {k};",
        f"  wire [{bits - 1}:0] c{stem} = {clipped};",
    ]
    return lines, f"c{stem}"


def _signed(value: int, bits: int) -> str:
    return f"-{bits}'sd{-value}" if value < 0 else f"{bits}'sd{value}"


def _source(network: Network, node: Node) -> tuple[int, bool]:
    """Bits and sign of what a node takes."""
    taken = network.ranges[node.inputs[0]]
    return taken.bits, taken.signed


def _sum_bits(network: Network, node: Node) -> int:
    """Bits of an accumulator in two's complement."""
    found = network.ranges[node.name]
    return found.bits + (0 if found.signed else 1)


def sum_expressions(network: Network) -> Rtl:
    """One sum per neuron: w · x written as additions, subtractions and products by constants."""

    def matrix(index: int, node: Node, x: str) -> tuple[list[str], list[str], int]:
        layer = node.layer
        assert isinstance(layer, Dense)
        bits, (width, signed) = _sum_bits(network, node), _source(network, node)
        lines = []
        for output, row in enumerate(layer.weight):
            terms = []
            for channel in np.flatnonzero(row):
                part = f"{x}[{width * (channel + 1) - 1}:{width * channel}]"
                value = f"$signed({part})" if signed else f"$signed({{1'b0, {part}}})"
                size = abs(int(row[channel]))
                scaled = value if size == 1 else f"({value} <<< 1)" if size == 2 else f"({value} * {bits}'sd{size})"
                terms.append(("- " if row[channel] < 0 else "+ ") + scaled)
            lines.append(f"  wire signed [{bits - 1}:0] a{index}_{output} = {bits}'sd0 {' '.join(terms)};")
        return lines, [], bits

    return _plain(network, matrix)


def da4ml_graphs(network: Network) -> Rtl:
    """da4ml's adder graph per dense layer, in da4ml's own Verilog. MissingTool-like ImportError without da4ml."""
    import da4ml.codegen.rtl as rtl
    from da4ml.codegen.rtl.verilog.comb import comb_logic_gen, minimal_kif
    from da4ml.trace import FixedVariableArrayInput, comb_trace

    def matrix(index: int, node: Node, x: str) -> tuple[list[str], list[str], int]:
        layer = node.layer
        assert isinstance(layer, Dense)
        bits, (width, signed) = _sum_bits(network, node), _source(network, node)
        # da4ml's module has no place for inputs that no neuron uses.
        used = np.flatnonzero(layer.weight.any(axis=0))
        taken = ", ".join(f"{x}[{width * (channel + 1) - 1}:{width * channel}]" for channel in used[::-1])
        symbols = FixedVariableArrayInput(len(used))
        products = symbols.quantize(int(signed), width - signed, 0)
        logic = comb_trace(symbols, products @ np.ascontiguousarray(layer.weight.T[used], np.float32))
        name, wire = f"da_{index}", f"d{index}"
        out_bits = sum(sum(minimal_kif(interval)) for interval in logic.out_qint)
        lines = [
            f"  wire [{out_bits - 1}:0] {wire};",
            f"  {name} u{index} (.model_inp({{{taken}}}), .model_out({wire}));",
        ]
        position = 0
        for output, interval in enumerate(logic.out_qint):
            k, i, f = minimal_kif(interval)
            size = int(k) + i + f
            part = f"{wire}[{position + size - 1}:{position}]" if size else "1'b0"
            value = f"$signed({part})" if k else f"$signed({{1'b0, {part}}})"
            lines.append(f"  wire signed [{bits - 1}:0] a{index}_{output} = {value}{f' <<< {-f}' if f < 0 else ''};")
            position += size
        return lines, [comb_logic_gen(logic, name)], bits

    sources = Path(rtl.__file__).parent / "verilog" / "source"
    library = "\n".join(path.read_text() for path in sorted(sources.glob("[!l]*.v")))
    plain = _plain(network, matrix)
    return Rtl(f"{library}\n{plain.text}", plain.output_bits, plain.signed)


def ours(logic: Logic, register_every: int) -> Rtl:
    """The unrolled architecture; combinational with register_every 0."""
    element = logic.output_element
    stages = stages_by_depth(logic.netlist, register_every)
    return Rtl(pipeline(logic, "m", stages, {}), element.bits, element.signed, stages.count)


def measure(text: str, top: str) -> dict[str, Any]:
    """Cells of a combinational or pipelined module after the flow, and its depth in cells."""
    with tempfile.TemporaryDirectory(prefix="edgeml_bench_") as scratch:
        folder = Path(scratch)
        (folder / "m.v").write_text(text, encoding="utf-8")
        started = time.perf_counter()
        run_yosys(
            f"read_verilog m.v; {_FLOW} -top {top} -flatten; "
            "tee -q -o stat.json stat -json; tee -q -o ltp.txt ltp -noff",
            folder,
        )
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        found = summary(cells, FAMILIES["xcup"])
        length = re.search(r"length=(\d+)", (folder / "ltp.txt").read_text())
        found["shift_registers"] = sum(count for cell, count in cells.items() if cell.startswith("SRL"))
        return {
            **found,
            "cost": found["luts"] + found["carry"],
            "depth": int(length[1]) if length else 0,
            "seconds": round(time.perf_counter() - started),
        }


_WAYS: dict[str, Callable[[Network], Rtl]] = {
    "da4ml": da4ml_graphs,
    "edgeml": lambda network: ours(network_logic(network), 0),
    "edgeml pipelined": lambda network: ours(network_logic(network), 1),
    "sum per neuron": sum_expressions,
}


def main(arguments: list[str]) -> int:
    """Print the table; returns an exit status, 1 where a row was refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the ternary matrix only, without the estimates")
    parser.add_argument("--network", metavar="TEXT", help="only the network of this label, without the estimates")
    parser.add_argument("--only", nargs="+", choices=tuple(_WAYS), help="only these ways to write the network")
    parser.add_argument("--vectors", type=int, default=500, help="random vectors that each module is checked on")
    parser.add_argument("--place", action="store_true", help="place the pipelined network on an ECP5, nothing else")
    parser.add_argument("--register-every", type=int, nargs="+", default=[], help="levels between registers to place")
    options = parser.parse_args(arguments)
    if options.vectors < 2 or min(options.register_every, default=1) < 1:
        parser.error("--vectors needs at least 2, --register-every at least 1")
    known = [label for label, *_ in _NETWORKS]
    labels = [options.network] if options.network else known[: 1 if options.quick else None]
    if unknown := set(labels) - set(known):
        parser.error(f"{unknown.pop()!r} is none of {', '.join(map(repr, known))}")
    networks = {label: random_network(*rest) for label, *rest in _NETWORKS if label in labels}
    if options.place:
        network = networks.get(options.network) or random_network(_MLP, (-2, 1), 1.0, "dense")
        return 0 if max([place(network, every) for every in options.register_every or [None]]) >= _LEAST_FMAX else 1
    refused = table(networks, options.vectors, options.only or tuple(_WAYS))
    if labels == known and not options.only:
        print("\nestimates beside yosys", flush=True)
        fpga_estimates.main([])
        print("\nsimulation", flush=True)
        fpga_simulation.main([])
    return 1 if refused else 0


def table(networks: dict[str, Network], vectors: int, ways: Sequence[str]) -> int:
    """Print a row per network and way to write it; returns how many rows were refused."""
    print(
        f"{'network':<20}{'how':<18}{'LUT':>7}{'carry':>7}{'cost':>7}{'FF':>7}{'SRL':>6}{'depth':>7}{'of da4ml':>10}"
        f"{'exact':>8}{'seconds':>9}",
        flush=True,
    )
    refused = 0
    for label, network in networks.items():
        peer = 0
        for how in ways:
            try:
                rtl = _WAYS[how](network)
                check(network, rtl, vectors)
                found = _whole([_checked(piece, how, vectors) for piece in layers_apart(network)])
            except ImportError as error:
                print(f"{label:<20}{how:<18}not installed ({error})", flush=True)
                continue
            except EdgemlError as error:
                print(f"{label:<20}{how:<18}refused: {error}", flush=True)
                refused += 1
                continue
            peer = found["cost"] if how == "da4ml" else peer
            ratio = f"{found['cost'] / peer:.2f}" if peer else "-"
            print(
                f"{label:<20}{how:<18}{found['luts']:>7}{found['carry']:>7}{found['cost']:>7}{found['flip_flops']:>7}"
                f"{found['shift_registers']:>6}{found['depth']:>7}{ratio:>10}{vectors:>8}{found['seconds']:>9}",
                flush=True,
            )
    return refused


def _checked(network: Network, how: str, vectors: int) -> dict[str, Any]:
    rtl = _WAYS[how](network)
    check(network, rtl, vectors)
    return measure(rtl.text, "m")


def _whole(pieces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sum over layers: of cells, and of depths, since one layer follows another."""
    return {key: sum(piece[key] for piece in pieces) for key in pieces[0]}


def place(network: Network, register_every: int | None) -> float:
    """Place and route a network on an ECP5-85, with registers every so many levels or, for None, for `_ASKED_FMAX`;
    print clock and use, and return the clock in MHz."""
    budget = replace(budget_of(load_profile("ecp5-85k")), clock_mhz=_ASKED_FMAX)
    if register_every is None:
        built, _ = choose(network, budget, {"architecture": "unrolled", "clock_mhz": _ASKED_FMAX})
    else:
        built = build(network, Design("unrolled", Pipelining(register_every)))
    with tempfile.TemporaryDirectory(prefix="edgeml_bench_") as scratch:
        result = synthesize(built, budget, Path(scratch))
    placed = result["placed"]
    fmax = float(placed["fmax_mhz"])
    nanoseconds = built.latency / fmax * 1e3
    how = f"registers for {_ASKED_FMAX:g} MHz" if register_every is None else f"registers every {register_every}"
    verdict = "goal reached" if fmax >= _GOAL_FMAX else "enough" if fmax >= _LEAST_FMAX else "too slow"
    print(
        f"ECP5-85 {network.name}, {how}: {fmax} MHz ({verdict}: at least {_LEAST_FMAX}, "
        f"goal {_GOAL_FMAX}), {built.latency} clocks = {nanoseconds:.0f} ns",
        flush=True,
    )
    print(f"  {placed['utilization']}", flush=True)
    return fmax


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
