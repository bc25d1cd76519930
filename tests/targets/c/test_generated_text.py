"""What generated C looks like: safe whatever the names and labels, the same each time, free of libc and floats."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.licensing import LICENSE_FILE
from edgeml.network import Network, Output
from edgeml.network.network_file import model_hash
from edgeml.targets.c import ConstantArray, generate
from edgeml.targets.c.header_reading import read_scales
from edgeml.targets.cpu.compiler import WARNINGS
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.network.random_networks import random_network
from tests.network.test_origin import with_origins
from tests.targets.cpu.bodies import the_compiler


def test_the_same_network_gives_the_same_text() -> None:
    for seed in range(5):
        one, two = (generate(random_network(seed), CPU_DIALECT).files for _ in range(2))
        assert one == two


def test_the_header_states_what_a_caller_needs(small_network: Network) -> None:
    header = generate(small_network, CPU_DIALECT).files["small.h"]
    for line in (
        f'#define SMALL_MODEL_HASH "{model_hash(small_network)}"',
        "#define SMALL_INPUTS 12",
        "#define SMALL_OUTPUTS 4",
        "#define SMALL_INPUT_SCALE 0.25 /* scale */",
        "#define SMALL_INPUT_OFFSET 1.0 /* offset */",
        "#define SMALL_INPUT_LOW (-128)",
        "#define SMALL_OUTPUT_SCALE 0.5 /* scale */",
        "int32_t small_invoke(const int8_t *input, int32_t *output, void *arena);",
    ):
        assert line in header.splitlines()
    assert re.search(r"#define SMALL_ARENA_BYTES \d+", header)


def test_labels_cannot_leave_their_string(small_network: Network, tmp_path: Path) -> None:
    """Quotes, comments, trigraphs, line ends and other alphabets come back as the bytes that they were."""
    labels = ('"; system("x"); "', "*/ int bad; /*", "??/\n\\", "naïve ☃", "\x00\ud800 9")
    labels = tuple(label.replace("\x00", "") for label in labels[:4])
    output = Output(small_network.output.scale, 0, labels)
    program = generate(dataclasses.replace(small_network, output=output), CPU_DIALECT)
    program.write(tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "small.h"\n#include <stdio.h>\n'
        'int main(void) { for (int i = 0; i < 4; i++) { printf("%s%c", small_labels[i], 0); } return 0; }\n'
    )
    the_compiler().run([*WARNINGS, "small.c", "main.c", "-o", "main"], tmp_path)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout
    assert printed.decode().split("\0")[:-1] == list(labels)


def test_origins_stand_beside_their_layers_and_cannot_leave_their_comment(tmp_path: Path) -> None:
    network = random_network(5, "origins")
    known = network.with_origins({network.nodes[1].name: "encoder.fc1 (Linear), model.py line 12"})
    files = generate(known, CPU_DIALECT).files
    assert " *     from encoder.fc1 (Linear), model.py line 12\n" in files["origins.h"]
    assert "\n   From encoder.fc1 (Linear), model.py line 12. */\n" in files["origins.c"]
    hostile = generate(with_origins(network), CPU_DIALECT)
    plain = generate(network, CPU_DIALECT).files
    for name, text in hostile.files.items():
        code, expected = (re.sub(r"/\*.*?\*/", "", each, flags=re.DOTALL) for each in (text, plain[name]))
        assert code == expected
    hostile.write(tmp_path)
    the_compiler().run([*WARNINGS, "-c", "origins.c", "-o", "origins.o"], tmp_path)


def test_the_object_needs_nothing_but_memory_functions_of_the_compiler(tmp_path: Path) -> None:
    """Compilers turn loops into memset and memcpy; nothing else may be left to link."""
    network = random_network(5, "bare")
    generate(network, CPU_DIALECT).write(tmp_path)
    the_compiler().run([*WARNINGS, "-O2", "-ffreestanding", "-c", "bare.c", "-o", "bare.o"], tmp_path)
    try:
        listed = subprocess.run(["nm", "-u", tmp_path / "bare.o"], capture_output=True, text=True, check=True).stdout
        defined = subprocess.run(["nm", "-g", tmp_path / "bare.o"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("nm is not installed (binutils)")
    undefined = {line.split()[-1] for line in listed.splitlines()}
    assert undefined <= {"memset", "memcpy", "memmove", "_GLOBAL_OFFSET_TABLE_"}
    symbols = {line.split()[-1] for line in defined.splitlines()} - undefined
    assert symbols == {"bare_invoke", "bare_invoke_batch", "bare_labels"}


def test_no_floating_point_and_no_allocation_in_the_source() -> None:
    for seed in range(5):
        files = generate(random_network(seed), CPU_DIALECT).files
        for name, text in files.items():
            if name == LICENSE_FILE or "sensor" in name:  # real numbers come in there, and nowhere else
                continue
            code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
            assert not re.search(r"\b(float|double|malloc|free|memcpy|memset)\b", code), name


def test_lines_stay_readable() -> None:
    for seed in range(8):
        for name, text in generate(random_network(seed), CPU_DIALECT).files.items():
            code = [line for line in text.splitlines() if not line.startswith("    ")]
            assert max(map(len, code)) <= 200, name
            assert "\t" not in text
            assert text.endswith("\n")


def test_two_networks_link_into_one_program(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(random_network(6, name), CPU_DIALECT).write(tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "one.h"\n#include "two.h"\n'
        "static uint64_t arena[TWO_ARENA_BYTES / 8 + 1];\n"
        "int main(void) { int32_t y[TWO_OUTPUTS + ONE_OUTPUTS];\n"
        "static const uint8_t zeros[TWO_INPUTS + ONE_INPUTS];\n"
        "return one_invoke((const void *)zeros, y, arena) == two_invoke((const void *)zeros, y, arena) ? 0 : 1; }\n"
    )
    the_compiler().run([*WARNINGS, "one.c", "two.c", "main.c", "-o", "main"], tmp_path)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0


def test_constant_arrays_refuse_values_that_do_not_fit() -> None:
    assert "(-2147483647 - 1)" in ConstantArray("edge", "int32_t", np.array([-(2**31), 0])).text(4)
    for ctype, value in (("int8_t", 128), ("uint8_t", -1), ("int16_t", -32769), ("int32_t", 2**31)):
        with pytest.raises(ValueError, match=ctype):
            ConstantArray("bad", ctype, np.array([value]))


def test_the_header_alone_says_what_real_numbers_become(small_network: Network) -> None:
    """Of each feature, if they differ: another scale, an offset, and the zero point; and of each output."""
    quantizer = small_network.quantizer
    generator = np.random.default_rng(0)
    scale, offset = 10.0 ** generator.uniform(-5, 5, 12), generator.normal(0, 1e4, 12)
    each = dataclasses.replace(quantizer, scale=scale, offset=offset)
    for chosen in (quantizer, each, dataclasses.replace(quantizer, offset=offset)):
        nodes = (dataclasses.replace(small_network.nodes[0], layer=chosen), *small_network.nodes[1:])
        output = Output(generator.uniform(0.1, 3, 4), -7)
        network = dataclasses.replace(small_network, nodes=nodes, output=output)
        header = generate(network, CPU_DIALECT).files["small.h"]
        scales = read_scales(header, "SMALL", "small.h")
        x = generator.normal(0, 300, (500, 12)) * np.broadcast_to(chosen.scale, 12) + chosen.offset
        np.testing.assert_array_equal(scales.quantize(x), chosen.quantize(x))
        y = generator.integers(-100, 100, (50, 4)).astype(np.int32)
        np.testing.assert_array_equal(scales.real(y), output.real(y))
        assert "see network.edgeml" not in header


def test_a_header_without_its_scale_is_not_taken_for_one_of_scale_1(small_network: Network) -> None:
    header = generate(small_network, CPU_DIALECT).files["small.h"]
    for name in ("INPUT_SCALE", "INPUT_OFFSET", "INPUT_ZERO_POINT", "OUTPUT_SCALE"):
        with pytest.raises(CheckFailed, match=name):
            read_scales(header.replace(f"#define SMALL_{name}", "#define OTHER"), "SMALL", "small.h")


def test_the_lists_of_scales_in_the_header_are_initializers(small_network: Network, tmp_path: Path) -> None:
    scale = np.arange(1.0, 13.0) / 7
    nodes = (
        dataclasses.replace(small_network.nodes[0], layer=dataclasses.replace(small_network.quantizer, scale=scale)),
        *small_network.nodes[1:],
    )
    generate(dataclasses.replace(small_network, nodes=nodes), CPU_DIALECT).write(tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "small.h"\n#include <stdio.h>\n'
        "static const double scale[] = SMALL_INPUT_SCALE_PER_CHANNEL;\n"
        'int main(void) { for (int i = 0; i < SMALL_INPUTS; i++) printf("%.17g\\n", scale[i]); return 0; }\n'
    )
    the_compiler().run([*WARNINGS, "small.c", "main.c", "-o", "main"], tmp_path)
    said = subprocess.run([tmp_path / "main"], check=True, capture_output=True, text=True).stdout
    assert [float(line) for line in said.split()] == scale.tolist()
