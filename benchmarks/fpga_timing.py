"""The planned clock beside the clock that nextpnr places designs at; and the fit of the delays that it is planned by.

    python -m benchmarks.fpga_timing [--count N] [--first SEED] [--part PART …] [--only unrolled|folded]
        [--placer-seeds N] [--fit] [--paths] [--spread] [--kept FILE]

Random small networks, unrolled (registers by planned delay, for a clock drawn anew) and folded: yosys and nextpnr as
`--synthesize` runs them, with as many placements until one reaches the planned clock; the clock that the slowest path
allows as planned and as placed. `--fit` takes other designs, of other seeds, and prints the ways (`route`, `fan_out`,
`size`) of `edgeml/targets/fpga/timing/delays.py` that fit them best; the table without it is then over designs that
nothing was fitted to. The delays of cells are not fitted but read: `--paths` prints nextpnr's slowest path below each
design, piece by piece. `--fit` places each design once, so as not to fit the luckiest of several placements. `--kept`
keeps what was placed in a file of JSON, and does not place the same design again. `--spread` prints the clocks by all
seeds of nextpnr instead.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import Budget, budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Built
from edgeml.targets.fpga.options import PLACER_SEEDS
from edgeml.targets.fpga.timing.delay_model import DelayModel
from edgeml.targets.fpga.timing.planned_clock import delays_of, planned_clock
from edgeml.targets.fpga.tools.place import place_and_route
from edgeml.targets.fpga.tools.placers import placer_of
from edgeml.targets.fpga.tools.synthesize import cells_of, lookup_tables, summary, synthesize
from edgeml.targets.fpga.tops.probe import probe_top

__all__ = ["Placed", "case", "fitted"]

_PARTS = ("ecp5-25k", "ice40-hx8k", "ice40-up5k", "lifcl-40", "gw2ar-18")
_FIRST_OF_FIT = 1000
_PERIODS = {
    "ecp5": (4.0, 12.0),
    "ice40-hx": (5.0, 14.0),
    "ice40-up": (12.0, 40.0),
    "nexus": (3.0, 9.0),
    "gowin": (5.0, 14.0),
}
"""Periods that clocks are drawn from, ns."""
_PINS = {
    "lifcl-40": ("L13", "E17", "F13", "G13", "F14", "L16", "L15", "L20"),
    "gw2ar-18": ("4", "88", "70", "87", "15", "69", "16", "17"),
}
"""Pins of the probe on parts whose nextpnr wants them: any of the package, a clock pin first."""
_LINES = {"pdc": "ldc_set_location -site {{{pin}}} [get_ports {port}]", "cst": 'IO_LOC "{port}" {pin};'}
_PORTS = ("clk", "rst", "serial_in", "start", "ready", "take", "done", "serial_out")
_OFF, _SLOWER = 0.15, 0.10
_MARGIN = 0.04
"""Planned clocks are to be a little below placed ones."""


@dataclass(frozen=True)
class Placed:
    """A design on a part, and the clock in MHz that it was placed at.

    path : of the slowest path between its registers (what it is, ns, from, to) of each piece, as nextpnr reports it.
    """

    part: str
    seed: int
    name: str
    built: Built
    budget: Budget
    clock: float
    luts: int
    tried: int
    path: tuple[tuple[str, float, str, str], ...] = ()

    def off(self, delays: DelayModel) -> float:
        """Planned clock over placed clock."""
        layout = self.built.layout
        return 1e3 / layout.architecture.slowest_path(layout.plan, delays) / self.clock

    @property
    def short(self) -> float:
        """Which part of the planned clock, which is not above the one asked for, the placed clock lacks; below 0 where
        it is faster."""
        return 1 - self.clock / planned_clock(self.built.layout.slowest_path(self.budget), self.budget)


def random_network(seed: int) -> Network:
    """Dense layers and thresholds of a few dozen neurons at most."""
    rng = np.random.default_rng(seed)
    dims = [int(rng.integers(4, 17)), *rng.integers(4, 15, int(rng.integers(1, 3))).tolist(), int(rng.integers(2, 6))]
    weight_bits, levels = int(rng.integers(2, 4)), int(rng.choice([1, 3, 3, 7]))
    half, input_bits = 2 ** (weight_bits - 1), int(rng.integers(2, 9))
    nodes = [Node("input", InputQuantizer(dims[0], np.ones(1), np.zeros(1), 0, input_bits, bool(rng.integers(2))))]
    for k, (inputs, outputs) in enumerate(pairwise(dims)):
        weight = rng.integers(-half, half, (outputs, inputs))
        nodes.append(Node(f"d{k}", Dense(weight, weight_bits, np.zeros(outputs, int)), (nodes[-1].name,)))
        if k < len(dims) - 2:
            spread = 2 ** (input_bits if k == 0 else 2) * half * inputs // 6 + levels
            thresholds = np.sort(rng.integers(-spread, spread, (outputs, levels)), axis=1)
            nodes.append(Node(f"t{k}", Threshold(thresholds), (nodes[-1].name,)))
    return Network("timed", tuple(nodes), Output(np.array([1.0])))


def is_folded(seed: int) -> bool:
    """Whether the design of a seed is folded: every third is."""
    return seed % 3 == 2


def case(seed: int, part: str) -> tuple[str, Built, Budget]:
    """A design of a seed: what it is, the design, and the part at its clock."""
    network, rng = random_network(seed), np.random.default_rng(seed)
    budget = budget_of(load_profile(part))
    low, high = _PERIODS[delays_of(budget).name]
    period = math.exp(rng.uniform(math.log(low), math.log(high)))
    options: dict[str, object] = {"clock_mhz": 1e3 / period, "architecture": "unrolled"}
    if is_folded(seed):
        options |= {"architecture": "folded", "max_luts": 2500}
    built, _ = choose(network, budget, options)
    shape = "-".join(str(network.sizes[node.name]) for node in network.nodes if node.layer.kind in ("input", "dense"))
    return f"{options['architecture']} {shape}", built, built.at_its_clock(budget)


def placed(seed: int, part: str, seeds: int, kept: dict[str, dict[str, Any]]) -> Placed:
    """Place a design of a seed, by as many seeds of nextpnr at most, unless it is kept."""
    name, built, budget = case(seed, part)
    digest = hashlib.sha256(b"".join(built.files[name] for name in sorted(built.files))).hexdigest()[:16]
    key = f"{part} {digest} {seeds}"
    if key not in kept:
        with tempfile.TemporaryDirectory(prefix="edgeml_timing_") as scratch:
            folder = Path(scratch)
            if pins := _PINS.get(part):
                kept[key] = with_pins(built, budget, folder, pins, seeds)
            else:
                found = synthesize(built, budget, folder, seeds=seeds)
                kept[key] = {**_clock(found["placed"]), "luts": found["cells"]["luts"]}
            kept[key] |= {"path": _slowest_path(folder)}
    known = kept[key]
    path = tuple((str(what), float(delay), str(a), str(b)) for what, delay, a, b in known.get("path", ()))
    return Placed(part, seed, name, built, budget, known["clock"], int(known["luts"]), int(known["tried"]), path)


def spread(seed: int, part: str, seeds: int) -> dict[int, float]:
    """The clock in MHz of a design of a seed by each of nextpnr's seeds 1 … `seeds`.

    The first is placed once alone: the others are tried for a clock that is 1.2 times its own, and where one reaches
    even that, none follows.
    """
    _, built, budget = case(seed, part)
    with tempfile.TemporaryDirectory(prefix="edgeml_timing_") as scratch:
        folder = Path(scratch)
        if pins := _PINS.get(part):
            first = with_pins(built, budget, folder, pins, 1)["clock"]
            netlist, lines = "probe.json", "pins"
        else:
            first = _clock(synthesize(built, budget, folder)["placed"])["clock"]
            (netlist,), lines = [path.name for path in folder.glob("*_probe.json")], ""
        found = place_and_route(netlist, budget, folder, lines, wanted_mhz=1.2 * first, seeds=seeds, pack=False)
        clocks = {found["seed"]: found["fmax_mhz"]}
        for path in folder.glob("*_seed*_report.json"):
            other = int(path.name.rpartition("_seed")[2].removesuffix("_report.json"))
            fmax = json.loads(path.read_text(encoding="utf-8"))["fmax"].values()
            clocks[other] = round(min(float(entry["achieved"]) for entry in fmax), 2)
    return dict(sorted(clocks.items()))


def print_spread(seeds: Sequence[int], parts: Sequence[str], tries: int) -> None:
    """A line for each design: its clocks by seed, and the fastest over the slowest."""
    for seed in seeds:
        for part in parts:
            clocks = spread(seed, part, tries)
            said = ", ".join(f"{clock:.1f}" for clock in clocks.values())
            apart = max(clocks.values()) / min(clocks.values()) - 1
            print(f"{part:<12}{case(seed, part)[0]:<30} {said} MHz: {apart:.0%} apart", flush=True)


def _slowest_path(folder: Path) -> list[tuple[str, float, str, str]]:
    """Of nextpnr's report: (what it is, ns, from, to) of each piece of the slowest path within the clock."""
    report = next(path for path in folder.glob("*_report.json") if "_seed" not in path.name)
    paths = json.loads(report.read_text(encoding="utf-8"))["critical_paths"]
    within = [path["path"] for path in paths if path["from"] == path["to"]]
    slowest = max(within, key=lambda path: sum(piece["delay"] for piece in path), default=[])
    ends = [[f"{piece[end]['cell']}.{piece[end]['port']}" for end in ("from", "to")] for piece in slowest]
    return [(piece["type"], piece["delay"], *pins) for piece, pins in zip(slowest, ends, strict=True)]


