"""Accuracy of networks with functions other than ReLU, in float and with few bits: digits, several seeds.

    python -m benchmarks.functions [--seeds 3] [--bits 0 2 4 8] [--functions relu gelu …]

scikit-learn's 8 × 8 pictures, a quarter held back, an MLP 64-64-32-10 with batch norm and the function behind each
hidden layer: trained in float for 700 steps, then quantized to weights and activations of so many bits (0: the float
model itself; 2 and 4 bits are trained for 20 epochs, 8 are calibrated).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends import load_model
from edgeml.network import argmax, simulate

__all__ = ["FUNCTIONS", "accuracies"]

STEPS, EPOCHS = 700, 20
FUNCTIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


def digits(seed: int) -> Dataset:
    """1,347 pictures to train with and 450 held back, in 0 … 1."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    return Dataset(*train_test_split((x / 16).astype(np.float32), y.astype(np.int64), stratify=y, random_state=seed))


def accuracies(function: Callable[[], nn.Module], bits: list[int], seed: int, steps: int = STEPS) -> list[float]:
    """The share of held-back digits that are right, of the float model (0 bits) or of integers of so many bits."""
    data = digits(seed)
    model = _trained(function, data, seed, steps)
    assert data.y_test is not None
    found = []
    for each in bits:
        if not each:
            with torch.no_grad():
                answers = model(torch.from_numpy(np.asarray(data.x_test))).argmax(1).numpy()
        else:
            options = {"bits": each, "epochs": EPOCHS if each < 8 else 0, "seed": seed}
            mlp = load_model(model, example=torch.from_numpy(np.asarray(data.x[:2])))
            network = QuantizedConverter().convert(mlp, data, options, lambda *_: None).network
            answers = argmax(simulate(network, network.quantizer.quantize(data.x_test)))
        found.append(float(np.mean(answers == data.y_test)))
    return found


def _trained(function: Callable[[], nn.Module], data: Dataset, seed: int, steps: int) -> nn.Module:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in ((64, 64), (64, 32)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), function()]
    model = nn.Sequential(*layers, nn.Linear(32, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    x, y = torch.from_numpy(np.asarray(data.x)), torch.from_numpy(np.asarray(data.y))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(0, len(x), (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def main() -> int:
    """Print a line for each function: means of all seeds, in percent."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bits", type=int, nargs="+", default=[0, 2, 4, 8])
    parser.add_argument("--functions", nargs="+", choices=sorted(FUNCTIONS), default=list(FUNCTIONS))
    asked = parser.parse_args()
    print("| function |" + "".join(f" {f'{bits} bit' if bits else 'float'} |" for bits in asked.bits))
    print("|---|" + "---|" * len(asked.bits))
    for name in asked.functions:
        rows = [accuracies(FUNCTIONS[name], asked.bits, seed) for seed in range(asked.seeds)]
        means = [100 * statistics.mean(column) for column in zip(*rows, strict=True)]
        print(f"| {name} |" + "".join(f" {mean:.1f}% |" for mean in means), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
