"""Wave files: what the signals of a simulation say is what its outputs are; others are refused with what to do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.bundle import Bundle, check_waves
from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.network.network_file import write
from edgeml.targets.fpga.design import verify_files
from edgeml.targets.fpga.executors.verilator import VerilatorExecutor
from tests.network.random_networks import random_inputs

from ..designs import small_network

pytestmark = pytest.mark.skipif(bool(VerilatorExecutor().missing(None)), reason="Verilator cannot run here")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("waves")
    write(small_network(3), folder / "net.edgeml")
    return edgeml.convert(folder / "net.edgeml", to="quantized", target="ice40-hx8k", output=folder / "bundle")


def values(vcd: str, *names: str) -> list[tuple[int, ...]]:
    """The values of signals of the outermost scope behind each falling edge of the clock, at odd times."""
    head, _, body = vcd.partition("$enddefinitions $end")
    codes = {name: re.findall(rf"\$var wire +\d+ (\S+) {name}(?: \[\S+\])? \$end", head)[0] for name in names}
    now, found, time = dict.fromkeys(codes.values(), 0), [], 0
    for line in [*body.split("\n"), "#-1"]:
        if line.startswith("#"):
            if time % 2:
                found.append(tuple(now[codes[name]] for name in names))
            time = int(line[1:])
        elif (change := re.fullmatch(r"(?:b([01]+) |([01]))(\S+)", line)) and change[3] in now:
            now[change[3]] = int(change[1] or change[2], 2)
    return found


def test_a_wave_file_shows_what_the_simulation_gives(bundle: Bundle, tmp_path: Path) -> None:
    q = random_inputs(bundle.network, 7, 1).astype(np.int32)
    path = tmp_path / "out.vcd"
    given = bundle.run(q, "verilator", waves=path).integers
    np.testing.assert_array_equal(given, simulate(bundle.network, q))
    seen = values(path.read_text(encoding="utf-8"), "m_axis_tvalid", "m_axis_tready", "m_axis_tdata")
    outputs = [data for valid, ready, data in seen if valid and ready]
    built = verify_files(bundle.network, bundle.folder / "rtl")
    raw = [data.to_bytes(built.interface.output_bytes, "little") for data in outputs]
    frames = built.interface.unpack(np.frombuffer(b"".join(raw), np.uint8).reshape(len(raw), -1))
    np.testing.assert_array_equal(frames, given)


def test_what_writes_no_waves_and_other_names_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    q = random_inputs(bundle.network, 1, 1).astype(np.int32)
    with pytest.raises(InputError, match=r"'golden' writes no signals over time.*--on verilator"):
        bundle.run(q, "golden", waves=tmp_path / "out.vcd")
    for name, said in {"out.txt": r"\.vcd or \.fst", "none/out.vcd": "no folder"}.items():
        with pytest.raises(InputError, match=said):
            check_waves("verilator", VerilatorExecutor(), tmp_path / name)
