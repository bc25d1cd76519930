"""Derived test vectors: every layer to its extremes, the same on every machine, and few."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import edgeml.pipeline
from edgeml.network import Dense, InputQuantizer, Layer, Network, Node, Output, Threshold, ValueRange, simulate, trace
from edgeml.network.layers.requantize import Requantize
from edgeml.network.network_file import write
from edgeml.vectors import derive_vectors
from edgeml.vectors.extremes import MOST_DERIVED
from tests.network.random_networks import random_network as any_network
from tests.network.spiking.random_classic import random_classic
from tests.targets.mcu.networks import random_network


def wide_int8() -> Network:
    """64 → 1024 → 10, whose hidden values are all at their top for one pattern of signs that no random input has."""
    rng = np.random.default_rng(0)
    signs = np.where(np.arange(64) % 2 == 0, 1, -1)

    def scale(shift: int, zero: int) -> Requantize:
        return Requantize(np.array([3 << 29]), np.array([shift]), "double_rounding", zero, -128, 127)

    layers = (
        Dense(signs[None] * rng.integers(20, 60, (1024, 1)), 8, np.zeros(1024, int)),
        scale(-10, -128),
        Dense(rng.integers(-90, 91, (10, 1024)), 8, np.zeros(10, int)),
        scale(-14, 0),
    )
    nodes = [Node("input", InputQuantizer(64, np.array([1.0]), np.array([0.0]), 0, 8, True))]
    for position, layer in enumerate(layers):
        nodes.append(Node(f"n{position}", layer, (nodes[-1].name,)))
    return Network("wide", tuple(nodes), Output(np.array([1.0])))


def thresholds_between() -> Network:
    """20 → 16 → 5 of integers alone, so that it is the same everywhere too."""
    rng = np.random.default_rng(4)
    nodes = (
        Node("input", InputQuantizer(20, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("a", Dense(rng.integers(-8, 8, (16, 20)), 4, rng.integers(-99, 99, 16)), ("input",)),
        Node("b", Threshold(np.sort(rng.integers(-9000, 9000, (16, 7)), axis=1), -3), ("a",)),
        Node("c", Dense(rng.integers(-8, 8, (5, 16)), 4, np.zeros(5, int)), ("b",)),
    )
    return Network("between", nodes, Output(np.array([1.0])))


@pytest.mark.parametrize("seed", range(6))
def test_the_first_layer_reaches_its_exact_bounds(seed: int) -> None:
    network = any_network(seed, f"net{seed}")
    first = derive_vectors(network).layers[0]
    assert (first.smallest, first.largest) == network.ranges[first.layer].bounds
    assert first.share == 1.0


def test_both_corners_of_the_input_are_among_the_vectors() -> None:
    for signed in (False, True):
        network = random_network(1, (6, 5, 3), 2, signed=signed)
        rows = derive_vectors(network).q.tolist()
        for end in (network.quantizer.low, network.quantizer.high):
            assert [end] * 6 in rows


@pytest.mark.parametrize("seed", range(5))
def test_deeper_layers_come_near_to_what_can_be_reached(seed: int) -> None:
    """All inputs of a small network are tried: the derived ones span most of what they give, at every layer."""
    network = random_network(seed, (6, 9, 7, 3), 3, 2, input_bits=2)
    every = np.array(list(itertools.product(range(4), repeat=6)), np.int32)
    possible = trace(network, every)
    for layer in derive_vectors(network).layers:
        low, high = int(possible[layer.layer].min()), int(possible[layer.layer].max())
        assert layer.largest - layer.smallest >= 0.85 * (high - low), layer


def test_inputs_of_an_inner_layer_are_all_driven_to_one_end() -> None:
    network = wide_int8()
    hidden = trace(network, derive_vectors(network).q)["n1"]
    for end in (network.ranges["n1"].low, network.ranges["n1"].high):
        assert (hidden == end).all(axis=1).any()


def test_a_threshold_is_crossed_between_two_inputs_that_differ_by_one() -> None:
    network = random_network(3, (10, 8, 6, 3), 4, 2)
    q = derive_vectors(network).q
    values = trace(network, q)
    apart = np.abs(q[:, None].astype(int) - q[None]).sum(axis=2)
    neighbours = [(int(a), int(b)) for a, b in np.argwhere(apart == 1)]
    for layer in ("threshold0", "threshold1"):
        assert any((values[layer][a] != values[layer][b]).any() for a, b in neighbours)


def test_the_same_network_gives_the_same_vectors_on_every_machine() -> None:
    """A digest of two networks' vectors, whatever the state of numpy's random numbers is."""
    digest = hashlib.sha256()
    for network in (thresholds_between(), wide_int8()):
        np.random.seed(len(network.name))
        found = derive_vectors(network)
        np.testing.assert_array_equal(found.q, derive_vectors(network).q)
        np.testing.assert_array_equal(found.y, simulate(network, found.q))
        digest.update(found.q.astype("<i4").tobytes())
    assert digest.hexdigest() == "8e74e5c0be259d1bedbe5c567f1b417449d966b556a13a8fe192a245e032dee8"


def test_samples_come_first_and_are_bounded() -> None:
    network = random_network(5, (4, 3), 2)
    samples = np.random.default_rng(0).integers(0, 256, (700, 4)).astype(np.int32)
    found = derive_vectors(network, samples)
    np.testing.assert_array_equal(found.q[:512], samples[:512])
    assert list(found.counts) == ["samples", "random", "corners", "derived"]
    assert sum(found.counts.values()) == len(found.q)


def test_deep_networks_get_no_more_vectors_than_the_most() -> None:
    network = random_network(6, (5,) * 60, 2, 2)
    found = derive_vectors(network)
    assert 0 < found.counts["derived"] <= MOST_DERIVED
    assert len(found.layers) == len(network.layers)


@pytest.mark.parametrize("seed", range(4))
def test_spiking_networks_over_time_are_driven_too(seed: int) -> None:
    network, _ = random_classic(np.random.default_rng(seed))
    found = derive_vectors(network)
    np.testing.assert_array_equal(found.q, derive_vectors(network).q)
    assert {layer.layer for layer in found.layers} == {node.name for node in network.layers}


@dataclass(frozen=True, eq=False)
class Squared(Layer):
    """y[c] = x[c]², a kind that says nothing of directions."""

    kind: ClassVar[str] = "squared_in_tests_of_vectors"

    def output_size(self, *input_sizes: int) -> int:
        return input_sizes[0]

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        ends = np.stack([x.low**2, x.high**2])
        return ValueRange(np.where((x.low <= 0) & (x.high >= 0), 0, ends.min(axis=0)), ends.max(axis=0))

    def evaluate(self, *inputs: np.ndarray) -> np.ndarray:
        return (inputs[0].astype(np.int64) ** 2).astype(np.int32)


def test_layers_of_unknown_kinds_are_searched_at_random() -> None:
    base = random_network(7, (8, 6, 4), 2, 2)
    nodes = (*base.nodes, Node("squared", Squared(), (base.nodes[-1].name,)))
    network = replace(base, nodes=nodes)
    last = derive_vectors(network).layers[-1]
    assert last.layer == "squared"
    drawn = np.random.default_rng(1).integers(0, 256, (500, 8)).astype(np.int32)
    assert last.largest >= int(simulate(network, drawn).max())


def test_a_manifest_says_how_near_each_layer_came(tmp_path: Path) -> None:
    network = random_network(8, (8, 6, 4), 2, 2)
    write(network, tmp_path / "net.edgeml")
    made = edgeml.pipeline.convert(tmp_path / "net.edgeml", to="quantized", target="host", output=tmp_path / "b")
    told = made.manifest["vectors"]
    assert sum(told["counts"].values()) == len(made.golden()[0])
    assert [layer["layer"] for layer in told["layers"]] == [node.name for node in network.layers]
    first = told["layers"][0]
    assert first["reached"] == first["bounds"] == list(network.ranges["dense0"].bounds)
    assert told["layers"][1]["thresholds_within_bounds"] >= told["layers"][1]["thresholds_seen_from_both_sides"] > 0


def test_a_sum_that_is_too_narrow_is_found() -> None:
    """The M0's sum of bytes over a longer run than its halves hold: random inputs give golden's integers, derived ones
    do not."""
    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    pytest.importorskip("elftools")
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.image_build import library_image
    from edgeml.targets.mcu.runner import NetworkRunner

    network = wide_int8()
    firmware = firmware_files(network, core("m0"), {})
    text = firmware.files["src/edgeml/dense_lanes.h"]
    assert "EDGEML_SUM_RUN 512u" in text
    broken = {**firmware.files, "src/edgeml/dense_lanes.h": text.replace("SUM_RUN 512u", "SUM_RUN 1024u")}
    runner = NetworkRunner(
        Emulator(core("m0"), library_image(replace(firmware, files=broken), core("m0"))), firmware.program
    )
    vectors = derive_vectors(network)
    wrong = (runner.invoke(vectors.q) != vectors.y).any(axis=1)
    assert not wrong[: vectors.counts["random"]].any()
    assert wrong[-vectors.counts["derived"] :].any()


def test_a_dead_layer_needs_no_vectors_of_its_own() -> None:
    nodes = (
        Node("input", InputQuantizer(3, np.array([1.0]), np.array([0.0]), 0, 4, False)),
        Node("dense", Dense(np.zeros((2, 3), int), 2, np.array([1, 2])), ("input",)),
        Node("act", Threshold(np.array([[0], [5]]), 0), ("dense",)),
    )
    found = derive_vectors(Network("dead", nodes, Output(np.array([1.0]))))
    assert found.counts["derived"] == 0
    assert all(layer.smallest >= layer.low and layer.largest <= layer.high for layer in found.layers)
