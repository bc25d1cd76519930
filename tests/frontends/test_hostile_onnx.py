"""`.onnx` files that mean harm: nothing escapes but an InputError, and memory stays bounded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeml.errors import InputError
from edgeml.frontends import load_model
from tests.sweeps import cases

from .hostile import expect_error_or_model, mutated_bytes
from .onnx_graphs import model, node


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def good_model() -> onnx.ModelProto:
    """A graph with something of everything: shapes from the batch, batch norm, clip, a residual path, constants."""
    generator = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    nodes = [
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "zero"], "n"),
        node("Unsqueeze", ["n", "axis"], "n1"),
        node("Concat", ["n1", "minus"], "target", axis=0),
        node("Reshape", ["x", "target"], "flat"),
        node("Sub", ["flat", "mean"], "centred"),
        node("Constant", [], "std", value=helper.make_tensor("", TensorProto.FLOAT, [4], [1.0, 2.0, 3.0, 4.0])),
        node("Div", ["centred", "std"], "scaled"),
        node("Gemm", ["scaled", "w", "b"], "p", transB=1, alpha=0.5),
        node("BatchNormalization", ["p", "g", "b", "mean", "v"], "q", epsilon=1e-3),
        node("Clip", ["q", "low", "high"], "c"),
        node("Add", ["c", "scaled"], "r"),
        node("MatMul", ["r", "w"], "m"),
        node("LogSoftmax", ["m"], "y", axis=-1),
    ]
    arrays = {
        "zero": np.array(0), "axis": np.array([0]), "minus": np.array([4]), "mean": random(4), "w": random(4, 4),
        "b": random(4), "g": random(4), "v": np.abs(random(4)), "low": np.float32(0), "high": np.float32(6),
    }  # fmt: skip
    return model(nodes, arrays, shape=["batch", 2, 2])


def test_the_good_one_is_good() -> None:
    assert load_model(good_model()).final == "log_softmax"


def test_every_truncation(path: Path) -> None:
    content = good_model().SerializeToString()
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            load_model(path)


@pytest.mark.parametrize("count", [100, pytest.param(cases(3000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_bytes(path: Path, count: int) -> None:
    loaded = 0
    for content in mutated_bytes(good_model().SerializeToString(), count, 1):
        path.write_bytes(content)
        loaded += expect_error_or_model(path)
    assert loaded > 0


def mutate(stored: onnx.ModelProto, generator: np.random.Generator) -> None:
    """One change to the structure: names, shapes, types, attributes, order."""
    graph = stored.graph
    tensor = graph.initializer[generator.integers(len(graph.initializer))]
    entry = graph.node[generator.integers(len(graph.node))]
    names = [name for each in graph.node for name in (*each.input, *each.output)] + ["", "nothing"]
    sizes = [-1, 0, 1, 2, 3, 4, 5, 8, 2**31, 2**62]
    match int(generator.integers(14)):
        case 0:
            tensor.dims.append(int(generator.choice(sizes)))
        case 1:
            del tensor.dims[:]
            tensor.dims.extend(int(size) for size in generator.choice(sizes, generator.integers(0, 4)))
        case 2:
            tensor.data_type = int(generator.integers(0, 30))
        case 3:
            tensor.raw_data = bytes(generator.bytes(int(generator.integers(0, 80))))
        case 4:
            tensor.name = str(generator.choice(names))
        case 5 | 6 if entry.input:
            entry.input[generator.integers(len(entry.input))] = str(generator.choice(names))
        case 7:
            entry.output[0] = str(generator.choice(names))
        case 8:
            entry.op_type = str(generator.choice([*{each.op_type for each in graph.node}, "Relu", "Softmax", "If", ""]))
        case 9:
            del graph.node[generator.integers(len(graph.node))]
        case 10:
            graph.node.add().CopyFrom(entry)
        case 11 if entry.attribute:
            attribute = entry.attribute[0]
            attribute.i, attribute.f = int(generator.choice([-5, -1, 0, 1, 2, 99])), float(generator.normal())
            attribute.type = int(generator.integers(0, 12))
        case 12:
            stored.opset_import[0].version = int(generator.integers(-1, 25))
        case 13:
            dim = graph.input[0].type.tensor_type.shape.dim[generator.integers(3)]
            dim.dim_value = int(generator.choice(sizes))
        case _:
            entry.input.append(str(generator.choice(names)))


@pytest.mark.parametrize("count", [120, pytest.param(cases(3000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_structure(path: Path, count: int) -> None:
    generator = np.random.default_rng(2)
    content = good_model().SerializeToString()
    loaded = 0
    for _ in range(count):
        stored = onnx.load_model_from_string(content)
        for _ in range(int(generator.integers(1, 3))):
            mutate(stored, generator)
        path.write_bytes(stored.SerializeToString())
        loaded += expect_error_or_model(path)
    assert 0 < loaded < count


def varint(value: int) -> bytes:
    result = b""
    while value >= 0x80:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def message(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def nested(depth: int) -> bytes:
    """A graph in an attribute of a node of a graph in an attribute …"""
    content = b""
    for _ in range(depth):
        content = message(1, message(5, message(6, content)))
    return message(7, content)


BOMBS = {
    "empty nodes": message(7, b"\x0a\x00" * 5_000_000),
    "empty tensors": message(7, b"\x2a\x00" * 5_000_000),
    "empty inputs of a node": message(7, message(1, b"\x0a\x00" * 5_000_000)),
    "empty functions": b"\xca\x01\x00" * 3_000_000,
    "packed numbers": message(7, message(5, message(7, b"\x01" * 80_000_000))),
    "deep": nested(30_000),
    "deeper than protobuf": nested(60),
    "groups": b"\x0b" * 1_000_000,
    "a length past the end": message(7, b"\x0a\xff\xff\xff\xff\x0f"),
    "a number without end": b"\x08" + b"\xff" * 100,
    "field zero": b"\x00\x00" * 10,
    "zeros": b"\x00" * 1_000_000,
    "text": b"not a model at all",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str, path: Path) -> None:
    path.write_bytes(BOMBS[name])
    with pytest.raises(InputError):
        load_model(path)


def test_bombs_take_little_memory(path: Path) -> None:
    """In a process of its own: the address space that all bombs together may take is 1 GiB past what is loaded."""
    code = (
        "import resource, sys, onnx, onnx.reference\n"
        "from edgeml.errors import InputError\nfrom edgeml.frontends import load_model\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try: load_model(path)\n"
        "    except InputError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    paths = []
    for number, content in enumerate(BOMBS.values()):
        paths.append(path.with_name(f"{number}.onnx"))
        paths[-1].write_bytes(content)
    doubling = [node("Concat", [f"a{n}", f"a{n}"], f"a{n + 1}", axis=0) for n in range(60)]
    product = node("MatMul", ["x", "w"], "y")
    huge = {
        "expand": model([node("Expand", ["x", "s"], "y")], {"s": np.array([10**6, 10**6])}),
        "ones": model([node("ConstantOfShape", ["s"], "w"), product], {"s": np.array([4, 2**40])}),
        "doubled": model(
            [*doubling, node("MatMul", ["x", "a60"], "y")],
            {"a0": np.ones((4, 4), np.float32)},
        ),
        "wide": model(
            [node("Add", ["x" if n == 0 else f"a{n}", "one"], f"a{n + 1}") for n in range(50)],
            {"one": np.float32(1)}, shape=["batch", 2**23], output="a50",
        ),
        "batch": model([product], {"w": np.ones((4, 100), np.float32)}, shape=[10**6, 4]),
        "products": model(
            [node("MatMul", ["a", "a"], "b"), node("MatMul", ["x", "b"], "y")], {"a": np.ones((4000, 4000), np.int8)}
        ),
    }  # fmt: skip
    for name, stored in huge.items():
        paths.append(path.with_name(f"{name}.onnx"))
        paths[-1].write_bytes(stored.SerializeToString())
    result = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 2**20, "in KiB"


def test_a_file_larger_than_any_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with path.open("wb") as file:
        file.truncate(2**29 + 1)  # sparse: it takes no room on disk
    with pytest.raises(InputError, match="at most"):
        load_model(path)


def test_old_opsets_sparse_tensors_and_functions(path: Path) -> None:
    stored = good_model()
    stored.opset_import[0].version = 6
    with pytest.raises(InputError, match="opset 6"):
        load_model(stored)
    stored = good_model()
    stored.graph.sparse_initializer.add()
    with pytest.raises(InputError, match="sparse"):
        load_model(stored)
    stored = good_model()
    stored.graph.initializer.add().CopyFrom(stored.graph.initializer[0])
    with pytest.raises(InputError, match="one name"):
        load_model(stored)


def test_names_from_the_file_do_not_reach_the_terminal_raw(path: Path) -> None:
    stored = good_model()
    for entry in stored.graph.node:
        entry.name, entry.op_type = "\x1b[2J\n", "Evil\x1b]0;\x07" * 1000
    path.write_bytes(stored.SerializeToString())
    assert not expect_error_or_model(path)
