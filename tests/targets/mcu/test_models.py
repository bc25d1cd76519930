"""Images run from their reset vector in Unicorn, with a model of the part: they answer exactly, and what is left out of
the start-up code, or wrong in it, is found and named."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.bundle import Bundle
from edgeml.errors import CheckFailed
from edgeml.hil import session
from edgeml.hil.device import Device
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.c.stub_text import stub_text
from edgeml.targets.mcu import board_files
from edgeml.targets.mcu.board import Board, board_of
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import emulator_missing
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import board_elf
from edgeml.targets.mcu.models import chip_of
from edgeml.targets.mcu.toolchain import compiler_missing
from edgeml.targets.mcu.unicorn_image import UnicornImage, UnicornImageLink

from .images import VECTORS, image_bundle, mcu_boards
from .networks import random_inputs, random_network

pytestmark = pytest.mark.skipif(
    bool(emulator_missing() or compiler_missing()), reason="pip install 'edgeml-exact[mcu]'"
)
NETWORK = random_network(7, (9, 6, 4), 2)
QUICK = ("pico", "ch32v203c8-evt")


def _board(name: str) -> Board:
    found = board_of(name, load_profile(name).values)
    assert found is not None
    return found


MODELLED = [name for name in mcu_boards() if chip_of(_board(name))]


def _link(name: str) -> UnicornImageLink:
    board, chip = _board(name), core(str(load_profile(name).values["core"]))
    return UnicornImageLink(board, chip, board_elf(firmware_files(NETWORK, chip, {}), chip, board, stack=1024))


def test_every_board_runs_somewhere() -> None:
    """Each shipped board is one that QEMU has, or one with a model."""
    assert {name for name in mcu_boards() if not load_profile(name).values.get("qemu")} <= set(MODELLED)
    assert {"pico", "pico2", "nrf52840dk", "microbit", "nucleo-f446re", "nucleo-h743zi"} < set(MODELLED)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow(scaled=True)) for name in MODELLED]
)
def test_the_image_answers_from_its_reset_vector_exactly(name: str) -> None:
    device = Device(_link(name), NETWORK, timeout=60.0, attempts=1)
    q = random_inputs(NETWORK, 3, VECTORS)
    np.testing.assert_array_equal(device.run(q), simulate(NETWORK, q))
    assert device.self_test() == 0
    assert device.retries == 0
    if _board(name).counter != "nrf_timer":
        assert device.info.counts_per_second == _board(name).clock_hz
    counts = [device.infer(q[:1]).count for _ in range(2)]
    assert counts[0] == counts[1] > 0, "a run repeats exactly"


def test_a_bundles_own_image_runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle: Bundle = image_bundle("stm32vldiscovery", tmp_path_factory.mktemp("image") / "bundle")
    machine = UnicornImage()
    assert machine.applies(bundle)
    assert machine.missing(bundle) == ""
    monkeypatch.setattr(session, "start_board", lambda name, bundle: machine.start(bundle))
    found = session.run(bundle, emulate="unicorn-m3")
    assert (found.vectors, found.mismatches, found.self_test, found.retries) == (VECTORS, 0, 0, 0)


MUTANTS = {
    # board, file, what is there, what is there instead, what the model says
    "no 2nd stage": ("pico", "boot_rp2040.c", '"str r0, [r3, #8]\\n"    /* SSIENR: off', '"nop\\n" /*', "CRC is wrong"),
    "no image": ("pico2", "boot_rp2350.c", "0x10210142u", "0x10110142u", "has no image definition"),
    "pad": ("pico2", "uart_rp2.c", "PAD_INPUT | PAD_PULLED_UP | PAD_REST", "PAD_REST | 1u << 8", "the pad of pin"),
    "reset": ("pico", "uart_rp2.c", "RP2_RESET_PADS | RP2_RESET_UART)", "RP2_RESET_PADS)", "the UART is in reset"),
    "divider": ("pico", "clock_rp2.c", "2u << 12", "3u << 12", "the core runs at 83333333 Hz"),
    "order": ("pico", "uart_rp2.c", "LINE = EIGHT_BITS_WITH_FIFO;", "LINE = 0x10u;", "UARTLCR_H is 0x10"),
    "function": ("nucleo-f446re", "uart_stm32f4.c", "| 2u << 2u * number", "| 1u << 2u * number", "has mode 1"),
    "flash": (
        "nucleo-f446re",
        "clock_stm32f4.c",
        "(EDGEML_CLOCK_HZ - 1u) / WAIT_STATE_HZ",
        "2u",
        "flash has 2 wait states",
    ),
    "bus": ("nucleo-f446re", "clock_stm32f4.c", "APB1_QUARTER (5u", "APB1_QUARTER (4u", "core or bus are too fast"),
    "clock of the port": ("stm32vldiscovery", "uart_stm32f1.c", "BUS2_CLOCKS |=", "(void)", "is of kind 4"),
    "USART off": ("stm32vldiscovery", "uart_stm32f1.c", "    CLOCKS |= 1u", "    CLOCKS &= 1u", "has no clock"),
    "baud": (
        "ch32v203c8-evt",
        "uart_stm32f1.c",
        "/ EDGEML_BAUD;\n    CONTROL",
        "/ EDGEML_BAUD / 2u;\n    CONTROL",
        "baud",
    ),
    "voltage": ("nucleo-h743zi", "clock_stm32h7.c", "SCALE_1 (3u", "SCALE_1 (1u", "the voltage is not at scale 1"),
    "supply": ("nucleo-h743zi", "clock_stm32h7.c", "| REGULATOR;", "| 4u;", "the core runs at 64000000 Hz"),
    "crystal": ("nrf52840dk", "clock_nrf5.c", "    START = 1u;", "", "crystal oscillator was not started"),
    "input": (
        "microbit-v2",
        "uart_nrf5.c",
        "EDGEML_UART_RX_NUMBER) = 0u;",
        "EDGEML_UART_RX_NUMBER) = 2u;",
        "connected",
    ),
    "address": ("nrf52840dk", "uart_nrf5.c", "EDGEML_UART_BASE + 0x524u", "EDGEML_UART_BASE + 0x5240u", "no register"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "reset" else pytest.mark.slow(scaled=True)) for name in MUTANTS]
)
def test_start_up_code_that_is_wrong_is_found_and_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board, file, right, wrong, said = MUTANTS[name]

    def changed(path: str) -> str:
        text = stub_text(path)
        if path != f"boards/{file}":
            return text
        assert right in text
        return text.replace(right, wrong)

    monkeypatch.setattr(board_files, "stub_text", changed)
    with pytest.raises(CheckFailed, match=said):
        Device(_link(board), NETWORK, timeout=60.0, attempts=1)
