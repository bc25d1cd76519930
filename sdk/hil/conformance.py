"""Tests that every device must pass; `pytest --edgeml-conformance` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..network import simulate

if TYPE_CHECKING:
    from ..bundle import Bundle
    from .device import Device


def test_self_test_finds_nothing(device: Device) -> None:
    result = device.self_test()
    assert result == 0, f"the device's self-test returns {result}"


def test_golden_vectors_are_exact(device: Device, edgeml_bundle: Bundle) -> None:
    q, expected = edgeml_bundle.golden()
    wrong = np.flatnonzero(np.any(device.run(q) != expected, axis=1))
    assert not wrong.size, f"{wrong.size} of {len(q)} vectors differ from golden, the first is {wrong[0]}"


def test_one_sample_a_frame_is_exact(device: Device, edgeml_bundle: Bundle) -> None:
    q, expected = (array[:16] for array in edgeml_bundle.golden())
    np.testing.assert_array_equal(device.run(q, stream=False), expected)


def test_extreme_inputs_are_exact(device: Device, edgeml_bundle: Bundle) -> None:
    quantizer = edgeml_bundle.network.quantizer
    q = np.array([[quantizer.low], [quantizer.high], [quantizer.zero_point]], np.int32).repeat(quantizer.size, axis=1)
    np.testing.assert_array_equal(device.run(q), simulate(edgeml_bundle.network, q))


def test_the_same_input_gives_the_same_output(device: Device, edgeml_bundle: Bundle) -> None:
    q = edgeml_bundle.golden()[0][:1].repeat(8, axis=0)
    outputs = device.run(q, stream=False)
    assert np.all(outputs == outputs[0])
