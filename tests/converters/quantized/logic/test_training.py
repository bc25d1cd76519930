"""The stopping rule, the rate over the steps, and the withdrawal of bits that few functions take."""

from __future__ import annotations

import numpy as np
import torch

from edgeml.converters.quantized.logic.lesson import Lesson
from edgeml.converters.quantized.logic.model import Shape
from edgeml.converters.quantized.logic.training import Settings, _Schedule, train


def steps_of(losses: list[float], rest: float) -> tuple[int, list[float]]:
    schedule, rates = _Schedule(None), []
    while not schedule.finished:
        rates.append(schedule.rate)
        schedule.advance(losses[schedule.done] if schedule.done < len(losses) else rest)
    return schedule.done, rates


def test_the_rate_falls_when_the_loss_does_not_and_for_half_as_many_steps() -> None:
    falling = [float(loss) for loss in np.geomspace(10, 1, 700)]
    done, rates = steps_of(falling, rest=1.0)
    assert done == 1500  # the ninth and the tenth hundred gain nothing
    assert rates[:2] == [1 / 50, 2 / 50]
    assert rates[999] == 1.0
    assert 0.49 < rates[1000 + 250] < 0.51
    assert rates[-1] < 1e-4


def test_training_ends_whether_or_not_the_loss_ends_to_fall() -> None:
    assert steps_of([], rest=1.0)[0] == 450
    assert steps_of([float(loss) for loss in np.geomspace(1e30, 1, 10000)], rest=1.0)[0] == 4500


def test_a_number_of_steps_that_is_asked_for_is_kept() -> None:
    schedule = _Schedule(90)
    rates = []
    while not schedule.finished:
        rates.append(schedule.rate)
        schedule.advance(1.0)
    assert len(rates) == 90
    assert max(rates) == rates[60] == 1.0
    assert rates[-1] < 0.01


def test_it_finds_the_bits_that_matter_and_uses_no_more_than_it_may() -> None:
    """Class 1 is bit 7; 39 other bits are noise."""
    bits = np.random.default_rng(0).integers(0, 2, (400, 40)).astype(np.uint8)
    y = bits[:, 7].astype(np.int64)
    answers = np.stack([2.0 - 4.0 * y, 4.0 * y - 2.0], axis=1).astype(np.float32)
    learned = Lesson(bits, answers, bits, answers, y, "classes")
    settings = Settings(64, 0.02, 400, 5, 0, torch.device("cpu"))
    model, steps = train(Shape(40, (8,), 3, 2, "classes"), learned, settings, lambda *_: None)
    assert steps == 400
    wiring = model.functions[0].wiring.numpy()
    assert len(np.unique(wiring)) <= 5
    assert 7 in wiring
    outputs = model(torch.from_numpy(bits.astype(np.float32)))
    assert np.mean(outputs.detach().numpy().argmax(axis=1) == y) == 1.0
