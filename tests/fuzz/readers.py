"""Every reader of edgeml's with sound seeds, a way to damage them, and the call that a user's file takes."""

from __future__ import annotations

import functools
import io
import json
import random
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from . import mutators

__all__ = ["READERS", "Reader"]

PROGRAMS = Path(__file__).resolve().parents[1] / "frontends" / "programs"


@dataclass(frozen=True)
class Reader:
    """A reader.

    Parameters
    ----------
    ending : of the file's name.
    seeds : sound files.
    damage : a damaged version of a seed.
    read : reads a file as edgeml does for a user; any error but an EdgemlError of the user's is a finding.
    """

    ending: str
    seeds: Callable[[], list[bytes]]
    damage: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], Any]
    cache: dict[str, list[bytes]] = field(default_factory=dict)

    def case(self, chance: random.Random) -> bytes:
        """A damaged file."""
        if "seeds" not in self.cache:
            self.cache["seeds"] = self.seeds()
        return mutators.mutated(chance.choice(self.cache["seeds"]), chance, self.damage)


# Data


def _arrays() -> dict[str, Any]:
    x = np.arange(40.0).reshape(10, 4)
    return {"x": x, "y": np.arange(10) % 3, "labels": np.array(["a", "b", "ü"])}


def _npy_seeds() -> list[bytes]:
    from edgeml.data import to_npy

    return [to_npy(array) for array in (*_arrays().values(), np.arange(8, dtype=np.int8).reshape(2, 4))]


def _npz_seeds() -> list[bytes]:
    seeds = []
    for save in (np.savez, np.savez_compressed):
        for arrays in (_arrays(), {**_arrays(), "x_test": np.ones((3, 4), np.float32), "y_test": np.array([0, 1, 2])}):
            stream = io.BytesIO()
            save(stream, **arrays)  # type: ignore[arg-type]
            seeds.append(stream.getvalue())
    return seeds


def _damaged_npz(content: bytes, chance: random.Random) -> bytes:
    return mutators.in_zip(content, chance, lambda name, inner, chance: mutators.npy(inner, chance))


def _csv_seeds() -> list[bytes]:
    rows = [(i, i / 3, -1e-3 * i, "odd" if i % 2 else "even") for i in range(8)]
    lines = "\n".join(",".join(map(str, row)) for row in rows)
    numbers = "\n".join(";".join(map(str, row[:3])) for row in rows)
    return [f"a,b,c,label\n{lines}\n".encode(), numbers.encode("utf-8-sig"), b'"x","y"\r\n"1","2"\r\n"3","4"\r\n']


def _damaged_text(content: bytes, chance: random.Random) -> bytes:
    return mutators.text_of(content.decode("utf-8", "replace"), chance).encode("utf-8", "replace")


def _read_data(path: Path) -> Any:
    from edgeml.data import load_dataset, load_inputs

    load_inputs(path)
    return load_dataset(path)


# Networks and models


def _networks() -> list[Any]:
    from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
    from tests.network.random_networks import random_network
    from tests.targets.fpga.forms import int8_network

    generator = np.random.default_rng(7)
    nodes = (
        Node("input", InputQuantizer(4, np.array([0.25]), np.array([1.0]), 0, 8, True)),
        Node("dense", Dense(generator.integers(-1, 2, (3, 4)), 2, generator.integers(-9, 9, 3)), ("input",)),
        Node("act", Threshold(np.sort(generator.integers(-300, 300, (3, 3)), axis=1)), ("dense",)),
        Node("last", Dense(generator.integers(-2, 2, (2, 3)), 3, generator.integers(-4, 4, 2)), ("act",)),
    )
    small = Network("small", nodes, Output(np.array([0.5]), 0, ("a", "b")))
    found = [small, *(random_network(seed, widest=6, deepest=3) for seed in range(6))]
    found += [int8_network(seed, "double_rounding", 6) for seed in range(3)]
    return [*found, *_spiking_networks()]


def _spiking_networks() -> list[Any]:
    from tests.network.spiking.random_classic import random_classic

    return [random_classic(np.random.default_rng(seed))[0] for seed in range(4)]


def _network_seeds() -> list[bytes]:
    from edgeml.network import file

    return [file.to_bytes(network) for network in _networks()]


def _read_model(path: Path) -> Any:
    from edgeml.frontends import load_model
    from edgeml.frontends.mlp import Mlp
    from edgeml.inspection import describe_mlp, describe_network
    from edgeml.network import Network

    found = load_model(path)
    if isinstance(found, Network):
        json.dumps(describe_network(found))
    elif isinstance(found, Mlp):
        json.dumps(describe_mlp(found))
    return found


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
    return _read_model(path)


