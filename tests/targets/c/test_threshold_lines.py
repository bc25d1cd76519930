"""Thresholds on a line in generated C: the right count just at and just below every threshold of every channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, ValueRange, simulate
from edgeml.targets.c import Dialect, generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.layers import threshold
from edgeml.targets.c.threshold_lines import stored_lines
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.dialect import dialect_for
from tests.sweeps import cases, seed_for
from tests.targets.cpu.bodies import BODIES, body_flags

from .line_networks import line_network

_MCU = replace(dialect_for((RowsKernel(),)), tile=4)
_TRAP = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")

FORMS = {  # levels, bits of weights, thresholds beside their line: the kernel
    "a word": ((7, 2, 0), "edgeml_threshold_line_packed"),
    "offsets of 16 bits": ((15, 4, 0), "edgeml_threshold_line_s16"),
    "offsets of 32 bits": ((255, 8, 0), "edgeml_threshold_line_s32"),
    "exceptions": ((63, 8, 3), "edgeml_threshold_exceptions"),
}


@pytest.fixture(autouse=True)
def _every_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages that run alone see all thresholds, from both sides."""
    monkeypatch.setattr(threshold, "_TURNS", 255)


def _text(network: Network, dialect: Dialect) -> str:
    return generate(network, dialect).files[f"{network.name}.c"]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_exact_at_every_threshold_and_has_no_undefined_behaviour(form: str) -> None:
    (levels, weight_bits, moved), kernel = FORMS[form]
    network = line_network(0, levels, weight_bits, moved=moved)
    assert f"{kernel}(" in _text(network, _MCU)
    for flags in (("-O1", "-DEDGEML_PORTABLE", *_TRAP), ("-O2",)):
        native = NativeNetwork(network, _MCU, flags=flags)
        assert native.check_layers() > 2 * 255


@pytest.mark.parametrize("body", BODIES)
def test_cpus_compute_many_levels_on_lines(body: str) -> None:
    network = line_network(5, 255, 8, channels=70, moved=2)
    flags = body_flags(body, "-O3")
    assert "edgeml_threshold_line_s32(" in _text(network, CPU_DIALECT)
    assert "edgeml_threshold_line" not in _text(line_network(5, 15, 8), CPU_DIALECT)
    native = NativeNetwork(network, CPU_DIALECT, flags=flags)
    assert native.check_layers() > 2 * 255
    q = np.random.default_rng(0).integers(0, 256, (500, 24)).astype(np.int32)
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@pytest.mark.parametrize(("weight", "bias"), [(0, 0), (0, -(2**31)), (0, 2**31 - 1), (1, -(2**31)), (1, 2**31 - 256)])
def test_lines_at_the_ends_of_32_bits_and_of_sums_that_are_always_zero(weight: int, bias: int) -> None:
    source = InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 8, False)
    rows = np.clip(bias + np.tile(np.arange(1, 256), (9, 1)), -(2**31), 2**31 - 1)
    nodes = (
        Node("input", source),
        Node("a", Dense(np.full((9, 1), weight), 2, np.full(9, bias)), ("input",)),
        Node("b", Threshold(rows, 0), ("a",)),
    )
    network = Network("net", nodes, Output(np.array([1.0])))
    for dialect in (_MCU, CPU_DIALECT):
        for flags in (("-O1", "-DEDGEML_PORTABLE", "-Wall", "-Wextra", "-Wconversion", "-Werror", *_TRAP), ("-O2",)):
            native = NativeNetwork(network, dialect, flags=flags)
            native.check_layers()
            q = np.arange(256, dtype=np.int32)[:, None]
            np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@pytest.mark.parametrize("end", [0, 1, -(2**31), 2**31 - 1])
def test_the_scale_of_sums_fits_32_bits(end: int) -> None:
    acc = ValueRange(np.array([end]), np.array([end]))
    stored = stored_lines(np.arange(1, 256, dtype=np.int32)[None], acc, vectors=True)
    assert stored is not None
    assert 1 <= stored.arguments[0] < 2**31


def test_thresholds_on_no_line_stay_a_table_and_so_do_few_that_a_line_would_not_make_smaller() -> None:
    scattered = line_network(1, 15, 8)
    rows = np.sort(np.random.default_rng(3).integers(-4000, 4000, (33, 15)), axis=1).astype(np.int32)
    nodes = tuple(
        replace(node, layer=replace(node.layer, thresholds=rows)) if node.name == "b" else node
        for node in scattered.nodes
    )
    assert "edgeml_threshold_rows_s16(" in _text(replace(scattered, nodes=nodes), _MCU)
    assert "edgeml_threshold_three" in _text(line_network(2, 3, 2, channels=6), _MCU)


def test_a_channel_may_miss_two_thresholds_and_no_more() -> None:
    acc = ValueRange(np.array([-100_000]), np.array([100_000]))
    row = np.ceil(np.arange(1, 64) * 1234.56).astype(np.int32)
    row[[10, 30]] += 400
    stored = stored_lines(row[None], acc, vectors=False)
    assert stored is not None
    assert [channel for channel, *_ in stored.exceptions] == [0, 0]
    row[[20, 40]] -= 400
    assert stored_lines(row[None], acc, vectors=False) is None


@pytest.mark.parametrize("name", ["m4", "m0"])
def test_cores_are_exact_at_thresholds(name: str) -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    _on_core(line_network(9, 255 if name == "m4" else 15, 8, channels=17, moved=1), name)


def _on_core(network: Network, name: str, optimize: str = "-Os") -> None:
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.layers_alone import layers_alone, traced_image

    chip = core(name)
    firmware = firmware_files(network, chip, {})
    assert "edgeml_threshold_line" in firmware.files["src/net.c"]
    assert layers_alone(Emulator(chip, traced_image(firmware, chip, optimize)), firmware.program) > 2 * 255


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_every_core_is_exact_over_twenty_thousand_vectors(name: str) -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    for case in range(cases(40)):
        levels, weight_bits, moved = [form for form, _ in FORMS.values()][case % 4]
        network = line_network(seed_for(100 + case), levels, weight_bits, channels=24, moved=moved)
        _on_core(network, name, ("-Os", "-O2")[case // 4 % 2])


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", BODIES)
def test_every_body_is_exact_over_twenty_thousand_vectors(body: str) -> None:
    flags = body_flags(body, "-O3")
    for case in range(cases(40)):
        network = line_network(seed_for(case), (31, 63, 127, 255)[case % 4], 8, channels=40 + case, moved=case % 3)
        assert NativeNetwork(network, CPU_DIALECT, flags=flags).check_layers() > 2 * 255
