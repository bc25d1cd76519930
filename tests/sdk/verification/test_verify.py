"""Verification finds what is wrong: where, and what was expected there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.bundle import Bundle
from edgeml.data.dataset import to_npy
from edgeml.errors import InputError
from edgeml.network import Dense, Network, Node, network_file
from edgeml.verification.verify import verify


@pytest.fixture
def bundle(tmp_path: Path, small_network: Network) -> Bundle:
    network_file.write(small_network, tmp_path / "small.edgeml")
    return edgeml.convert(tmp_path / "small.edgeml", to="quantized", target="host", output=tmp_path / "out")


def test_golden_and_native_are_exact_on_every_vector_and_layer(bundle: Bundle) -> None:
    verdicts = {verdict.name: verdict for verdict in verify(bundle)}
    assert [verdict.status for verdict in verify(bundle.folder, ["golden"])] == ["exact"]
    for name in ("golden", "native"):
        assert verdicts[name].status == "exact"
        assert verdicts[name].vectors == len(bundle.golden()[0]) >= 32
    assert verdicts["golden"].layers == len(bundle.network.nodes)
    assert verdicts["native"].layers >= 2


def test_a_golden_output_that_was_changed_is_found_with_its_place(bundle: Bundle) -> None:
    _, y = bundle.golden()
    y[5, 2] += 1
    (bundle.folder / "golden" / "outputs.npy").write_bytes(to_npy(y))
    for verdict in (each for each in verify(bundle, ["golden", "native"]) if each.question == "integers"):
        assert verdict.status == "mismatch"
        assert verdict.mismatches == 1
        assert verdict.first_mismatch == {
            "vector": 5,
            "layer": "dense2",
            "index": 2,
            "expected": int(y[5, 2]),
            "found": int(y[5, 2]) - 1,
        }


def test_c_that_is_not_what_the_network_generates_is_not_compiled(bundle: Bundle) -> None:
    dense = bundle.network.nodes[-1].layer
    assert isinstance(dense, Dense)
    weight = dense.weight.copy()
    weight[0, 0] = 1 if weight[0, 0] != 1 else 0
    changed = Network(
        bundle.network.name,
        (*bundle.network.nodes[:-1], Node("dense2", Dense(weight, 2, dense.bias), ("act1",))),
        bundle.network.output,
    )
    (verdict,) = verify(Bundle(bundle.folder, changed, bundle.manifest), ["native"])
    assert verdict.status == "error"
    assert "differs" in verdict.detail


def test_an_unknown_executor_is_refused_with_the_known_ones(bundle: Bundle) -> None:
    with pytest.raises(InputError, match=r"Did you mean native\?"):
        verify(bundle, ["nativ"])
    with pytest.raises(InputError, match=r"Known: golden, .*native"):
        verify(bundle, ["ours"])


def test_an_executor_without_its_artifact_says_so_when_named(bundle: Bundle) -> None:
    (verdict,) = verify(bundle, ["brevitas"])
    assert verdict.status == "error"
    assert "runs nothing" in verdict.detail


def test_input_integers_are_stored_in_the_type_of_the_interface(bundle: Bundle) -> None:
    assert np.load(bundle.folder / "golden" / "inputs.npy").dtype == np.int8
