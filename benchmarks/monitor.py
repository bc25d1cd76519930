"""What a monitor is worth on scikit-learn's digits, and what it costs on a Cortex-M4: `python -m benchmarks.monitor`.

For each seed the digits are divided anew, three quarters to train with. A 64-64-32 network of 2 bits with 4-bit inputs
learns nine of the ten digits; the tenth is the class that nobody trained for. Half of the held-back samples set
thresholds for 1 % of false alarms, all figures are of the other half. Instructions are of one inference, -O2, counted
in Unicorn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgeml import plugins
from edgeml.data.dataset import Dataset
from edgeml.errors import MissingTool
from edgeml.extras import install_extra
from edgeml.frontends import load_model
from edgeml.judging.monitor_fit import with_monitor
from edgeml.judging.unknown_inputs import figures
from edgeml.network import Network, monitored, simulate
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.runner import NetworkRunner

__all__ = ["case", "instructions", "main"]

_RATE = 0.01
_EPOCHS = 40
_VECTORS = 200


def case(seed: int, unseen: int) -> tuple[Network, Dataset, np.ndarray]:
    """A network with a monitor that learned all digits but `unseen`, its data, and samples of the digit left out."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingTool("benchmarks.monitor", "needs scikit-learn", install_extra("demo")) from error
    import torch
    from torch import nn

    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    x, y = (digits.data / 16).astype(np.float32)[order], digits.target[order]
    known, held = y != unseen, np.arange(len(y)) >= len(y) * 3 // 4
    classes = np.where(y > unseen, y - 1, y).astype(np.int64)
    data = Dataset(x[known & ~held], x[known & held], classes[known & ~held], classes[known & held])
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 9))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    inputs, answers = torch.from_numpy(data.x), torch.from_numpy(classes[known & ~held])
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[rows]), answers[rows]).backward()
            optimizer.step()
    mlp: Any = load_model(model.eval(), example=np.zeros((1, 64), np.float32), name="digits")
    options = {"bits": 2, "input_bits": 4, "epochs": 20}
    network = plugins.converters("quantized").convert(mlp, data, options, lambda *progress: None).network
    return with_monitor(network, data, _RATE), data, x[~known & held]


def instructions(network: Network, x: np.ndarray) -> tuple[int, int]:
    """Of the plain inference and of the monitored one on a Cortex-M4, whose integers are golden's for samples x."""
    chip = core("m4")
    firmware = firmware_files(network, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, monitor=True)), firmware.program)
    q = network.quantizer.quantize(x[:_VECTORS])
    outputs, said, with_it = runner.monitored(q)
    expected = monitored(network, q).columns
    assert np.array_equal(outputs, simulate(network, q))
    assert all(np.array_equal(values, expected[name]) for name, values in said.columns.items())
    return runner.counted(q[0])[1].instructions, with_it


def _row(seed: int, unseen: int, found: Mapping[str, Any], plain: int, with_it: int) -> str:
    areas = [
        " / ".join(f"{area:.3f}" for area in row["auroc"].values()) + f" ({row['found']:.0%})"
        for row in found["unknown"]
    ]
    cost = f"{plain} → {with_it} (+{with_it / plain - 1:.1%})"
    return f"| {seed}, without {unseen} | {found['false_alarms']:.1%} | {' | '.join(areas)} | {cost} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each seed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitor", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args(arguments).seeds
    print("Areas under the ROC curve: together / margin / input distance / hidden distance (share found).\n")
    print("| seed | false alarms | another order | half missing | unseen digit | instructions, Cortex-M4 |")
    print("|---|---|---|---|---|---|")
    for seed in range(seeds):
        unseen = (9 + 4 * seed) % 10
        network, data, left_out = case(seed, unseen)
        found = figures(network, data, {"unseen digit": left_out})
        print(_row(seed, unseen, found, *instructions(network, data.x_test)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