def _in_words(path: Sequence[tuple[str, float, str, str]]) -> str:
    """A path in a line: ns of its ways, and of its cells with the pins in and out; pieces without delay left out."""
    said = []
    for what, delay, source, target in path:
        pins = [name.rsplit(".", 1)[-1] for name in (source, target)]
        name = {"routing": "way", "logic": ">".join(pins)}.get(what, what)
        said += [f"{name} {delay:.2f}"] if delay else []
    return f"{' · '.join(said)}; to {path[-1][3]}" if path else "unknown"


def _clock(placed: Mapping[str, Any]) -> dict[str, Any]:
    return {"clock": placed["fmax_mhz"], "tried": placed["seeds_tried"]}


def with_pins(built: Built, budget: Budget, folder: Path, pins: Sequence[str], seeds: int) -> dict[str, Any]:
    """Place a design and the probe around it, whose ports have these pins: its clock, and the lookup tables of both."""
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    (folder / "probe.v").write_text(probe_top(built), encoding="utf-8")
    family, top = budget.family, f"{built.top.removesuffix('_axis')}_probe"
    lines = [_LINES[family.constraints].format(port=port, pin=pin) for port, pin in zip(_PORTS, pins, strict=True)]
    (folder / "pins").write_text("\n".join([*lines, ""]), encoding="utf-8")
    extra = f"{family.pads} write_json probe.json;"
    cells = cells_of(folder, (*built.sources, "probe.v"), top, family.synthesis, extra=extra)
    placer_of(budget).mend(folder / "probe.json")
    wanted = planned_clock(built.layout.slowest_path(budget), budget)
    found = place_and_route("probe.json", budget, folder, "pins", wanted_mhz=wanted, seeds=seeds, pack=False)
    return {**_clock(found), "luts": lookup_tables(summary(cells, family), family)}


