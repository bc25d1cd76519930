"""`.edgeml` files that mean harm: each is an InputError, or a network that is sound and simulates within its ranges."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.network_file import (
    from_bytes,
    read,
    to_bytes,
    write,
)
from tests.sweeps import cases
from tests.targets.logic_networks import classifier
from tests.targets.tables_networks import mixed

from ..frontends.hostile import JUNK, mutated_bytes, mutated_json
from .random_networks import random_network
from .spiking.random_classic import random_classic
from .spiking.random_networks import random_network as random_spiking_network


def int8_network() -> Network:
    """Requantize and Lookup behind a random dense layer."""
    network = random_network(11, widest=8, deepest=1)
    outputs = network.output_size
    nodes = [
        *network.nodes,
        Node(
            "scaled",
            Requantize(np.full(outputs, 2**30 + 3), np.full(outputs, -4), "double_rounding"),
            (network.nodes[-1].name,),
        ),
        Node("table", Lookup(np.arange(-128, 128)[::-1].copy()), ("scaled",)),
    ]
    return Network("int8", tuple(nodes), Output(np.array([0.5])))


NETWORKS: dict[str, Callable[[], Network]] = {
    "quantized": lambda: random_network(3, widest=6, deepest=3),
    "residual": lambda: random_network(25, widest=5, deepest=6),
    "int8": int8_network,
    "tables": lambda: mixed(3, outputs=4, bits=2),
    "logic": lambda: classifier(3, features=3, widths=(5, 4), classes=2, fan_in=3),
    "spiking": lambda: random_spiking_network(np.random.default_rng(2), "unary")[0],
    "classic": lambda: random_classic(np.random.default_rng(4))[0],
}


def parts(content: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A file as safetensors header (without metadata), edgeml's structure, and tensor bytes."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    structure = json.loads(header.pop("__metadata__")["edgeml"])
    return header, structure, content[8 + length :]


def whole(header: Any, structure: Any, data: bytes) -> bytes:
    """Inverse of `parts`, for anything that JSON can say."""
    if isinstance(header, dict):
        header = {"__metadata__": {"edgeml": json.dumps(structure)}, **header}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def expect_error_or_network(content: bytes) -> bool:
    """Says whether the content is a network; one that is, computes."""
    try:
        network = from_bytes(content, "hostile.edgeml")
    except InputError as error:
        found = error
    else:
        generator = np.random.default_rng(0)
        q = generator.integers(network.quantizer.low, network.quantizer.high + 1, (3, network.input_size))
        y = simulate(network, q)
        assert network.ranges[network.nodes[-1].name].contains(y)
        assert from_bytes(to_bytes(network)).name == network.name
        return True
    assert found.exit_code == 2
    assert found.where == "hostile.edgeml"
    assert str(found).isprintable()
    assert len(str(found)) < 1000
    return False


@pytest.mark.parametrize("name", NETWORKS)
def test_every_truncation(name: str) -> None:
    content = to_bytes(NETWORKS[name]())
    step = max(1, len(content) // 400)
    for length in {*range(0, len(content), step), *range(max(0, len(content) - 32), len(content))}:
        with pytest.raises(InputError):
            from_bytes(content[:length])


@pytest.mark.parametrize("count", [150, pytest.param(cases(3000), marks=pytest.mark.slow(scaled=True))])
@pytest.mark.parametrize("name", NETWORKS)
def test_mutated_bytes(name: str, count: int) -> None:
    for content in mutated_bytes(to_bytes(NETWORKS[name]()), count, 1):
        expect_error_or_network(content)


@pytest.mark.parametrize("count", [150, pytest.param(cases(3000), marks=pytest.mark.slow(scaled=True))])
@pytest.mark.parametrize("name", NETWORKS)
def test_mutated_structure(name: str, count: int) -> None:
    header, structure, data = parts(to_bytes(NETWORKS[name]()))
    loaded = sum(expect_error_or_network(whole(header, changed, data)) for changed in mutated_json(structure, count, 2))
    assert 0 < loaded < count
    for changed in mutated_json(header, count, 3):
        expect_error_or_network(whole(changed, structure, data))


@pytest.mark.parametrize("name", NETWORKS)
def test_mutated_numbers(name: str) -> None:
    """Weights, thresholds and tables of other values: unsorted, too large, of one bit and zero."""
    header, structure, data = parts(to_bytes(NETWORKS[name]()))
    generator = np.random.default_rng(4)
    for _ in range(150):
        changed = bytearray(data)
        for position in generator.integers(0, len(data), 3):
            changed[position] = int(generator.integers(256))
        expect_error_or_network(whole(header, structure, bytes(changed)))


def with_structure(change: Callable[[dict[str, Any]], Any], tensors: dict[str, np.ndarray] | None = None) -> bytes:
    """The file of a small network of dense, threshold, dense, its structure changed and tensors replaced."""
    network = Network(
        "small",
        (
            Node("input", InputQuantizer(3, np.array([0.5]), np.array([0.0]), 0, 2, False)),
            Node("fc", Dense(np.array([[1, -1, 1], [0, 1, -2]]), 2, np.array([1, -3])), ("input",)),
            Node("act", Threshold(np.array([[0, 1, 2], [-4, 0, 5]])), ("fc",)),
            Node("out", Dense(np.array([[1, -1]]), 1, np.array([0])), ("act",)),
        ),
        Output(np.array([1.0])),
    )
    content = to_bytes(network)
    _, structure, _ = parts(content)
    change(structure)
    return bytes(save({**load(content), **(tensors or {})}, metadata={"edgeml": json.dumps(structure)}))


def test_the_small_one_is_sound() -> None:
    assert expect_error_or_network(with_structure(lambda structure: None))


def attribute(position: int, **values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda structure: structure["nodes"][position]["attributes"].update(values)


def node(position: int, **values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda structure: structure["nodes"][position].update(values)


def nothing(structure: dict[str, Any]) -> None:
    """Leaves the structure as it is."""


def again(structure: dict[str, Any]) -> None:
    """A second input quantizer behind the first."""
    structure["nodes"].insert(1, {**structure["nodes"][0], "name": "again"})


CODE = {"out; system.weight": np.ones((1, 2), np.int8), "out; system.bias": np.zeros(1, np.int8)}
LIES: dict[str, tuple[Callable[[dict[str, Any]], Any], dict[str, np.ndarray], str]] = {
    "unsorted thresholds": (nothing, {"act.thresholds": np.array([[0, 2, 1], [-4, 0, 5]], np.int8)}, "sorted"),
    "one-bit zeros": (nothing, {"out.weight": np.array([[1, 0]], np.int8)}, "bipolar"),
    "two-bit threes": (nothing, {"fc.weight": np.full((2, 3), 3, np.int8)}, "values must lie in"),
    "NaN scale": (nothing, {"input.scale": np.array([np.nan])}, "finite"),
    "negative scale": (nothing, {"input.scale": np.array([-1.0])}, "positive"),
    "zero scale": (nothing, {"output.scale": np.array([0.0])}, "positive"),
    "float weights": (nothing, {"fc.weight": np.ones((2, 3), np.float32)}, "must hold integers"),
    "boolean weights": (nothing, {"fc.weight": np.ones((2, 3), np.bool_)}, "must hold integers"),
    "weights of three dimensions": (nothing, {"fc.weight": np.ones((2, 3, 1), np.int8)}, "2 dimensions"),
    "no weights": (nothing, {"fc.weight": np.ones((0, 3), np.int8)}, "non-empty"),
    "wide weights": (nothing, {"fc.weight": np.ones((2, 4), np.int8)}, "takes 4 inputs"),
    "a short bias": (nothing, {"fc.bias": np.ones(1, np.int8)}, "must have 2 values"),
    "a bias past 32 bits": (nothing, {"fc.bias": np.full(2, 2**40)}, "values must lie in"),
    "a sum past 32 bits": (nothing, {"fc.bias": np.full(2, 2**31 - 1, np.int32)}, "past 32 bits"),
    "thresholds of other channels": (nothing, {"act.thresholds": np.zeros((3, 2), np.int8)}, "takes 3 channels"),
    "nine bits": (attribute(1, weight_bits=9), {}, "must be an integer in 1 … 8"),
    "bits that are true": (attribute(1, weight_bits=True), {}, "must be an integer"),
    "bits that are text": (attribute(1, weight_bits="2"), {}, "must be an integer"),
    "bits that are real": (attribute(1, weight_bits=2.0), {}, "must be an integer"),
    "a field of no layer": (attribute(1, shell="rm -rf"), {}, "unknown fields"),
    "a huge input": (attribute(0, size=2**60), {}, "size"),
    "an input of another size": (attribute(0, size=4), {}, "takes 3 inputs"),
    "signed by text": (attribute(0, signed="yes"), {}, "true or false"),
    "an unknown kind": (node(1, kind="eval"), {}, "not known"),
    "a kind that is a list": (node(1, kind=["dense"]), {}, "not a sound"),
    "a name twice": (node(2, name="fc"), {"fc.thresholds": np.array([[0, 1, 2], [-4, 0, 5]], np.int8)}, "twice"),
    "a name that is code": (node(3, name="out; system"), CODE, "letters, digits"),
    "itself as its input": (node(1, inputs=["fc"]), {}, "which no earlier node gives"),
    "a later input": (node(1, inputs=["act"]), {}, "which no earlier node gives"),
    "two inputs": (node(1, inputs=["input", "input"]), {}, "takes 1 inputs"),
    "an input of no kind": (node(1, inputs=[None]), {}, "list of texts"),
    "inputs that are text": (node(1, inputs="input"), {}, "list of texts"),
    "labels that are text": (lambda s: s["output"].update(labels="a"), {}, "list of texts"),
    "tensors that are not there": (node(1, tensors=["weight", "bias", "more"]), {}, "not a sound"),
    "another quantizer": (again, {"again.scale": np.ones(1), "again.offset": np.zeros(1)}, "only the first"),
    "no quantizer": (lambda s: s["nodes"].pop(0), {}, "first node must be"),
    "no layers": (lambda s: s.update(nodes=s["nodes"][:1]), {}, "no layer behind"),
    "nothing": (lambda s: s.update(nodes=[]), {}, "first node"),
    "a dead end": (node(3, inputs=["input"]), {"out.weight": np.ones((1, 3), np.int8)}, "nothing takes"),
    "another format": (lambda s: s.update(format=2), {}, "this edgeml reads"),
    "no format": (lambda s: s.pop("format"), {}, "this edgeml reads"),
    "a name with a path": (lambda s: s.update(name="../../x"), {}, "network name"),
    "a name with colours": (lambda s: s.update(name="\x1b[31m"), {}, "network name"),
    "a name that is none": (lambda s: s.update(name=None), {}, "network name"),
    "labels that do not fit": (lambda s: s["output"].update(labels=["a", "b", "c"]), {}, "3 labels for 1"),
    "a task of no kind": (lambda s: s["output"].update(task="eval"), {}, "must be one of classes"),
    "a task that is a list": (lambda s: s["output"].update(task=["classes"]), {}, "must be one of classes"),
    "classes of one output": (lambda s: s["output"].update(task="classes"), {}, "classes for 1 outputs"),
    "a threshold of no task": (lambda s: s["output"].update(threshold=3), {}, "belongs to a binary"),
    "a threshold that is real": (lambda s: s["output"].update(task="binary", threshold=0.5), {}, "threshold"),
    "a threshold past 32 bits": (lambda s: s["output"].update(task="binary", threshold=2**40), {}, "threshold"),
    "labels that are numbers": (lambda s: s["output"].update(labels=[1]), {}, "list of texts"),
    "a zero point past 32 bits": (lambda s: s["output"].update(zero_point=2**40), {}, "zero point"),
    "scales that do not fit": (nothing, {"output.scale": np.ones(3)}, "must have 1 or 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_lies(name: str) -> None:
    change, tensors, text = LIES[name]
    with pytest.raises(InputError, match=text) as caught:
        from_bytes(with_structure(change, tensors), "hostile.edgeml")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("junk", range(len(JUNK)))
def test_junk_in_every_place(junk: int) -> None:
    """Each value of the structure in turn is of a wrong kind."""
    places: list[tuple[Any, ...]] = []

    def collect(value: Any, path: tuple[Any, ...]) -> None:
        places.append(path)
        for key, inner in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            collect(inner, (*path, key))

    _, structure, _ = parts(with_structure(nothing))
    collect(structure, ())
    for path in places[1:]:

        def put(structure: dict[str, Any], path: tuple[Any, ...] = path) -> None:
            holder: Any = structure
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = JUNK[junk]

        expect_error_or_network(with_structure(put))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 64,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        whole({}, None, b""),
        whole({}, [], b""),
        whole({}, {"format": 1}, b""),
        whole({}, {"format": 1, "nodes": [[]] * 10_001, "name": "a", "output": {}}, b""),
        struct.pack("<Q", 42) + b'{"__metadata__":{"edgeml":"' + b"[" * 12 + b'"}}',
    ],
)
def test_contents_that_are_no_network(content: bytes) -> None:
    assert not expect_error_or_network(content)


def test_plain_safetensors_say_what_they_are() -> None:
    with pytest.raises(InputError, match="Pass it as weights"):
        from_bytes(bytes(save({"a": np.ones(3)})))


def test_a_small_file_asks_for_no_large_memory() -> None:
    """Many layers over a wide input would hold tens of gigabytes of ranges; the file has a few kilobytes."""

    def widen(structure: dict[str, Any]) -> None:
        structure["nodes"][0]["attributes"]["size"] = 2**24
        adds = [
            {"name": f"a{n}", "kind": "add", "inputs": [before, before], "attributes": {}, "tensors": []}
            for n, before in enumerate(["input", *(f"a{n}" for n in range(22))])
        ]
        structure["nodes"][1:] = adds

    content = with_structure(widen)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="values"):
            from_bytes(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**30


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.edgeml"
    write(NETWORKS["quantized"](), path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        write(NETWORKS["residual"](), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert read(path).name == "random"


def test_a_file_larger_than_any_network(tmp_path: Path) -> None:
    path = tmp_path / "net.edgeml"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)  # sparse: it takes no room on disk
    with pytest.raises(InputError, match="at most"):
        read(path)
