"""Cycles by model: instructions are read right, cost what the cores' manuals say, and flash adds what the part says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edgeml.profile import load_profile
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.cycles import core_timing, cycles_of_call, part_time
from edgeml.targets.mcu.cycles.flash_timing import FlashLines, FlashTiming, flash_timing
from edgeml.targets.mcu.cycles.operation import FLAGS, Kind, bit
from edgeml.targets.mcu.cycles.operations import operations
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.measure import measure
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.targets.mcu.toolchain import build

from .networks import random_network

_NETWORK = random_network(5, (40, 24, 12, 5), 4, activation_bits=4)


def _halves(*halves: int) -> bytes:
    return b"".join(half.to_bytes(2, "little") for half in halves)


@pytest.mark.parametrize(
    ("code", "classic", "m0", "m4"),
    [
        (_halves(0x6800), 2, 2, 2),  # ldr r0, [r0]
        (_halves(0x6801, 0x6802), 4, 4, 3),  # two loads: the M4's second hides a cycle
        (_halves(0x6800, 0x6800), 4, 4, 4),  # but not where its address is what the first loads
        (_halves(0x6001), 2, 2, 1),  # str r1, [r0]
        (_halves(0x4348), 1, 1, 1),  # muls r0, r1, r0
        (_halves(0xB5F0), 6, 6, 6),  # push {r4-r7, lr}
        (_halves(0xC80F), 5, 5, 5),  # ldm r0!, {r0-r3}
        (_halves(0x3001), 1, 1, 1),  # adds r0, #1
    ],
)
def test_instructions_cost_what_the_manuals_tables_say(code: bytes, classic: int, m0: int, m4: int) -> None:
    block = operations("arm", code)
    assert [core_timing(name).block(block) for name in ("m0classic", "m0", "m4")] == [classic, m0, m4]


def test_a_cortex_m3_takes_longer_for_products_than_a_cortex_m4() -> None:
    block = operations("arm", _halves(0xFB00, 0x0001, 0xFBA0, 0x2301, 0xFBE0, 0x2301))  # mla, umull, umlal
    assert [one.kind for one in block] == [Kind.ACCUMULATE, Kind.LONG_MULTIPLY, Kind.LONG_ACCUMULATE]
    assert core_timing("m4").block(block) == 3
    assert core_timing("m3").block(block) == 2 + 4 + 5


def test_late_results_hold_up_what_reads_them() -> None:
    load, use, other = _halves(0x6801), _halves(0x1C48), _halves(0x3201)  # ldr r1, [r0]; adds r0, r1, #1; adds r2, #1
    m33 = core_timing("m33")
    assert m33.block(operations("arm", load + use)) == 3
    assert m33.block(operations("arm", load + other + use)) == 3
    multiply, chained = _halves(0xFB20, 0x2201), _halves(0xFB20, 0x2202)  # smlad r2, r0, r1, r2; … r0, r2, r2
    assert m33.block(operations("arm", multiply + multiply)) == 2  # the sum is there for the next one
    assert m33.block(operations("arm", multiply + chained)) == 3


def test_a_cortex_m7_starts_two_that_do_not_need_each_other() -> None:
    m7 = core_timing("m7")
    assert m7.block(operations("arm", _halves(0x3001, 0x3101))) == 1  # adds r0, #1; adds r1, #1
    assert m7.block(operations("arm", _halves(0x3001, 0x3001))) == 2
    assert m7.block(operations("arm", _halves(0x4348, 0x4353))) == 2  # one multiplier: muls r0, r1; muls r3, r2


# The loops by which Nordic's nrfx_coredep_delay_us waits, with the cycles that it counts on: 4 of a Cortex-M0, 3 of a
# Cortex-M4 whose code is cached (nrfx, soc/nrfx_coredep.h).
_WAIT = '__attribute__((naked)) void wait(unsigned n) { __asm__("1: subs r0, #1\\nbhi 1b\\nbx lr"); }'


@pytest.mark.parametrize(("name", "timing", "loop"), [("m0", "m0classic", 4), ("m0", "m0", 3), ("m4", "m4", 3)])
def test_a_delay_loop_takes_the_cycles_that_a_vendor_counts_on(
    name: str, timing: str, loop: int, tmp_path: Path
) -> None:
    path = tmp_path / "wait.c"
    path.write_text(_WAIT, encoding="utf-8")
    image = read_image(build(core(name), [path], keep=["wait"], warnings=("-w",)))
    emulator = Emulator(core(name), image)
    few, many = (cycles_of_call(emulator, core_timing(timing), "wait", turns).core for turns in (10, 110))
    assert many - few == 100 * loop


@pytest.mark.parametrize("name", ["m0", "m4", "rv32"])
def test_what_a_block_changes_is_among_what_its_instructions_write(name: str) -> None:
    """Registers before each block of an inference, against the registers that the model says are written."""
    chip = core(name)
    firmware = firmware_files(_NETWORK, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip)), firmware.program)
    emulator = runner.emulator
    program = firmware.program
    size = program.layout.network.input_size
    q, out = emulator.allocate(size), emulator.allocate(4 * program.layout.network.output_size)
    arena = emulator.allocate(program.arena_bytes, 16)
    emulator.write(q, bytes(range(1, 1 + size)))
    blocks = emulator.blocks(f"{program.layout.name}_invoke", q, out, arena)
    for before, after in pairwise(blocks):
        content = _block(emulator, before[0], before[1])
        written = 0
        for one in operations(chip.architecture, content):
            written |= one.writes
            assert one.kind is not Kind.OTHER or one.size == 2, hex(before[0])  # IT and hints alone
        changed = bit(*(i for i, (old, new) in enumerate(zip(before[2:], after[2:], strict=True)) if old != new))
        assert changed & ~written & ~bit(FLAGS) == 0, (hex(before[0]), bin(changed & ~written))
        assert len(operations(chip.architecture, content)) == before[1]
    assert len(blocks) > 100


def _block(emulator: Emulator, address: int, count: int) -> bytes:
    content = b""
    while count:
        half = int.from_bytes(emulator.read(address + len(content), 2), "little")
        arm = emulator.core.architecture == "arm"
        wide = half >> 11 >= 0b11101 if arm else half & 3 == 3
        content += emulator.read(address + len(content), 4 if wide else 2)
        count -= 1
    return content


def test_lines_of_flash_cost_their_wait_states_unless_they_are_held_or_read_ahead() -> None:
    lines = FlashLines(FlashTiming(5, 16, code_lines=2))
    assert lines.fetched(0, 32, 10) == 10  # two lines
    assert lines.fetched(16, 16, 10) == 0  # held
    assert lines.fetched(32, 4, 1) == 5  # drops line 0, the one used longest ago
    assert lines.fetched(0, 4, 1) == 5
    ahead = FlashLines(FlashTiming(5, 16, code_lines=4, prefetch=True))
    assert ahead.fetched(0, 16, 4) == 5  # nothing was read ahead
    assert ahead.fetched(16, 16, 4) == 1  # 4 of 5 cycles pass while its instructions run
    assert ahead.fetched(64, 16, 4) == 5  # not the next line
    data = FlashLines(FlashTiming(5, 16, data_lines=1))
    assert [data.read(address) for address in (0, 4, 15, 16, 0)] == [5, 0, 0, 5, 5]
    shared = FlashLines(FlashTiming(5, 16, code_lines=8, shared=True))
    assert [shared.fetched(0, 16, 4), shared.read(8)] == [5, 0]


def test_a_parts_profile_makes_time_and_energy() -> None:
    profile = load_profile("nrf52840")
    part = part_time(core("m4"), profile.values)
    assert part is not None
    assert part.flash is None
    firmware = firmware_files(_NETWORK, core("m4"), {})
    found = measure(firmware, core("m4"), part=part).modelled
    assert found["microseconds"] == pytest.approx(found["cycles"] / 64, abs=1e-3)
    assert found["microjoules"] == pytest.approx(found["microseconds"] * 3.3 * 3.0 / 1000, abs=1e-3)
    assert part_time(core("m55"), {}) is None
    assert flash_timing({"flash_wait_states": 5}) is None  # not without the line's bytes


def test_flash_adds_to_what_the_core_takes_and_caches_take_it_away() -> None:
    chip = core("m4")
    firmware = firmware_files(_NETWORK, chip, {})
    network = firmware.program.layout.network
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip)), firmware.program)
    q = np.full(network.input_size, network.quantizer.high, np.int32)

    def cycles(**values: object) -> tuple[int, int | None]:
        part = part_time(chip, values)
        assert part is not None
        found = runner.cycles(q, part)
        return found.core, found.flash

    alone, none = cycles()
    assert none is None
    slow = cycles(flash_wait_states=5, flash_line_bytes=16)
    ahead = cycles(flash_wait_states=5, flash_line_bytes=16, flash_prefetch=True)
    cached = cycles(flash_wait_states=5, flash_line_bytes=16, code_cache_lines=4096, flash_shared_cache=True)
    assert {alone} == {slow[0], ahead[0], cached[0]}
    assert slow[1] is not None
    assert ahead[1] is not None
    assert slow[1] > ahead[1] > 0 == cached[1]