def all_placed(parts: Sequence[str], seeds: Sequence[int], tries: int, file: Path | None) -> Iterator[Placed]:
    """The designs of these seeds on these parts, with as many placements at most; what is new goes to the file."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file is not None and file.is_file() else {}
    for seed in seeds:
        for part in parts:
            yield placed(seed, part, tries, kept)
            if file is not None:
                file.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def fitted(designs: Sequence[Placed], delays: DelayModel) -> DelayModel:
    """`delays` with the ways that give the least Σ (log (planned / placed) + margin)², found in ever smaller steps."""

    def loss(model: DelayModel) -> float:
        return sum((math.log(design.off(model)) + _MARGIN) ** 2 for design in designs)

    step, best = 0.25, loss(delays)
    while step > 0.005:
        better = False
        for name in ("route", "fan_out", "size"):
            for factor in (1 + step, 1 / (1 + step)):
                other = replace(delays, **{name: getattr(delays, name) * factor})
                if (found := loss(other)) < best:
                    delays, best, better = other, found, True
        step = step if better else step / 2
    return replace(delays, **{name: round(getattr(delays, name), 3) for name in ("route", "fan_out", "size")})


def table(designs: Iterator[Placed], delays: DelayModel | None = None, *, paths: bool = False) -> list[Placed]:
    """Print a row for each design, whose `planned` is the clock that its slowest path allows; all of them."""
    print(
        f"{'part':<12}{'design':<30}{'LUT':>7}{'clocks':>8}{'asked':>8}{'planned':>9}{'placed':>8}{'tried':>7}{'off':>7}",
        flush=True,
    )
    found = []
    for design in designs:
        off = design.off(delays or delays_of(design.budget))
        found.append(design)
        print(
            f"{design.part:<12}{design.name:<30}{design.luts:>7}{design.built.latency:>8}{design.budget.clock_mhz:>8.1f}"
            f"{off * design.clock:>9.1f}{design.clock:>8.1f}{design.tried:>7}{off - 1:>+7.0%}",
            flush=True,
        )
        if paths:
            print(f"    {_in_words(design.path)}", flush=True)
    return found


def _distances(designs: Sequence[Placed]) -> list[float]:
    return [abs(design.off(delays_of(design.budget)) - 1) for design in designs]


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or the fit; returns 1 where planned clocks are too far off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5, help="designs on each part")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--part", choices=_PARTS, action="append", help="only this part")
    parser.add_argument("--only", choices=("unrolled", "folded"), help="leave out seeds of other designs")
    parser.add_argument("--placer-seeds", type=int, default=PLACER_SEEDS, help="placements that are tried at most")
    parser.add_argument("--fit", action="store_true", help="fit the ways, on other designs")
    parser.add_argument("--paths", action="store_true", help="print the slowest path of each as nextpnr reports it")
    parser.add_argument("--spread", action="store_true", help="place each by all seeds, and print their clocks alone")
    parser.add_argument("--kept", type=Path, help="file that keeps what was placed")
    options = parser.parse_args(arguments)
    parts, begun = options.part or _PARTS, time.monotonic()
    first = options.first + (_FIRST_OF_FIT if options.fit else 0)
    tries = 1 if options.fit else options.placer_seeds
    seeds = (seed for seed in count(first) if options.only in (None, "folded" if is_folded(seed) else "unrolled"))
    chosen = list(islice(seeds, options.count))
    if options.spread:
        print_spread(chosen, parts, tries)
        return 0
    designs = all_placed(parts, chosen, tries, options.kept)
    if options.fit:
        found = list(designs)
        for name in dict.fromkeys(delays_of(design.budget).name for design in found):
            own = [design for design in found if delays_of(design.budget).name == name]
            model = fitted(own, delays_of(own[0].budget))
            print(f"{name}: route={model.route}, fan_out={model.fan_out}, size={model.size}, over {len(own)} designs")
            table(iter(own), model, paths=options.paths)
        return 0
    rows = table(designs, paths=options.paths)
    for part in parts:
        own = [design for design in rows if design.part == part]
        off, slowest = statistics.median(_distances(own)), max(design.short for design in own)
        print(f"{part}: off {off:.1%} on the median; the slowest {slowest:.1%} below the planned clock")
    median, slowest = statistics.median(_distances(rows)), max(design.short for design in rows)
    print(
        f"{len(rows)} designs in {time.monotonic() - begun:.0f} s: slowest paths are {median:.1%} off on the median; "
        f"the slowest placed is {slowest:.1%} below the planned clock (that of the slowest path, or the one asked for)"
    )
    return 0 if median <= _OFF and slowest <= _SLOWER else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
