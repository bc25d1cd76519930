"""The model family: MLPs with batch norm and ReLU, trained in floating point on the data at hand."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..frontends.mlp import Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode
from ..network.task import VALUES

if TYPE_CHECKING:
    from torch import nn

__all__ = ["train_member"]

BATCH = 128
_LEARNING_RATE = 3e-3
_WEIGHT_DECAY = 1e-2


def train_member(
    x: npt.NDArray[np.floating],
    y: npt.NDArray[Any],
    hidden: tuple[int, ...],
    classes: int,
    steps: int,
    seed: int,
    labels: tuple[str, ...] = (),
) -> Mlp:
    """An MLP features → hidden … → classes with about `steps` steps of AdamW behind it, cosine to zero.

    With y [samples, outputs] it gives values, trained by their squared error in units of their deviation. Inputs are
    normalised per feature by mean and deviation of x, as part of the model. The same arguments give the same model on
    one machine.
    """
    import torch
    from torch import nn

    mean = x.mean(axis=0, dtype=np.float64)
    deviation = x.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    inputs = torch.from_numpy(((x - mean) / deviation).astype(np.float32))
    centre, spread = np.zeros(1), np.ones(1)
    if y.ndim == 2:
        centre, spread = y.mean(axis=0), np.where(y.std(axis=0) > 0, y.std(axis=0), 1.0)
        targets = torch.from_numpy(((y - centre) / spread).astype(np.float32))
    else:
        targets = torch.from_numpy(y)
    loss = nn.functional.mse_loss if y.ndim == 2 else nn.functional.cross_entropy
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for taken, given in pairwise((x.shape[1], *hidden)):
            layers += [nn.Linear(taken, given, bias=False), nn.BatchNorm1d(given), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else x.shape[1], classes))
        optimizer = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        batch = min(BATCH, len(x))
        per_pass = max(len(x) // batch, 1)
        for step in range(steps):
            if step % per_pass == 0:
                order = torch.randperm(len(x))
            rows = order[step % per_pass * batch :][:batch]
            optimizer.zero_grad()
            loss(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()
            schedule.step()
    normalisation = Affine(1.0 / deviation, -mean / deviation)
    if y.ndim == 2:
        return _as_mlp(model.eval(), normalisation, labels, Affine(spread, centre))
    return _as_mlp(model.eval(), normalisation, labels)


def _as_mlp(model: nn.Sequential, normalisation: Affine, labels: tuple[str, ...], values: Affine | None = None) -> Mlp:
    """The model as operators; `values` scales its outputs to those of y, and says that they are values."""
    import torch
    from torch import nn

    operators: list[tuple[str, FloatOperator]] = [("normalise", normalisation)]
    count = 0
    for module in model:
        if isinstance(module, nn.Linear):
            count += 1
            weight = module.weight.detach().double().numpy()
            bias = np.zeros(len(weight)) if module.bias is None else module.bias.detach().double().numpy()
            operators.append((f"linear{count}", Linear(weight, bias)))
        elif isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            scale = (module.weight / torch.sqrt(module.running_var + module.eps)).detach().double().numpy()
            shift = module.bias.detach().double().numpy() - module.running_mean.double().numpy() * scale
            operators.append((f"norm{count}", Affine(scale, shift)))
        else:
            operators.append((f"relu{count}", Clamp(0.0, math.inf)))
    if values is not None:
        name, last = operators[-1]
        assert isinstance(last, Linear)
        scaled = Linear(last.weight * values.scale[:, None], last.bias * values.scale + values.shift)
        operators[-1] = (name, scaled)
    nodes, source = [], "input"
    for name, operator in operators:
        nodes.append(MlpNode(name, operator, (source,)))
        source = name
    return Mlp("explored", normalisation.scale.size, tuple(nodes), labels=labels, task="" if values is None else VALUES)
