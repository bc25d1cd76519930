"""What a rival's script gets and leaves; the scripts run in an environment of their own, without edgeml.

    python SCRIPT DATA.npz OUT --seed N --settings '{"…": …}'

DATA.npz is what `data_sets.py` writes. OUT gets a folder for each network: `design.v`, whose module `m` takes
`in_data` (all features, the first lowest, `bits` each) and gives `out_data` (all outputs, the first lowest), without a
clock; the memories that it reads; and `design.json`: what `leave` is given. The answer is the first largest output.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DataSet", "Task", "asked", "at_least", "leave", "load"]


@dataclass(frozen=True, eq=False)
class DataSet:
    """Integers 0 … 2^bits − 1, [samples, features], and classes 0, 1, …; `bits` of each feature."""

    x_train: npt.NDArray[np.int64]
    y_train: npt.NDArray[np.int64]
    x_validation: npt.NDArray[np.int64]
    y_validation: npt.NDArray[np.int64]
    x_test: npt.NDArray[np.int64]
    y_test: npt.NDArray[np.int64]
    bits: int

    @property
    def features(self) -> int:
        """How many integers a sample has."""
        return int(self.x_train.shape[1])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.y_train.max()) + 1


def load(path: Path) -> DataSet:
    """Read what `data_sets.data_file` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return DataSet(**{key: file[key] for key in file.files if key != "bits"}, bits=int(file["bits"]))


@dataclass(frozen=True, eq=False)
class Task:
    """Data, seed and settings of one training; `started` is when it began."""

    data: DataSet
    folder: Path
    seed: int
    settings: dict[str, Any]
    started: float


def asked() -> Task:
    """The task from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    options = parser.parse_args()
    return Task(load(options.data), options.folder, options.seed, options.settings, time.perf_counter())


def at_least(value: str, bits: int, threshold: int) -> str:
    """Verilog for `value >= threshold` of an unsigned wire of `bits` bits: gates alone, so that no carry is spent."""
    if threshold <= 0:
        return "1'b1"
    if threshold >= 1 << bits:
        return "1'b0"
    lowest = (threshold & -threshold).bit_length() - 1
    text = f"{value}[{lowest}]"
    for bit in range(lowest + 1, bits):
        text = f"({value}[{bit}] {'&' if threshold >> bit & 1 else '|'} {text})"
    return text


def leave(
    task: Task,
    name: str,
    verilog: str,
    *,
    output_bits: int,
    signed: bool,
    test_classes: npt.NDArray[Any],
    packages: tuple[str, ...],
    memories: dict[str, str] | None = None,
    **more: Any,
) -> None:
    """Write one network into the folder `name`; `test_classes` are those of the software on the test samples."""
    folder = task.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.v").write_text(verilog, encoding="utf-8")
    for file, text in (memories or {}).items():
        (folder / file).write_text(text, encoding="utf-8")
    described = {
        "output_bits": output_bits,
        "signed": signed,
        "outputs": task.data.classes,
        "test_classes": [int(one) for one in test_classes],
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "settings": task.settings,
        "seconds": round(time.perf_counter() - task.started, 1),
        **more,
    }
    (folder / "design.json").write_text(json.dumps(described), encoding="utf-8")