def _program_seeds() -> list[bytes]:
    stored = [path.read_bytes() for path in sorted(PROGRAMS.glob("*.pt2"))]
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
    for network in _spiking_networks():
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
    from edgeml.converters.quantized.file import BREVITAS_FILE
    from edgeml.data import as_dataset
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
    from edgeml.converters.quantized import file

    return file.read(path)


# Descriptions


def _profile_seeds() -> list[bytes]:
    from edgeml.profile import load_profile, profile_names

    seeds = []
    for name in profile_names():
        profile = load_profile(name)
        values = {"kind": profile.kind, "description": profile.description, **profile.values}
        seeds.append(json.dumps(values).encode())
    return seeds


def _damaged_profile(content: bytes, chance: random.Random) -> bytes:
    text = _toml(mutators.tree(json.loads(content), chance))
    return (mutators.text_of(text, chance) if chance.randrange(8) == 0 else text).encode("utf-8", "replace")


def _toml(values: Any) -> str:
    if not isinstance(values, dict):
        return "x = 1"

    def said(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(said, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{json.dumps(str(key))} = {said(each)}' for key, each in value.items())}}}"
        return str(value) if isinstance(value, float) else json.dumps(value) if value is not None else '"none"'

    return "".join(f"{json.dumps(str(key))} = {said(value)}\n" for key, value in values.items())


def _read_profile(path: Path) -> Any:
    from edgeml import plugins
    from edgeml.profile import load_profile

    profile = load_profile(str(path))
    network = _small() if profile.kind != "neuromorphic" else _classic()
    return plugins.targets(profile.kind).rules(network, profile)


@functools.cache
def _small() -> Any:
    return _networks()[0]


@functools.cache
def _classic() -> Any:
    return _spiking_networks()[0]


def _front_seeds() -> list[bytes]:
    point: dict[str, Any] = {
        "number": 3,
        "values": {"accuracy": 0.9, "luts": 1200.0},
        "estimates": {"luts": 1200.0, "latency_us": 1.5},
        "quality": {"validation": {"accuracy": 0.9, "macro_recall": 0.8}, "test": None},
        "candidate": {
            "target": "xczu7ev",
            "form": "quantized",
            "hidden": [8, 4],
            "weight_bits": [2, 2, 4],
            "act_bits": [2, 2],
            "input_bits": 8,
            "options": {"architecture": "folded"},
        },
        "model": "points/3/network.edgeml",
        "command": "edgeml convert …",
        "baseline": False,
    }
    front = {
        "schema": 1,
        "target": ["xczu7ev"],
        "data": {"file": "d.npz", "sha256": "0" * 64, "labels": ["a", "b"]},
        "seed": 0,
        "objectives": [
            {"name": "accuracy", "direction": "maximize", "unit": "%"},
            {"name": "luts", "direction": "minimize", "unit": ""},
        ],
        "constraints": ["luts <= 11520"],
        "budgets": {"xczu7ev": {"luts": 230400}},
        "trials": {"finished": 3, "stopped_early": 1, "too_large": 0, "failed": 0},
        "seconds": 12.5,
        "sensitivity": {"layers": [{"name": "a", "weights": 9, "trace": 0.5, "perturbation": {"2": 0.1, "4": 0.01}}]},
        "points": [point],
        "baselines": [{**point, "number": 9, "baseline": True}],
        "others": [{"number": 4, "values": {"accuracy": 0.5, "luts": 100.0}, "stopped": "dominated"}],
    }
    return [json.dumps(front).encode()]


def _read_front(path: Path) -> Any:
    from edgeml.explore.front import FRONT, read_front
    from edgeml.report import render_exploration

    folder = path.parent / "front"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / FRONT)
    return render_exploration(read_front(folder))


def _design_seeds() -> list[bytes]:
    from edgeml.profile import load_profile
    from edgeml.targets.fpga import FpgaTarget
    from edgeml.targets.fpga.design import DESIGN_FILE

    seeds = []
    for architecture in ("folded", "unrolled"):
        with tempfile.TemporaryDirectory() as folder:
            FpgaTarget().emit(_small(), load_profile("ecp5-25k"), Path(folder), {"architecture": architecture})
            seeds.append((Path(folder) / "rtl" / DESIGN_FILE).read_bytes())
    return seeds


def _read_design(path: Path) -> Any:
    from edgeml.targets.fpga.design import DESIGN_FILE, build, read_design

    folder = path.parent / "design"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / DESIGN_FILE)
    return build(_small(), read_design(folder))


# Bundles: a zip file of their files here, laid out as a folder


