"""A .tflite file is held to what its receiver gets: one that lost a scale is found, though its integers are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeml.pipeline
from edgeml.bundle import Bundle
from edgeml.converters.tflite.executors import litert, tflm
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES
from edgeml.converters.tflite.writer import write
from edgeml.data.dataset import Dataset
from edgeml.network import simulate
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.verification.reception import compare
from edgeml.verification.verify import Verdict, run_executors

from .test_input_form import SCALAR, UNLIKE, normalised

BLANK = Verdict("received", "unavailable")


@pytest.fixture(scope="module", params=["int8", "float", "unlike float"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    mlp, x = normalised(*(UNLIKE if request.param == "unlike float" else SCALAR))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("edgeml.frontends.load_model", lambda *given, **named: mlp)  # in place of a model file
        return edgeml.pipeline.convert(
            "normal",
            to="tflite",
            target="host",
            data=Dataset(x, x[:60]),
            output=tmp_path_factory.mktemp("bundles") / "b",
            options={"float_io": request.param != "int8"},
        )


def test_every_runtime_receives_real_numbers_from_the_file_alone(bundle: Bundle) -> None:
    found = {verdict["name"]: verdict for verdict in bundle.manifest["verification"]}
    for name, runtime in RUNTIMES.items():
        if runtime.missing():
            continue
        received = found[f"{name}, real numbers"]
        assert (received["status"], received["question"]) == ("exact", "real numbers"), received
        assert received["vectors"] == min(len(bundle.golden()[0]), 192) + 60
        assert "of 60 samples" in received["detail"]


def _without_normalisation(model: Model) -> Model:
    """The fault that there was: integers of the normalised input, in a file that says nothing of the normalisation."""
    first = model.tensors[model.input]
    if model.input_offset.any():
        return replace(model, input_offset=np.zeros(1), input_scale=np.ones(1))
    return replace(model, tensors={**model.tensors, model.input: replace(first, scale=first.scale / 128)})


def _another_output_scale(model: Model) -> Model:
    last = model.tensors[model.output]
    scale = float(np.float32(last.scale * 1.02))
    return replace(model, tensors={**model.tensors, model.output: replace(last, scale=scale)})


@pytest.mark.parametrize("damage", [_without_normalisation, _another_output_scale])
@pytest.mark.parametrize("receiver", [litert, tflm], ids=["litert", "tflm"])
def test_a_file_that_lost_what_it_says_of_real_numbers_is_found_out(
    bundle: Bundle, tmp_path: Path, damage: Callable[[Model], Model], receiver: object
) -> None:
    if receiver.runtime.missing():  # type: ignore[attr-defined]
        pytest.skip(receiver.runtime.missing())  # type: ignore[attr-defined]
    (path,) = (bundle.folder / "tflite").glob("*.tflite")
    (tmp_path / "tflite").mkdir()
    (tmp_path / "golden").symlink_to(bundle.folder / "golden")
    (tmp_path / "tflite" / path.name).write_bytes(write(damage(read_model(path.read_bytes()))))
    damaged = replace(bundle, folder=tmp_path)
    verdict = compare(BLANK, receiver, damaged, bundle.network)
    assert verdict is not None
    assert verdict.status == "mismatch"
    assert verdict.mismatches > len(bundle.golden()[0]) // 2
    name = receiver.runtime.name  # type: ignore[attr-defined]
    assert all(verdict.refutes for verdict in run_executors(damaged, [name]))


def test_a_kept_softmax_gives_the_probabilities_of_the_bundles_logits(tmp_path: Path) -> None:
    if litert.runtime.missing() or find_compiler() is None:
        pytest.skip("no LiteRT, or no C compiler")
    mlp, x = normalised(*SCALAR)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("edgeml.frontends.load_model", lambda *given, **named: replace(mlp, final="softmax"))
        bundle = edgeml.pipeline.convert(
            "normal",
            to="tflite",
            target="host",
            data=Dataset(x, x[:20]),
            output=tmp_path / "b",
            options={"softmax": "keep"},
        )
    assert any("ends in a softmax" in note for note in bundle.manifest["notes"])
    reception = litert.receive(bundle, x[:20])
    assert reception.softmax
    np.testing.assert_allclose(reception.real.sum(axis=1), 1, atol=0.02)
    logits = bundle.network.output.real(simulate(bundle.network, bundle.network.quantizer.quantize(x[:20])))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(reception.real, powers / powers.sum(axis=1, keepdims=True), atol=2 / 256)


def test_an_inference_is_timed_apart_from_the_start_of_its_process(bundle: Bundle) -> None:
    if litert.runtime.missing():
        pytest.skip(litert.runtime.missing())
    q, _ = bundle.golden()
    assert 0 < litert.benchmark(bundle, q[:1]) < litert.setup(bundle) / 10
