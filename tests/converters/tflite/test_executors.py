"""Bundles of the int8 form: converted, verified in every runtime, and read from a file of somebody else's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml.pipeline
from edgeml.bundle import Bundle, load
from edgeml.converters.tflite.runtimes import RUNTIMES
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed, InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode
from edgeml.network.network_file import to_bytes
from edgeml.targets.cpu.compiler import find_compiler

from .random_models import model_of_every_operator
from .test_reader import foreign_file


@pytest.fixture(scope="module")
def mlp() -> Mlp:
    generator = np.random.default_rng(0)

    def linear(outputs: int, inputs: int) -> Linear:
        return Linear(generator.normal(0, 0.3, (outputs, inputs)), generator.normal(0, 0.3, outputs))

    nodes = (
        MlpNode("a", linear(20, 12), ("input",)),
        MlpNode("b", Clamp(0.0, np.inf), ("a",)),
        MlpNode("c", linear(4, 20), ("b",)),
    )
    return Mlp("small", 12, nodes, "softmax")


@pytest.fixture(scope="module")
def bundle_of(mlp: Mlp, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Bundle]:
    """Bundles of the MLP by their options, each made once."""
    made: dict[str, Bundle] = {}
    x = np.random.default_rng(1).normal(0, 1, (300, 12))

    def bundle(**options: object) -> Bundle:
        if find_compiler() is None:
            pytest.skip("no C compiler")
        key = repr(sorted(options.items()))
        if key not in made:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr("edgeml.frontends.load_model", lambda *given, **named: mlp)  # in place of a model file
                made[key] = edgeml.pipeline.convert(
                    "small",
                    to="tflite",
                    target="host",
                    data=Dataset(x, x[:60]),
                    output=tmp_path_factory.mktemp("bundles") / "b",
                    options=options,
                )
        return made[key]

    return bundle


def verdicts(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """What the conversion itself found, by executor."""
    return {verdict["name"]: verdict for verdict in bundle.manifest["verification"]}


@pytest.mark.parametrize(
    "options",
    [{}, {"rounding": "litert"}, {"float_io": True}, {"softmax": "keep"}, {"float_io": True, "softmax": "keep"}],
)
def test_every_runtime_that_is_here_is_exact(bundle_of: Callable[..., Bundle], options: dict[str, object]) -> None:
    found = verdicts(bundle_of(**options))
    for name, runtime in RUNTIMES.items():
        expected = "unavailable" if runtime.missing() else "exact"
        assert found[name]["status"] == expected, found[name]["detail"]
    assert found["native"]["status"] == "exact"


def test_the_table_says_who_agrees_with_whom(bundle_of: Callable[..., Bundle]) -> None:
    if missing := RUNTIMES["tflm"].missing() or RUNTIMES["litert"].missing():
        pytest.skip(missing)
    found = verdicts(bundle_of())
    assert "rounds double_rounding: all bytes equal the bundle's own" in found["tflm"]["detail"]
    assert "arena" in found["tflm"]["detail"]
    assert "rounds fp32_rne" in found["litert"]["detail"]


def test_in_universal_mode_all_of_them_agree(bundle_of: Callable[..., Bundle]) -> None:
    bundle = bundle_of(rounding="shift")
    for name, verdict in verdicts(bundle).items():
        if name in RUNTIMES and not RUNTIMES[name].missing():
            assert verdict["status"] == "exact"
            assert "all bytes equal the bundle's own" in verdict["detail"]


def test_a_width_that_a_runtime_does_not_take_is_reported(bundle_of: Callable[..., Bundle]) -> None:
    found = verdicts(bundle_of(weight_bits=2, epochs=0))
    if not RUNTIMES["tflm"].missing():
        assert found["tflm"]["status"] == "unavailable"
        assert "does not take 2-bit weights per channel" in found["tflm"]["detail"]
    if not RUNTIMES["litert"].missing():
        assert found["litert"]["status"] == "exact"


def test_a_file_with_one_weight_changed_is_no_longer_the_bundles(
    bundle_of: Callable[..., Bundle], tmp_path: Path
) -> None:
    """Whatever a runtime is held against, the file must first be the bundle's own network."""
    if missing := RUNTIMES["litert"].missing():
        pytest.skip(missing)
    from edgeml.converters.tflite.executors import litert
    from edgeml.converters.tflite.flatbuffer import read_root

    folder = tmp_path / "copy"
    shutil.copytree(bundle_of(rounding="shift").folder, folder)
    bundle = load(folder)  # before the change, which `load` would find by its hash
    (path,) = (folder / "tflite").glob("*.tflite")
    content = bytearray(path.read_bytes())
    weights = next(b["data"] for b in read_root(bytes(content))["buffers"] if b["data"].size == 240)
    start = bytes(content).find(weights.tobytes())
    content[start] = (content[start] + 128) % 256
    path.write_bytes(bytes(content))
    q, _ = bundle.golden()
    with pytest.raises(CheckFailed, match="is not the bundle's network"):
        litert.run(bundle, q, trace=False, options={})


def test_a_foreign_file_is_kept_byte_for_byte_and_computed_by_the_c(tmp_path: Path) -> None:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    path = tmp_path / "theirs.tflite"
    path.write_bytes(foreign_file())
    bundle = edgeml.pipeline.convert(
        path, to="tflite", target="host", output=tmp_path / "b", options={"rounding": "litert"}
    )
    assert (bundle.folder / "tflite" / "theirs.tflite").read_bytes() == path.read_bytes()
    assert verdicts(bundle)["native"]["status"] == "exact"
    with pytest.raises(InputError, match="cannot change a model that is quantized already"):
        edgeml.pipeline.convert(path, to="tflite", target="host", output=tmp_path / "c", options={"weight_bits": 4})


@pytest.mark.parametrize("options", [{}, {"rounding": "litert"}, {"rounding": "shift"}])
def test_our_own_file_becomes_the_same_network_again(
    bundle_of: Callable[..., Bundle], options: dict[str, object]
) -> None:
    bundle = bundle_of(**options)
    (path,) = (bundle.folder / "tflite").glob("*.tflite")
    assert to_bytes(load_model(path)) == to_bytes(bundle.network)


def test_a_model_of_every_operator_runs_in_c(tmp_path: Path) -> None:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    from edgeml.converters.tflite.writer import write

    path = tmp_path / "operators.tflite"
    path.write_bytes(write(model_of_every_operator(np.random.default_rng(9), unsigned_input=True)))
    bundle = edgeml.pipeline.convert(path, to="tflite", target="host", output=tmp_path / "b")
    found = verdicts(bundle)
    assert found["native"]["status"] == "exact"
    assert all(found[name]["status"] in ("exact", "unavailable") for name in RUNTIMES)
