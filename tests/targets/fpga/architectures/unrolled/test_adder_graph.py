"""da4ml's adder graphs by choice: stored, made again byte for byte, exact as RTL; refused by name without da4ml."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError, MissingTool
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import DESIGN_FILE, Design, build, read_design, verify_files
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.target import FpgaTarget
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs

from ...designs import small_network

OPTIONS = {"architecture": "unrolled", "adder_graph": "da4ml"}


@pytest.mark.skipif(find_verilator() is None or compiler() is None, reason="needs Verilator and a C++ compiler")
def test_a_design_with_da4mls_graph_is_stored_made_again_and_exact(tmp_path: Path) -> None:
    pytest.importorskip("da4ml")
    network = small_network(5)
    FpgaTarget().emit(network, load_profile("ecp5-85k"), tmp_path, OPTIONS)
    assert json.loads((tmp_path / "rtl" / DESIGN_FILE).read_text())["adder_graph"] == "da4ml"
    built = verify_files(network, tmp_path / "rtl")
    assert built.files != build(network, Design("unrolled")).files
    q = random_inputs(network, 500, 1).astype(np.int32)
    outputs, _ = compile_design(built, tmp_path / "simulation").run(
        q, seed=1, resets=2, input_pause=60, output_pause=90
    )
    np.testing.assert_array_equal(outputs, simulate(network, q))


def test_without_da4ml_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "da4ml", None)
    monkeypatch.setitem(sys.modules, "da4ml.cmvm", None)
    with pytest.raises(MissingTool, match="da4ml") as caught:
        build(small_network(5), Design("unrolled", Pipelining(adder_graph="da4ml")))
    assert caught.value.exit_code == 3


def test_other_adder_graphs_and_other_architectures_are_refused(tmp_path: Path) -> None:
    network, profile = small_network(5), load_profile("ecp5-85k")
    with pytest.raises(InputError, match="must be one of edgeml, da4ml, flat, found 'magic'"):
        FpgaTarget().emit(network, profile, tmp_path, {**OPTIONS, "adder_graph": "magic"})
    with pytest.raises(InputError, match="has no adder graphs"):
        FpgaTarget().emit(network, profile, tmp_path, {**OPTIONS, "architecture": "folded"})
    (tmp_path / DESIGN_FILE).write_text('{"format": 1, "architecture": "unrolled", "adder_graph": "magic"}')
    with pytest.raises(InputError, match="adder_graph 'magic' is not known"):
        read_design(tmp_path, network)
