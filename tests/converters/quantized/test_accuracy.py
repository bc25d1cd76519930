"""Accuracy on real, held-back data: what each number of bits is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends.mlp import Mlp

from .trained_models import digits, mnist, trained


def lost_points(mlp: Mlp, data: Dataset, **options: Any) -> float:
    """Points of accuracy that the integer network has less than the float model; Brevitas's accuracy is the same."""
    conversion = QuantizedConverter().convert(mlp, data, options, lambda *_: None)
    accuracy = conversion.metrics["accuracy"]
    print(mlp.name, options, accuracy)
    assert accuracy["brevitas"] == accuracy["integer"]
    return 100 * (accuracy["float"] - accuracy["integer"])


def test_two_bit_digits_are_within_one_and_a_half_points_of_float() -> None:
    assert lost_points(trained("digits", (64, 32)), digits(), bits=2) <= 1.5


def test_two_bit_digits_without_labels() -> None:
    data = digits()
    unlabelled = Dataset(data.x, data.x_test, None, data.y_test)
    assert lost_points(trained("digits", (64, 32)), unlabelled, bits=2, epochs=80) <= 3


def test_one_bit_weights_work_on_digits() -> None:
    assert lost_points(trained("digits", (64, 32)), digits(), weight_bits=1, act_bits=2, epochs=80) <= 4


def test_a_two_bit_hourglass_works_on_digits() -> None:
    assert lost_points(trained("digits", (32, 32), residual=True), digits(), bits=2, epochs=80) <= 2.5


@pytest.mark.parametrize(("bits", "most"), [(8, 0.6), (6, 0.6), (4, 1.0), (3, 2.5)])
def test_calibration_without_training_is_usable_from_about_four_bits(bits: int, most: float) -> None:
    assert lost_points(trained("digits", (64, 32)), digits(), bits=bits, epochs=0) < most
    assert lost_points(trained("digits", (32, 32), residual=True), digits(), bits=bits, epochs=0) < most + 0.6


def test_training_wins_back_what_calibration_loses_at_two_bits() -> None:
    mlp, data = trained("digits", (64, 32)), digits()
    assert lost_points(mlp, data, bits=2, epochs=40) <= lost_points(mlp, data, bits=2, epochs=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"bits": 2}, 2.0),
        ({"bits": 2, "input_bits": 2}, 2.0),
        ({"bits": 1}, 4.0),
        ({"bits": 4, "epochs": 0}, 1.0),
        ({"bits": 8}, 0.3),
    ],
)
def test_mnist_784_64_64_64_10(options: dict[str, Any], most: float) -> None:
    assert lost_points(trained("mnist", (64, 64, 64)), mnist(), **options) <= most


@pytest.mark.slow
def test_outputs_that_are_no_classes_are_distilled_by_squared_error() -> None:
    """Without labels and softmax the loss is the squared error of the outputs, and the metric the output error."""
    mlp, data = trained("digits", (32, 8, 32)), digits()
    plain = Dataset(data.x, data.x_test)
    trained_error, calibrated_error = (
        QuantizedConverter().convert(mlp, plain, {"bits": 2, "epochs": epochs}, lambda *_: None).metrics["output_error"]
        for epochs in (100, 0)
    )
    assert trained_error < 0.8 * calibrated_error
    assert np.isfinite(trained_error)
