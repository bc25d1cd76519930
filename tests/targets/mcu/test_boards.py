"""Boards as data: every shipped one says what its families need, a wrong one is refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeml.errors import InputError
from edgeml.profile import load_profile
from edgeml.targets.mcu import McuTarget
from edgeml.targets.mcu.board import Pin, board_of

from .images import mcu_boards
from .networks import random_network


@pytest.mark.parametrize("name", mcu_boards())
def test_a_shipped_board_is_whole(name: str) -> None:
    profile = load_profile(name)
    board = board_of(name, profile.values)
    assert board is not None
    assert board.facts_from
    assert board.qemu or board.tools, "a board in QEMU, or one that a program loads"
    assert bool(board.uf2_family) == ("uf2_drive" in (board.tools or {}))
    if board.clock != "fixed":
        assert board.pins is not None
        assert set(board.pins) == {"tx", "rx"}
    assert profile.description.count(":") >= 1


def test_pins_are_read_in_all_ways_that_makers_write_them() -> None:
    values = dict(load_profile("microbit-v2").values)
    board = board_of("mine", {**values, "uart_tx_pin": "PB6", "uart_rx_pin": "GPIO21"})
    assert board is not None
    assert board.pins == {"tx": Pin(1, 6), "rx": Pin(0, 21)}
    other = board_of("mine", values)
    assert other is not None
    assert other.pins == {"tx": Pin(0, 6), "rx": Pin(1, 8)}


_SOUND = {
    "kind": '"mcu"',
    "description": '"mine"',
    "carries": '"stm32f4"',
    "flash_start": "0x08000000",
    "ram_start": "0x20000000",
    "clock": '"stm32f4"',
    "clock_hz": "168000000",
    "uart": '"stm32f4"',
    "uart_base": "0x40011000",
    "uart_tx_pin": '"PA9"',
    "uart_rx_pin": '"PA10"',
    "counter": '"dwt"',
}


def _file(folder: Path, values: dict[str, str]) -> str:
    path = folder / "mine.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in values.items()), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("flash_start", None, "is a board .* but lacks flash_start"),
        ("flash_start", "0x08000001", "flash_start is 0x8000001, which must be a multiple of 256"),
        ("ram_start", "0xFFFFFF00", "ram_start is 0xffffff00"),
        ("ram_start", "0x08000100", "overlap"),
        ("clock", '"../../etc/passwd"', "clock must be one of"),
        ("uart", None, "says clock as boards do, but lacks uart"),
        ("uart_base", "-4", "uart_base must be a whole number"),
        ("uart_tx_pin", '"A9"', "uart_tx_pin is 'A9', which is not a pin"),
        ("uart_tx_pin", '"PA10"', "gives pin PA10 to both directions"),
        ("uart_rx_pin", None, "lacks uart_rx_pin"),
        ("pyocd", '"stm32; reboot"', "pyocd must be a name"),
        ("openocd_target", '"../x/y"', "openocd_target must be a name"),
        ("wiring", '"a */ #include <x>\\n"', "wiring must be a line"),
        ("facts_from", '"a */ int x; /* b"', "facts_from"),
        ("baud", "50", "baud must be a whole number"),
        ("boot", '"esp32"', "boot must be one of plain"),
        ("qemu", '"microbit -s"', "qemu must be a name"),
    ],
)
def test_a_board_that_is_not_sound_is_refused(field: str, value: str | None, said: str, tmp_path: Path) -> None:
    values = {**_SOUND, field: value} if value is not None else {k: v for k, v in _SOUND.items() if k != field}
    path = _file(tmp_path, values)
    with pytest.raises(InputError, match=said):
        board_of("mine", load_profile(path).values)
    try:
        results = McuTarget().rules(random_network(1, (4, 3), 2), load_profile(path))
    except InputError:
        return  # its fields are wrong, and it is not read at all
    assert [result.rule for result in results if not result.passed] == ["profile"]


def test_a_sound_board_of_a_user_is_taken(tmp_path: Path) -> None:
    board = board_of("mine", load_profile(_file(tmp_path, _SOUND)).values)
    assert board is not None
    assert (board.memory.flash_size, board.clock_hz, board.baud) == (1 << 20, 168_000_000, 115_200)


def test_a_board_is_not_a_part() -> None:
    assert board_of("rp2040", load_profile("rp2040").values) is None
