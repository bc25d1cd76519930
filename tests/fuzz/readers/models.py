"""Trained models of every format, and the float weights that lie beside one."""

from __future__ import annotations

import functools
import io
import random
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import mutators
from .networks import read_model, spiking_networks
from .reader import Reader

_PROGRAMS = Path(__file__).resolve().parents[2] / "frontends" / "programs"


def _tflite_seeds() -> list[bytes]:
    from edgeml.converters.tflite.writer import write
    from tests.converters.tflite import random_models

    models = [
        random_models.random_model(np.random.default_rng(seed), bits, bits == 8, False, 9, 2)
        for seed, bits in enumerate((8, 4, 8))
    ]
    models.append(random_models.model_of_every_operator(np.random.default_rng(5)))
    return [write(model) for model in models]


@functools.lru_cache(maxsize=16)
def _tables(content: bytes) -> dict[str, Any]:
    from edgeml.converters.tflite.flatbuffer import read_root

    return _table(read_root(content))


def _table(table: Any) -> dict[str, Any]:
    from edgeml.converters.tflite.flatbuffer import Table
    from edgeml.converters.tflite.schema import TABLES

    result: dict[str, Any] = {}
    for name, described in TABLES[table.kind].items():
        value = table[name]
        if isinstance(value, Table):
            result[name] = _table(value)
        elif isinstance(value, np.ndarray):
            if value.size:
                result[name] = value.tolist()
        elif isinstance(value, list):
            result[name] = [_table(each) for each in value]
        elif value is not None and value != described.default:
            result[name] = value
    return result


def _damaged_tflite(content: bytes, chance: random.Random) -> bytes:
    from edgeml.converters.tflite.flatbuffer import write_root

    if chance.randrange(3) == 0:
        return mutators.words(content, chance)
    try:
        return write_root(mutators.tree(_tables(content), chance))
    except Exception:  # what no FlatBuffer can hold
        return mutators.words(content, chance)


def _onnx_seeds() -> list[bytes]:
    return [_small_onnx()]


