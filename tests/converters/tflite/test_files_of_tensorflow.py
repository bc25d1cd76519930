"""Files that TensorFlow's converter wrote (`files/make.py`) are read as what they are: int8 files as the integers that
each runtime gives, float files as float models; the rest is refused for the right reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.reader import ending_at, read_model, tensor_indices
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.errors import EdgemlError, InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Linear, Mlp
from edgeml.network import Network, simulate
from edgeml.network.task import BINARY

FILES = Path(__file__).parent / "files"
WITH_SOFTMAX = ("classifier_int8", "classifier_uint8", "classifier_float_io", "pooled_image_uint8")
INTEGERS = (
    "flatten_int8", "flatten_int8_one", "residual_int8", "detector_uint8", "normalised_int8", "rescaled_int8",
    "rescaled_uint8", "image_int8", "window_int8", "joined_int8", "gated_int8", "excited_uint8", "bent_int8",
    "smooth_int8",
)  # fmt: skip
LACKING = {("tflm", "smooth_int8")} | {(name, "curves_int8") for name in ("tflm", "litert-ref", "tflite-runtime-ref")}
"""Runtimes without GELU or ELU, and the files that have these."""
FLOATS = (
    "flatten_float", "residual_float", "classifier_float", "normalised_float", "image_float", "pooled_image_float",
    "window_float", "curves_float", "wide_float16", "joined_float", "gated_float", "excited_float",
)  # fmt: skip


def stored(name: str) -> dict[str, Any]:
    """x, q and y of a file, a row for each sample."""
    with np.load(FILES / f"{name}.npz") as arrays:
        return {key: arrays[key].reshape(len(arrays[key]), -1) for key in ("x", "q", "y")}


def content(name: str) -> bytes:
    return (FILES / f"{name}.tflite").read_bytes()


@pytest.mark.parametrize("name", INTEGERS)
def test_the_integers_are_those_of_the_reference_kernels(name: str) -> None:
    answers, network = stored(name), lower(read_model(content(name)), RUNTIMES["litert-ref"].rounding)
    assert np.array_equal(network.quantizer.quantize(answers["x"].astype(np.float64)), answers["q"])
    assert np.array_equal(simulate(network, answers["q"].astype(np.int32)), answers["y"])
    assert len(np.unique(answers["y"])) > 20


@pytest.mark.parametrize("name", WITH_SOFTMAX)
def test_behind_a_softmax_the_answers_are_those_of_the_file(name: str) -> None:
    """Of probabilities in steps of 1/256 several may be equal."""
    answers, network = stored(name), lower(read_model(content(name)), RUNTIMES["litert-ref"].rounding)
    chosen = network.output.real(simulate(network, network.quantizer.quantize(answers["x"].astype(np.float64)))).argmax(
        1
    )
    assert np.all(answers["y"][np.arange(len(chosen)), chosen] == answers["y"].max(axis=1))
    assert len(set(chosen.tolist())) > 1


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_every_runtime_gives_the_integers_of_its_rule(runtime: str) -> None:
    """For random bytes, through one process; where a softmax ends the file, up to it."""
    if missing := RUNTIMES[runtime].missing():
        pytest.skip(f"{runtime}: {missing}")
    generator = np.random.default_rng(3)
    with Session(RUNTIMES[runtime]) as session:
        for name in (*INTEGERS, *WITH_SOFTMAX, "curves_int8"):
            model, file = read_model(content(name)), content(name)
            if any(RUNTIMES[runtime].refusal(operator) for operator in model.operators):
                assert (runtime, name) in LACKING
                continue
            info = model.tensors[model.input]
            q = generator.integers(info.low, info.high + 1, (600 if runtime == "tflite-runtime" else 60, info.size))
            if model.ends_behind_integers:
                file = ending_at(file, tensor_indices(file)[model.logits.name])
            fed = (q - info.zero_point) * np.float32(info.scale) if model.float_input else q
            kind = np.float32 if model.float_input else np.int8 if info.signed else np.uint8
            (found,), _ = session.run(file, fed.astype(kind))
            expected = simulate(lower(model, RUNTIMES[runtime].rounding), q.astype(np.int32))
            assert np.array_equal(found.astype(np.int32), expected), name


def test_a_probability_decides_a_binary_task() -> None:
    network, answers = load_model(FILES / "detector_uint8.tflite"), stored("detector_uint8")
    assert isinstance(network, Network)
    assert network.task == BINARY
    found = simulate(network, answers["q"].astype(np.int32))[:, 0] > network.output.decision_threshold
    assert np.array_equal(found, answers["y"][:, 0] > 128)


@pytest.mark.parametrize("name", FLOATS)
def test_a_float_file_is_its_float_model(name: str) -> None:
    mlp, answers = load_model(FILES / f"{name}.tflite"), stored(name)
    assert isinstance(mlp, Mlp)
    found = mlp.evaluate(answers["x"].astype(np.float64))
    if mlp.final == "softmax":
        found = np.exp(found) / np.exp(found).sum(axis=1, keepdims=True)
    assert np.abs(found - answers["y"]).max() < 1e-5
    assert np.ptp(answers["y"]) > 0.1


def test_integer_weights_come_in_as_their_real_numbers() -> None:
    """The file's runtime quantizes activations for each sample, and is that much away."""
    mlp, answers = load_model(FILES / "wide_dynamic.tflite"), stored("wide_dynamic")
    assert isinstance(mlp, Mlp)
    found = mlp.evaluate(answers["x"].astype(np.float64))
    assert np.abs(found - answers["y"]).max() < 0.02 * np.ptp(answers["y"])
    steps = next(node.operator.weight for node in mlp.nodes if isinstance(node.operator, Linear))
    assert all(len(np.unique(row)) <= 255 for row in steps)


