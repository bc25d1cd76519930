"""The least planned time to an answer of 16-64-32-32-5 at 2 bits, and what nextpnr makes of it on an ECP5.

    python -m benchmarks.fpga_latency [--part NAME ...] [--clock MHZ ...] [--goal latency|throughput] [--place]

A row for each part and clock asked for: the clock planned, clocks from input to result, planned ns, adder graph,
estimated lookup tables. With `--place` what nextpnr can place is placed (minutes each), and the time at that clock
stands beside. Without `--clock` a part has the clock of its profile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.estimate.costs import total
from edgeml.targets.fpga.options import PLACER_SEEDS
from edgeml.targets.fpga.timing.planned_clock import planned_clock
from edgeml.targets.fpga.tools.synthesize import synthesize

from .fpga import random_network

_MLP = (16, 64, 32, 32, 5)
_PARTS = ("xczu7ev", "ecp5-85k")


def row(part: str, clock: float | None, goal: str, *, place: bool, seeds: int) -> str:
    """A line of the table."""
    network = random_network(_MLP, (-2, 1), 1.0, "dense")
    budget = budget_of(load_profile(part))
    options = {"goal": goal} | ({} if clock is None else {"clock_mhz": clock})
    built, costs = choose(network, budget, options)
    budget = built.at_its_clock(budget) if clock is not None else budget
    planned = planned_clock(built.layout.slowest_path(budget), budget)
    choices = built.layout.choices.as_json()
    said = (
        f"{part:<12}{budget.clock_mhz:>8.1f}{planned:>9.1f}{built.latency:>8}{built.latency / planned * 1e3:>9.1f}"
        f"  {built.design.architecture}, {choices.get('adder_graph', 'edgeml')} graph"
        f"{', straight out' if choices.get('straight') else ''}; about {total(costs).luts:,.0f} lookup tables"
    )
    if place and budget.family.place:
        with tempfile.TemporaryDirectory(prefix="edgeml_latency_") as scratch:
            found = synthesize(built, replace(budget, clock_mhz=planned), Path(scratch), seeds=seeds)
        fmax = float(found["placed"]["fmax_mhz"])
        said += (
            f"\n{'':<12}placed at {fmax:.1f} MHz by {found['placed']['seeds_tried']} seeds: "
            f"{built.latency / fmax * 1e3:.1f} ns, {found['cells']['luts']:,} lookup tables counted"
        )
    return said


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", default=_PARTS, help="parts")
    parser.add_argument("--clock", type=float, nargs="+", default=[None], help="clocks to ask for, MHz")
    parser.add_argument("--goal", choices=("latency", "throughput"), default="latency", help="as of edgeml convert")
    parser.add_argument("--place", action="store_true", help="place what nextpnr can")
    parser.add_argument("--placer-seeds", type=int, default=PLACER_SEEDS, help="placements that are tried at most")
    options = parser.parse_args(arguments)
    print(f"{'part':<12}{'asked':>8}{'planned':>9}{'clocks':>8}{'ns':>9}  design", flush=True)
    for part in options.part:
        for clock in options.clock:
            print(row(part, clock, options.goal, place=options.place, seeds=options.placer_seeds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