def _small_onnx() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(1)

    def tensor(name: str, *shape: int) -> Any:
        return numpy_helper.from_array(generator.normal(size=shape).astype(np.float32), name)

    values = [tensor("w", 5, 4), tensor("b", 5), tensor("s", 5), tensor("v", 5, 3), tensor("d", 3)]
    values.append(helper.make_tensor("variance", TensorProto.FLOAT, [5], np.abs(generator.normal(size=5)) + 0.5))
    values.append(helper.make_tensor("to", TensorProto.INT64, [2], [-1, 4]))
    values.append(helper.make_tensor("half", TensorProto.FLOAT16, [1], np.array([0x3800], np.uint16), raw=False))
    nodes = [
        helper.make_node("Reshape", ["x", "to"], ["r"]),
        helper.make_node("Gemm", ["r", "w", "b"], ["h"], transB=1),
        helper.make_node("BatchNormalization", ["h", "s", "b", "b", "variance"], ["n"]),
        helper.make_node("Relu", ["n"], ["a"]),
        helper.make_node("Constant", [], ["c"], value=tensor("c", 1)),
        helper.make_node("Mul", ["a", "c"], ["m"]),
        helper.make_node("MatMul", ["m", "v"], ["o"]),
        helper.make_node("Add", ["o", "d"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        values,
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())


def _qonnx_seeds() -> list[bytes]:
    from edgeml.targets.fpga.qonnx.writer import to_qonnx
    from tests.targets.fpga.qonnx.test_qonnx import _network

    return [to_qonnx(_network(0)), to_qonnx(_network(3, bias=True))]


@functools.lru_cache(maxsize=16)
def _message(content: bytes) -> Any:
    import onnx

    return onnx.ModelProto.FromString(content)


def _damaged_onnx(content: bytes, chance: random.Random) -> bytes:
    return bytes(mutators.protobuf(_message(content), chance).SerializeToString())


def _read_qonnx(path: Path) -> Any:
    from edgeml import plugins

    plugins.inspections(path)
    return read_model(path)


def _program_seeds() -> list[bytes]:
    stored = [path.read_bytes() for path in sorted(_PROGRAMS.glob("*.pt2"))]
    return [seed for seed in stored if len(seed) < 2**16]


def _damaged_program(content: bytes, chance: random.Random) -> bytes:
    return mutators.in_zip(content, chance, _damaged_member)


def _damaged_member(name: str, content: bytes, chance: random.Random) -> bytes:
    if name.endswith(".json"):
        return mutators.json_text(content, chance)
    if content.startswith(b"PK"):
        return mutators.in_zip(content, chance, lambda _, inner, chance: _damaged_pickle(inner, chance))
    return mutators.bytes_of(content, chance)


_OPCODES = (
    *(b"h\x00", b"q\x00", b"\x85", b"\x86", b")", b"}", b"(", b"t", b"R", b"u", b"s", b"b", b"Q", b"N", b"\x88", b"0"),
    *(b"K\x00", b"J\xff\xff\xff\x7f", b"\x8a\x08" + b"\xff" * 8, b"2"),
)


def _damaged_pickle(content: bytes, chance: random.Random) -> bytes:
    """Pieces of a pickle exchanged, doubled or replaced by other opcodes."""
    result = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(max(len(result), 1)), chance.randint(0, 12)
        piece = chance.choice(_OPCODES)
        result[at : at + chance.choice((0, length))] = piece * chance.choice((1, 1, 1, 2, 60))
    return bytes(result)


def _nir_seeds() -> list[bytes]:
    import h5py
    import nir

    from edgeml.converters.spiking.nir.write import EXACT_GROUP, nir_bytes

    seeds = []
    for network in spiking_networks():
        try:
            content, _ = nir_bytes(network)
        except Exception:  # a model that NIR has no node for
            continue
        seeds.append(content)
        stream = io.BytesIO(content)
        with h5py.File(stream, "a") as file:
            del file[EXACT_GROUP]
        seeds.append(stream.getvalue())
    generator = np.random.default_rng(3)
    nodes = {
        "input": nir.Input(np.array([4])),
        "affine": nir.Affine(generator.normal(size=(5, 4)), generator.normal(size=5)),
        "lif": nir.LIF(*(np.full(5, value) for value in (0.01, 1.0, 0.0, 1.0))),
        "linear": nir.Linear(generator.normal(size=(3, 5))),
        "if": nir.IF(np.ones(3), np.ones(3)),
        "output": nir.Output(np.array([3])),
    }
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(pairwise(names)))
    with tempfile.TemporaryDirectory() as folder:
        nir.write(Path(folder) / "a.nir", graph)
        seeds.append((Path(folder) / "a.nir").read_bytes())
    return seeds


def _damaged_nir(content: bytes, chance: random.Random) -> bytes:
    import h5py

    stream = io.BytesIO(content)
    with h5py.File(stream, "a") as file:
        paths: list[str] = []
        file.visit(paths.append)
        for _ in range(chance.randint(1, 3)):
            path, other = chance.choice(paths), chance.choice(paths)
            try:
                old = file[path]
            except (KeyError, OSError, RuntimeError):  # a link that an earlier change has left
                continue
            group = isinstance(old, h5py.Group)
            value = None if group or (old.size or 0) > 10**6 else old[()]
            kind = chance.randrange(12)
            if kind == 11 and not group and isinstance(value, np.ndarray) and value.dtype.kind == "f":
                old[...] = chance.choice((0.0, -1.0, 1e300, 1e-300, np.inf, np.nan, 0.1))
                continue
            try:
                del file[path]
                if kind == 1:
                    file[path] = h5py.SoftLink("/" + other)
                elif kind == 2:
                    file[path] = h5py.ExternalLink(chance.choice(("/etc/passwd", "a.nir", "")), "/" + other)
                elif kind == 3 and other in file:
                    file[path] = file[other]
                elif kind == 4:
                    file.create_group(path)
                elif kind == 5:
                    file.create_dataset(
                        path, (2 ** chance.randrange(60),), chance.choice(("f4", "i8", "S9", "u1")), chunks=(64,)
                    )
                elif kind == 6:
                    file.create_dataset(path, data=np.zeros(2 ** chance.randrange(20)), compression="gzip")
                elif kind == 7:
                    file.create_dataset(
                        path, data=chance.choice(("NIRGraph", "LIF", "Affine", "IF", "Output", "x" * 5000))
                    )
                elif kind == 8 and not group:
                    file.create_dataset(path, data=np.asarray(value)[..., None])
                elif kind == 9:
                    file.create_dataset(path, data=h5py.Empty("f4"))
                elif kind == 10:
                    file.create_dataset(path, (4,), "f8", external=[("/etc/passwd", 0, 32)])
                else:
                    file.create_dataset(path, data=chance.choice((0, -1, 7.5, [1, 2], [[1.0, 2.0]], 2**62, True, 1j)))
            except (ValueError, OSError, RuntimeError, TypeError, KeyError):
                continue
    return stream.getvalue()


def _weights_seeds() -> list[bytes]:
    from safetensors.torch import save

    return [bytes(save(_module().state_dict()))]


@functools.cache
def _module() -> Any:
    import torch

    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 3))


def _read_weights(path: Path) -> Any:
    from edgeml.frontends.safetensors_weights import load_weights

    load_weights(_module(), path, "module")


def _brevitas_seeds() -> list[bytes]:
    from edgeml.converters.quantized.converter import QuantizedConverter
    from edgeml.converters.quantized.model_file import BREVITAS_FILE
    from edgeml.data.dataset import as_dataset
    from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode

    generator = np.random.default_rng(2)
    nodes = (
        MlpNode("a", Linear(generator.normal(size=(5, 4)), generator.normal(size=5)), ("input",)),
        MlpNode("n", Affine(np.ones(5), np.zeros(5)), ("a",)),
        MlpNode("r", Clamp(0.0, float("inf")), ("n",)),
        MlpNode("b", Linear(generator.normal(size=(3, 5)), generator.normal(size=3)), ("r",)),
    )
    data = as_dataset({"x": generator.normal(size=(40, 4))})
    options = {"bits": 4, "epochs": 0}
    found = QuantizedConverter().convert(Mlp("m", 4, nodes), data, options, lambda *report: None)
    return [found.files[BREVITAS_FILE]]


def _read_brevitas(path: Path) -> Any:
    from edgeml.converters.quantized import model_file as file

    return file.read(path)


READERS: dict[str, Reader] = {
    "tflite": Reader("tflite", _tflite_seeds, _damaged_tflite, read_model),
    "onnx": Reader("onnx", _onnx_seeds, _damaged_onnx, read_model),
    "qonnx": Reader("onnx", _qonnx_seeds, _damaged_onnx, _read_qonnx),
    "pt2": Reader("pt2", _program_seeds, _damaged_program, read_model),
    "nir": Reader("nir", _nir_seeds, _damaged_nir, read_model),
    "weights": Reader("safetensors", _weights_seeds, mutators.safetensors, _read_weights),
    "brevitas": Reader("safetensors", _brevitas_seeds, mutators.safetensors, _read_brevitas),
}
