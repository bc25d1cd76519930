"""Training at few bits beside a plain Brevitas script: six data sets, five seeds, equal steps, paired.

    python -m benchmarks.training [--bits B] [--steps N] [--seeds N] [--range R] [--only NAME …]
                                  [--json FILE] [--peer FILE]

Both begin with the same float model (inputs-32-16-classes with batch norm, one for each seed and split), see the same
training samples in batches of 64 for the same number of steps, and are judged on the same test samples. The peer
(`training_peer.py`) has the best of three learning rates, chosen for each data set on a fifth of the training samples
that was held back from it and from its float model; edgeml has its defaults, and what it computes is its integer
network. The data sets and how they are split: `training_data.py`.

The peer is trained once: `--peer FILE` takes it from what `--json FILE` kept of an earlier run.

p is of a paired t-test over the seeds, two-sided. Test samples take no part in any choice.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode

from .training_data import DATA_SETS, Split, Unavailable
from .training_peer import BATCH, best_rate, float_model, peer_accuracy, share_right

SEEDS = 5
STEPS = 500
_SHARE_OF_FEW = 0.6
"""Of the steps, for sets with less than 1,000 samples."""
_FEW = 1000


def as_mlp(model: nn.Sequential) -> Mlp:
    """The float model as a frontend reads it."""
    nodes: list[MlpNode] = []
    at = "input"
    for number, layer in enumerate(model):
        if isinstance(layer, nn.Linear):
            operator: Any = Linear(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
        elif isinstance(layer, nn.BatchNorm1d):
            assert layer.running_var is not None
            assert layer.running_mean is not None
            factor = (layer.weight.double() / (layer.running_var.double() + layer.eps).sqrt()).detach().numpy()
            shift = layer.bias.detach().double().numpy() - layer.running_mean.double().numpy() * factor
            operator = Affine(factor, shift)
        else:
            operator = Clamp(0.0, np.inf)
        nodes.append(MlpNode(f"node{number}", operator, (at,)))
        at = f"node{number}"
    return Mlp("benchmark", model[0].in_features, tuple(nodes))


def own_accuracy(model: nn.Sequential, split: Split, bits: int, steps: int, seed: int) -> float:
    """Share of test samples that edgeml's integer network gets right, trained with its defaults."""
    batch = min(BATCH, len(split.y))
    epochs = max(1, round(steps / math.ceil(len(split.y) / batch)))
    data = Dataset(split.x, split.x_test, split.y, split.y_test)
    options = {"bits": bits, "input_bits": 8, "epochs": epochs, "batch_size": batch, "seed": seed}
    conversion = QuantizedConverter().convert(as_mlp(model), data, options, lambda *_: None)
    return float(conversion.metrics["accuracy"]["integer"])


def own_steps(split: Split, asked: int) -> int:
    """What whole passes of edgeml come to, nearest to the steps `asked` for: the peer trains as many."""
    passes = math.ceil(len(split.y) / min(BATCH, len(split.y)))
    wanted = asked if len(split.y) + len(split.y_test) >= _FEW else asked * _SHARE_OF_FEW
    return max(1, round(wanted / passes)) * passes


@dataclass(frozen=True)
class Asked:
    """What a run was asked for: seeds, bits of weights and activations, steps, and the range of the peer's weights."""

    seeds: int = SEEDS
    bits: int = 2
    steps: int = STEPS
    range: str = "narrow"


def kept_peer(file: Path, name: str, asked: Asked) -> dict[str, Any] | None:
    """What an earlier run kept in `file` of the peer on a data set; None where it was asked for something else."""
    kept = json.loads(file.read_text())
    found = kept["found"].get(name)
    if found is None or kept["asked"] != asdict(asked):
        return None
    return {key: found[key] for key in ("rate", "brevitas", "brevitas seconds")}


