"""Tensors side by side on every target: C on the host and on cores, RTL in both architectures, spikes, QONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Concat, file, simulate, trace
from edgeml.targets.cpu.native_network import build_native
from tests.targets.joined_networks import concatenated, inputs

ALL = [concatenated(bits, seed) for bits in (1, 2, 4, 8) for seed in (0, 1)]


def test_c_on_the_host_is_exact_layer_by_layer() -> None:
    q = inputs(2000)
    for each, native in zip(ALL, build_native(ALL), strict=True):
        golden = trace(each, q)
        assert np.array_equal(native.invoke(q), golden["last"])
        layers = native.trace(q[:50])
        assert {"both", "all"} <= layers.keys()
        assert all(np.array_equal(values, golden[name][:50]) for name, values in layers.items())


@pytest.mark.parametrize("target", ["cortex-m0plus", "cortex-m4", "rv32imc"])
def test_c_on_a_core_is_exact(target: str, tmp_path: Path) -> None:
    """2-bit weights of a layer with thresholds, on channels whose smallest values differ: see `W2LevelsKernel`."""
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(concatenated(2)))
    bundle = edgeml.convert(model, to="quantized", target=target, output=tmp_path / "b")
    ran = {verdict.name: verdict for verdict in edgeml.verify(bundle) if verdict.name.startswith("unicorn")}
    assert {verdict.status for verdict in ran.values()} == {"exact"}


@pytest.mark.parametrize("encoding", ["unary", "sar", "ttfs", "graded", "stbif"])
def test_spikes_are_exact(encoding: str) -> None:
    q = inputs(200)
    for each in (concatenated(2), concatenated(1)):
        assert np.array_equal(simulate(to_spikes(each, encoding), q), simulate(each, q))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_rtl_is_exact(architecture: str, tmp_path: Path) -> None:
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(concatenated(2)))
    bundle = edgeml.convert(
        model, to="quantized", target="xczu7ev", options={"architecture": architecture}, output=tmp_path / "b"
    )
    assert bundle.network.of_kind(Concat)
    q = inputs(300)
    assert np.array_equal(bundle.run(q, on="verilator").integers, simulate(bundle.network, q))
