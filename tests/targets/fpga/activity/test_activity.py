"""Energy by activity: changes are counted once per signal and by layer, and what does not change costs clocks alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.errors import InputError, ToolFailed
from edgeml.network import network_file
from edgeml.targets.fpga.activity.energy import TABLE, energies
from edgeml.targets.fpga.activity.toggles import AROUND, bit_changes
from edgeml.targets.fpga.estimate.costs import Cost
from edgeml.targets.fpga.tools.programs import compiler, find_verilator

from ..designs import plain_network

VCD = """$timescale 1ps $end
$scope module TOP $end
 $var wire 1 ! clk $end
 $var wire 4 # in_data [3:0] $end
 $scope module fc_layer $end
  $var wire 4 # in_data [3:0] $end
  $var wire 2 $ n0 [1:0] $end
  $var wire 2 % n0_d1 [1:0] $end
  $var wire 2 & fc_at_1 [1:0] $end
 $upscope $end
$upscope $end
$enddefinitions $end
#0
0!
b0000 #
b00 $
b00 %
b00 &
#1
1!
b1011 #
b11 $
b11 &
#2
0!
b10 $
b11 %
"""


def test_each_signal_counts_once_for_the_layer_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "waves.vcd"
    path.write_text(VCD, encoding="ascii")
    # n0: 00 → 11 → 10 is three bits, n0_d1 two; in_data three, outside; the clock and the port by its name none.
    assert bit_changes(path, ("fc_layer",), cells_only=True) == {"fc_layer": 3 + 2, AROUND: 3}
    assert bit_changes(path, (), cells_only=True) == {AROUND: 3 + 2 + 3}
    assert bit_changes(path, ("fc_layer",), cells_only=False) == {"fc_layer": 3 + 2 + 3 + 2, AROUND: 0}
    path.write_text("", encoding="ascii")
    with pytest.raises(ToolFailed, match="without definitions"):
        bit_changes(path, ("fc_layer",), cells_only=True)


def test_energy_is_changes_and_clocks_by_the_table() -> None:
    found = energies({"fc": 1000}, {"fc": Cost(10, 100, 2, 3)}, frames=10, clocks=40)["fc"]
    assert found.nets == pytest.approx(TABLE.net * 100 / 1000)
    assert found.clocks == pytest.approx(TABLE.flip_flop * 100 * 4 / 1000)
    assert found.block_rams == pytest.approx(TABLE.block_ram * 2 * 4 / 1000)
    assert found.dsps == pytest.approx(TABLE.dsp * 3 * 4 / 1000)
    assert found.total == pytest.approx(found.nets + found.clocks + found.block_rams + found.dsps)
    assert TABLE.net == pytest.approx(0.087, abs=1e-3)


@pytest.mark.skipif(find_verilator() is None or compiler() is None, reason="needs Verilator and a C++ compiler")
def test_the_simulated_design_says_what_its_inputs_cost(tmp_path: Path) -> None:
    network = plain_network(6, 5, 3)
    network_file.write(network, tmp_path / "n.edgeml")
    options = {"architecture": "unrolled"}
    edgeml.convert(tmp_path / "n.edgeml", to="quantized", target="ecp5-25k", options=options, output=tmp_path / "b")
    bundle = edgeml.load(tmp_path / "b")
    low, high = network.quantizer.low, network.quantizer.high
    random = np.random.default_rng(3).integers(low, high + 1, (40, 6)).astype(np.int32)
    moving = bundle.run(random, on="verilator", activity=True).measures["activity"]
    still = bundle.run(np.repeat(random[:1], 40, axis=0), on="verilator", activity=True).measures["activity"]
    names = {node.name for node in network.layers}
    assert names < set(moving["layers"]) == {*names, "around the layers"}
    assert still["layers"][network.layers[0].name]["bit_changes"] * 5 < sum(
        each["bit_changes"] for each in moving["layers"].values()
    )
    assert still["energy_nj"] < moving["energy_nj"]
    parts = sum(each["energy_nj"] for each in moving["layers"].values())
    assert moving["energy_nj"] == pytest.approx(parts, abs=1e-3)
    assert "not measured" in moving["said"]
    json.dumps(moving)
    with pytest.raises(InputError, match="option activity: executor 'golden' counts no changes"):
        bundle.run(random, activity=True)
