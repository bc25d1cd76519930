"""`make bench-fpga-frontier`: small networks on FPGAs beside their rivals, on the same data and splits.

    python -m benchmarks.fpga_frontier [--quick] [--data-set NAME ...] [--only CONTESTANT ...] [--seeds N ...]
        [--can-log FILE] [--jets FOLDER] [--python PATH] [--ecp5] [--write | --redraw | --known]

Data sets: digits, breast cancer, 5,000 MNIST images, and CAN where a log is given. Every circuit takes the features as
the sensor gives them and is combinational; Icarus gives its answers on the test samples (they must be those of the
software that made it), and yosys, `synth_xilinx -family xcup`, flat, its lookup tables: to the outputs, and besides for
the class. Everything is kept in build/fpga_frontier, so a run that broke goes on; `--write` adds the figures to
`measured.json` and renews the tables and the picture in docs, `--redraw` renews them from that file alone. `--jets`
names a folder with the trained jet networks of da4ml's artifact (`*.h5`), which `jets` compares.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from edgeml.errors import EdgemlError

from . import jets, measured
from .contestants import CONTESTANTS, LEFT_OUT, Contestant, settings_of
from .data_sets import DATA_SETS, folds
from .page import write_page
from .runs import Point, Workshop, points

_BUILD = Path("build/fpga_frontier")
_HEADER = f"{'data':<8}{'how':<20}{'seed':>5}{'score':>8}{'LUT':>7}{'carry':>7}{'+ argmax':>9}{'levels':>7}"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one data set, one seed, one short training of each")
    parser.add_argument("--data-set", nargs="+", choices=tuple(DATA_SETS), help="only these")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in CONTESTANTS], help="only these contestants")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="of the trainings; the split stays")
    parser.add_argument("--can-log", type=Path, help="a log of a CAN bus with attacks, for the data set can")
    parser.add_argument("--jets", type=Path, help="a folder with trained jet networks of HGQ (*.h5)")
    parser.add_argument("--python", type=Path, default=Path("build/frontier-venv/bin/python"), help="of the rivals")
    parser.add_argument("--write", action="store_true", help="renew the table and the picture in docs/fpga-frontier.md")
    parser.add_argument("--redraw", action="store_true", help="only that, from benchmarks/fpga_frontier/measured.json")
    parser.add_argument("--ecp5", action="store_true", help="place each circuit on an ECP5 besides, which takes long")
    parser.add_argument("--known", action="store_true", help="train nothing: only what is kept")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Print a row for each circuit, and what was skipped; returns an exit status, 1 where a contestant failed."""
    options = _options(arguments)
    if options.redraw:
        write_page(measured.merged(measured.read(), []))
        return 0
    shop = Workshop(_BUILD, options.python.absolute(), options.can_log)
    sets = options.data_set or (["digits"] if options.quick else list(DATA_SETS))
    if "can" in sets and options.can_log is None and not (shop.build / "data" / "can.npz").exists():
        print("can: skipped, it needs --can-log FILE")
        sets.remove("can")
    chosen = [one for one in CONTESTANTS if not options.only or one.name in options.only]
    if not shop.python.exists():
        print(f"rivals: skipped, there is no {options.python}; `make bench-fpga-frontier` makes it")
        chosen = [one for one in chosen if not one.script]
    for rival, reason in LEFT_OUT.items():
        print(f"{rival}: left out, {reason}")
    print(_HEADER, flush=True)
    seeds = options.seeds[:1] if options.quick else options.seeds
    found, failed = _all(shop, sets, chosen, seeds, options)
    if options.write:
        points_of_all = measured.merged(measured.read(), found)
        measured.write(points_of_all)
        write_page(points_of_all)
    if options.jets:
        failed += jets.compare(options.jets, shop)
    elif not options.quick:
        print("jets: skipped, they need --jets FOLDER")
    return 1 if failed else 0


def _all(
    shop: Workshop,
    sets: Sequence[str],
    chosen: Sequence[Contestant],
    seeds: Sequence[int],
    options: argparse.Namespace,
) -> tuple[list[Point], int]:
    found: list[Point] = []
    failed = 0
    for data_set in sets:
        parts = folds(data_set)[:1] if options.quick else folds(data_set)
        for seed, contestant in product(seeds, chosen):
            for settings, fold in product(settings_of(contestant, data_set, quick=options.quick), parts):
                try:
                    asked = {"known": options.known, "place": options.ecp5}
                    for point in points(shop, contestant, data_set, settings, seed, fold, **asked):
                        found.append(point)
                        print(_row(point), flush=True)
                except EdgemlError as error:
                    print(f"{data_set:<8}{contestant.name:<20}{seed:>5}  failed: {error}", flush=True)
                    failed += 1
    return found, failed


def _row(point: Point) -> str:
    return (
        f"{point.data_set:<8}{point.contestant:<20}{point.seed:>5}{point.score:>8.2%}{point.luts:>7}{point.carry:>7}"
        f"{point.argmax_luts:>9}{point.levels:>7}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
