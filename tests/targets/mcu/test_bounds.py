"""What the lanes and fields of the kernels can hold: exact at the bound, and another way one past it."""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.kernel import DenseKernel
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import dialect_for
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.kernels import (
    LanesKernel,
    MveKernel,
    W2DspKernel,
    W4DspKernel,
    W4PairsKernel,
    W8BlockKernel,
    W8DspKernel,
)
from edgeml.targets.mcu.runner import NetworkRunner

from ..c.fan import CORNERS, fan


def test_bytes_are_summed_in_halves_that_hold_them(tmp_path: Path) -> None:
    """The run is the longest whose sum of 255s fits both halves of a word; sums of any length are right."""
    text = (resources.files("edgeml.firmware_stubs") / "c" / "edgeml" / "dense_lanes.h").read_text()
    (found,) = re.findall(r"#define EDGEML_SUM_RUN (\d+)u", text)
    most = max(count for count in range(0, 2048, 8) if count // 2 * 255 < 2**16)
    assert int(found) == most
    for name in ("dense_lanes.h", "dense_call.h", "common.h"):
        (tmp_path / name).write_text((resources.files("edgeml.firmware_stubs") / "c" / "edgeml" / name).read_text())
    (tmp_path / "sum.c").write_text(
        '#include "dense_lanes.h"\nuint32_t sum(const uint8_t *x, uint32_t count);\n'
        "uint32_t sum(const uint8_t *x, uint32_t count) { return edgeml_sum_u8(x, count); }\n"
    )
    compiler = find_compiler()
    assert compiler is not None
    compiler.shared_library([tmp_path / "sum.c"], tmp_path / "sum.so", ["-DEDGEML_PORTABLE"])
    function = ctypes.CDLL(str(tmp_path / "sum.so")).sum
    function.restype, function.argtypes = ctypes.c_uint32, (ctypes.c_void_p, ctypes.c_uint32)
    drawn = np.random.default_rng(0).integers(0, 256, 4096).astype(np.uint8)
    for x in (np.full(4096, 255, np.uint8), drawn):
        for count in range(8, len(x) + 1, 8):
            assert function(x.ctypes.data, count) == int(x[:count].sum(dtype=np.int64)), count


def segment_length(network: Network, kernel: DenseKernel) -> int:
    """Inputs of a segment as the generated call states it."""
    program = generate(network, dialect_for((kernel, RowsKernel())))
    (stage,) = [stage for stage in program.layout.stages if stage.name == "dense"]
    assert stage.code.kernel == kernel.name
    (found,) = re.findall(r"segments of (\d+) inputs|$", stage.code.constants[0].comment)[:1] or [""]
    if found:
        return int(found)
    return int(stage.code.statements[-1].split("(")[1].split(",")[4])


def assert_exact(network: Network, kernel: DenseKernel, core: str) -> None:
    """Golden's integers from the core, and from the body for other compilers on this machine."""
    expected = simulate(network, CORNERS)
    dialect = dialect_for((kernel, RowsKernel()))
    native = NativeNetwork(network, replace(dialect, tile=4), flags=("-O1", "-DEDGEML_PORTABLE"))
    np.testing.assert_array_equal(native.trace(CORNERS)["dense"], expected)
    if not CORES[core].unicorn_model:
        return
    program = generate(network, dialect)
    image = library_image(Firmware(program, {f"src/{path}": text for path, text in program.files.items()}), CORES[core])
    np.testing.assert_array_equal(NetworkRunner(Emulator(CORES[core], image), program).invoke(CORNERS), expected)


FIELDS = {  # kernel, core, bits of its weights, sums above and below zero that just fit
    "lanes of 8 bits, above": (LanesKernel(2, 4), "m0", 2, (1, 255), (1, 0)),
    "lanes of 8 bits, below": (LanesKernel(2, 4), "m0", 2, (1, 0), (2, 255)),
    "lanes of 16 bits, above": (LanesKernel(2, 2), "m0", 2, (1, 2**16 - 1), (1, 0)),
    "lanes of 16 bits, below": (LanesKernel(2, 2), "m0", 2, (1, 0), (2, 2**16 - 1)),
    "lanes of 16 bits, both": (LanesKernel(2, 2), "m0", 2, (1, 2**15 - 1), (2, 2**15)),
    "lanes of 16 bits, 4-bit weights": (LanesKernel(4, 2), "m0", 4, (7, 2**15 - 1), (8, 2**15)),
    "field of 14 bits beside one of 18, above": (W2DspKernel(), "m4", 2, (1, 2**14 - 1), (2, 0)),
    "field of 14 bits beside one of 18, below": (W2DspKernel(), "m4", 2, (1, 0), (2, 2**14 - 1)),
    "field of 12 bits beside one of 20, above": (W4PairsKernel(), "m4", 4, (1, 2**12 - 1), (2, 0)),
    "field of 12 bits beside one of 20, below": (W4PairsKernel(), "m4", 4, (1, 0), (2, 2**12 - 1)),
    "field of 20 bits, above": (W4DspKernel(), "m4", 4, (7, 2**19 - 1), (8, 0)),
    "field of 20 bits, below": (W4DspKernel(), "m4", 4, (7, 0), (8, 2**19)),
    "field of 24 bits, above": (W8DspKernel(), "m4", 8, (127, 2**23 - 1), (128, 0)),
    "field of 24 bits, below": (W8DspKernel(), "m4", 8, (127, 0), (128, 2**23)),
}
QUICK = (
    "lanes of 16 bits, above",
    "lanes of 8 bits, below",
    "field of 14 bits beside one of 18, below",
    "field of 12 bits beside one of 20, above",
    "field of 24 bits, below",
)


@pytest.mark.parametrize("case", FIELDS)
def test_a_segment_is_as_long_as_its_field_holds(case: str) -> None:
    """One segment at the bound of the field, more than one as soon as a sum is larger by one."""
    kernel, _, bits, above, below = FIELDS[case]
    largest = 3 if kernel.name == "w2_lanes4" else 255
    network = fan([above, below], bits, largest=largest)
    assert segment_length(network, kernel) >= network.sizes["values"]
    for up, down in (((above[0], above[1] + 1), below), (above, (below[0], below[1] + 1))):
        alone = not above[1] or not below[1]
        if alone and (up[1] == 1 or down[1] == 1) and kernel.name in ("w4_dsp", "w8_dsp"):
            continue  # the other end of a signed field is far away
        longer = fan([up, down], bits, largest=largest)
        assert segment_length(longer, kernel) < longer.sizes["values"]


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FIELDS]
)
def test_sums_at_the_bound_of_a_field_are_exact(case: str) -> None:
    kernel, core, bits, above, below = FIELDS[case]
    largest = 3 if kernel.name == "w2_lanes4" else 255
    for past in (0, 1):
        rows = [(above[0], above[1] + past), (below[0], below[1] + past)]
        assert_exact(fan(rows, bits, largest=largest), kernel, core)


