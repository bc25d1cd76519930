"""The peer of `benchmarks.training`: quantization-aware training by a plain Brevitas script, as its own pages teach it.

`QuantLinear` and `QuantReLU` with `BatchNorm1d` between them, an 8-bit `QuantIdentity` at the input; weights with a
scale for each channel (of narrow range, as is their default, or of the full one), activations unsigned with a learned
scale that begins at a percentile of the first batches. The weights of the float model are loaded, Adam and a cosine
train on cross-entropy.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from .training_data import Split, with_validation

__all__ = ["HIDDEN", "RATES", "batches", "best_rate", "float_model", "peer_accuracy", "share_right"]

HIDDEN = (32, 16)
BATCH = 64
RATES = (3e-3, 1e-2, 3e-2)
_FLOAT_STEPS = 1000
_FLOAT_RATE = 3e-3


def float_model(split: Split, seed: int) -> nn.Sequential:
    """Linear, BatchNorm1d, ReLU twice, then Linear, trained in float for 1,000 steps."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    sizes = (split.x.shape[1], *HIDDEN)
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], split.classes))
    _fit(model, split, _FLOAT_RATE, _FLOAT_STEPS, seed)
    return model


def batches(samples: int, steps: int, seed: int) -> Any:
    """`steps` batches of row numbers, from one random order of all samples after another."""
    generator = torch.Generator().manual_seed(seed)
    rest = torch.empty(0, dtype=torch.int64)
    size = min(BATCH, samples)
    for _ in range(steps):
        if len(rest) < size:
            rest = torch.cat([rest, torch.randperm(samples, generator=generator)])
        yield rest[:size]
        rest = rest[size:]


def _fit(model: nn.Module, split: Split, rate: float, steps: int, seed: int) -> None:
    x, y = torch.from_numpy(split.x), torch.from_numpy(split.y)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for rows in batches(len(x), steps, seed):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
    model.eval()


def share_right(model: nn.Module, split: Split) -> float:
    """Share of the test samples that the model answers right."""
    with torch.no_grad():
        found = model(torch.from_numpy(split.x_test)).argmax(dim=1).numpy()
    return float(np.mean(found == split.y_test))


def _quantized(inputs: int, outputs: int, bits: int, narrow: bool) -> nn.Sequential:
    from brevitas import nn as brevitas_nn
    from brevitas.quant import Int8WeightPerChannelFloat, Uint8ActPerTensorFloat

    layers: list[nn.Module] = [brevitas_nn.QuantIdentity(bit_width=8)]
    sizes = (inputs, *HIDDEN, outputs)
    for place, (before, after) in enumerate(pairwise(sizes)):
        layers.append(
            brevitas_nn.QuantLinear(
                before,
                after,
                bias=True,
                weight_quant=Int8WeightPerChannelFloat,
                weight_bit_width=bits,
                weight_narrow_range=narrow,
            )
        )
        if place < len(HIDDEN):
            layers += [
                nn.BatchNorm1d(after),
                brevitas_nn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits),
            ]
    return nn.Sequential(*layers)


def peer_accuracy(
    start: nn.Sequential, split: Split, bits: int, rate: float, steps: int, seed: int, narrow: bool = True
) -> float:
    """Share of test samples that the Brevitas script gets right at this learning rate."""
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _quantized(split.x.shape[1], split.classes, bits, narrow)
        own = [layer for layer in model if isinstance(layer, (nn.Linear, nn.BatchNorm1d))]
        given = [layer for layer in start if isinstance(layer, (nn.Linear, nn.BatchNorm1d))]
        for layer, source in zip(own, given, strict=True):
            layer.load_state_dict(source.state_dict(), strict=False)
        _fit(model, split, rate, steps, seed)
        return share_right(model, split)


def best_rate(splits: list[Split], bits: int, steps: int, narrow: bool = True) -> float:
    """The learning rate that does best on a fifth of the training samples, which neither it nor its float model saw.

    splits : one for each seed.
    """
    inner = [with_validation(split, seed) for seed, split in enumerate(splits)]
    runs = [(float_model(split, seed), split, seed) for seed, split in enumerate(inner)]

    def right(rate: float) -> float:
        return sum(peer_accuracy(*run[:2], bits, rate, steps, run[2], narrow) for run in runs)

    return max(RATES, key=right)
