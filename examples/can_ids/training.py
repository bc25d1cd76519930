"""The float detector, on the bits of a window: Linear → BatchNorm → ReLU for every hidden width, then Linear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "MODEL",
    "float_classes",
    "new_model",
    "quantization_epochs",
    "save_model",
    "seeds_of",
    "train_float",
    "widths_of",
]

MODEL = "can_ids.pt2"
BATCH = 256
_LEARNING_RATE = 4e-3
_WEIGHT_DECAY = 1e-2
_MOST_WIDTH = 4096


def widths_of(text: str) -> tuple[int, ...]:
    """`256,128,64,32` as hidden widths; InputError where they are none."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 16 or not all(part.isascii() and part.isdigit() and 0 < int(part) <= _MOST_WIDTH for part in parts):
        raise InputError("option widths", f"must be up to 16 numbers in 1 … {_MOST_WIDTH}, found {text!r}")
    return tuple(int(part) for part in parts)


def seeds_of(text: str) -> tuple[int, ...]:
    """`0,1,2` as seeds; InputError where they are none or one stands twice."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts) or len({*parts}) < len(parts):
        raise InputError("option seeds", f"must be different whole numbers such as 0,1,2, found {text!r}")
    return tuple(int(part) for part in parts)


def new_model(inputs: int, widths: Sequence[int], classes: int, seed: int) -> nn.Module:
    """An untrained detector of so many inputs; the same seed gives the same weights."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    size = inputs
    for width in widths:
        layers += [nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU()]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, classes))


def train_float(
    arrays: dict[str, npt.NDArray[Any]],
    widths: Sequence[int],
    steps: int,
    seed: int,
    progress: Callable[..., None] = lambda *_: None,
) -> nn.Module:
    """A detector trained on x, y of `arrays` for so many steps of 256 windows; the same seed gives the same weights."""
    import torch
    from torch.nn import functional

    if steps < 1:
        raise InputError("option steps", f"must be positive, found {steps}")
    model = new_model(arrays["x"].shape[1], widths, len(arrays["labels"]), seed)
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE / 25, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=max(steps, 2))
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    size = min(BATCH, len(x))
    model.train()
    for step in range(steps):
        if len(order) < size:
            order = torch.randperm(len(x), generator=generator)
        rows, order = order[:size], order[size:]
        loss = functional.cross_entropy(model(x[rows].float()), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 49 or step == steps - 1:
            progress("training the float model", step + 1, steps, {"loss": float(loss.detach())})
    return model.eval()


def float_classes(model: nn.Module, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The class that the float model says of each window of x [windows, inputs]."""
    import torch

    with torch.no_grad():
        parts = [
            model(torch.from_numpy(part).float()).argmax(1).numpy() for part in np.array_split(x, len(x) // 8192 + 1)
        ]
    said: npt.NDArray[np.int64] = np.concatenate(parts)
    return said


def save_model(model: nn.Module, features: int, path: Path) -> None:
    """Export for `edgeml convert`."""
    import torch

    batch = torch.export.Dim("batch")
    exported = torch.export.export(model, (torch.zeros(2, features),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, str(path))


def quantization_epochs(samples: int, steps: int) -> int:
    """Passes over the training windows that make about so many steps of BATCH."""
    return max(1, round(steps * BATCH / samples))
