"""Origins of layers: safe texts, kept in the file, and of no influence on integers and identity."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Network, Node, simulate
from edgeml.network.network_file import from_bytes, model_hash, to_bytes
from edgeml.network.origin import LONGEST_ORIGIN, origin_text
from tests.network.random_networks import random_inputs, random_network

HOSTILE = (
    "*/ int evil; /*",
    "a\nendmodule\nmodule b;",
    "a\r\x0b\x0c\x85\u2028\u2029b",
    "verilator lint_off WIDTH",
    '`include "/etc/passwd"',
    "??/\n#error",
    "ends in \\",
    "\ud800\x00\x1b[2J",
    "größe ☃ 層",
    "x" * 100_000,
    "/" * 100_000,
    ".py/" * 25_000,
)


def test_an_origin_of_a_module_stays_as_it_is() -> None:
    for text in ("encoder.fc1 (Linear), model.py line 12", "node /encoder/fc1/Gemm (Gemm)", "layers.0 (Sequential)"):
        assert origin_text(text) == text


@pytest.mark.parametrize("path", ["/home/me/project/model.py", "C:\\Users\\me\\model.py", "~/a/model.py", "./model.py"])
def test_folders_of_a_machine_do_not_stay_in_an_origin(path: str) -> None:
    assert origin_text(f"fc1 (Linear), {path} line 12") == "fc1 (Linear), model.py line 12"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_becomes_one_line_that_ends_no_comment(text: str) -> None:
    safe = origin_text(text)
    assert safe.isascii()
    assert safe.isprintable()
    assert len(safe) <= LONGEST_ORIGIN
    assert not any(mark in safe for mark in ("*/", "/*", "\\", "`", '"', "?"))
    assert origin_text(safe) == safe


def test_an_origin_that_only_repeats_the_name_is_left_out() -> None:
    node = random_network(0).nodes[1]
    assert replace(node, origin=node.name).origin == ""
    assert replace(node, origin=f"{node.name} (Linear)").origin == f"{node.name} (Linear)"


def with_origins(network: Network) -> Network:
    """The network with a hostile origin at each of its layers."""
    return network.with_origins({node.name: f"{k} {HOSTILE[k % len(HOSTILE)]}" for k, node in enumerate(network.nodes)})


def test_origins_change_no_integer_and_no_identity() -> None:
    for seed in range(4):
        network = random_network(seed)
        said = with_origins(network)
        assert any(node.origin for node in said.nodes)
        assert model_hash(said) == model_hash(network)
        assert to_bytes(said, origins=False) == to_bytes(network)
        q = random_inputs(network, 20, seed)
        np.testing.assert_array_equal(simulate(said, q), simulate(network, q))


def test_the_file_keeps_origins_and_is_as_before_without_them() -> None:
    network = random_network(1)
    said = with_origins(network)
    again = from_bytes(to_bytes(said))
    assert [node.origin for node in again.nodes] == [node.origin for node in said.nodes]
    assert to_bytes(again) == to_bytes(said)
    assert network.origins == {}
    assert said.origins == {node.name: node.origin for node in said.nodes if node.origin}
    assert b"origin" not in to_bytes(network)
    assert said.with_origins({}).nodes == said.nodes


def _with_entry(content: bytes, origin: object) -> bytes:
    """The content of a file whose second layer has this origin in its header."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    structure = json.loads(header["__metadata__"]["edgeml"])
    structure["nodes"][1]["origin"] = origin
    header["__metadata__"]["edgeml"] = json.dumps(structure)
    changed = json.dumps(header).encode()
    return struct.pack("<Q", len(changed)) + changed + content[8 + length :]


def test_a_foreign_file_cannot_bring_in_an_unsafe_origin() -> None:
    content = to_bytes(random_network(2))
    assert from_bytes(_with_entry(content, "a*/\nb")).nodes[1].origin == "a_/ b"
    for wrong in (3, None, ["a"], {"a": 1}):
        with pytest.raises(InputError, match="origin"):
            from_bytes(_with_entry(content, wrong))


def test_a_node_takes_text_alone_for_its_origin() -> None:
    layer = random_network(0).nodes[1].layer
    with pytest.raises(InputError, match="origin"):
        Node("a", layer, (), 3)  # type: ignore[arg-type]
