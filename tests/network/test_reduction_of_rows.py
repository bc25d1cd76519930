"""Rows of `encode` layers, and features and rows of sums of tables, that no output depends on are left out, and the
integers stay: held against all inputs, proved, and converted for processors and as hardware of both architectures."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, network_file, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode
from edgeml.network.layers.tables import Tables
from edgeml.network.reduction import kept_channels, reduced
from edgeml.proof.checkers.network import check_certificate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.network.reduction_claims import reduction_claims

from .test_reduction import every_input, reduced_bundle

_BITS = 3


def rows_network(seed: int, *, behind: bool = True) -> Network:
    """Encoded inputs into few weights, thresholds, and a sum of tables with features and rows that are for nothing."""
    rng = np.random.default_rng(seed)
    inputs, rows = 3, int(rng.integers(4, 14))
    rule = rng.choice([VALUE, BIT, LEVEL, EQUAL], rows)
    operand = np.where(rule == VALUE, 0, rng.integers(0, _BITS + (rule != BIT) * 5, rows))
    nodes = [Node("input", InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, _BITS, False))]
    nodes.append(Node("rows", Encode(rng.integers(0, inputs, rows), rule, operand, inputs), ("input",)))
    neurons = int(rng.integers(2, 6))
    weight = rng.integers(-2, 2, (neurons, rows)) * (rng.random((neurons, rows)) < 0.3)
    nodes.append(Node("fc", Dense(weight, 2, rng.integers(-3, 4, neurons)), ("rows",)))
    nodes.append(Node("act", Threshold(np.sort(rng.integers(-6, 7, (neurons, 3)), axis=1)), ("fc",)))
    nodes.append(Node("tables", random_features(rng, neurons, 4), ("act",)))
    if behind:
        weight = rng.integers(-2, 2, (2, 4)) * (rng.random((2, 4)) < 0.6)
        nodes.append(Node("end", Dense(weight, 2, rng.integers(-3, 4, 2)), ("tables",)))
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def random_features(rng: np.random.Generator, inputs: int, values: int) -> Tables:
    """Features of any inputs, some with one row for all values, of 4 outputs; rows that no feature has."""
    features, count = int(rng.integers(1, 6)), int(rng.integers(3, 12))
    rows = rng.integers(0, count, (features, values))
    rows[rng.random(features) < 0.4] = int(rng.integers(count))
    entries = rng.integers(-8, 8, (count, 4)) * (rng.random((count, 4)) < 0.5)
    return Tables(entries, 4, rows, rng.integers(0, inputs, features), rng.integers(-9, 10, 4), inputs)


def test_no_integer_changes_for_any_input():
    fewer = {"rows": 0, "act": 0, "tables": 0, "features": 0, "entries": 0}
    for seed in range(120):
        network = rows_network(seed, behind=seed % 3 > 0)
        found = reduced(network)
        assert np.array_equal(simulate(found, every_input(network)), simulate(network, every_input(network)))
        assert (found.input_size, found.output_size) == (network.input_size, network.output_size)
        for name, kept in kept_channels(network).items():
            assert np.array_equal(network.ranges[name].low[kept], found.ranges[name].low)
        before, after = (each.nodes[4].layer for each in (network, found))
        for name in ("rows", "act", "tables"):
            fewer[name] += found.sizes[name] < network.sizes[name]
        fewer["features"] += after.features < before.features
        fewer["entries"] += len(after.entries) < len(before.entries)
        # Nothing is left that could go: but for the one that each layer keeps.
        assert reduced(found) is found or _once_more(found)
    assert min(fewer.values()) > 40


def _once_more(network: Network) -> bool:
    """Whether a second pass finds neurons whose range became one integer by the first, and then no more."""
    return reduced(reduced(network)) is reduced(network)


def test_rows_that_are_alike_for_each_input_stay_so_unless_most_are_not_read():
    bits = Encode(np.repeat(np.arange(4), 3), np.full(12, BIT), np.tile([2, 1, 0], 4), 4)
    wanted = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1], np.bool_)
    assert bits.stay(wanted).tolist() == [True, False, True] * 4
    few = np.arange(12) == 5
    assert bits.stay(few).tolist() == few.tolist()
    mixed = replace(bits, source=np.roll(bits.source, 1))
    assert mixed.stay(wanted).tolist() == wanted.tolist()


def test_features_of_one_row_go_into_the_bias_where_their_input_stays():
    entries = np.array([[1, -2], [3, 0], [-4, 2], [7, 7]])
    layer = Tables(entries, 4, np.array([[0, 1], [2, 2]]), np.array([0, 1]), np.array([10, 20]), 2)
    nodes = (
        Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 1, False)),
        Node("tables", layer, ("input",)),
    )
    found = reduced(Network("net", nodes, Output(np.array([1.0])))).nodes[1].layer
    assert (found.features, found.inputs, found.bias.tolist()) == (1, 2, [6, 22])
    assert found.entries[found.rows[0]].tolist() == [[1, -2], [3, 0]]


def test_a_network_without_rows_is_proved_to_be_the_same_and_the_checker_follows(tmp_path):
    for seed in range(12):
        network = rows_network(seed)
        bundle = reduced_bundle(network, tmp_path / f"{seed}")
        assert check_certificate(bundle.folder, "network")["reduction"] == (len(network.nodes), len(network.nodes))


def _swapped(network: Network, name: str, **fields: object) -> Network:
    nodes = [
        replace(each, layer=replace(each.layer, **fields)) if each.name == name else each for each in network.nodes
    ]
    return replace(network, nodes=tuple(nodes))


_CHANGES = ("source", "rule", "operand", "entry", "bias", "table row")


def _changed(network: Network, change: str) -> Network:
    """A network with one of its fields changed so that other integers come."""
    rows, tables = network.nodes[1].layer, network.nodes[4].layer
    if change == "source":
        return _swapped(network, "rows", source=(rows.source + 1) % rows.inputs)
    if change == "rule":
        return _swapped(network, "rows", rule=np.where(rows.rule == LEVEL, EQUAL, rows.rule))
    if change == "operand":
        return _swapped(network, "rows", operand=np.where(rows.rule >= LEVEL, rows.operand + 1, rows.operand))
    if change == "entry":
        return _swapped(network, "tables", entries=np.where(tables.entries < 7, tables.entries + 1, -8))
    if change == "bias":
        return _swapped(network, "tables", bias=tables.bias + 1)
    # Of the first value nothing changes, so that the bias does not either.
    return _swapped(network, "tables", rows=tables.rows[:, [0, 2, 3, 1]])


@pytest.mark.parametrize("change", _CHANGES)
def test_another_network_is_refused_by_the_prover_and_by_the_checker(change, tmp_path):
    # The sums of tables are the outputs: nothing behind them may be what is refused.
    network = rows_network(15, behind=False)
    bundle = reduced_bundle(network, tmp_path / "b")
    other = _changed(network, change)
    # The prover is told of the channels that are kept by the network itself: of rows, only the layer changes.
    assert all(claim["status"] == PROVED for claim in reduction_claims(network, bundle.network).claims)
    assert any(
        claim["status"] == REFUTED for claim in reduction_claims(network, _changed(bundle.network, change)).claims
    )
    check_certificate(bundle.folder, "network")
    certificate = bundle.folder / "proof" / "network" / "certificate.json"
    before = hashlib.sha256((bundle.folder / "converted.edgeml").read_bytes()).hexdigest()
    content = network_file.to_bytes(other)
    (bundle.folder / "converted.edgeml").write_bytes(content)
    certificate.write_text(certificate.read_text().replace(before, hashlib.sha256(content).hexdigest()))
    with pytest.raises(CheckFailed, match=r"has|adds|reads"):
        check_certificate(bundle.folder, "network")


def test_rows_of_an_encode_layer_name_the_channels_that_they_look_at() -> None:
    layer = Encode(np.array([4, 0, 2, 4]), np.array([VALUE, BIT, LEVEL, EQUAL]), np.array([0, 1, 3, 5]), 5)
    wanted = np.array([False, False, True, True])
    assert np.flatnonzero(layer.reads(wanted)).tolist() == [2, 4]
    fewer = layer.of_channels(np.array([2, 3]), np.array([1, 2, 4]), np.zeros(5, np.int64))
    assert (fewer.source.tolist(), fewer.rule.tolist(), fewer.operand.tolist()) == ([1, 2], [LEVEL, EQUAL], [3, 5])
    assert fewer.inputs == 3
