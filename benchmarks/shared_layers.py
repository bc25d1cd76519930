"""Layers shared by positions beside layers that see everything at once: accuracy, weights, multiplications.

    python -m benchmarks.shared_layers [--seeds 3] [--bits 0 4] [--task watch|digits]

`watch`: raw windows of the example `wearable`, 32 times 6 axes, people 8, 9 and 10 held back. A flat MLP 192-64-32-7
beside one small layer for seven overlapping windows, the mean of what it gives, and the same as Conv1d. `digits`:
scikit-learn's 8 × 8 pictures, a quarter held back, an MLP 64-64-32-10 beside a small Conv2d net. Each is trained in
float for 700 steps, then quantized with the options that `--bits` has; 0 stands for the float model itself.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends import load_model
from edgeml.network import Dense, Network, Shared
from examples.wearable.recordings import load_recordings, split_by_person
from examples.wearable.windows import events_input, windows

__all__ = ["MODELS", "Measured", "Windows", "measure"]

HELD_BACK = (8, 9, 10)
STEPS = 700
TIMES, AXES, EXERCISES = 32, 6, 7


class Windows(nn.Module):
    """[batch, 32, 6]: windows of 8 times, 4 apart, each through two layers of `hidden`; a last layer on their mean."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8 * AXES, hidden), nn.Linear(hidden, hidden)
        self.norms = nn.ModuleList([nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)])
        self.last = nn.Linear(hidden, EXERCISES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, 7]."""
        x = x.unfold(1, 8, 4).flatten(2)
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            x = torch.relu(norm(layer(x).transpose(1, 2))).transpose(1, 2)
        logits: Tensor = self.last(x.mean(1))
        return logits


def _flat(inputs: int, hidden: tuple[int, ...], classes: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


class _TimeLast(nn.Module):
    """[batch, times, axes] → [batch, axes, times]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


def _conv1d(hidden: int) -> nn.Module:
    return nn.Sequential(
        _TimeLast(),
        nn.Conv1d(AXES, hidden, 8, stride=4),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Conv1d(hidden, hidden, 1),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(hidden, EXERCISES),
    )


def _conv2d() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(16, 24, 3),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(96, 10),
    )


MODELS: dict[str, dict[str, Callable[[], nn.Module]]] = {
    "watch": {
        "flat 192-64-32-7": lambda: _flat(TIMES * AXES, (64, 32), EXERCISES),
        "windows 32": lambda: Windows(32),
        "Conv1d 32": lambda: _conv1d(32),
    },
    "digits": {"flat 64-64-32-10": lambda: _flat(64, (64, 32), 10), "Conv2d 16-24": _conv2d},
}


@dataclass(frozen=True)
class Measured:
    """Shares of held-back samples that are right, by bits (0: float); weights, and multiplications of a sample."""

    accuracy: dict[int, float]
    weights: int
    multiplications: int


def _watch(_seed: int) -> tuple[Dataset, tuple[int, ...]]:
    """Axes in units of their deviation over the people that are trained on."""
    both = split_by_person(load_recordings(), HELD_BACK)
    cut = [windows(part) for part in both]
    x, x_test = (events_input(part).reshape(-1, TIMES, AXES) for part, _ in cut)
    mean, deviation = x.mean(axis=(0, 1)), x.std(axis=(0, 1))
    names = sorted(set(cut[0][1]))
    y, y_test = (np.searchsorted(names, exercises).astype(np.int64) for _, exercises in cut)
    x, x_test = (((each - mean) / deviation).reshape(len(each), -1).astype(np.float32) for each in (x, x_test))
    return Dataset(x, x_test, y, y_test), (TIMES, AXES)


def _digits(seed: int) -> tuple[Dataset, tuple[int, ...]]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    parts = train_test_split((x / 16).astype(np.float32), y.astype(np.int64), stratify=y, random_state=seed)
    return Dataset(*parts), (1, 8, 8)


def _trained(make: Callable[[], nn.Module], data: Dataset, shape: tuple[int, ...], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = make()
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    x, y = torch.from_numpy(np.asarray(data.x, np.float32)).reshape(-1, *shape), torch.from_numpy(np.asarray(data.y))
    for _ in range(STEPS):
        rows = torch.randint(0, len(x), (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def _costs(network: Network) -> tuple[int, int]:
    """(weights that are trained, multiplications by them): sums have none."""
    weights = multiplications = 0
    for node in network.nodes:
        layers, positions = (node.layer,), 1
        if isinstance(node.layer, Shared):
            layers, positions = node.layer.chain, node.layer.positions
        for layer in layers:
            if isinstance(layer, Dense) and not np.all(layer.weight == 1):
                weights += layer.weight.size
                multiplications += positions * layer.weight.size
    return weights, multiplications


def measure(task: str, name: str, seed: int, bits: list[int]) -> Measured:
    """One model, trained and quantized with this seed."""
    data, shape = (_watch if task == "watch" else _digits)(seed)
    model = _trained(MODELS[task][name], data, shape, seed)
    mlp = load_model(model, example=torch.zeros(5, *shape))
    accuracy, costs = {}, (0, 0)
    for width in sorted({*bits, 8} - {0}):
        conversion = QuantizedConverter().convert(mlp, data, {"bits": width, "seed": seed}, lambda *_: None)
        costs = _costs(conversion.network)
        accuracy[0] = conversion.metrics["accuracy"]["float"]
        accuracy[width] = conversion.metrics["accuracy"]["integer"]
    return Measured({width: accuracy[width] for width in bits}, *costs)


def _main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bits", type=int, nargs="+", default=[0, 8, 4, 2], help="0: the float model")
    parser.add_argument("--task", choices=tuple(MODELS), nargs="+", default=list(MODELS))
    arguments = parser.parse_args()
    titles = ["float" if width == 0 else f"{width} bit" for width in arguments.bits]
    print(f"| task | model | weights | multiplications | {' | '.join(titles)} |\n|{'---|' * (4 + len(titles))}")
    for task in arguments.task:
        for name in MODELS[task]:
            found = [measure(task, name, seed, arguments.bits) for seed in range(arguments.seeds)]
            shares = [statistics.mean(each.accuracy[width] for each in found) for width in arguments.bits]
            numbers = " | ".join(f"{share:.1%}" for share in shares)
            print(f"| {task} | {name} | {found[0].weights:,} | {found[0].multiplications:,} | {numbers} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
