"""The C of a kind of layer that a package of somebody's adds, with a header of its own; refused by name without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.network.random_networks import random_inputs

from ..appending import appending_network, install_append

C = '''
from edgeml.targets.c import LayerCode, LayerEmitter

HEADER = """#ifndef EDGEML_PACKAGE_APPENDING_H
#define EDGEML_PACKAGE_APPENDING_H
#include <stdint.h>
static inline int32_t appending_moved(int32_t x, int32_t by) { return x + by; }
#endif
"""


class AppendEmitter(LayerEmitter):
    kind = "append"

    def emit(self, job):
        y, start, lines = job.output, 0, []
        for name, x in zip(("x", "x1"), job.inputs):
            moved = f"appending_moved((int32_t){name}[i], {x.low - y.low})"
            lines += [f"for (size_t i = 0; i < {x.size}u; i++) {{", f"    y[{start}u + i] = ({y.ctype}){moved};", "}"]
            start += x.size
        return LayerCode(tuple(lines), "one after the other", ("appending.h",), {"appending.h": HEADER})
'''
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1")


def test_the_c_of_a_package_is_exact_and_brings_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = appending_network(install_append(tmp_path, monkeypatch, C, c_layers="AppendEmitter"), (5, 4))
    assert "appending_moved" in generate(network, CPU_DIALECT).files["edgeml/appending.h"]
    if find_compiler() is None:
        pytest.skip("no C compiler")
    q = random_inputs(network, 200, 1).astype(np.int32)
    np.testing.assert_array_equal(NativeNetwork(network, flags=FLAGS).invoke(q), simulate(network, q))


def test_a_header_with_the_name_of_one_of_edgemls_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = C.replace('"appending.h"', '"common.h"')
    append = install_append(tmp_path, monkeypatch, source, c_layers="AppendEmitter")
    with pytest.raises(InputError, match=r"layer both.*common\.h"):
        generate(appending_network(append, (5, 4)), CPU_DIALECT)


def test_a_layer_without_c_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = appending_network(install_append(tmp_path, monkeypatch, ""), (5, 4))
    with pytest.raises(InputError, match=r"layer both.*no C") as caught:
        generate(network, CPU_DIALECT)
    assert "threshold" in caught.value.remedy
