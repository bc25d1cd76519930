"""Real numbers for the golden vectors: they become the same integers, clear of ties, in the user's units."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from edgeml.cli.app import app
from edgeml.network import InputQuantizer
from edgeml.verification.reception import real_vectors


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("signed", [True, False])
def test_real_vectors_become_the_integers_that_they_are_for(bits: int, signed: bool) -> None:
    generator = np.random.default_rng(bits)
    scale, offset = 10.0 ** generator.uniform(-4, 4, 20), generator.normal(0, 100, 20)
    zero_point = int(generator.integers(-(2 ** (bits - 1)), 2 ** (bits - 1))) if signed else 2 ** (bits - 1)
    quantizer = InputQuantizer(20, scale, offset, zero_point, bits, signed)
    q = generator.integers(quantizer.low, quantizer.high, (100, 20), endpoint=True).astype(np.int32)
    x = real_vectors(quantizer, q)
    np.testing.assert_array_equal(quantizer.quantize(x), q)
    position = (x - offset) / scale + zero_point
    outside = (position < quantizer.low) | (position > quantizer.high)
    assert ((position < quantizer.low - 1) | (position > quantizer.high + 1)).any()
    assert np.abs(position - np.floor(position) - 0.5)[~outside].min() > 0.1


def test_real_vectors_are_float32_where_that_is_fine_enough() -> None:
    q = np.array([[-8, 0, 7]], np.int32)
    near = real_vectors(InputQuantizer(3, np.array([0.1]), np.array([0.0]), 0, 4, True), q)
    assert np.array_equal(near, near.astype(np.float32))
    far = real_vectors(InputQuantizer(3, np.array([1e-6]), np.array([1e6]), 0, 4, True), q)
    assert not np.array_equal(far, far.astype(np.float32))


def test_integers_that_may_be_values_are_told(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from typer.testing import CliRunner

    from edgeml.pipeline import convert

    pixels = np.random.default_rng(0).integers(0, 17, (60, 4)).astype(np.uint8)
    model = torch.nn.Linear(4, 3).eval()
    bundle = convert(model, to="quantized", target="host", data={"x": pixels}, output=tmp_path / "b", name="b")
    with pytest.warns(UserWarning, match="already quantized"):
        bundle.run(pixels)
    np.save(tmp_path / "x.npy", pixels)
    shown = CliRunner().invoke(app, ["simulate", str(bundle.folder), str(tmp_path / "x.npy")])
    assert "give them as floats" in " ".join(shown.output.split())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bundle.run(pixels.astype(np.float32))
        bundle.run(bundle.quantize(pixels.astype(np.float32)))
