"""Executors refuse a bundle whose top levels or test bench are not what its network gives, by the file's name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeml.bundle import Bundle, load, seal
from edgeml.errors import InputError
from edgeml.network import network_file as file
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.executors import icarus, netlist, verilator
from edgeml.targets.fpga.executors.icarus import IcarusExecutor
from edgeml.targets.fpga.executors.netlist import NetlistExecutor
from edgeml.targets.fpga.executors.verilator import VerilatorExecutor
from edgeml.targets.fpga.files import generated_files, verify_bundle
from edgeml.targets.fpga.tops import board
from edgeml.targets.fpga.tops.board import VerilatorBoard
from tests.network.random_networks import random_inputs

from ..designs import small_network

VECTORS = 4


def _seal(folder: Path) -> Bundle:
    profile = load_profile("xc7z020")
    target = {"name": profile.name, "kind": "fpga", "description": profile.description, "values": dict(profile.values)}
    seal(folder, {"form": "quantized", "target": target, "options": {"argmax": True}, "metrics": {}})
    return load(folder)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    network = small_network(3)
    FpgaTarget().emit(network, load_profile("xc7z020"), folder, {"architecture": "unrolled", "argmax": True})
    file.write(network, folder / "network.edgeml")
    q = random_inputs(network, VECTORS, 2).astype(np.int32)
    (folder / "golden").mkdir()
    np.save(folder / "golden" / "inputs.npy", q)
    np.save(folder / "golden" / "outputs.npy", simulate(network, q))
    return _seal(folder)


def test_a_bundle_as_it_was_written_is_right_and_every_file_of_it_is_compared(bundle: Bundle) -> None:
    built = verify_bundle(bundle)
    assert built.design.argmax
    written = {
        path.relative_to(bundle.folder).as_posix()
        for part in ("rtl", "tops")
        for path in (bundle.folder / part).rglob("*")
        if path.is_file()
    }
    assert set(generated_files(bundle.network, built, budget_of(bundle.profile))) == written


@pytest.mark.parametrize(
    "name",
    [
        "rtl/random_tb.v",
        "rtl/expected.mem",
        "tops/uart/random_uart.v",
        "tops/uart/edgeml_hil_device.v",
        "tops/axi/random_axi.v",
        "tops/axi/package_ip.tcl",
        "tops/axi/edgeml_packet_gate.v",
    ],
)
def test_a_changed_file_is_named_and_nothing_is_run(
    bundle: Bundle, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle.folder, tmp_path / "copy")
    path = tmp_path / "copy" / name
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    changed = _seal(tmp_path / "copy")
    monkeypatch.setattr(icarus, "run_icarus", None)
    monkeypatch.setattr(netlist, "compile_netlist", None)
    monkeypatch.setattr(verilator, "compile_design", None)
    monkeypatch.setattr(board, "compile_board", None)
    q = random_inputs(bundle.network, 2, 1).astype(np.int32)
    for executor in (VerilatorExecutor(), IcarusExecutor(), NetlistExecutor()):
        with pytest.raises(InputError, match=rf"{path.name}.*is not what this network"):
            executor.run(changed, q, trace=False, options={})
    with pytest.raises(InputError, match=rf"{path.name}.*is not what this network"):
        VerilatorBoard().start(changed)
    path.unlink()
    with pytest.raises(InputError, match=rf"{path.name}.*cannot be read"):
        verify_bundle(_seal(tmp_path / "copy"))
