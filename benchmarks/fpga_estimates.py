"""How far the FPGA target's own estimates are from yosys, over many small designs; and the fit of their constants.

    python -m benchmarks.fpga_estimates [--count N] [--fit]

Random networks (1 to 8 bits, 2 to 40 neurons a layer), folded by random amounts or unrolled with random pipelining,
for Xilinx 7, UltraScale+, ECP5 and iCE40: flip-flops, block RAMs, multipliers and lookup tables as estimated and as
yosys finds them. `--fit` synthesizes other designs, of other seeds, and prints the constants of
`edgeml/targets/fpga/estimate_constants.py` that fit them best; the table without it is then over designs that no
constant was fitted to.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.targets.fpga.budget import FAMILIES, Family
from edgeml.targets.fpga.design import Built, Design, build, design_of, plan_of
from edgeml.targets.fpga.estimate import Cost, constants_of, estimate_folded, estimate_unrolled, total
from edgeml.targets.fpga.estimate_constants import FOLDED_PRIOR, UNROLLED_PRIOR
from edgeml.targets.fpga.estimate_features import Parts, folded_features, unrolled_features
from edgeml.targets.fpga.folded.plan import make_plan
from edgeml.targets.fpga.folded.timing import size_fifos
from edgeml.targets.fpga.folding import folds_for_interval
from edgeml.targets.fpga.synthesize import cells_of, lookup_tables, summary
from edgeml.targets.fpga.unrolled.build import network_logic

__all__ = ["Case", "case", "estimated", "measured"]

# Any would do; these are the ones that the constants were fitted to.
_FIT_SEEDS = (*range(1000, 1024), *range(1025, 1040, 2), 1040, 1041, 1042)
_PRIOR_WEIGHT = 0.02
_FAMILIES = ("xc7", "ecp5", "ice40", "xcup")


@dataclass(frozen=True, eq=False)
class Case:
    """A design to estimate and to synthesize."""

    name: str
    network: Network
    design: Design
    family: Family


def sample_network(seed: int, widest: int) -> Network:
    """A random network of 2 or 3 dense layers with thresholds between them."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(2, 4))
    sizes = [int(size) for size in rng.integers(6, widest + 1, depth + 1)]
    sizes[-1] = int(rng.integers(2, 11))
    weight_bits = int(rng.choice([1, 2, 2, 2, 2, 3, 4]))
    levels = int(rng.choice([1, 3, 3, 3, 7]))
    input_bits = int(rng.choice([1, 2, 2, 4, 8]))
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
    return Network(f"sample{seed}", tuple(nodes), Output(np.array([1.0])))


def case(seed: int) -> Case:
    """Design number `seed`: architectures alternate, families take turns."""
    rng = np.random.default_rng(seed)
    family = FAMILIES[_FAMILIES[seed // 2 % 4]]
    if seed % 2:
        network = sample_network(seed, 12)
        design = Design("unrolled", register_every=int(rng.integers(1, 4)))
    else:
        network = sample_network(seed, 40)
        most = max(segment.steps for segment in make_plan(network, {}).segments)
        interval = max(4, round(most ** float(rng.uniform(0.35, 0.9))))
        plan = make_plan(network, folds_for_interval(network, interval) or {}, keep_block_rams=family.name == "ice40")
        size_fifos(plan)
        design = design_of(plan)
    sizes = "-".join(
        str(n)
        for n in (
            network.input_size,
            *(network.sizes[node.name] for node in network.layers if isinstance(node.layer, Dense)),
        )
    )
    detail = f"every {design.register_every}" if seed % 2 else ""
    return Case(f"{sizes} {design.architecture} {detail}".strip(), network, design, family)


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
    if example.design.architecture == "folded":
        return total(estimate_folded(plan_of(example.network, example.design), example.family))
    logic = network_logic(example.network)
    return total(estimate_unrolled(logic, example.family, example.design.register_every))


def _amounts(example: Case) -> dict[str, float]:
    """Logic of the whole design by kind."""
    parts: Sequence[Parts]
    if example.design.architecture == "folded":
        plan = plan_of(example.network, example.design)
        parts = [folded_features(segment, example.family) for segment in plan.segments]
    else:
        logic = network_logic(example.network)
        parts = list(unrolled_features(logic, example.family, example.design.register_every).values())
    amounts: dict[str, float] = {}
    for part in parts:
        for kind, amount in part.logic.items():
            amounts[kind] = amounts.get(kind, 0.0) + amount
    return amounts


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


def fit() -> None:
    """Synthesize designs for fitting and print the constants."""
    rows: dict[tuple[str, str], list[tuple[dict[str, float], int]]] = {}
    for seed in _FIT_SEEDS:
        example = case(seed)
        found = measured(build(example.network, example.design), example.family)
        key = (example.design.architecture, constants_of(example.family))
        rows.setdefault(key, []).append((_amounts(example), found["luts"]))
        print(f"# {example.name}, {example.family.name}: {found['luts']} lookup tables", flush=True)
    for (architecture, family), data in sorted(rows.items()):
        prior = FOLDED_PRIOR if architecture == "folded" else UNROLLED_PRIOR
        print(f"{architecture} {family}: {fitted(data, prior[family])}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or the fitted constants; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24, help="designs")
    parser.add_argument("--fit", action="store_true", help="fit the constants, on other designs")
    options = parser.parse_args(arguments)
    if options.fit:
        fit()
        return 0
    header = f"{'design':<34}{'family':<8}{'LUT est.':>9}{'yosys':>7}{'error':>7}{'FF est.':>9}{'yosys':>7}{'error':>7}"
    print(f"{header}{'BRAM':>6}{'yosys':>7}{'DSP':>5}{'yosys':>7}", flush=True)
    errors: dict[str, list[float]] = {"luts": [], "flip_flops": []}
    for seed in range(options.count):
        example = case(seed)
        cost = estimated(example)
        found = measured(build(example.network, example.design), example.family)
        off = {}
        for name, seen in errors.items():
            off[name] = getattr(cost, name) / max(found[name], 1) - 1
            seen.append(abs(off[name]))
        print(
            f"{example.name:<34}{example.family.name:<8}{cost.luts:>9.0f}{found['luts']:>7}{off['luts']:>+7.0%}"
            f"{cost.flip_flops:>9}{found['flip_flops']:>7}{off['flip_flops']:>+7.0%}"
            f"{cost.block_rams:>6}{found['block_rams']:>7}{cost.dsps:>5}{found['dsps']:>7}",
            flush=True,
        )
    for name, seen in errors.items():
        what = "lookup tables" if name == "luts" else "flip-flops"
        print(f"{what}: {statistics.median(seen):.1%} off on the median, {max(seen):.1%} at worst, {len(seen)} designs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
