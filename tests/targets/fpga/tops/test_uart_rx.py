"""The UART's receiver alone: which bytes it takes from the pin, and which it drops."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeml.targets.fpga.tools.programs import icarus, run

ROOT = Path(__file__).parents[4]


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")
def test_a_byte_without_a_stop_bit_and_a_spike_on_the_line_are_dropped(tmp_path: Path) -> None:
    programs = icarus()
    assert programs is not None
    sources = [ROOT / "firmware_stubs/rtl/edgeml_uart_rx.v", Path(__file__).with_name("uart_rx_bench.v")]
    run([programs[0], "-g2005", "-o", "bench.vvp", *map(str, sources)], tmp_path, 60.0, "iverilog")
    given = run([programs[1], "-n", "bench.vvp"], tmp_path, 60.0, "vvp").split()
    assert [word for word in given if len(word) == 2] == ["5a", "01", "c4", "77"]
