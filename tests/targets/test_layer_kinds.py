"""What targets know of a kind of layer is found by the kind, and no other kind's file is imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeml.errors import InputError, MissingTool, ToolFailed
from edgeml.targets.c.emitter import LayerEmitter
from edgeml.targets.fpga.layer_hardware import LayerHardware
from edgeml.targets.layer_kinds import LayerKinds

from ..sdk.installed_plugin import install

HARDWARE = LayerKinds("edgeml.targets.fpga.layers", "HARDWARE", "edgeml.fpga_layers", "hardware", LayerHardware)
C = LayerKinds("edgeml.targets.c.layers", "EMITTER", "edgeml.c_layers", "C", LayerEmitter)
IMPORTED = """
import sys
import numpy as np
from edgeml.network import Add, InputQuantizer, Network, Node, Output
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT

quantizer = Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 4, True))
network = Network("twice", (quantizer, Node("sum", Add(), ("input", "input"))), Output(np.ones(1)))
make_plan(network, {})
generate(network, CPU_DIALECT)
folders = ("edgeml.targets.fpga.layers.", "edgeml.targets.c.layers.")
print(" ".join(sorted(name for name in sys.modules if name.startswith(folders))))
"""


@pytest.mark.parametrize("kinds", [HARDWARE, C])
def test_each_file_is_called_after_the_kind_that_it_holds(kinds: LayerKinds) -> None:
    assert {"dense", "threshold", "requantize", "lookup", "add"} <= set(kinds.names())
    assert all(kinds.get(kind) is not None for kind in kinds.own)


def test_only_the_files_of_the_kinds_in_a_network_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "edgeml.targets.c.layers.add",
        "edgeml.targets.c.layers.input_quantizer",
        "edgeml.targets.fpga.layers.add",
    ]


def test_a_kind_that_nobody_has_is_none() -> None:
    for kind in ("nobodys", "../dense", "dense.x", "__init__", ""):
        assert HARDWARE.get(kind) is None


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("edgeml_odd_kind:wrong", ToolFailed),
        ("edgeml_odd_kind:other", InputError),
        ("edgeml_odd_kind:absent", ToolFailed),
        ("edgeml_odd_kind_that_is_not_there:x", MissingTool),
    ],
)
def test_what_a_package_offers_and_is_not_of_the_kind_is_refused(
    entry: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from edgeml.targets.fpga.layer_hardware import LayerHardware\nwrong = 3\nother = LayerHardware('another')"
    install(tmp_path, monkeypatch, "edgeml_odd_kind", source, fpga_layers=f"odd = {entry}")
    with pytest.raises(error, match="'odd'"):
        HARDWARE.get("odd")
    assert "odd" in HARDWARE.names()
    assert "odd" not in HARDWARE.having(lambda hardware: True)


def test_a_package_cannot_replace_a_kind_of_edgemls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from edgeml.targets.fpga.layer_hardware import LayerHardware\nmine = LayerHardware('dense')"
    install(tmp_path, monkeypatch, "edgeml_my_dense", source, fpga_layers="dense = edgeml_my_dense:mine")
    found = HARDWARE.get("dense")
    assert found is not None
    assert found.unit is not None
