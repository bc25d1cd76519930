"""Neurons of few inputs on handwritten digits: accuracy, and lookup tables as yosys counts them.

    python -m benchmarks.fan_in [--seeds 5] [--design small|middle|wide]

scikit-learn's 1,797 digits, a quarter held back (stratified, another quarter for each seed). For each seed and design a
float model of that width is trained, converted with `--fan-in` for xczu7ev, and synthesized by yosys, flat. Three
counts: the logic to the logits; the core, which has flow control and a buffer of results beside it; and the estimate of
an argmax unit behind it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends import load_model
from edgeml.network import Network
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build, laid_out, with_classes
from edgeml.targets.fpga.estimate.argmax import estimate_argmax
from edgeml.targets.fpga.estimate.costs import total
from edgeml.targets.fpga.tools.synthesize import cells_of, summary

__all__ = ["DESIGNS", "Wired", "digits", "wide_model"]

_FAMILY = FAMILIES["xcup"]


@dataclass(frozen=True)
class Wired:
    """A width of the hidden layers, and the options of its conversion."""

    hidden: tuple[int, ...]
    fan_in: str
    epochs: int = 120


DESIGNS = {
    "small": Wired((128, 64), "6,first=3,last=12"),
    "middle": Wired((256, 128), "6,first=3,last=24"),
    "wide": Wired((512, 256), "6,first=3,last=40"),
}
"""Of 2-bit inputs, 1-bit activations and 2-bit weights in the last layer."""


def digits(seed: int) -> Dataset:
    """The digits, pixels 0 … 1, split by `seed`."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    loaded = load_digits()
    x, y = loaded.data.astype(np.float32) / 16, loaded.target.astype(np.int64)
    return Dataset(*train_test_split(x, y, test_size=0.25, random_state=seed, stratify=y))


def wide_model(hidden: tuple[int, ...], data: Dataset, seed: int, epochs: int = 40) -> nn.Module:
    """A float MLP with batch norm, ReLU and dropout, trained by AdamW, its rate a cosine to zero."""
    assert data.y is not None
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((data.features, *hidden)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.2)]
    model = nn.Sequential(*layers, nn.Linear(hidden[-1], 10))
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * (len(x) // 64))
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // 64 * 64].split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def converted(design: Wired, seed: int) -> tuple[Network, float, float]:
    """The integer network of a design, and the accuracies of its float model and of itself, in percent."""
    data = digits(seed)
    mlp = load_model(wide_model(design.hidden, data, seed), example=data.x[:2])
    options = {"bits": 2, "act_bits": 1, "input_bits": 2, "batch_size": 64, "epochs": design.epochs}
    conversion = QuantizedConverter().convert(mlp, data, {**options, "fan_in": design.fan_in}, lambda *_: None)
    found = conversion.metrics["accuracy"]
    return conversion.network, 100 * found["float"], 100 * found["integer"]


def lookup_tables_of(network: Network, name: str) -> int:
    """What yosys counts in a module of the unrolled design and all below it, registers as seldom as can be."""
    built = build(network, Design("unrolled", Pipelining(register_every=64)))
    with tempfile.TemporaryDirectory(prefix="edgeml_fan_in_") as scratch:
        for file, content in built.files.items():
            (Path(scratch) / file).write_bytes(content)
        top = f"{network.name}_{name}"
        cells = cells_of(Path(scratch), built.sources, top, _FAMILY.synthesis)
        return summary(cells, _FAMILY)["luts"]


def row(name: str, seed: int) -> dict[str, float]:
    """The figures of a design for one seed."""
    network, of_float, of_integers = converted(DESIGNS[name], seed)
    layout = laid_out(network, Design("unrolled"))
    interface = with_classes(layout.architecture.interface(layout.plan), network)
    return {
        "float": of_float,
        "accuracy": of_integers,
        "logits": lookup_tables_of(network, "pipeline"),
        "core": lookup_tables_of(network, "core"),
        "estimate": total(layout.architecture.estimate(layout.plan, _FAMILY)).luts,
        "argmax": estimate_argmax(interface, _FAMILY).luts,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each seed, and the means; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--design", choices=DESIGNS, action="append", help="only this one")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for name in options.design or DESIGNS:
        rows = []
        for seed in range(options.seeds):
            rows.append(row(name, seed))
            print(name, seed, {key: round(value, 2) for key, value in rows[-1].items()}, flush=True)
        mean = {key: round(statistics.mean(each[key] for each in rows), 2) for key in rows[0]}
        print(name, "mean of", len(rows), mean, DESIGNS[name], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