def test_fields_above_the_lowest_never_fill() -> None:
    """Those of 24 and 28 bits in `dense_w4_dsp.h` hold the longest segment there is, so nothing is to be proved."""
    longest = 1024
    assert longest * 8 * 255 < 2**23
    assert longest * 128 * 255 < 2**31  # the first field of `dense_w8_dsp.h`


BIASED = {
    kernel.name: (kernel, core, bits)
    for kernel, core, bits in (
        (LanesKernel(2, 4), "m0", 2),
        (LanesKernel(2, 2), "m0", 2),
        (LanesKernel(4, 2), "m0", 4),
        (W8BlockKernel(), "m0", 8),
        (W2DspKernel(), "m4", 2),
        (W4DspKernel(), "m4", 4),
        (W4PairsKernel(), "m4", 4),
        (W8DspKernel(), "m4", 8),
        (MveKernel(), "m55", 8),
    )
}


@pytest.mark.parametrize("end", ["largest", "smallest"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("w2_lanes2", "w4_dsp") else pytest.mark.slow) for name in BIASED]
)
def test_sums_reach_both_ends_of_32_bits(name: str, end: str) -> None:
    """The shifts of lanes and fields, folded into the bias, take it past 32 bits on the way and back."""
    kernel, core, bits = BIASED[name]
    largest = 3 if kernel.name == "w2_lanes4" else 255
    network = fan([(1, 300), (1, 300)], bits, 2**31 - 1 - 300 if end == "largest" else -(2**31) + 300, largest)
    assert_exact(network, kernel, core)


@pytest.mark.parametrize("inputs", [512, 520, 1032, 3000])
def test_wide_int8_layers_are_exact_without_dsp_instructions(inputs: int) -> None:
    """The sum of the inputs, which takes the code's offset back, passes 16 bits."""
    weight = np.random.default_rng(inputs).integers(-128, 128, (4, inputs))
    nodes = (
        Node("input", InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("dense", Dense(weight, 8, np.zeros(4, int)), ("input",)),
    )
    network = Network("net", nodes, Output(np.array([1.0])))
    program = generate(network, dialect_for((W8BlockKernel(), RowsKernel())))
    image = library_image(Firmware(program, {f"src/{path}": text for path, text in program.files.items()}), CORES["m0"])
    q = np.concatenate([np.full((1, inputs), 255), np.where(weight > 0, 255, 0)]).astype(np.int32)
    np.testing.assert_array_equal(NetworkRunner(Emulator(CORES["m0"], image), program).invoke(q), simulate(network, q))
