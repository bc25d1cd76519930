"""The folder as a module of MicroPython: compiled against its names, and, where its sources are, built in and run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from edgeml.network import simulate

from ..networks import random_inputs
from .packaged import STAND_INS, labelled_network, run, written

SOURCES = os.environ.get("EDGEML_MICROPYTHON", "")
_SCRIPT = """
import edgeml_net as net
assert net.self_test() == 0 and (net.INPUTS, net.OUTPUTS) == (8, 3)
for row in {rows}:
    answer = net.invoke(net.quantize(row))
    print(answer, net.label(answer), net.outputs())
try:
    net.invoke(b"short")
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_the_module_compiles_against_the_names_that_it_uses(tmp_path: Path) -> None:
    written(labelled_network(), tmp_path)
    flags = ["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wdouble-promotion", "-Iinclude"]
    run(["gcc", *flags, f"-I{STAND_INS / 'micropython'}", "-c", "micropython/net_module.c"], tmp_path)


@pytest.mark.skipif(not SOURCES, reason="EDGEML_MICROPYTHON does not name a folder of MicroPython's sources")
def test_micropython_built_with_the_module_gives_goldens_integers(tmp_path: Path) -> None:
    """The Unix port, by its own make, some 20 s of processor time."""
    network = labelled_network()
    written(network, tmp_path / "modules" / "net")
    run(
        [
            *("make", "-j2", "-C", Path(SOURCES) / "ports" / "unix", "VARIANT=minimal", f"BUILD={tmp_path / 'build'}"),
            *(f"USER_C_MODULES={tmp_path / 'modules'}", "CFLAGS_EXTRA=-DMICROPY_FLOAT_IMPL=2"),
        ],
        tmp_path,
    )
    q = random_inputs(network, 1, 20)
    outputs = simulate(network, q)
    printed = run([tmp_path / "build" / "micropython", "-c", _SCRIPT.format(rows=q.tolist())], tmp_path)
    assert printed.splitlines() == [
        *(f"{row.argmax()} {network.output.labels[row.argmax()]} {row.tolist()}" for row in outputs),
        "net takes 8 bytes",
    ]
