"""`.pt2` files that mean harm: no code of theirs runs, nothing escapes but an InputError, memory stays bounded."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from edgeml.errors import InputError
from edgeml.frontends import load_model
from tests.sweeps import cases

from .hostile import (
    expect_error_or_model,
    malicious_pickle,
    malicious_torch_file,
    mutated_bytes,
    mutated_json,
    rewritten,
)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def good() -> bytes:
    """An archive of the layout that torch writes since 2.9."""
    return (PROGRAMS / "torch_2.9.pt2").read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.pt2"


def edited(archive: bytes, member: str, change) -> bytes:
    """The archive with the JSON of `member` changed by `change`, in place."""

    def apply(name: str, content: bytes) -> bytes:
        if not name.endswith(member):
            return content
        structure = json.loads(content)
        change(structure)
        return json.dumps(structure).encode()

    return rewritten(archive, apply)


def mark_as_pickled(config: dict) -> None:
    for entry in config["config"].values():
        entry["use_pickle"] = True


def rename_payloads(prefix: str):
    def change(config: dict) -> None:
        for number, entry in enumerate(config["config"].values()):
            entry |= {"path_name": f"{prefix}{number}", "tensor_meta": None, "use_pickle": True}

    return change


def pickled_members(good: bytes, mark: Path) -> dict[str, bytes]:
    """The good archive with a malicious pickle in each member that torch's loader would unpickle."""
    evil, evil_torch = malicious_pickle(mark), malicious_torch_file(mark)
    weights = edited(good, "model_weights_config.json", mark_as_pickled)
    tensors = edited(good, "model_constants_config.json", mark_as_pickled)
    custom = edited(good, "model_constants_config.json", rename_payloads("custom_obj_"))
    opaque = edited(good, "model_constants_config.json", rename_payloads("opaque_obj_"))
    old, older = ((PROGRAMS / f"torch_{version}.pt2").read_bytes() for version in ("2.8", "2.6"))

    def keep(name: str, content: bytes) -> bytes:
        return content

    def planted(archive: bytes, part: str, content: bytes) -> bytes:
        return rewritten(archive, lambda name, old: content if part in name and not name.endswith(".json") else old)

    return {
        "sample inputs": planted(good, "data/sample_inputs/", evil_torch),
        "weights": planted(weights, "data/weights/weight_", evil_torch),
        "tensor constants": planted(tensors, "data/constants/tensor_", evil_torch),
        "custom objects": rewritten(custom, keep, {f"torch_2.9/data/constants/custom_obj_{n}": evil for n in (0, 1)}),
        "opaque objects": rewritten(opaque, keep, {f"torch_2.9/data/constants/opaque_obj_{n}": evil for n in (0, 1)}),
        "weights, torch 2.8": planted(old, "data/weights/model.pt", evil_torch),
        "constants, torch 2.8": planted(old, "data/constants/model.pt", evil_torch),
        "sample inputs, torch 2.8": planted(old, "data/sample_inputs/", evil_torch),
        "state dict, torch 2.6": planted(older, "serialized_state_dict.pt", evil_torch),
        "constants, torch 2.6": planted(older, "serialized_constants.pt", evil_torch),
        "example inputs, torch 2.6": planted(older, "serialized_example_inputs.pt", evil_torch),
        "bare pickles": planted(older, ".pt", evil),
    }


