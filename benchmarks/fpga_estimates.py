"""How far the FPGA target's own estimates are from yosys, over many small designs; and the fit of their constants.

    python -m benchmarks.fpga_estimates [--count N] [--first SEED] [--form FORM] [--fit]

Random networks of all three forms, with inputs as bits, of Boolean functions, of tables, and of neurons of few inputs
(`fpga_samples`, with the names of forms), folded by random amounts or unrolled with random pipelining, for Xilinx 7,
UltraScale+, ECP5 and iCE40: flip-flops, block RAMs,
multipliers and lookup tables as estimated and as yosys finds them. `--fit` synthesizes other designs, of other seeds,
and prints the constants of `edgeml/targets/fpga/estimate_constants.py` that fit them best; the table without it is then
over designs that no constant was fitted to.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeml.targets.fpga.budget import Family
from edgeml.targets.fpga.design import Built, build, laid_out
from edgeml.targets.fpga.estimate.constants import (
    FOLDED,
    FOLDED_PRIOR,
    SPIKING,
    SPIKING_PRIOR,
    UNROLLED,
    UNROLLED_PRIOR,
)
from edgeml.targets.fpga.estimate.costs import Cost, constants_of, total
from edgeml.targets.fpga.tools.synthesize import cells_of, lookup_tables, summary

from .fpga_samples import FORMS, Case, case

__all__ = ["estimated", "measured"]

# Any would do; these are the ones that the constants were fitted to (of int8 few: wide products take yosys long). The
# unrolled constants are of an earlier generator and still hold.
_FIT_SEEDS = {
    "quantized": (*range(1000, 1043), 1044, 1046),
    "int8": (1000, 1001, 1002, 1003),
    "spiking": tuple(range(1000, 1048)),
    # Nothing is fitted to these: their kinds of logic are those of the others.
    "encoded": (),
    "logic": (),
    "few": (),
    "tables": (),
}
_CONSTANTS = {"folded": FOLDED, "unrolled": UNROLLED, "spiking": SPIKING}
_PRIORS = {"folded": FOLDED_PRIOR, "unrolled": UNROLLED_PRIOR, "spiking": SPIKING_PRIOR}
_PRIOR_WEIGHT = 0.02
_COUNTED = {"luts": "lookup tables", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "multipliers"}


def measured(built: Built, family: Family) -> dict[str, int]:
    """What yosys finds: lookup tables, flip-flops, block RAMs, multipliers."""
    with tempfile.TemporaryDirectory(prefix="edgeml_estimates_") as scratch:
        folder = Path(scratch)
        for name, content in built.files.items():
            (folder / name).write_bytes(content)
        cells = summary(cells_of(folder, built.sources, built.core, family.synthesis), family)
    return {**cells, "luts": lookup_tables(cells, family)}


def estimated(example: Case) -> Cost:
    """What the target estimates for the whole design."""
    layout = laid_out(example.network, example.design)
    return total(layout.architecture.estimate(layout.plan, example.family))


def _amounts(example: Case) -> tuple[str, dict[str, float]]:
    """Whose constants count, and logic of the whole design by kind."""
    layout = laid_out(example.network, example.design)
    (which,) = (name for name, constants in _CONSTANTS.items() if constants is layout.architecture.constants)
    parts = layout.architecture.parts(layout.plan, example.family).values()
    amounts: dict[str, float] = {}
    for part in parts:
        for kind, amount in part.logic.items():
            amounts[kind] = amounts.get(kind, 0.0) + amount
    return which, amounts


def fitted(rows: Sequence[tuple[dict[str, float], int]], prior: Mapping[str, float]) -> dict[str, float]:
    """Constants ≥ 0 for (amounts, lookup tables) with the least squared relative error, drawn to the prior.

    Minimises Σ (estimate / found − 1)² + 0.02 · Σ (constant / prior − 1)², one constant after the other.
    """
    kinds = list(prior)
    scale = np.array([max(prior[kind], 1e-3) for kind in kinds])
    relative = [[amounts.get(kind, 0.0) / luts for kind in kinds] for amounts, luts in rows]
    pull = _PRIOR_WEIGHT**0.5
    matrix = np.vstack([np.array(relative).reshape(-1, len(kinds)) * scale, pull * np.eye(len(kinds))])
    wanted = np.concatenate([np.ones(len(rows)), np.full(len(kinds), pull)])
    factors = np.ones(len(kinds))
    for _ in range(3000):
        for k in range(len(kinds)):
            rest = wanted - matrix @ factors + matrix[:, k] * factors[k]
            factors[k] = max(0.0, float(matrix[:, k] @ rest / (matrix[:, k] @ matrix[:, k])))
    return {
        kind: round(float(value), 3) if prior[kind] else 0.0 for kind, value in zip(kinds, factors * scale, strict=True)
    }


def fit(forms: Sequence[str]) -> None:
    """Synthesize designs for fitting and print the constants."""
    rows: dict[tuple[str, str], list[tuple[dict[str, float], int]]] = {}
    for form in forms:
        for seed in _FIT_SEEDS[form]:
            example = case(seed, form)
            found = measured(build(example.network, example.design), example.family)
            which, amounts = _amounts(example)
            rows.setdefault((which, constants_of(example.family)), []).append((amounts, found["luts"]))
            print(f"# {form} {example.name}, {example.family.name}: {found['luts']} lookup tables", flush=True)
    for (which, family), data in sorted(rows.items()):
        print(f"{which} {family}: {fitted(data, _PRIORS[which][family])}", flush=True)


def table(form: str, count: int, first: int) -> list[str]:
    """Print a row for each of `count` designs of a form from one seed on; returns the lines that sum them up."""
    header = f"{f'{form} design':<40}{'family':<8}{'LUT est.':>9}{'yosys':>7}{'error':>7}{'FF est.':>9}{'yosys':>7}"
    print(f"{header}{'error':>7}{'BRAM':>6}{'yosys':>7}{'DSP':>5}{'yosys':>7}", flush=True)
    errors: dict[str, list[float]] = {"luts": [], "flip_flops": []}
    exact = {"block_rams": 0, "dsps": 0}
    for seed in range(first, first + count):
        example = case(seed, form)
        cost = estimated(example)
        found = measured(build(example.network, example.design), example.family)
        off = {}
        for name, seen in errors.items():
            off[name] = getattr(cost, name) / max(found[name], 1) - 1
            seen.append(abs(off[name]))
        for name in exact:
            exact[name] += getattr(cost, name) == found[name]
        print(
            f"{example.name:<40}{example.family.name:<8}{cost.luts:>9.0f}{found['luts']:>7}{off['luts']:>+7.0%}"
            f"{cost.flip_flops:>9}{found['flip_flops']:>7}{off['flip_flops']:>+7.0%}"
            f"{cost.block_rams:>6}{found['block_rams']:>7}{cost.dsps:>5}{found['dsps']:>7}",
            flush=True,
        )
    lines = [
        f"{form}, {_COUNTED[name]}: {statistics.median(seen):.1%} off on the median, {max(seen):.1%} at worst"
        for name, seen in errors.items()
    ]
    return [*lines, *(f"{form}, {_COUNTED[name]}: exact in {hits} of {count} designs" for name, hits in exact.items())]


def main(arguments: list[str] | None = None) -> int:
    """Print the table of each form and how far off it is, or the fitted constants; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24, help="designs of each form")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one, for others than the docs speak of")
    parser.add_argument("--form", choices=FORMS, action="append", help="only this one")
    parser.add_argument("--fit", action="store_true", help="fit the constants, on other designs")
    options = parser.parse_args(arguments)
    forms = options.form or FORMS
    if options.fit:
        fit(forms)
        return 0
    lines = [line for form in forms for line in table(form, options.count, options.first)]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
