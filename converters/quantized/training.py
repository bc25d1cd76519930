"""Quantization-aware training by distillation from the float model.

With classes (the model ends in a softmax, or there are labels) the loss is the Kullback-Leibler divergence from the
float model's softened answers, mixed half and half with the cross-entropy of labels where there are labels. A binary
model's logit stands for two classes with logits 0 and this one. With values it is the squared error to the float
model's outputs, half and half with that to y where there is y, both in units of the outputs' deviation.

Where nothing says that the outputs are classes, it is the squared error in units of the outputs' deviation, plus the
same divergence in these units: both are least where the outputs agree, and the second keeps their order, should they
be classes after all (2-bit digits without labels: 0.7 points better, for an output error 3 % larger).

Adam with a warm-up and a cosine to zero. Everything random comes from one seeded generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from edgeml.errors import InputError
from edgeml.network.task import BINARY, CLASSES, VALUES
from edgeml.plugins import Progress

from .options import Options
from .parameters import Parameters
from .placement import Placement
from .torch_settings import torch_device
from .trainable import TrainableNetwork

__all__ = ["Lesson", "default_epochs", "train"]

_STEPS = 2500
_FEWEST_STEPS = 600
_MANY_WEIGHTS = 2**18
_WARM_UP = 50
_TEMPERATURE = 2.0
_MOST_STATISTICS = 8192
_REPORTS = 100


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned from.

    Parameters
    ----------
    integers : int8 or uint8 [samples, features], the quantized input.
    answers : float32 [samples, outputs], the float model's.
    y : int64 [samples], classes; or float64 [samples, outputs], values; or None.
    task : classes, binary or values; "" where nothing says so.
    threshold : of a binary model, what its output must pass: 0 for logits, 0.5 for shares of 1.
    """

    integers: npt.NDArray[np.integer]
    answers: npt.NDArray[np.float32]
    y: npt.NDArray[Any] | None
    task: str
    threshold: float = 0.0


def default_epochs(samples: int, batch_size: int, weights: int) -> int:
    """As many passes as make about 2,500 steps, whatever the size of the data: some seconds for a small network.

    Fewer for networks of more than 2^18 weights, whose steps take longer, down to 600.
    """
    steps = max(_FEWEST_STEPS, round(_STEPS * min(1.0, _MANY_WEIGHTS / weights)))
    return max(1, round(steps / math.ceil(samples / batch_size)))


