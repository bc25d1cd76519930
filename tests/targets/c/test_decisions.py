"""The decision in generated C: that of `network.decisions`, on both sides of the threshold and at it."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, decisions, simulate
from edgeml.profile import load_profile
from edgeml.targets.c import generate
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.cpu.compiler import WARNINGS
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.targets.cpu.bodies import the_compiler


def sums(output: Output) -> Network:
    """The sum of two integers."""
    nodes = (
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, True)),
        Node("decide", Dense(np.array([[1, 1]]), 2, np.zeros(1, np.int32)), ("input",)),
    )
    return Network("sums", nodes, output)


@pytest.mark.parametrize("threshold", [-7, 0, 12, 2**31 - 1, -(2**31)])
def test_invoke_and_batch_give_the_class_and_the_header_the_rule(threshold: int, tmp_path: Path) -> None:
    the_compiler()
    network = sums(Output(np.array([0.5]), 3, ("no", "yes"), "binary", threshold))
    metrics = CpuTarget().emit(network, load_profile("host"), tmp_path, {})
    the_compiler().shared_library([tmp_path / "c" / "sums.c"], tmp_path / "sums.so", ["-O1"])
    library = ctypes.CDLL(str(tmp_path / "sums.so"))
    q = np.array([[a, b] for a in range(-9, 10) for b in (-1, 0, 1, 2)], np.int8)
    expected = decisions(network, simulate(network, q))
    y, labels = np.empty((len(q), 1), np.int32), np.empty(len(q), np.int32)
    arena = np.empty(metrics["batch_arena_bytes"], np.uint8)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (q, y, labels, arena)]
    library.sums_invoke_batch(pointers[0], ctypes.c_size_t(len(q)), pointers[1], pointers[2], pointers[3])
    np.testing.assert_array_equal(labels, expected)
    single = [library.sums_invoke(*(ctypes.c_void_p(a.ctypes.data) for a in (row, y[0], arena))) for row in q]
    np.testing.assert_array_equal(single, expected)
    (tmp_path / "c" / "main.c").write_text(
        '#include "sums.h"\n#include <stdio.h>\n'
        "int main(void)\n"
        '{ printf("%d %d %s", sums_decide(SUMS_THRESHOLD), SUMS_THRESHOLD, sums_labels[1]); return 0; }\n'
    )
    the_compiler().run([*WARNINGS, "sums.c", "main.c", "-o", "main"], tmp_path / "c")
    printed = subprocess.run([tmp_path / "c" / "main"], capture_output=True, check=True).stdout.decode()
    assert printed == f"0 {threshold} yes"


def test_a_network_of_values_decides_nothing() -> None:
    header = generate(sums(Output(np.ones(1), 0, (), "values")), CPU_DIALECT).files["sums.h"]
    assert "THRESHOLD" not in header
    assert "decide" not in header.replace("decide: ", "")
    assert "values and not classes" in header
