"""The executor `native`: what it runs, what it refuses, and what it says where it cannot run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.bundle import Bundle
from edgeml.errors import CheckFailed, InputError, MissingTool, ToolFailed
from edgeml.network import Network, trace
from edgeml.profile import load_profile
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.cpu import compiler as compiler_module
from edgeml.targets.cpu.compiler import Compiler
from edgeml.targets.cpu.native import NativeExecutor
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.network.random_networks import random_inputs
from tests.targets.cpu.bodies import the_compiler


@pytest.fixture
def bundle(small_network: Network, tmp_path: Path) -> Bundle:
    the_compiler()
    profile = load_profile("host")
    CpuTarget().emit(small_network, profile, tmp_path, {})
    target = {"name": profile.name, "kind": profile.kind, "description": profile.description, "values": profile.values}
    return Bundle(tmp_path, small_network, {"form": "quantized", "target": target})


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    for module in ("edgeml.targets.cpu.compiler", "edgeml.targets.cpu.native_network"):
        monkeypatch.setattr(f"{module}.find_compiler", lambda name="": None)


def test_outputs_and_every_layer_equal_golden(bundle: Bundle) -> None:
    q = random_inputs(bundle.network, 100, 1)
    execution = NativeExecutor().run(bundle, q, trace=True, options={})
    expected = trace(bundle.network, q)
    np.testing.assert_array_equal(execution.outputs, expected["dense2"])
    assert set(execution.trace) == {"act1", "dense2"}
    for name, values in execution.trace.items():
        np.testing.assert_array_equal(values, expected[name])
    assert the_compiler().version in execution.detail


def test_it_applies_to_cpu_bundles_with_c_only(bundle: Bundle, tmp_path: Path) -> None:
    executor = NativeExecutor()
    assert executor.applies(bundle)
    assert executor.missing(bundle) == ""
    other = {**bundle.manifest, "target": {**bundle.manifest["target"], "kind": "mcu"}}
    assert not executor.applies(Bundle(bundle.folder, bundle.network, other))
    assert not executor.applies(Bundle(tmp_path / "nothing", bundle.network, bundle.manifest))


@pytest.mark.parametrize("name", ["small.c", "small.h", "edgeml/common.h"])
def test_c_that_differs_from_what_is_generated_is_not_run(bundle: Bundle, name: str) -> None:
    path = bundle.folder / "c" / name
    path.write_text(path.read_text() + "\n/* changed */\n")
    with pytest.raises(CheckFailed, match="differs from the C that this edgeml generates"):
        NativeExecutor().run(bundle, random_inputs(bundle.network, 3, 1), trace=False, options={})


def test_c_that_lacks_a_file_is_not_run(bundle: Bundle) -> None:
    (bundle.folder / "c" / "small.c").unlink()
    with pytest.raises(CheckFailed, match="differs"):
        NativeExecutor().run(bundle, random_inputs(bundle.network, 3, 1), trace=False, options={})


def test_trusted_c_runs_as_it_is(bundle: Bundle) -> None:
    path = bundle.folder / "c" / "small.c"
    marker = "int32_t small_invoke(const int8_t *input, int32_t *output, void *arena)\n{\n"
    text = path.read_text()
    assert marker in text
    q = random_inputs(bundle.network, 3, 1)
    path.write_text(text.replace("    int32_t label;\n", "    int32_t label = 0;\n    (void)label;\n", 1))
    options = {"trust_code": True}
    execution = NativeExecutor().run(bundle, q, trace=True, options=options)
    np.testing.assert_array_equal(execution.outputs, trace(bundle.network, q)["dense2"])
    assert execution.trace == {}
    path.write_text(text.replace("small_invoke(const int8_t *input", "small_invoke(const int8_t *unused", 1))
    with pytest.raises(ToolFailed, match="unused"):
        NativeExecutor().run(bundle, q, trace=False, options=options)


def test_unknown_options_are_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="trust_code"):
        NativeExecutor().run(bundle, random_inputs(bundle.network, 3, 1), trace=False, options={"trust": True})


@pytest.mark.parametrize("q", [np.full((2, 12), 128), np.zeros((2, 11), int), np.zeros((2, 12)), np.zeros(12, int)])
def test_inputs_that_do_not_fit_are_refused(bundle: Bundle, q: np.ndarray) -> None:
    with pytest.raises(InputError, match="input"):
        NativeExecutor().run(bundle, q, trace=False, options={})


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_it_says_what_to_install(small_network: Network, tmp_path: Path) -> None:
    CpuTarget().emit(small_network, load_profile("host"), tmp_path, {})
    target = {"name": "host", "kind": "cpu", "description": "", "values": {}}
    bundle = Bundle(tmp_path, small_network, {"form": "quantized", "target": target})
    assert "edgeml-exact[toolchain]" in NativeExecutor().missing(bundle)
    with pytest.raises(MissingTool, match="toolchain"):
        NativeNetwork(small_network)


def test_the_compiler_named_in_cc_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = the_compiler()
    compiler_module.find_compiler.cache_clear()
    try:
        monkeypatch.setenv("CC", " ".join(found.command))
        assert compiler_module.find_compiler().command == found.command
        compiler_module.find_compiler.cache_clear()
        monkeypatch.setenv("CC", "/nonexistent/cc")
        assert compiler_module.find_compiler() is None
        assert "'/nonexistent/cc', which does not run" in compiler_module.missing_compiler()
    finally:
        compiler_module.find_compiler.cache_clear()


def test_a_compiled_loop_is_timed(bundle: Bundle) -> None:
    q = random_inputs(bundle.network, 64, 1)
    assert 0 < NativeExecutor().benchmark(bundle, q[:1]) < 1e-3
    assert 0 < NativeExecutor().benchmark(bundle, q) < 1e-3


@pytest.mark.parametrize("samples", [1, 30])
def test_prepared_calls_write_the_same_outputs(small_network: Network, samples: int) -> None:
    the_compiler()
    q = random_inputs(small_network, samples, 4)
    call, outputs = NativeNetwork(small_network).prepare(q)
    call()
    np.testing.assert_array_equal(outputs, trace(small_network, q)["dense2"])


def test_a_library_is_compiled_once_and_without_a_cache_each_time(
    small_network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    the_compiler()
    q = random_inputs(small_network, 3, 1)
    expected = trace(small_network, q)["dense2"]
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))
    np.testing.assert_array_equal(NativeNetwork(small_network).invoke(q), expected)
    (library,) = (tmp_path / "cache" / "libraries").iterdir()

    def no_compiler(*_: object) -> None:
        raise AssertionError("compiled again")

    with monkeypatch.context() as patched:
        patched.setattr(Compiler, "run", no_compiler)
        np.testing.assert_array_equal(NativeNetwork(small_network).invoke(q), expected)
        damaged = library.read_bytes()[:-1]
        library.unlink()  # this process has it mapped: written in place, its end would be torn away
        library.write_bytes(damaged)
        with pytest.raises(AssertionError, match="compiled again"):
            NativeNetwork(small_network)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "file"))
    np.testing.assert_array_equal(NativeNetwork(small_network).invoke(q), expected)