def train(
    placement: Placement, start: Parameters, lesson: Lesson, options: Options, epochs: int, progress: Progress
) -> Parameters:
    """The parameters after so many passes over the lesson, from the calibrated ones in `start`."""
    device = torch_device(options.device)
    samples = len(lesson.integers)
    if samples < 2:
        raise InputError(
            "data, x", "holds 1 sample to train on; a batch needs 2 at least", "Give more samples, or --epochs 0"
        )
    rows = np.linspace(0, samples - 1, min(samples, _MOST_STATISTICS)).round().astype(np.int64)
    measured = lesson.integers[rows].astype(np.float64)
    first = torch.from_numpy((measured[:2048] * start.input.step).astype(np.float32))
    network = TrainableNetwork(placement, start, first).move(device, torch.float32)
    x = torch.from_numpy(np.ascontiguousarray(lesson.integers)).to(device)
    answers = torch.from_numpy(lesson.answers).to(device)
    y = None if lesson.y is None or not lesson.task else torch.from_numpy(lesson.y).to(device)
    deviation = max(float(answers.std(unbiased=False)), 1e-15)
    total = epochs * math.ceil(samples / options.batch_size)
    optimizer = torch.optim.Adam(network.groups(options.learning_rate), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: _rate(done, total))
    for done, batch in enumerate(_batches(samples, options.batch_size, total, options.seed), start=1):
        network.advance(done - 1, total)
        chosen = batch.to(device)
        outputs = network(x[chosen].to(torch.float32) * start.input.step)
        wanted = answers[chosen]
        target = None if y is None else y[chosen]
        loss = _loss(lesson, outputs, wanted, target, deviation)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if done == total or done % max(total // _REPORTS, 1) == 0:
            progress("training", done, total, _report(lesson, loss, outputs, wanted, target))
    return _require_finite(network.finished(measured))


def _require_finite(parameters: Parameters) -> Parameters:
    for name, linear in parameters.linear.items():
        if not all(np.all(np.isfinite(each)) for each in (linear.weight, linear.scale, linear.bias)):
            raise InputError(
                f"layer {name}",
                "training did not stay finite: a number passed the range of float32",
                "Use a smaller learning_rate, or check the sizes of the model's weights and data",
            )
    return parameters


def _rate(done: int, total: int) -> float:
    warm_up = min(_WARM_UP, max(total // 10, 1))
    return min(1.0, (done + 1) / warm_up) * 0.5 * (1.0 + math.cos(math.pi * done / total))


def _batches(samples: int, size: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` batches of row numbers, all of one size, from one random order of all samples after another."""
    generator = torch.Generator().manual_seed(seed)
    rest = torch.empty(0, dtype=torch.int64)
    size = min(size, max(samples, 2))
    for _ in range(count):
        while len(rest) < size:
            rest = torch.cat([rest, torch.randperm(samples, generator=generator)])
        yield rest[:size]
        rest = rest[size:]


def _loss(lesson: Lesson, outputs: Tensor, wanted: Tensor, y: Tensor | None, deviation: float) -> Tensor:
    if lesson.task == CLASSES:
        return _classifier_loss(outputs, wanted, y)
    if lesson.task == BINARY:
        return _binary_loss(_logits(lesson, outputs), _logits(lesson, wanted), y)
    if lesson.task == VALUES:
        error = functional.mse_loss(outputs / deviation, wanted / deviation)
        if y is None:
            return error
        return (error + functional.mse_loss(outputs / deviation, y.to(outputs.dtype) / deviation)) / 2
    return _error(outputs, wanted, deviation)


def _logits(lesson: Lesson, outputs: Tensor) -> Tensor:
    """Outputs of a binary model as logits [samples]; of shares of 1 by the sigmoid's slope at 0, which is 1/4."""
    return (outputs[:, 0] - lesson.threshold) * (4.0 if lesson.threshold else 1.0)


def _binary_loss(logits: Tensor, wanted: Tensor, y: Tensor | None) -> Tensor:
    """The divergence of two classes with logits (0, logit); with labels half and half with their cross-entropy."""
    pair, other = (torch.stack([torch.zeros_like(each), each], dim=1) for each in (logits, wanted))
    return _classifier_loss(pair, other, y)


def _classifier_loss(outputs: Tensor, wanted: Tensor, classes: Tensor | None) -> Tensor:
    soft = functional.log_softmax(outputs / _TEMPERATURE, dim=1)
    target = functional.log_softmax(wanted / _TEMPERATURE, dim=1)
    loss = functional.kl_div(soft, target, log_target=True, reduction="batchmean") * _TEMPERATURE**2
    if classes is None:
        return loss
    return (loss + functional.cross_entropy(outputs, classes)) / 2


def _error(outputs: Tensor, wanted: Tensor, deviation: float) -> Tensor:
    outputs, wanted = outputs / deviation, wanted / deviation
    error = functional.mse_loss(outputs, wanted)
    if outputs.shape[1] == 1:
        return error
    return error + _classifier_loss(outputs * _TEMPERATURE, wanted * _TEMPERATURE, None)


def _report(lesson: Lesson, loss: Tensor, outputs: Tensor, wanted: Tensor, y: Tensor | None) -> dict[str, float]:
    values = {"loss": float(loss.detach())}
    if lesson.task == CLASSES:
        found, answers = outputs.detach().argmax(dim=1), wanted.argmax(dim=1)
    elif lesson.task == BINARY:
        found, answers = (_logits(lesson, each.detach()) > 0 for each in (outputs, wanted))
    else:
        return values
    values["accuracy"] = float((found == (answers if y is None else y)).float().mean())
    return values