REFUSED = {
    "wide_int16": ("16-bit activations", "TFLITE_BUILTINS_INT8"),
    "recurrent_float": ("an LSTM is not supported", "Conv1D or Dense on windows"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_the_rest_is_refused_with_what_to_do(name: str) -> None:
    problem, remedy = REFUSED[name]
    with pytest.raises(InputError) as caught:
        load_model(FILES / f"{name}.tflite")
    assert problem in str(caught.value)
    assert remedy in caught.value.remedy


def test_a_convolution_runs_as_c_and_in_the_runtimes(tmp_path: Path) -> None:
    bundle = edgeml.convert(
        FILES / "image_int8.tflite", to="tflite", target="host", output=tmp_path / "m", options={"rounding": "litert"}
    )
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert verdicts["native"] == "exact"
    assert {status for name, status in verdicts.items() if "numbers" not in name} <= {"exact", "unavailable"}, verdicts


def test_a_float_file_converts_like_any_model(tmp_path: Path) -> None:
    answers = stored("flatten_float")
    bundle = edgeml.convert(
        FILES / "flatten_float.tflite", to="quantized", target="host", output=tmp_path / "m",
        options={"bits": 8}, data={"x": answers["x"]},
    )  # fmt: skip
    found = bundle.run(answers["x"]).real
    assert np.mean(found.argmax(axis=1) == answers["y"].argmax(axis=1)) > 0.9


def _damaged(original: bytes, generator: np.random.Generator) -> bytes:
    damaged = bytearray(original)
    for _ in range(int(generator.integers(1, 5))):
        position = int(generator.integers(0, len(damaged) - 4)) // 4 * 4
        value = int(generator.choice([0, 1, 5, 255, 65_535, 2**31 - 1, 2**32 - 1, generator.integers(0, 2**32)]))
        damaged[position : position + 4] = value.to_bytes(4, "little")
    return bytes(damaged)


def test_damaged_files_are_errors_and_never_crashes() -> None:
    from edgeml.converters.tflite.flatbuffer import read_root
    from edgeml.converters.tflite.float_files.reader import is_float_file, read_float_file

    generator, read = np.random.default_rng(4), 0
    names = (
        "image_float", "flatten_float", "window_int8", "normalised_int8", "wide_float16", "joined_int8",
        "excited_uint8", "bent_int8", "curves_int8", "joined_float",
    )  # fmt: skip
    for turn in range(600):
        file = _damaged(content(names[turn % len(names)]), generator)
        try:
            root = read_root(file)
            if is_float_file(root):
                read_float_file(root, "file", "m")
            else:
                lower(read_model(file), "double_rounding")
            read += 1
        except EdgemlError:
            continue
    assert 0 < read < 600
