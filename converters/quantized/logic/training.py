"""The training of a logic network: distillation, for as many steps as it gains by.

The rate of learning rises, stays until the loss does not fall any more, then falls along a cosine to zero, for half as
many steps again. Of the bits that enter, few are needed; each costs a comparison on the target. So those that fewest
functions take are withdrawn one part after the other while the rate is high, and their functions choose again.

The loss of classes is the divergence from the float model's softened answers, of the user's samples half and half with
the cross-entropy of labels; of values the squared error in units of their deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgeml.errors import InputError
from edgeml.network.task import BINARY, VALUES
from edgeml.plugins import Progress

from .lesson import Lesson
from .model import LogicModel, Shape

__all__ = ["Settings", "train"]

_TEMPERATURE = 2.0
_WARM_UP = 50
_FEWEST_STEPS = 300
_MOST_STEPS = 3000
"""Before the rate falls."""
_WINDOW = 100
_ENOUGH_GAIN = 0.02
"""The rate falls as soon as two windows of steps one after the other gain less than this share of the loss."""
_REPORTS = 25
_WITHDRAWALS = 4
_WITHDRAW_EVERY = 50
_NEVER = -1e9


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    steps : of the whole training; None: until it gains no more.
    kept_bits : how many of the bits that enter may be used in the end.
    """

    batch_size: int
    learning_rate: float
    steps: int | None
    kept_bits: int
    seed: int
    device: torch.device


