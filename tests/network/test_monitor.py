"""What a monitor says is its definition, sample by sample; it is part of the file and of the hash."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeml.errors import InputError, NetworkError
from edgeml.network import Monitor, Network, Output, Prototypes, ValueRange, monitored, trace
from edgeml.network.monitor import fraction_bits
from edgeml.network.network_file import from_bytes, model_hash, to_bytes
from tests.targets.mcu.networks import random_network

from .monitors import inputs_for, with_random_monitor


def said_by_hand(network: Network, q: list[int]) -> tuple[int, int, list[int], bool]:
    """Class, margin, distances and known of one sample, in Python's own integers."""
    monitor = network.monitor
    assert monitor is not None
    values = trace(network, np.array([q], np.int32))
    y = [int(value) for value in values[network.nodes[-1].name][0]]
    if len(y) == 1:
        threshold = network.output.decision_threshold
        label, margin = int(y[0] > threshold), abs(y[0] - threshold)
    else:
        label = y.index(max(y))
        margin = y[label] - max(value for index, value in enumerate(y) if index != label)
    distances = []
    for each in monitor.prototypes:
        low = network.ranges[each.node].bounds[0]
        x = [int(value) for value in values[each.node][0]]
        row = each.values[label].tolist()
        distances.append(sum(abs((value - low) * 2**each.fraction_bits - p) for value, p in zip(x, row, strict=True)))
    within = all(found <= each.limit for found, each in zip(distances, monitor.prototypes, strict=True))
    return label, margin, distances, margin >= monitor.margin and within


def binary(seed: int) -> Network:
    return replace(random_network(seed, (6, 5, 1), 2), output=Output(np.ones(1), 0, (), "binary", -30))


@pytest.mark.parametrize(
    "network",
    [
        with_random_monitor(random_network(1, (7, 9, 4), 2, input_bits=4)),
        with_random_monitor(random_network(2, (5, 6, 3), 4, activation_bits=4, signed=True)),
        with_random_monitor(random_network(3, (6, 4), 2)),  # no hidden layer
        with_random_monitor(binary(4)),
        with_random_monitor(random_network(5, (5, 4, 3), 2), hidden=False),
    ],
    ids=["two bits", "signed", "one layer", "binary", "input alone"],
)
def test_it_says_what_its_definition_does(network: Network) -> None:
    q = inputs_for(network, 200)
    seen = monitored(network, q, batch=64)
    expected = [said_by_hand(network, row.tolist()) for row in q]
    assert seen.classes.tolist() == [label for label, *_ in expected]
    assert seen.margin.tolist() == [margin for _, margin, *_ in expected]
    assert seen.input_distance.tolist() == [found[0] for *_, found, _ in expected]
    assert seen.hidden_distance.tolist() == [found[1] if len(found) > 1 else 0 for *_, found, _ in expected]
    assert seen.known.tolist() == [known for *_, known in expected]
    assert 20 < seen.known.sum() < 180


def test_each_threshold_alone_makes_an_input_unknown() -> None:
    network = with_random_monitor(random_network(1, (7, 9, 4), 2, input_bits=4))
    monitor = network.monitor
    assert monitor is not None
    assert monitor.hidden is not None
    q = inputs_for(network, 100)
    seen = monitored(network, q)
    sample = int(np.flatnonzero(seen.known)[0])
    margin, to_input, to_hidden = (
        int(values[sample]) for values in (seen.margin, seen.input_distance, seen.hidden_distance)
    )
    at = Monitor(margin, replace(monitor.input, limit=to_input), replace(monitor.hidden, limit=to_hidden))
    past = [
        replace(at, margin=margin + 1),
        replace(at, input=replace(at.input, limit=to_input - 1)),
        replace(at, hidden=replace(monitor.hidden, limit=to_hidden - 1)),
    ]
    known = [bool(monitored(replace(network, monitor=each), q[[sample]]).known[0]) for each in (at, *past)]
    assert known == [True, False, False, False]


def test_fraction_bits_are_the_most_that_a_byte_takes() -> None:
    found = [fraction_bits(ValueRange.uniform(-3, high - 3, 2)) for high in (1, 15, 16, 63, 127, 128, 255, 256)]
    assert found == [4, 4, 3, 2, 1, 0, 0, None]


def test_the_file_keeps_it_and_networks_without_one_keep_their_bytes() -> None:
    plain = random_network(1, (7, 9, 4), 2)
    network = with_random_monitor(plain)
    again = from_bytes(to_bytes(network))
    assert to_bytes(again) == to_bytes(network)
    q = inputs_for(network, 50)
    for values, found in zip(monitored(network, q).columns.values(), monitored(again, q).columns.values(), strict=True):
        np.testing.assert_array_equal(values, found)
    assert to_bytes(replace(network, monitor=None)) == to_bytes(plain)
    assert b"monitor" not in to_bytes(plain)
    assert model_hash(network) != model_hash(plain)


def _changed(content: bytes, change: dict[str, Any]) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    structure = json.loads(header["__metadata__"]["edgeml"])
    structure["monitor"] |= change
    header["__metadata__"]["edgeml"] = json.dumps(structure)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@pytest.mark.parametrize(
    "change",
    [
        {"margin": -1},
        {"margin": 2**32},
        {"margin": 1.5},
        {"prototypes": []},
        {"prototypes": "input"},
        {"prototypes": [{"node": "input", "fraction_bits": 0, "limit": -1}]},
        {"prototypes": [{"node": "dense1", "fraction_bits": 0, "limit": 1}]},
        {"prototypes": [{"node": "input", "fraction_bits": 5, "limit": 1}]},
        {"prototypes": [{"node": "input", "fraction_bits": 1, "limit": 1}]},  # 8 bits and one more pass a byte
        {"prototypes": [{"node": "input", "fraction_bits": 0, "limit": 1}] * 2},
        {"prototypes": [{"node": "input", "fraction_bits": 0, "limit": 1}] * 3},
        {"prototypes": [{"node": ["input"], "fraction_bits": 0, "limit": 1}]},
    ],
)
def test_files_with_a_wrong_monitor_are_refused(change: dict[str, Any]) -> None:
    content = to_bytes(with_random_monitor(random_network(1, (7, 9, 4), 2)))
    with pytest.raises(InputError, match="is not a sound"):
        from_bytes(_changed(content, change))


def test_what_does_not_fit_the_network_is_refused() -> None:
    network = with_random_monitor(random_network(1, (7, 9, 4), 2))
    monitor = network.monitor
    assert monitor is not None
    short = Prototypes("input", 0, monitor.input.values[:3], 5)
    with pytest.raises(NetworkError, match=r"prototypes must be \[4, 7\], found \[3, 7\]"):
        replace(network, monitor=Monitor(0, short))
    with pytest.raises(NetworkError, match="no hidden layer"):
        replace(network, monitor=replace(monitor, hidden=replace(monitor.input, node="dense1")))
    with pytest.raises(NetworkError, match="gives values"):
        replace(network, output=Output(np.ones(1), task="values"))
    with pytest.raises(NetworkError, match=r"0 … 255, found 0 … 256"):
        Prototypes("input", 0, np.array([[0, 256]]), 5)
    with pytest.raises(InputError, match="has no monitor"):
        monitored(replace(network, monitor=None), inputs_for(network, 2))
