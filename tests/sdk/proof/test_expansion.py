"""What stands for layers at positions, maxima and concatenations is proved to be them, and no fault is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import (
    Dense,
    InputQuantizer,
    Layer,
    Maximum,
    Network,
    Node,
    Output,
    Shared,
    Threshold,
    expanded,
    network_file,
    simulate,
)
from edgeml.network.layers.concat import Concat
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.proof.checkers import network as checker
from edgeml.proof.checkers.about import network_of
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.proof.network.expansion_claims import EXPANDED, compared, expansion_claims
from edgeml.proof.network.prover import network_claims
from edgeml.proof.network.range_claims import range_claims
from edgeml.proof.place_claims import statement_certificate

FAULTS = 20


def sensor(seed: int) -> Network:
    """Positions with padding and zero points, chains of several layers, values that only move, maxima of 1 to 5
    values of both signs, two tensors side by side."""
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(6, 12))
    gather = rng.integers(-1, inputs, (4, 3)).astype(np.int32)
    dense = Dense(rng.integers(-2, 2, (3, 3)), 2, rng.integers(-3, 4, 3), int(rng.integers(-1, 2)))
    levels = Threshold(np.sort(rng.integers(-6, 7, (3, 3)), axis=1), int(rng.integers(-2, 1)))
    moved = rng.integers(-1, inputs, (5, 1)).astype(np.int32)
    window = int(rng.integers(1, 6))
    step = Requantize(np.full(2, 2**30 + 7, np.int32), rng.integers(-2, 1, 2).astype(np.int32), "double_rounding")
    table = Lookup(rng.integers(-4, 5, 256).astype(np.int32), -128)
    second = Dense(rng.integers(-1, 2, (2, 3)), 2, np.zeros(2, np.int64))
    nodes = (
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 3, bool(seed % 2))),
        Node("positions", Shared((dense, levels), gather, inputs, int(rng.integers(-1, 2))), ("input",)),
        Node("pool", Maximum(rng.integers(0, 12, (6, window)).astype(np.int32), 12), ("positions",)),
        Node("moved", Shared((), moved, inputs, 2), ("input",)),
        Node("both", Concat(6, 5), ("pool", "moved")),
        Node("again", Shared((second, step, table), rng.integers(0, 11, (3, 3)).astype(np.int32), 11), ("both",)),
        Node("last", Dense(rng.integers(-2, 2, (2, 6)), 2, np.zeros(2, np.int64)), ("again",)),
    )
    return Network("sensor", nodes, Output(np.ones(1), task="values"))


@pytest.mark.parametrize("seed", range(8))
def test_an_expansion_is_proved(seed: int) -> None:
    network = sensor(seed)
    ranges = range_claims(network)
    assert {claim["status"] for claim in ranges.claims} == {PROVED}
    claims, made = expansion_claims(network, ranges)
    assert [claim["status"] for claim in claims.claims] == [PROVED] * len(network.nodes), claims.claims
    q = np.random.default_rng(seed).integers(-4 * (seed % 2), 4, (50, network.input_size)).astype(np.int32)
    assert np.array_equal(simulate(network_file.from_bytes(made), q), simulate(network, q))


def _other(rng: np.random.Generator, node: Node) -> Node | None:
    """The node with one fault; None if it has nothing to change."""
    layer: Layer = node.layer
    if isinstance(layer, Dense):
        weight, bias = layer.weight.copy(), layer.bias.copy()
        if rng.random() < 0.6:
            place = tuple(int(rng.integers(size)) for size in weight.shape)
            weight[place] = weight[place] + 1 if weight[place] < 1 else weight[place] - 1
        else:
            bias[int(rng.integers(bias.size))] += int(rng.choice([-1, 1]))
        return Node(node.name, Dense(weight, layer.weight_bits, bias, layer.input_zero_point), node.inputs)
    if isinstance(layer, Threshold):
        if rng.random() < 0.2:
            return Node(node.name, Threshold(layer.thresholds, layer.base + 1), node.inputs)
        thresholds = layer.thresholds.astype(np.int64).copy()
        row = int(rng.integers(len(thresholds)))
        thresholds[row] += int(rng.choice([-1, 1]))
        return Node(node.name, Threshold(thresholds, layer.base), node.inputs)
    if isinstance(layer, Requantize):
        shift = layer.shift.copy()
        shift[int(rng.integers(shift.size))] -= 1
        return Node(node.name, replace(layer, shift=shift), node.inputs)
    if isinstance(layer, Lookup):
        table = layer.table.copy()
        table[128 + int(rng.integers(-3, 4))] += 1
        return Node(node.name, Lookup(table, layer.base), node.inputs)
    return None


def test_no_fault_is_proved() -> None:
    """Of each kind 20 faults: another weight, constant, threshold, level, table or source of what stands for a node."""
    found: dict[str, list[str]] = {"positions": [], "pool": [], "moved": [], "both": [], "again": []}
    rng = np.random.default_rng(11)
    while min(map(len, found.values())) < FAULTS:
        network = sensor(int(rng.integers(1000)))
        made = expanded(network)
        names = [node.name for node in made.nodes]
        place = int(rng.integers(1, len(made.nodes) - 1))
        changed = _other(rng, made.nodes[place])
        own = next(node.name for node in network.nodes if names.index(node.name) >= place)
        if changed is None or own not in found or len(found[own]) >= FAULTS:
            continue
        broken = replace(made, nodes=(*made.nodes[:place], changed, *made.nodes[place + 1 :]))
        ends = {claim["layer"]: (claim["low"], claim["high"]) for claim in range_claims(network).claims}
        claim = next(each for each in compared(network, broken, ends).claims if each["layer"] == own)
        found[own].append(claim["status"])
    for statuses in found.values():
        assert set(statuses) <= {OPEN, REFUTED}, found
        assert REFUTED in statuses


def certified(folder: Path, network: Network, made: bytes, claims: object) -> None:
    content = network_file.to_bytes(network)
    (folder / "proof" / "network").mkdir(parents=True, exist_ok=True)
    (folder / "network.edgeml").write_bytes(content)
    (folder / EXPANDED).write_bytes(made)
    places = [*network_claims(network), claims]
    for name, data in statement_certificate("network", content, places, {EXPANDED: made}).items():  # type: ignore[arg-type]
        (folder / "proof" / "network" / name).write_bytes(data)


def test_the_checker_follows_the_file_and_believes_no_other(tmp_path: Path) -> None:
    network = sensor(3)
    claims, made = expansion_claims(network, range_claims(network))
    certified(tmp_path, network, made, claims)
    assert checker.check_certificate(tmp_path, "network")["expansion"] == (7, 7)
    assert network_of(tmp_path, "folded") == made
    assert network_of(tmp_path, "words") == (tmp_path / "network.edgeml").read_bytes()
    other = expanded(network)
    place = [node.name for node in other.nodes].index("positions_1_dense")
    weight = other.nodes[place].layer.weight.copy()  # type: ignore[attr-defined]
    weight[0, 0] ^= 1
    node = replace(other.nodes[place], layer=replace(other.nodes[place].layer, weight=weight))  # type: ignore[type-var]
    wrong = network_file.to_bytes(replace(other, nodes=(*other.nodes[:place], node, *other.nodes[place + 1 :])))
    (tmp_path / EXPANDED).write_bytes(wrong)
    with pytest.raises(CheckFailed, match="is another"):
        checker.check_certificate(tmp_path, "network")
    with pytest.raises(CheckFailed, match="positions, layer 1, position 0"):
        network_of(tmp_path, "folded")
    certified(tmp_path, network, wrong, claims)
    with pytest.raises(CheckFailed, match="positions, layer 1, position 0"):
        checker.check_certificate(tmp_path, "network")
