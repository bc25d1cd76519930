"""The microcontroller target end to end: bundles, executors, rules, the self-test, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml import bench
from edgeml.bench import instructions
from edgeml.bundle import Bundle, load
from edgeml.errors import CheckFailed, InputError, MissingTool
from edgeml.network import simulate
from edgeml.profile import Profile, load_profile, profile_names
from edgeml.targets.c.source import used_constants
from edgeml.targets.mcu import McuTarget
from edgeml.targets.mcu.cores import CORES, UNICORN_CORES, core
from edgeml.targets.mcu.dialect import dialect_with
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.measure import choose_kernels, measure
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.verification.verify import verify

from .networks import bundle_for, random_inputs, random_network

VECTORS_PER_CORE = 10_000
needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
BOARDS = {"m3": "qemu-mps2-an385", "m4": "qemu-mps2-an386", "m7": "qemu-mps2-an500", "m33": "qemu-mps2-an505"}
TARGETS = {"m0": "cortex-m0plus", "m3": "cortex-m3", "m4": "cortex-m4", "m7": "cortex-m7", "m33": "cortex-m33"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_for(random_network(1, (20, 24, 5), 2), "cortex-m4", tmp_path_factory.mktemp("m4"))


def test_a_bundle_verifies_on_the_emulated_core_at_every_layer(bundle: Bundle) -> None:
    verdict, received = verify(bundle, ["unicorn-m4"])
    assert (verdict.status, verdict.mismatches) == ("exact", 0), verdict
    assert (received.name, received.status) == ("unicorn-m4, real numbers", "exact"), received
    # Sums behind which thresholds stand are in no memory.
    assert verdict.layers == len(bundle.network.layers) - 1


def test_metrics_tell_flash_ram_stack_and_instructions_of_each_layer(bundle: Bundle) -> None:
    metrics = bundle.manifest["metrics"]["target"]
    firmware = firmware_files(bundle.network, core("m4"), metrics["kernels"])
    image = library_image(firmware, core("m4"), optimize=metrics["optimize"])
    assert metrics["flash_bytes"] == sum(image.sections.values())
    assert metrics["ram_bytes"] == metrics["arena_bytes"]
    assert metrics["stack_bytes"] > 0
    inside = sum(layer["instructions"] for layer in metrics["layers"].values())
    assert 0.9 * metrics["instructions"] < inside <= metrics["instructions"]
    assert metrics["kernels"] == {
        "net_layer_dense0": "w2_levels",
        "net_layer_dense1": metrics["kernels"]["net_layer_dense1"],
    }


def test_no_kernel_is_much_quicker_than_the_chosen_ones(bundle: Bundle) -> None:
    chip = core("m4")
    chosen = choose_kernels(bundle.network, chip)
    best = measure(firmware_files(bundle.network, chip, chosen), chip).instructions
    for other in ("w2_dsp", "w2_levels", "w4_dsp", "w8_dsp", "rows"):
        found = measure(firmware_files(bundle.network, chip, dict.fromkeys(chosen, other)), chip)
        assert best <= found.instructions * 9 / 8


@needs_qemu
@pytest.mark.parametrize("name", ["m4", *(pytest.param(n, marks=pytest.mark.slow) for n in ("m3", "m7", "m33"))])
def test_qemu_and_unicorn_agree_on_integers_layers_and_instructions(name: str, tmp_path: Path) -> None:
    made = bundle_for(random_network(2, (20, 24, 5), 2), TARGETS[name], tmp_path)
    q = random_inputs(made.network, 3, 40)
    board = made.executor(BOARDS[name]).run(made, q, trace=True, options={})
    emulated = made.executor(f"unicorn-{name}").run(made, q, trace=True, options={})
    np.testing.assert_array_equal(board.outputs, simulate(made.network, q))
    np.testing.assert_array_equal(board.outputs, emulated.outputs)
    assert list(board.trace) == list(emulated.trace)
    for layer, values in board.trace.items():
        np.testing.assert_array_equal(values, emulated.trace[layer])
    # The clock is read around the call, which takes a few instructions more than the call itself.
    assert 0 <= board.measures["instructions"] - emulated.measures["instructions"] < 60
    again = made.executor(BOARDS[name]).run(made, q, trace=False, options={})
    assert abs(again.measures["instructions"] - board.measures["instructions"]) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_ten_thousand_vectors_of_every_width_are_exact(name: str) -> None:
    cases = [(1, 2), (2, 2), (2, 4), (3, 3), (4, 4), (8, 8)]
    for weight_bits, activation_bits in cases:
        network = random_network(weight_bits, (24, 20, 16, 6), weight_bits, activation_bits, signed=weight_bits == 3)
        chip = core(name)
        firmware = firmware_files(network, chip, {})
        runner = NetworkRunner(Emulator(chip, library_image(firmware, chip)), firmware.program)
        q = random_inputs(network, 4, -(-VECTORS_PER_CORE // len(cases)))
        np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))


def test_the_self_test_catches_every_single_bit_error() -> None:
    """Every bit of every constant is flipped in flash, one at a time."""
    network = random_network(5, (8, 6, 3), 2)
    chip = core("m4")
    firmware = firmware_files(network, chip, {})
    image = library_image(firmware, chip, self_test=True)
    emulator = Emulator(chip, image)
    runner = NetworkRunner(emulator, firmware.program)
    assert runner.self_test() == 0
    flipped = 0
    for array in used_constants(firmware.program.layout):
        address = image.address(array.name)
        for offset in range(array.bytes):
            (byte,) = emulator.read(address + offset, 1)
            for bit in range(8):
                emulator.write(address + offset, bytes([byte ^ 1 << bit]))
                assert runner.self_test() == 1
                flipped += 1
            emulator.write(address + offset, bytes([byte]))
    assert flipped == 8 * firmware.program.constant_bytes
    assert runner.self_test() == 0


def test_a_stray_write_is_reported_with_its_function() -> None:
    network = random_network(5, (8, 6, 3), 2)
    chip = core("m0")
    image = library_image(firmware_files(network, chip, {}), chip)
    emulator = Emulator(chip, image)
    with pytest.raises(CheckFailed, match="faults in net"):
        emulator.call("net_invoke", emulator.allocate(8), 0x9000_0000, emulator.allocate(4096))


def test_a_tampered_bundle_is_not_built(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(bundle.folder, folder)
    source = folder / "c" / "src" / "net.c"
    source.write_text(source.read_text() + "\nint evil;\n")
    (verdict,) = verify(Bundle(folder, bundle.network, bundle.manifest), ["unicorn-m4"])
    assert verdict.status == "error"
    assert "net.c" in verdict.detail


@pytest.mark.parametrize(
    "metrics", [None, [], {"target": 3}, {"target": {"kernels": [1]}}, {"target": {"optimize": {}}}]
)
def test_a_nonsensical_description_is_an_error_or_the_default(bundle: Bundle, metrics: object) -> None:
    (verdict,) = verify(Bundle(bundle.folder, bundle.network, {**bundle.manifest, "metrics": metrics}), ["unicorn-m4"])
    assert verdict.status in ("error", "exact")


def test_a_missing_compiler_is_named_and_leaves_the_kernels_at_their_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ziglang" else found(name))
    network = random_network(7, (8, 6, 3), 2)
    metrics = McuTarget().emit(network, load_profile("cortex-m4"), tmp_path, {})
    assert "zig cc: pip install" in metrics["kernels_chosen_by"]
    assert (tmp_path / "c" / "src" / "net.c").exists()
    with pytest.raises(MissingTool, match="zig cc: pip install"):
        library_image(firmware_files(network, core("m3"), {}), core("m3"))


def test_a_bundle_that_names_an_unknown_kernel_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="is none of Cortex-M4"):
        dialect_with(core("m4"), {"net_layer_dense0": "../../evil"})


@pytest.mark.parametrize(("key", "rule"), [("flash_bytes", "flash"), ("ram_bytes", "ram")])
def test_a_part_that_is_too_small_is_refused_with_the_layer(key: str, rule: str) -> None:
    network = random_network(1, (64, 96, 5), 2)
    whole = load_profile("cortex-m4")
    small = Profile(whole.name, whole.kind, whole.description, {**whole.values, key: 100})
    (broken,) = [found for found in McuTarget().rules(network, small) if not found.passed]
    assert broken.rule == rule
    assert broken.layer in network.sizes
    assert broken.remedy


def test_what_only_the_built_firmware_shows_is_refused_too(tmp_path: Path) -> None:
    network = random_network(1, (20, 24, 5), 2)
    whole = load_profile("cortex-m4")
    found = measure(firmware_files(network, core("m4"), {}), core("m4"))
    tight = Profile(whole.name, whole.kind, whole.description, {**whole.values, "flash_bytes": found.flash // 2})
    assert all(rule.passed for rule in McuTarget().rules(network, tight))
    with pytest.raises(CheckFailed, match="flash"):
        McuTarget().emit(network, tight, tmp_path, {})


def test_an_unknown_core_is_refused() -> None:
    profile = Profile("mine", "mcu", "", {"core": "m99", "flash_bytes": 1, "ram_bytes": 1})
    (broken,) = [rule for rule in McuTarget().rules(random_network(1, (8, 4), 2), profile) if not rule.passed]
    assert "m99" in broken.detail
    assert "Known cores" in broken.remedy


def test_every_profile_names_a_core_and_its_memory() -> None:
    found = [load_profile(name) for name in profile_names()]
    parts = [profile for profile in found if profile.kind == "mcu"]
    assert len(parts) >= 14
    for profile in parts:
        assert profile.values["core"] in CORES
        assert profile.values["flash_bytes"] > profile.values["ram_bytes"] // 64


def test_the_firmware_is_the_same_every_time() -> None:
    network = random_network(6, (8, 6, 3), 4)
    first, second = (firmware_files(network, core("m0"), choose_kernels(network, core("m0"))) for _ in range(2))
    assert first.files == second.files


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_the_folder_builds_and_passes_its_test_with_cmake(bundle: Bundle, tmp_path: Path) -> None:
    folder = bundle.folder / "c"
    for command in (
        ["cmake", "-S", str(folder), "-B", str(tmp_path), "-DCMAKE_BUILD_TYPE=Release"],
        ["cmake", "--build", str(tmp_path)],
        ["cmake", "--build", str(tmp_path), "--target", "net_hil"],
        ["ctest", "--test-dir", str(tmp_path), "--output-on-failure"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_zephyr_finds_its_module_files(bundle: Bundle, tmp_path: Path) -> None:
    """Zephyr's own CMake functions are stood in for by ones that check what they are given; Zephyr is not here."""
    folder = bundle.folder / "c" / "zephyr"
    script = tmp_path / "check.cmake"
    script.write_text(
        """
function(check)
  foreach(name ${ARGN})
    if(NOT EXISTS ${FOLDER}/${name})
      message(FATAL_ERROR "${name} is not there")
    endif()
    message(STATUS "found ${name}")
  endforeach()
endfunction()
function(zephyr_include_directories)
  check(${ARGN})
endfunction()
function(zephyr_library_sources)
  check(${ARGN})
endfunction()
function(zephyr_library_named)
endfunction()
function(zephyr_library_compile_definitions_ifdef)
endfunction()
set(CONFIG_EDGEML_NET y)
set(CONFIG_EDGEML_NET_HIL y)
include(${FOLDER}/CMakeLists.txt)
"""
    )
    command = ["cmake", f"-DFOLDER={folder}", "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("found") + done.stderr.count("found") == 7


def test_kconfig_is_sound(bundle: Bundle) -> None:
    kconfiglib = pytest.importorskip("kconfiglib", reason="pip install kconfiglib")
    found = kconfiglib.Kconfig(str(bundle.folder / "c" / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert set(found.syms) >= {"EDGEML_NET", "EDGEML_NET_TRACE", "EDGEML_NET_HIL"}
    assert not found.warnings


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_arduino_needs_src_alone_and_sketches_are_cpp(bundle: Bundle, tmp_path: Path) -> None:
    """As Arduino builds a library: every C file below src/, with src/ on the include path, and C++ that includes it."""
    folder = bundle.folder / "c"
    sketch = tmp_path / "sketch.cpp"
    sketch.write_text(
        "#include <net.h>\nalignas(4) static uint8_t arena[NET_ARENA_BYTES];\nstatic int32_t output[NET_OUTPUTS];\n"
        "int main() { return net_self_test(output, arena); }\n"
    )
    objects = []
    for source in sorted((folder / "src").rglob("*.c")):
        objects.append(str(tmp_path / f"{source.stem}.o"))
        subprocess.run(
            ["gcc", "-std=gnu11", "-Os", f"-I{folder / 'src'}", "-c", str(source), "-o", objects[-1]], check=True
        )
    program = tmp_path / "sketch"
    subprocess.run(["g++", "-Wall", f"-I{folder / 'src'}", str(sketch), *objects, "-o", str(program)], check=True)
    assert subprocess.run([str(program)], check=False).returncode == 0


def test_library_descriptions_are_sound(bundle: Bundle) -> None:
    from xml.etree import ElementTree

    folder = bundle.folder / "c"
    assert json.loads((folder / "library.json").read_text())["headers"] == ["net.h", "net_hil.h"]
    pack = ElementTree.parse(folder / "edgeml.net.pdsc").getroot()
    for item in pack.iter("file"):
        assert (folder / item.get("name", "")).exists()
    for text in folder.rglob("*"):
        if text.is_file():
            assert not re.search(r"@[A-Z_]+@", text.read_text(encoding="utf-8")), text


def test_a_sealed_bundle_loads_again(bundle: Bundle) -> None:
    assert load(bundle.folder).profile.values["core"] == "m4"


def test_bench_counts_instructions_by_layer_and_times_no_emulator(bundle: Bundle) -> None:
    rows = [row for row in instructions(bundle) if row["executor"] == "unicorn-m4"]
    by_layer = {row["layer"]: row for row in rows}
    whole, layers = by_layer.pop(""), by_layer
    assert whole["instructions"] == bundle.manifest["metrics"]["target"]["instructions"]
    assert set(layers) == {name for name in bundle.network.sizes if name in layers}
    assert 0.9 < sum(row["instructions"] for row in layers.values()) / whole["instructions"] < 1
    assert layers["threshold0"]["macs"] == bundle.network.nodes[1].layer.weight.size, "dense0 is computed with it"
    assert layers["dense1"]["macs"] == bundle.network.nodes[3].layer.weight.size
    assert layers["input"]["instructions_per_mac"] is None
    assert {row["executor"] for row in bench.measure(bundle, [1])} == {"golden"}
    assert whole["cycles"] > whole["instructions"]
    assert whole["microseconds"] == pytest.approx(whole["cycles"] / 168, abs=1e-3)
    assert not any("cycles" in row for row in layers.values())


def test_cycles_by_model_are_in_the_manifest_the_report_and_inspect(bundle: Bundle) -> None:
    target = bundle.target_metrics
    assert set(target.modelled) == {"cycles", "microseconds"}
    assert target.modelled_by == "by model of the Cortex-M4, as if memory answered at once"
    said = f"{target.modelled['cycles']:,.0f} cycles"
    assert said in (bundle.folder / "report.html").read_text(encoding="utf-8")
    from typer.testing import CliRunner

    from edgeml.cli import app

    shown = CliRunner().invoke(app, ["inspect", str(bundle.folder)])
    assert shown.exit_code == 0
    assert said in shown.stdout
