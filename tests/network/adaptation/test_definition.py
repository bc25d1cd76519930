"""What adapts: kept in the file, and refused where it does not fit the network or its integers may pass their bits."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import InputError, NetworkError
from edgeml.network import Network
from edgeml.network import file as network_file
from edgeml.network.adaptation.definition import Adaptation
from edgeml.network.adaptation.derivation import Wanted, derive
from tests.network.adaptation.networks import KINDS, adapting_network, samples

_ONE = {"replay_levels": np.zeros((1, 7), np.uint8), "replay_classes": np.zeros(1, np.uint8)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_keeps_it(kind: str) -> None:
    network = adapting_network(kind)
    content = network_file.to_bytes(network)
    again = network_file.from_bytes(content)
    assert network_file.to_bytes(again) == content
    assert again.adapting().state() == network.adapting().state()
    assert again.adaptation.parts()[0] == network.adaptation.parts()[0]
    plain = replace(network, adaptation=None)
    assert b"adaptation" not in network_file.to_bytes(plain)
    assert network_file.model_hash(plain) != network_file.model_hash(network)


def _changed(network: Network, part: str, **fields: object) -> Network:
    of = getattr(network.adaptation, part)
    return replace(network, adaptation=replace(network.adaptation, **{part: replace(of, **fields)}))


@pytest.mark.parametrize(
    ("part", "fields", "said"),
    [
        ("offsets", {"windows_log2": 16}, "windows_log2: must be an integer in 0 … 15"),
        ("offsets", {"numerator": 17}, "numerator: must be an integer in 1 … 16"),
        ("offsets", {"limit": -1}, "limit: must be"),
        ("offsets", {"means": {}}, "must be of 1 to 255 layers"),
        (
            "offsets",
            {"means": {"level0": np.zeros(9, np.int32)}},
            "layer level0: has offsets, but is not a dense layer",
        ),
        ("offsets", {"means": {"last": np.zeros(4, np.int32)}}, "layer last: has offsets, but is not a dense layer"),
        ("offsets", {"means": {"dense0": np.zeros(8, np.int32)}}, "layer dense0: has 9 channels, its means are 8"),
        ("offsets", {"means": {"dense0": np.full(9, 2**30)}}, "layer dense0: its means lie outside"),
        ("offsets", {"means": {"nothing": np.zeros(9, np.int32)}}, "name layers that are not there"),
        ("last_layer", {"fraction": 13}, "fraction: must be an integer in 0 … 12"),
        ("last_layer", {"margin": 2**30 + 1}, "margin: must be an integer"),
        ("last_layer", {"slots": 128}, "slots: must be an integer in 1 … 127"),
        ("last_layer", {"weight_bits": 32}, "keeps weights in 8 or 16 bits"),
        ("last_layer", {"fraction": 7, "weight_bits": 8}, "its weights need more than 8 bits"),
        ("last_layer", {**_ONE, "replay_levels": np.full((1, 7), 4, np.uint8)}, "has levels above 3"),
        ("last_layer", {**_ONE, "replay_classes": np.full(1, 4, np.uint8)}, "classes of 4 and more"),
        ("last_layer", {**_ONE, "replay_levels": np.zeros((1, 6), np.uint8)}, "takes 7 levels"),
        ("last_layer", {"replay_classes": np.zeros(1, np.uint8)}, r"must be uint8 \[windows, inputs\]"),
    ],
)
def test_what_does_not_fit_is_refused(part: str, fields: dict[str, object], said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        _changed(adapting_network("both"), part, **fields)


def test_sums_that_may_pass_32_bits_are_refused() -> None:
    network = adapting_network("wide")
    with pytest.raises(NetworkError, match="sums of 32768 windows may pass 32 bits"):
        _changed(network, "offsets", windows_log2=15)


def test_a_damaged_file_is_refused() -> None:
    content = network_file.to_bytes(adapting_network("both"))
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    for change in ({"slots": "3"}, {"margin": -1}, {"replayed": 10**9}, {"more": 1}):
        structure = json.loads(header["__metadata__"]["edgeml"])
        structure["adaptation"]["last_layer"] |= change
        text = json.dumps({**header, "__metadata__": {"edgeml": json.dumps(structure)}}).encode()
        with pytest.raises(InputError, match="not a sound"):
            network_file.from_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    with pytest.raises(NetworkError, match="states nothing that adapts"):
        Adaptation.from_parts({}, {})


def test_what_cannot_adapt_is_refused_when_it_is_derived() -> None:
    network = replace(adapting_network("both"), adaptation=None)
    q, y = samples(network, 20, 0)
    with pytest.raises(InputError, match="adapt=last-layer: needs training data with classes"):
        derive(network, q, None, Wanted())
    short = replace(network, nodes=(network.nodes[0], *network.nodes[1:3]), output=replace(network.output, task=""))
    with pytest.raises(InputError, match="adapt=last-layer: needs a network for classes whose last layer is dense"):
        derive(short, q, y, Wanted(("last-layer",)))
    alone = replace(network, nodes=(network.nodes[0], network.nodes[1]), output=replace(network.output, task=""))
    with pytest.raises(InputError, match="no dense layer in front of thresholds"):
        derive(alone, q, y, Wanted(("offsets",)))
