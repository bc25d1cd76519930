"""What no output depends on is left out, and the integers stay: held against all and random inputs, and proved."""

from __future__ import annotations

import hashlib
from itertools import pairwise, product

import numpy as np
import pytest

from edgeml.converters.spiking.exact import to_spikes
from edgeml.errors import CheckFailed
from edgeml.network import Add, Dense, InputQuantizer, Lookup, Network, Node, Output, Threshold, network_file, simulate
from edgeml.network.reduction import kept_channels, reduced
from edgeml.proof.checkers.network import check_certificate
from edgeml.proof.network.prover import NetworkProver
from tests.sdk.proof.certified import bundle_of, refused, said
from tests.targets.logic_networks import random_logic_network


def sparse_network(seed: int, *, joined: bool = True, base: int = 0) -> Network:
    """Three dense layers of few weights, thresholds that some never reach, a residual path, zero points."""
    rng = np.random.default_rng(seed)
    sizes = [3, *(int(size) for size in rng.integers(2, 8, 2)), 2]
    zero = int(rng.integers(0, 3)) if base == 0 and not joined else 0
    nodes = [Node("input", InputQuantizer(3, np.array([1.0]), np.array([0.0]), zero, 2, False))]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-2, 2, (outputs, inputs)) * (rng.random((outputs, inputs)) < 0.5)
        bias = rng.integers(-9, 9, outputs)
        nodes.append(Node(f"fc{index}", Dense(weight, 2, bias, zero if index == 0 else base), (nodes[-1].name,)))
        if index < 2:
            levels = Threshold(np.sort(rng.integers(-12, 12, (outputs, 3)), axis=1), base)
            nodes.append(Node(f"act{index}", levels, (nodes[-1].name,)))
            if joined and index == 1:
                nodes.append(Node("table", Lookup(rng.integers(-3, 4, 10), -4), (nodes[-1].name,)))
                nodes.append(Node("sum", Add(), ("act1", "table")))
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def every_input(network: Network) -> np.ndarray:
    values = range(network.quantizer.low, network.quantizer.high + 1)
    return np.array(list(product(values, repeat=network.input_size)), np.int32)


def test_no_integer_changes_for_any_input():
    smaller = 0
    for seed in range(80):
        network = sparse_network(seed, joined=seed % 2 == 0, base=seed % 3 - 1)
        found = reduced(network)
        assert np.array_equal(simulate(found, every_input(network)), simulate(network, every_input(network)))
        assert (found.input_size, found.output_size) == (network.input_size, network.output_size)
        for name, kept in kept_channels(network).items():
            assert np.array_equal(network.ranges[name].low[kept], found.ranges[name].low)
        smaller += found is not network
    assert smaller > 60


def test_functions_that_nothing_reads_are_left_out():
    network = next(each for each in map(random_logic_network, range(9)) if reduced(each) is not each)
    found = reduced(network)
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, (500, network.input_size))
    assert np.array_equal(simulate(found, q.astype(np.int32)), simulate(network, q.astype(np.int32)))


def test_what_every_output_depends_on_stays_and_so_does_the_network():
    rng = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 2, False))]
    nodes.append(Node("fc", Dense(np.array([[1, -1], [-1, 1]]), 2, rng.integers(-3, 3, 2)), ("input",)))
    network = Network("net", tuple(nodes), Output(np.array([1.0])))
    assert reduced(network) is network


@pytest.mark.parametrize("encoding", [None, "unary", "sar"])
def test_a_reduced_network_is_proved_to_be_the_same_and_the_checker_follows(encoding, tmp_path):
    for seed in range(12):
        network = sparse_network(seed, joined=encoding is None, base=0)
        network = network if encoding is None else to_spikes(network, encoding)
        bundle = reduced_bundle(network, tmp_path / f"{seed}")
        found = check_certificate(bundle.folder, "network")
        assert found["reduction"] == (len(network.nodes), len(network.nodes))


def reduced_bundle(network, folder):
    """A bundle of the reduced network with the whole one beside it, and the certificate of its claims."""
    assert reduced(network) is not network
    files = {"converted.edgeml": network_file.to_bytes(network)}
    bundle = bundle_of(reduced(network), folder, "quantized", files)
    findings = NetworkProver().prove(bundle, announce=lambda name: None, seconds=60.0)
    for name, content in findings.certificate.items():
        (folder / "proof" / "network").mkdir(parents=True, exist_ok=True)
        (folder / "proof" / "network" / name).write_bytes(content)
    return bundle


@pytest.mark.parametrize("change", ["weight", "bias", "kept", "threshold", "column"])
def test_another_network_is_refused(change, tmp_path):
    bundle = reduced_bundle(sparse_network(4, joined=False), tmp_path / "b")
    certificate = bundle.folder / "proof" / "network" / "certificate.json"
    if change in ("kept", "column"):
        place = 1 if change == "kept" else 2
        refused(
            certificate,
            said(["places", "reduction", "claims", place, "kept", 0], lambda channel: channel + 1),
            lambda: check_certificate(bundle.folder, "network"),
        )
        return
    whole = bundle.converted
    nodes = list(whole.nodes)
    kept = kept_channels(whole)
    if change == "threshold":
        levels = nodes[2].layer.thresholds.copy()
        levels[kept["act0"][0], 0] -= 1
        nodes[2] = Node("act0", Threshold(levels, nodes[2].layer.base), nodes[2].inputs)
    else:
        dense = nodes[3].layer
        weight, bias = dense.weight.copy(), dense.bias.copy()
        bias[kept["fc1"][0]] += change == "bias"
        weight[kept["fc1"][0], kept["act0"][0]] ^= change == "weight"
        nodes[3] = Node("fc1", Dense(weight, 2, bias, dense.input_zero_point), nodes[3].inputs)
    other = network_file.to_bytes(Network("net", tuple(nodes), whole.output))
    text = certificate.read_text()
    check_certificate(bundle.folder, "network")
    before = hashlib.sha256((bundle.folder / "converted.edgeml").read_bytes()).hexdigest()
    (bundle.folder / "converted.edgeml").write_bytes(other)
    certificate.write_text(text.replace(before, hashlib.sha256(other).hexdigest()))
    with pytest.raises(CheckFailed, match=r"has|lacks"):
        check_certificate(bundle.folder, "network")
