"""Boards: pins, clock and reset in the files that are made for each, and boards of users that are not sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError
from edgeml.profile import board_names, load_profile
from edgeml.targets.fpga.board import Board
from edgeml.targets.fpga.budget import Budget, budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.options import read_options
from edgeml.targets.fpga.tools.bitstream import check_clock
from edgeml.targets.fpga.tops.constraints import constraint_file
from edgeml.targets.fpga.tops.uart import UartTop, uart_top

from .designs import small_network

# A port and its site, as each format says it.
_PLACED = {
    "pcf": r"set_io (?:-pullup yes )?(\w+) (\S+)",
    "lpf": r'LOCATE COMP "(\w+)" SITE "(\S+)";',
    "xdc": r"set_property -dict \{PACKAGE_PIN (?P<site>\S+) IOSTANDARD \w+\} \[get_ports (?P<port>\w+)\]",
    "pdc": r"ldc_set_location -site \{(?P<site>\S+)\} \[get_ports (?P<port>\w+)\]",
    "cst": r'IO_LOC "(\w+)" (\S+);',
    "ccf": r'Net "(\w+)" Loc = "(\S+)"(?: \| \w+=\w+)*;',
}


def _made(name: str) -> tuple[Board, Budget, UartTop]:
    budget = budget_of(load_profile(name))
    network = small_network(3)
    assert budget.board is not None
    return budget.board, budget, uart_top(network, build(network, Design("folded")), budget)


@pytest.mark.parametrize("name", [name for name in board_names() if load_profile(name).kind == "fpga"])
def test_a_board_has_its_pins_its_clock_and_its_reset_in_the_files_for_it(name: str) -> None:
    board, budget, top = _made(name)
    text = top.files[top.constraints].decode()
    placed = {
        match.groupdict().get("port") or match[1]: match.groupdict().get("site") or match[2]
        for match in re.finditer(f"^{_PLACED[budget.family.constraints]}$", text, re.MULTILINE)
    }
    assert placed == {board.ports[role]: pin.site for role, pin in board.pins.items()}
    module = top.files[f"{top.outermost}.v"].decode()
    assert set(re.findall(r"^ +(?:input |output) wire (\w+)", module, re.MULTILINE)) == set(placed)
    assert f"parameter [31:0] CLOCK_HZ = 32'd{board.clock_hz}," in top.files[f"{top.name}.v"].decode()
    assert ".reset_n(1'b1)" in module or board.ports["reset"] in placed
    assert budget.clock_mhz * 1e6 == board.clock_hz
    assert board.pins_from
    assert 0.98 < board.clock_hz // 115_200 * 115_200 / board.clock_hz <= 1.0, "a receiver follows 2 % off"


def test_a_design_that_is_slower_than_the_boards_clock_is_refused() -> None:
    board = _made("icebreaker")[0]
    check_clock(12.0, board)
    with pytest.raises(CheckFailed, match=r"clock is 12 MHz, and the design works up to 11\.9 MHz"):
        check_clock(11.9, board)


_MINE = """kind = "fpga"
description = "mine"
carries = "ice40-up5k"
clock_mhz = 12
clock_pin = "35"
uart_rx_pin = "6"
uart_tx_pin = "9"
led_pin = "11"
"""


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('led_pin = "11"', "", "lacks led_pin"),
        ('led_pin = "11"', 'led_pin = "9"', "pin 9 to uart_tx and to led"),
        ('led_pin = "11"', 'led_pin = "1 1"', "led_pin must be a name"),
        ('led_pin = "11"', 'led_pin = "11"\npins_from = "a\\nset_io x 1"', "pins_from must be a line"),
        ('"ice40-up5k"', '"ice40-up6k"', "carries 'ice40-up6k', which is not a part"),
        ('"ice40-up5k"', '"icebreaker"', "carries 'icebreaker', which is not a part"),
        ('"ice40-up5k"', '"host"', "of kind fpga and carries host, which is of kind cpu"),
    ],
)
def test_a_board_of_a_user_that_is_not_sound_is_named(tmp_path: Path, old: str, new: str, match: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(_MINE)
    board = budget_of(load_profile(str(path))).board
    assert board is not None
    assert (board.name, board.clock_hz) == ("mine", 12_000_000)
    path.write_text(_MINE.replace(old, new))
    with pytest.raises(InputError, match=match):
        budget_of(load_profile(str(path)))


def test_the_command_line_wants_a_board_or_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ((), "needs --target, or --board instead"),
        (("--target", "host", "--board", "icebreaker"), "needs --target, or --board instead"),
        (("--board", "icebraker"), "Did you mean icebreaker?"),
        (("--board", "zzz"), "Boards: arty-a7, ch32v203c8-evt"),
        (("--board", "ice40-up5k"), "'ice40-up5k': is not known"),
    ):
        assert main(["convert", "no.edgeml", "--to", "quantized", *words]) == 2
        assert said in capsys.readouterr().err


_CLOCKS = {
    "pcf": (r"^set_frequency \w+ ([\d.]+)$", 1.0),
    "lpf": (r'^FREQUENCY PORT "\w+" ([\d.]+) MHZ;$', 1.0),
    "pdc": (r"^create_clock -name \{clk\} -period ([\d.]+) ", 1e3),
    "xdc": (r"^create_clock -name clk -period ([\d.]+) ", 1e3),
}
"""Where constraints say the clock, and what over that number is MHz; those of Gowin and GateMate do not say it."""


@pytest.mark.parametrize("part", ["ice40-hx8k", "ecp5-25k", "lcmxo3-6900", "lifcl-40", "xc7a35t"])
def test_constraints_of_a_part_carry_the_clock_that_is_asked_for(part: str) -> None:
    budget = budget_of(load_profile(part))
    for mhz in (13.0, 87.5):
        asked = read_options({"clock_mhz": mhz}).at_clock(budget)
        name, text = constraint_file("some_uart", asked)
        pattern, over = _CLOCKS[name.rpartition(".")[2]]
        (said,) = re.findall(pattern, text, re.MULTILINE)
        assert said == (f"{mhz:g}" if over == 1 else f"{over / mhz:.3f}")


@pytest.mark.parametrize("name", [name for name in board_names() if load_profile(name).kind == "fpga"])
def test_constraints_of_a_board_carry_its_oscillator(name: str) -> None:
    budget = budget_of(load_profile(name))
    assert budget.board is not None
    file, text = constraint_file("some_board", budget)
    if found := _CLOCKS.get(file.rpartition(".")[2]):
        pattern, over = found
        (said,) = re.findall(pattern, text, re.MULTILINE)
        assert said == (f"{budget.board.clock_hz / 1e6:g}" if over == 1 else f"{1e9 / budget.board.clock_hz:.3f}")
