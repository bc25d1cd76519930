"""`edgeml demo`: the main job on real data, from training to verified bundles, as a user would do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .bundle import REPORT, Bundle
from .errors import CheckFailed, InputError, MissingTool
from .extras import install_extra
from .pipeline import convert
from .report.terminal_summary import show_bundle
from .terminal import Terminal

__all__ = ["DEMONSTRATIONS", "Demonstration", "run", "train_digits"]

SEED = 1
EPOCHS = 60


@dataclass(frozen=True)
class Demonstration:
    """One conversion that the demo shows.

    Parameters
    ----------
    form, target, options : as on the command line.
    source : what is converted: the trained model, or the integer network of an earlier bundle for another target.
    board : an emulated board to run the test vectors on over the hardware-in-the-loop protocol, or empty.
    """

    form: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = "digits.pt2"
    board: str = ""

    @property
    def folder(self) -> str:
        """Name of the bundle."""
        return f"{self.form}-{self.target}"

    def command(self, folder: Path) -> str:
        """What a user would type."""
        options = "".join(f" --{key.replace('_', '-')} {value}" for key, value in self.options.items())
        return (
            f"edgeml convert {folder}/{self.source} --data {folder}/digits.npz --to {self.form} "
            f"--target {self.target}{options} -o {folder}/{self.folder}"
        )


DEMONSTRATIONS = (
    Demonstration("quantized", "host", {"bits": 2}),
    Demonstration("quantized", "cortex-m4", source="quantized-host/network.edgeml", board="unicorn-m4"),
    Demonstration(
        "spiking", "host", {"encoding": "stbif", "input_encoding": "direct"}, source="quantized-host/network.edgeml"
    ),
    Demonstration("tflite", "host", {"rounding": "shift"}),
)


def train_digits(folder: Path, seed: int = SEED) -> None:
    """Train a 64-64-32-10 MLP on scikit-learn's digits; leaves `digits.pt2` and `digits.npz` in `folder`.

    The digits are 1,797 real 8 × 8 images of pixels 0 … 16. The last fifth, by other writers than most of the
    rest, is held back.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingTool("edgeml demo", "needs scikit-learn for its data", install_extra("demo")) from error
    import torch
    from torch import nn

    digits = load_digits()
    x, y = digits.data.astype(np.float32), digits.target.astype(np.int64)
    split = len(x) - len(x) // 5
    np.savez(folder / "digits.npz", x=x[:split], y=y[:split], x_test=x[split:], y_test=y[split:])
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 64),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Linear(64, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    inputs, classes = torch.from_numpy(x[:split]), torch.from_numpy(y[:split])
    for _ in range(EPOCHS):
        for rows in torch.randperm(split).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[rows]), classes[rows]).backward()
            optimizer.step()
    model.eval()
    batch = torch.export.Dim("batch")
    exported = torch.export.export(model, (inputs[:2],), dynamic_shapes=({0: batch},))
    torch.export.save(exported, str(folder / "digits.pt2"))


def _run_on_board(bundle: Bundle, board: str, terminal: Terminal) -> None:
    """The bundle's vectors on an emulated board, through the code path of a real one."""
    from . import hil

    terminal.plain("")
    terminal.plain(f"$ edgeml hil {bundle.folder} --emulate {board}")
    with terminal.progress() as (progress, _):
        found = hil.run(bundle, emulate=board, progress=progress)
    count = f", {found.counts['median']} {found.unit} an inference" if found.counts else ""
    terminal.plain(f"{found.vectors} vectors on {board}, {found.mismatches} differ from golden{count}")
    if not found.passed:
        raise CheckFailed(f"board {board}", f"{found.mismatches} vectors differ, self-test {found.self_test}")


def run(folder: Path, terminal: Terminal) -> list[Bundle]:
    """Train, convert, verify and print what was found; returns the bundles."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(folder), f"cannot be written ({error.strerror or error})") from error
    terminal.plain(f"Training a 64-64-32-10 MLP on handwritten digits → {folder}/digits.pt2")
    train_digits(folder)
    bundles = []
    for each in DEMONSTRATIONS:
        terminal.plain("")
        terminal.plain(f"$ {each.command(folder)}")
        with terminal.progress() as (progress, announce):
            bundle = convert(
                folder / each.source,
                to=each.form,
                target=each.target,
                data=folder / "digits.npz",
                output=folder / each.folder,
                options=each.options,
                progress=progress,
                announce=announce,
            )
        if not terminal.as_json:
            show_bundle(terminal, bundle)
        bundles.append(bundle)
        if each.board:
            _run_on_board(bundle, each.board, terminal)
    terminal.plain("")
    terminal.plain(
        f"To look at it: edgeml report {bundles[0].folder} --open, or any browser on {bundles[0].folder}/{REPORT}"
    )
    document = {"bundles": [{"bundle": str(bundle.folder), **bundle.manifest} for bundle in bundles]}
    terminal.result(document, lambda: None)
    return bundles
