"""Arrays and tables of samples: `.npy`, `.npz`, `.csv`."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np

from .. import mutators
from .reader import Reader


def _arrays() -> dict[str, Any]:
    x = np.arange(40.0).reshape(10, 4)
    return {"x": x, "y": np.arange(10) % 3, "labels": np.array(["a", "b", "ü"])}


def _npy_seeds() -> list[bytes]:
    from edgeml.data.dataset import to_npy

    return [to_npy(array) for array in (*_arrays().values(), np.arange(8, dtype=np.int8).reshape(2, 4))]


def _npz_seeds() -> list[bytes]:
    seeds = []
    for save in (np.savez, np.savez_compressed):
        for arrays in (_arrays(), {**_arrays(), "x_test": np.ones((3, 4), np.float32), "y_test": np.array([0, 1, 2])}):
            stream = io.BytesIO()
            save(stream, **arrays)  # type: ignore[arg-type]
            seeds.append(stream.getvalue())
    return seeds


def _damaged_npz(content: bytes, chance: random.Random) -> bytes:
    return mutators.in_zip(content, chance, lambda name, inner, chance: mutators.npy(inner, chance))


def _csv_seeds() -> list[bytes]:
    rows = [(i, i / 3, -1e-3 * i, "odd" if i % 2 else "even") for i in range(8)]
    lines = "\n".join(",".join(map(str, row)) for row in rows)
    numbers = "\n".join(";".join(map(str, row[:3])) for row in rows)
    return [f"a,b,c,label\n{lines}\n".encode(), numbers.encode("utf-8-sig"), b'"x","y"\r\n"1","2"\r\n"3","4"\r\n']


def _damaged_text(content: bytes, chance: random.Random) -> bytes:
    return mutators.text_of(content.decode("utf-8", "replace"), chance).encode("utf-8", "replace")


def _read_data(path: Path) -> Any:
    from edgeml.data.dataset import load_dataset, load_inputs

    if path.suffix == ".npy":
        load_inputs(path)
    # The names that seeds have: what is damaged elsewhere is not refused for want of them.
    return load_dataset(path, labels=("even", "odd") if path.suffix == ".csv" else ())


READERS: dict[str, Reader] = {
    "npy": Reader("npy", _npy_seeds, mutators.npy, _read_data),
    "npz": Reader("npz", _npz_seeds, _damaged_npz, _read_data),
    "csv": Reader("csv", _csv_seeds, _damaged_text, _read_data),
}