def _bundle_seeds() -> list[bytes]:
    import edgeml
    from edgeml.network import file

    seeds = []
    for target, to in (("host", "quantized"),):
        with tempfile.TemporaryDirectory() as folder:
            file.write(_small(), Path(folder) / "small.edgeml")
            bundle = edgeml.convert(Path(folder) / "small.edgeml", to=to, target=target, output=Path(folder) / "out")
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                for name in ("bundle.json", *bundle.manifest["files"]):
                    archive.write(bundle.folder / name, name)
            seeds.append(stream.getvalue())
    return seeds


def _damaged_bundle(content: bytes, chance: random.Random) -> bytes:
    def change(name: str, inner: bytes, chance: random.Random) -> bytes:
        if name.endswith(".json"):
            return mutators.json_text(inner, chance)
        if name.endswith(".npy"):
            return mutators.npy(inner, chance)
        if name.endswith(".edgeml"):
            return mutators.safetensors(inner, chance)
        return mutators.bytes_of(inner, chance)

    with zipfile.ZipFile(io.BytesIO(content)) as source:
        likely = [name for name in source.namelist() if name.endswith((".json", ".npy", ".edgeml"))]
        members = {name: source.read(name) for name in source.namelist()}
    name = chance.choice(likely)
    members[name] = change(name, members[name], chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, inner in members.items():
            archive.writestr(name, inner)
    return stream.getvalue()


def _read_bundle(path: Path) -> Any:
    """Laid out and, but for what changed in the manifest itself, sealed again, so that hashes agree."""
    import hashlib

    import edgeml
    from edgeml.inspection import describe_network

    folder = path.parent / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except Exception:
        return None  # damage of this container, which is not edgeml's
    try:
        manifest = json.loads((folder / "bundle.json").read_text("utf-8"))
        for name, entry in manifest["files"].items():
            inner = (folder / name).read_bytes()
            entry |= {"bytes": len(inner), "sha256": hashlib.sha256(inner).hexdigest()}
        manifest["model_hash"] = manifest["files"]["network.edgeml"]["sha256"]
        (folder / "bundle.json").write_text(json.dumps(manifest), "utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
        pass
    bundle = edgeml.load(folder)
    q, _ = bundle.golden()
    bundle.run(q[:2])
    describe_network(bundle.network)
    return bundle


# The wire


def _frame_seeds() -> list[bytes]:
    hello = struct.pack("<BI", 129, 1) + b"\0" + struct.pack("<HB32sIIIHI", 1, 1, bytes(32), 4, 2, 9, 16, 10**6)
    return [hello + b"\x09quantized\x05small", struct.pack("<BI", 130, 2) + b"\0" + bytes(28), struct.pack("<BI", 3, 1)]


def _read_frames(path: Path) -> Any:
    from edgeml.hil.frames import FrameReader, _encode
    from edgeml.hil.messages import parse_answer, parse_hello

    content = path.read_bytes()
    reader = FrameReader(4096)
    for payload in [*reader.feed(_encode(content) + b"\0"), *reader.feed(content)]:
        answer = parse_answer(payload)
        if answer is not None:
            parse_hello(answer.checked("device"), "device")


READERS: dict[str, Reader] = {
    "npy": Reader("npy", _npy_seeds, mutators.npy, _read_data),
    "npz": Reader("npz", _npz_seeds, _damaged_npz, _read_data),
    "csv": Reader("csv", _csv_seeds, _damaged_text, _read_data),
    "edgeml": Reader("edgeml", _network_seeds, mutators.safetensors, _read_model),
    "tflite": Reader("tflite", _tflite_seeds, _damaged_tflite, _read_model),
    "onnx": Reader("onnx", _onnx_seeds, _damaged_onnx, _read_model),
    "qonnx": Reader("onnx", _qonnx_seeds, _damaged_onnx, _read_qonnx),
    "pt2": Reader("pt2", _program_seeds, _damaged_program, _read_model),
    "nir": Reader("nir", _nir_seeds, _damaged_nir, _read_model),
    "weights": Reader("safetensors", _weights_seeds, mutators.safetensors, _read_weights),
    "brevitas": Reader("safetensors", _brevitas_seeds, mutators.safetensors, _read_brevitas),
    "profile": Reader("toml", _profile_seeds, _damaged_profile, _read_profile),
    "front": Reader("json", _front_seeds, mutators.json_text, _read_front),
    "design": Reader("json", _design_seeds, mutators.json_text, _read_design),
    "bundle": Reader("zip", _bundle_seeds, _damaged_bundle, _read_bundle),
    "frames": Reader("bin", _frame_seeds, mutators.frames, _read_frames),
}