def measured(name: str, asked: Asked, peer: dict[str, Any] | None = None) -> dict[str, Any]:
    """Accuracies on one data set, one for each seed: means over its splits. A `peer` that is kept is not trained."""
    splits = [list(DATA_SETS[name](seed)) for seed in range(asked.seeds)]
    models = [[float_model(split, seed) for split in each] for seed, each in enumerate(splits)]
    steps = own_steps(splits[0][0], asked.steps)
    bits, narrow = asked.bits, asked.range == "narrow"
    rate = peer["rate"] if peer else best_rate([each[0] for each in splits], bits, steps, narrow)
    found: dict[str, Any] = {key: [] for key in ("float", "edgeml", "brevitas", "edgeml seconds", "brevitas seconds")}
    for seed, (given, starts) in enumerate(zip(splits, models, strict=True)):
        pairs = list(zip(starts, given, strict=True))
        begin = time.process_time()
        own = [own_accuracy(model, split, bits, steps, seed) for model, split in pairs]
        found["edgeml seconds"].append((time.process_time() - begin) / len(pairs))
        found["float"].append(np.mean([share_right(model, split) for model, split in pairs]))
        found["edgeml"].append(np.mean(own))
        if peer:
            continue
        begin = time.process_time()
        other = [peer_accuracy(model, split, bits, rate, steps, seed, narrow) for model, split in pairs]
        found["brevitas"].append(np.mean(other))
        found["brevitas seconds"].append((time.process_time() - begin) / len(pairs))
    return {
        "steps": steps,
        "rate": rate,
        **{key: [float(each) for each in found[key]] for key in found},
        **(peer or {}),
    }


def compared(own: list[float], peer: list[float]) -> tuple[float, float]:
    """(mean difference, p of the paired t-test, two-sided); p is 1 where nothing differs."""
    from scipy import stats

    difference = np.array(own) - np.array(peer)
    if not np.any(difference):
        return 0.0, 1.0
    return float(difference.mean()), float(stats.ttest_rel(own, peer).pvalue)


def _row(name: str, found: dict[str, Any]) -> str:
    difference, p = compared(found["edgeml"], found["brevitas"])
    verdict = "" if p >= 0.05 else "better" if difference > 0 else "worse"
    shares = [100 * np.mean(found[key]) for key in ("float", "edgeml", "brevitas")]
    seconds = [np.mean(found[f"{key} seconds"]) for key in ("edgeml", "brevitas")]
    each = " ".join(f"{100 * (a - b):+5.1f}" for a, b in zip(found["edgeml"], found["brevitas"], strict=True))
    return (
        f"{name:14}{shares[0]:7.1f}{shares[1]:8.1f}{shares[2]:10.1f}{100 * difference:+8.2f}{p:8.3f} {verdict:7}"
        f"{found['rate']:7g}{seconds[0]:7.1f}{seconds[1]:7.1f}   {each}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bits", type=int, default=2, help="of weights and activations")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=STEPS, help="of both, about; sets of few samples take fewer")
    parser.add_argument("--only", nargs="+", choices=tuple(DATA_SETS), default=tuple(DATA_SETS))
    parser.add_argument("--json", type=Path, help="all accuracies, as JSON")
    parser.add_argument("--range", choices=("narrow", "full"), default="narrow", help="of the peer's weights")
    parser.add_argument("--peer", type=Path, help="what --json kept: where all is the same, its peer is taken")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    asked = Asked(chosen.seeds, chosen.bits, chosen.steps, chosen.range)
    found: dict[str, dict[str, Any]] = {}
    print(
        f"{chosen.bits} bits; accuracy in %, differences in points; the peer's learning rate; CPU seconds of a training"
    )
    print(
        f"{'':14}{'float':>7}{'edgeml':>8}{'brevitas':>10}{'mean':>8}{'p':>8} {'':7}{'rate':>7}{'s':>7}{'s':>7}   seeds"
    )
    for name in chosen.only:
        try:
            found[name] = measured(name, asked, kept_peer(chosen.peer, name, asked) if chosen.peer else None)
        except Unavailable as absent:
            print(f"{name:14}  skipped: {absent}", flush=True)
            continue
        print(_row(name, found[name]), flush=True)
        if chosen.json:
            chosen.json.write_text(json.dumps({"asked": asdict(asked), "found": found}, indent=2))


if __name__ == "__main__":
    main()
