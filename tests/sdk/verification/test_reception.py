"""Real numbers for the golden vectors: they become the same integers, clear of ties, in the user's units."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeml.cli.app import app
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.plugins import Reception
from edgeml.verification.reception import compare, real_vectors
from edgeml.verification.verdict import Verdict


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


def test_sums_of_many_bits_are_equal_as_far_as_float32_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum of 22 bits and its float32 differ by much more than a hundredth of its step; a few steps are told."""
    network = Network(
        "wide",
        (
            Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 8, False), ()),
            Node("first", Dense(np.full((1, 2), 127), 8, np.zeros(1, np.int32)), ("input",)),
            Node("second", Dense(np.array([[127]]), 8, np.zeros(1, np.int32)), ("first",)),
        ),
        Output(np.array([0.1]), 0, ()),
    )
    q = np.random.default_rng(0).integers(0, 256, (40, 2)).astype(np.int32)
    exact = network.output.real(simulate(network, q))
    bundle = SimpleNamespace(network=network, golden=lambda: (q, None), samples=lambda: None)
    for change, status in ((0.0, "exact"), (0.3, "mismatch")):
        real = exact.astype(np.float32).astype(np.float64)
        real[3] += change
        executor = SimpleNamespace(receive=lambda bundle, x, real=real: Reception(real, "in float32"))
        verdict = compare(Verdict("c", "exact"), executor, bundle, network)  # type: ignore[arg-type]
        assert verdict is not None
        assert verdict.status == status
