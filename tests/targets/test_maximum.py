"""Maxima on every target: C on the host and on cores, RTL in both architectures, spikes; what proofs say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Dense, InputQuantizer, Maximum, Network, Node, Output, Threshold, file, simulate, trace
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.fpga.proof.rtl_library.prover import LibraryProver
from tests.targets.c.shared_networks import windows_2d


def network(bits: int, signed: bool, padded: bool = False, raised: bool = False) -> Network:
    """2 × 2 windows of a picture of 4 × 4 in 2 channels, or odd ones; then sums of all.

    raised : each window looks at a value that is never the smallest, so that none of the maxima is.
    """
    random = np.random.default_rng(bits)
    base = -(1 << (bits - 1)) if signed else 0
    hidden = Dense(random.integers(-2, 2, (32, 6)), 2, random.integers(-9, 9, 32))
    thresholds = np.sort(random.integers(-40, 40, (32, (1 << bits) - 1)), axis=1)
    windows = windows_2d(4, 4, 2, (2, 2), 2, 0).reshape(4, 4, 2).transpose(0, 2, 1).reshape(8, 4)
    gather = np.concatenate([windows, random.integers(0, 32, (1, 4))]) if padded else windows
    if raised:
        thresholds[0, 0] = -(2**20)
        gather = np.concatenate([gather, np.zeros((len(gather), 1), np.int64)], axis=1)
    last = Dense(random.integers(-2, 2, (3, len(gather))), 2, random.integers(-9, 9, 3))
    nodes = (
        Node("input", InputQuantizer(6, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("fc", hidden, ("input",)),
        Node("act", Threshold(thresholds.astype(np.int32), base), ("fc",)),
        Node("pool", Maximum(gather.astype(np.int32), 32), ("act",)),
        Node("last", last, ("pool",)),
    )
    return Network(f"pooled_{bits}_{int(signed)}_{int(padded)}_{int(raised)}", nodes, Output(np.ones(1)))


ALL = [network(bits, signed, padded) for bits in (1, 2, 8) for signed in (False, True) for padded in (False, True)]
ALL += [network(bits, signed, raised=True) for bits in (2, 8) for signed in (False, True)]


def _inputs(count: int) -> np.ndarray:
    q = np.random.default_rng(0).integers(-8, 8, (count, 6)).astype(np.int32)
    q[:2] = [[-8] * 6, [7] * 6]
    return q


def test_c_on_the_host_is_exact_layer_by_layer() -> None:
    q = _inputs(2000)
    for each, native in zip(ALL, build_native(ALL), strict=True):
        golden = trace(each, q)
        assert np.array_equal(native.invoke(q), golden["last"])
        layers = native.trace(q[:50])
        assert "pool" in layers
        assert all(np.array_equal(values, golden[name][:50]) for name, values in layers.items())


@pytest.mark.parametrize("core", ["m0plus", "m4", "rv32"])
def test_c_on_a_core_is_exact(core: str, tmp_path: Path) -> None:
    target = {"m0plus": "cortex-m0plus", "m4": "cortex-m4", "rv32": "rv32imc"}[core]
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(ALL[-1]))
    bundle = edgeml.convert(model, to="quantized", target=target, output=tmp_path / "b")
    ran = {verdict.name: verdict for verdict in edgeml.verify(bundle) if verdict.name.startswith("unicorn")}
    assert {verdict.status for verdict in ran.values()} == {"exact"}


@pytest.mark.parametrize("encoding", ["unary", "sar", "ttfs", "graded", "stbif"])
def test_spikes_are_exact(encoding: str) -> None:
    q = _inputs(200)
    for each in (network(2, False), network(1, False, True), network(2, False, raised=True)):
        assert np.array_equal(simulate(to_spikes(each, encoding), q), simulate(each, q))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_rtl_is_exact_and_proofs_do_not_follow_it(architecture: str, tmp_path: Path) -> None:
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(network(2, False, True)))
    bundle = edgeml.convert(
        model, to="quantized", target="xczu7ev", options={"architecture": architecture}, output=tmp_path / "b"
    )
    assert bundle.network.of_kind(Maximum)
    q = _inputs(300)
    assert np.array_equal(bundle.run(q, on="verilator").integers, simulate(bundle.network, q))


@pytest.mark.slow(scaled=True)
def test_tops_hold_the_hash_of_the_compact_network_for_the_prover(tmp_path: Path) -> None:
    """They are proved for any hash; the pipeline's network, of whole tensors, has another."""
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(network(2, False)))
    bundle = edgeml.convert(
        model, to="quantized", target="xczu7ev", options={"architecture": "unrolled"}, output=tmp_path / "b"
    )
    prover = LibraryProver()
    assert prover.missing(bundle) == ""
    found = {row.part: row.status for row in prover.prove(bundle, announce=lambda part: None, seconds=300).rows}
    assert found[f"{bundle.network.name}_uart"] == found[f"{bundle.network.name}_axi"] == "proved"