def test_no_code_of_a_file_runs(good: bytes, path: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    loaded = {}
    for name, content in pickled_members(good, mark).items():
        path.write_bytes(content)
        loaded[name] = expect_error_or_model(path)
        assert not mark.exists(), f"code ran from {name}"
    # Sample inputs are not needed and not looked at; every other one is refused.
    assert {name for name, model in loaded.items() if model} == {name for name in loaded if " inputs" in name}


@pytest.mark.skipif(
    importlib.util.find_spec("torch.export.pt2_archive") is None,
    reason="an older torch knows no such files",
)
def test_torchs_own_loader_would_have_run_it(good: bytes, path: Path, tmp_path: Path) -> None:
    """The proof above is one only if these files do run code elsewhere."""
    mark = tmp_path / "mark"
    ran = set()
    for name, content in pickled_members(good, mark).items():
        path.write_bytes(content)
        with contextlib.suppress(Exception):
            torch.export.load(path)
        if mark.exists():
            ran.add(name)
            mark.unlink()
    assert {"sample inputs", "weights", "tensor constants", "opaque objects"} <= ran


def test_every_truncation(good: bytes, path: Path) -> None:
    for archive in (good, (PROGRAMS / "torch_2.6.pt2").read_bytes(), (PROGRAMS / "torch_2.8.pt2").read_bytes()):
        for length in {*range(64), *range(0, len(archive), 997), *range(len(archive) - 64, len(archive))}:
            path.write_bytes(archive[:length])
            with pytest.raises(InputError):
                load_model(path)


@pytest.mark.parametrize("count", [40, pytest.param(cases(2000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_bytes(good: bytes, path: Path, count: int) -> None:
    for seed, archive in enumerate((good, (PROGRAMS / "torch_2.6.pt2").read_bytes())):
        for content in mutated_bytes(archive, count, seed):
            path.write_bytes(content)
            expect_error_or_model(path)


@pytest.mark.parametrize("count", [40, pytest.param(cases(1500), marks=pytest.mark.slow(scaled=True))])
def test_mutated_structure(good: bytes, path: Path, count: int) -> None:
    """JSON that is JSON, with wrong values in it: names, shapes, strides, types, missing and doubled entries."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    loaded = 0
    for seed, (member, structure) in enumerate(members.items()):
        for changed in mutated_json(structure, count, seed):
            text = json.dumps(changed).encode()
            path.write_bytes(rewritten(good, lambda name, content, m=member, t=text: t if name == m else content))
            loaded += expect_error_or_model(path)
    assert loaded > 0  # some changes are harmless: the mutations are not just noise


@pytest.mark.parametrize("count", [60, pytest.param(cases(2000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_pickle_of_an_older_program(path: Path, count: int) -> None:
    archive = (PROGRAMS / "torch_2.6.pt2").read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as outer:
        state = outer.read("serialized_state_dict.pt")
    with zipfile.ZipFile(io.BytesIO(state)) as inner:
        (name,) = [name for name in inner.namelist() if name.endswith("data.pkl")]
        program = inner.read(name)
    for content in mutated_bytes(program, count, 5):
        changed = rewritten(state, lambda member, old, c=content: c if member == name else old)
        path.write_bytes(rewritten(archive, lambda m, old, c=changed: c if m == "serialized_state_dict.pt" else old))
        expect_error_or_model(path)


def tensor_meta(**values):
    def change(config: dict) -> None:
        config["config"]["fc1.weight"]["tensor_meta"] |= values

    return change


INT = "as_int"


@pytest.mark.parametrize(
    "values",
    [
        {"sizes": [{INT: 2**40}, {INT: 2**40}]},
        {"sizes": [{INT: 2**27}, {INT: 8}], "strides": [{INT: 0}, {INT: 0}]},
        {"sizes": [{INT: 8}, {INT: 6}], "strides": [{INT: 6}, {INT: 2}]},
        {"sizes": [{INT: 8}, {INT: 6}], "strides": [{INT: -6}, {INT: 1}]},
        {"storage_offset": {INT: 1}},
        {"storage_offset": {INT: -1}},
        {"storage_offset": {INT: 2**70}},
        {"sizes": [{INT: 1}] * 40, "strides": [{INT: 1}] * 40},
        {"sizes": [{INT: 0}, {INT: 6}]},
        {"sizes": [], "strides": []},
        {"sizes": [{INT: 48}], "strides": [{INT: 1}]},
        {"sizes": [{INT: 8.0}, {INT: 6}]},
        {"sizes": [{INT: True}, {INT: 6}]},
        {"sizes": [{"as_expr": {"expr_str": "__import__('os')"}}, {INT: 6}]},
        {"dtype": 11},
        {"dtype": 8},
        {"dtype": "float32"},
        {"dtype": None},
    ],
)
def test_tensors_that_do_not_lie_in_their_storage(good: bytes, path: Path, values: dict) -> None:
    path.write_bytes(edited(good, "model_weights_config.json", tensor_meta(**values)))
    with pytest.raises(InputError):
        load_model(path)


def test_nan_weights(good: bytes, path: Path) -> None:
    def poison(name: str, content: bytes) -> bytes:
        return struct.pack("<f", float("nan")) + content[4:] if name.endswith("weights/weight_0") else content

    path.write_bytes(rewritten(good, poison))
    with pytest.raises(InputError, match=r"fc1 \(Linear\).*NaN"):
        load_model(path)


def test_members_that_are_compressed_doubled_or_overlapping(good: bytes, path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/models/model.json", b" " * 10**8)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="compressed"):
        load_model(path)
    with pytest.warns(UserWarning, match="Duplicate"):
        path.write_bytes(rewritten(good, lambda name, content: content, {"torch_2.9/models/model.json": b"{}"}))
    with pytest.raises(InputError, match="occurs twice"):
        load_model(path)


def test_more_members_than_any_model_has(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20_001):
            archive.writestr(f"a/{number}", b"")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="members"):
        load_model(path)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 200_000,
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"a":' * 100_000,
        b"1" * 10_000,
        b"[" + b"{}," * 10**6 + b"{}]",
    ],
)
def test_json_that_is_deep_or_nothing(good: bytes, path: Path, text: bytes) -> None:
    for member in ("models/model.json", "model_weights_config.json", "model_constants_config.json"):
        path.write_bytes(rewritten(good, lambda name, content, m=member: text if name.endswith(m) else content))
        with pytest.raises(InputError):
            load_model(path)


def test_a_compiled_program_is_not_loaded(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data/aotinductor/model/model.so", b"\x7fELF")
        archive.writestr("a/archive_format", "pt2")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="a compiled one"):
        load_model(path)


def test_operators_that_do_more_than_compute_are_never_called(good: bytes, path: Path, tmp_path: Path) -> None:
    """A graph may name any operator of torch's; only those that the reader knows are run for the check."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 64)
    for target in (
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.resize_.default",
        "torch.ops.prim.device.default",
        "torch.ops.higher_order.cond",
        "os.system",
        "builtins.eval",
        "torch.ops.aten.__class__",
        "math.sin",
        "_operator.mul",
    ):

        def change(program: dict, target: str = target) -> None:
            node = program["graph_module"]["graph"]["nodes"][0]
            node["target"] = target
            node["inputs"] = [{"name": "filename", "arg": {"as_string": str(secret)}, "kind": 1}]

        path.write_bytes(edited(good, "models/model.json", change))
        with pytest.raises(InputError, match="not supported"):
            load_model(path)


def test_names_from_the_file_do_not_reach_the_terminal_raw(good: bytes, path: Path) -> None:
    def change(program: dict) -> None:
        for node in program["graph_module"]["graph"]["nodes"]:
            node["target"] = "torch.ops.aten.\x1b[31m\nevil"
            node["metadata"] = {"nn_module_stack": "a,\x1b[2J,b", "stack_trace": 'File "\x1b]0;.py", line 3, in f'}

    path.write_bytes(edited(good, "models/model.json", change))
    assert not expect_error_or_model(path)


def test_more_operators_than_any_model_has(good: bytes, path: Path) -> None:
    def change(program: dict) -> None:
        nodes = program["graph_module"]["graph"]["nodes"]
        operator = {"target": "torch.ops.aten.detach_.default", "metadata": {}}
        operator["inputs"] = [{"name": "self", "arg": {"as_tensor": {"name": "x"}}}]
        nodes[:0] = [{**operator, "outputs": [{"as_tensor": {"name": f"d{n}"}}]} for n in range(60_000)]

    path.write_bytes(edited(good, "models/model.json", change))
    with pytest.raises(InputError, match="operators"):
        load_model(path)


def test_what_the_graph_does_not_take_is_not_loaded(good: bytes, path: Path) -> None:
    """A tensor of a terabyte, made of one number, that no operator uses."""
    endless = {"sizes": [{INT: 2**20}, {INT: 2**20}], "strides": [{INT: 0}, {INT: 0}]}

    def change(config: dict) -> None:
        config["config"]["bn.num_batches_tracked"]["tensor_meta"] |= endless

    path.write_bytes(edited(good, "model_weights_config.json", change))
    assert load_model(path).output_size == 3


@pytest.mark.parametrize("batch", [10**6, 2**40, 2**100])
def test_a_fixed_batch_of_absurd_size(good: bytes, path: Path, batch: int) -> None:
    def change(program: dict) -> None:
        program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0] = {INT: batch}

    path.write_bytes(edited(good, "models/model.json", change))
    with pytest.raises(InputError, match="batch"):
        load_model(path)