def train(shape: Shape, lesson: Lesson, settings: Settings, progress: Progress) -> tuple[LogicModel, int]:
    """The trained network, and how many steps it took."""
    model = LogicModel(shape, settings.seed).to(settings.device)
    teacher = _Teacher(lesson, settings)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    schedule = _Schedule(settings.steps)
    kept = None
    while not schedule.finished:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * schedule.rate
        loss = teacher.loss(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for layer in model.functions:
            layer.keep_in_range()
        schedule.advance(float(loss.detach()))
        _withdraw(model, schedule.done, settings.kept_bits)
        if schedule.done == _WITHDRAW_EVERY * (1 + _WITHDRAWALS):
            kept = _narrow(model, optimizer)
            teacher.narrow(kept)
        if schedule.finished or schedule.done % _REPORTS == 0:
            progress("training", schedule.done, schedule.expected, {"loss": float(loss.detach())})
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise InputError(
            "option learning_rate", "is too large: training did not stay finite", "Use a smaller learning_rate"
        )
    if kept is not None:
        _widen(model, kept, shape.inputs)
    return model.cpu(), schedule.done


class _Schedule:
    """Which part of the learning rate each step has, and when the last one is done."""

    def __init__(self, steps: int | None) -> None:
        self.done = 0
        self._falls_at = None if steps is None else max(1, steps * 2 // 3)
        self._last = steps
        self._sum, self._best, self._without_gain = 0.0, math.inf, 0

    @property
    def finished(self) -> bool:
        return self._last is not None and self.done >= self._last

    @property
    def expected(self) -> int:
        """The number of steps as far as it is known; more than are done."""
        return self._last or max(self.done * 3 // 2, _FEWEST_STEPS)

    @property
    def rate(self) -> float:
        """0 … 1, of the next step."""
        warm = min(1.0, (self.done + 1) / _WARM_UP)
        if self._falls_at is None or self._last is None or self.done < self._falls_at:
            return warm
        gone = (self.done - self._falls_at) / max(self._last - self._falls_at, 1)
        return warm * 0.5 * (1.0 + math.cos(math.pi * gone))

    def advance(self, loss: float) -> None:
        """After a step of that loss."""
        self.done += 1
        self._sum += loss
        if self._falls_at is not None or self.done % _WINDOW:
            return
        mean, self._sum = self._sum / _WINDOW, 0.0
        self._without_gain = 0 if mean < self._best * (1 - _ENOUGH_GAIN) else self._without_gain + 1
        self._best = min(self._best, mean)
        if (self.done >= _FEWEST_STEPS and self._without_gain >= 2) or self.done >= _MOST_STEPS:
            self._falls_at, self._last = self.done, self.done + self.done // 2


class _Teacher:
    """Batches of the lesson, half of them of mixed samples, and the loss of a model on them."""

    def __init__(self, lesson: Lesson, settings: Settings) -> None:
        self._lesson = lesson
        device = settings.device
        self._bits, self._mixed = (torch.from_numpy(each).to(device) for each in (lesson.bits, lesson.mixed_bits))
        answers = lesson.answers.astype(np.float64)
        self._centre, self._deviation = 0.0, 1.0
        if lesson.task == VALUES:
            self._centre, self._deviation = answers.mean(axis=0), np.maximum(answers.std(axis=0), 1e-15)
        self._answers, self._mixed_answers = (
            torch.from_numpy(((each - self._centre) / self._deviation).astype(np.float32)).to(device)
            for each in (lesson.answers, lesson.mixed_answers)
        )
        self._y = None if lesson.y is None else torch.from_numpy(self._targets(lesson.y)).to(device)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._half = max(settings.batch_size // 2, 1)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        return ((y - self._centre) / self._deviation).astype(np.float32) if self._lesson.task == VALUES else y

    def loss(self, model: LogicModel) -> Tensor:
        """On the next batch."""
        rows, mixed = self._rows(len(self._bits)), self._rows(len(self._mixed))
        outputs = model(torch.cat([self._bits[rows], self._mixed[mixed]]).to(torch.float32))
        wanted = torch.cat([self._answers[rows], self._mixed_answers[mixed]])
        y = None if self._y is None else self._y[rows]
        task = self._lesson.task
        if task == VALUES:
            loss = functional.mse_loss(outputs, wanted)
            return loss if y is None else (loss + functional.mse_loss(outputs[: len(rows)], y)) / 2
        if task == BINARY:
            outputs, wanted = _pair(outputs), _pair(self._logits(wanted))
        loss = _divergence(outputs, wanted)
        return loss if y is None else (loss + functional.cross_entropy(outputs[: len(rows)], y)) / 2

    def narrow(self, kept: Tensor) -> None:
        """Show these bits alone from now on."""
        self._bits, self._mixed = (bits[:, kept].contiguous() for bits in (self._bits, self._mixed))

    def _rows(self, count: int) -> Tensor:
        return torch.randint(0, count, (self._half,), generator=self._generator).to(self._bits.device)

    def _logits(self, answers: Tensor) -> Tensor:
        """Of shares of 1 by the sigmoid's slope at 0, which is 1/4."""
        threshold = self._lesson.threshold
        return (answers - threshold) * (4.0 if threshold else 1.0)


def _pair(logits: Tensor) -> Tensor:
    """Two classes with the logits 0 and [samples, 1]."""
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def _divergence(outputs: Tensor, wanted: Tensor) -> Tensor:
    soft, target = (functional.log_softmax(each / _TEMPERATURE, dim=1) for each in (outputs, wanted))
    return functional.kl_div(soft, target, log_target=True, reduction="batchmean") * _TEMPERATURE**2


def _withdraw(model: LogicModel, done: int, kept: int) -> None:
    """After some steps: the bits that fewest functions take out of reach, until `kept` are left."""
    turn, rest = divmod(done, _WITHDRAW_EVERY)
    if rest or not 2 <= turn < 2 + _WITHDRAWALS:
        return
    first = model.functions[0]
    scores = first.scores.detach()
    there = scores.amax(dim=(0, 1)) > _NEVER / 2
    count = int(there.sum())
    left = count - max(count - kept, 0) // (2 + _WITHDRAWALS - turn)
    takers = torch.bincount(first.wiring.reshape(-1), minlength=len(there)).to(torch.float64)
    takers[~there] = -1
    gone = torch.argsort(takers, descending=True, stable=True)[left:]
    with torch.no_grad():
        first.scores[:, :, gone] = _NEVER


def _narrow(model: LogicModel, optimizer: torch.optim.Optimizer) -> Tensor:
    """Leave out the bits that are out of reach: a step's time grows with the bits. int64: those kept, in order."""
    first = model.functions[0]
    old = first.scores
    kept = torch.nonzero(old.detach().amax(dim=(0, 1)) > _NEVER / 2)[:, 0]
    first.scores = nn.Parameter(old.detach()[:, :, kept].contiguous())
    moments = optimizer.state.pop(old)
    optimizer.state[first.scores] = {
        name: value[:, :, kept].contiguous() if value.dim() else value for name, value in moments.items()
    }
    for group in optimizer.param_groups:
        group["params"] = [first.scores if each is old else each for each in group["params"]]
    return kept


def _widen(model: LogicModel, kept: Tensor, inputs: int) -> None:
    """All bits again, those but `kept` out of reach."""
    first = model.functions[0]
    functions, fan_in, _ = first.scores.shape
    scores = torch.full((functions, fan_in, inputs), _NEVER, device=first.scores.device)
    scores[:, :, kept] = first.scores.detach()
    first.scores = nn.Parameter(scores)
