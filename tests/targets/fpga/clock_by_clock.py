"""A design's simulated RTL against golden and against the clocks that were predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.verilator import compile_design

__all__ = ["check_clock_by_clock"]

_PAUSES = ((128, 0), (0, 128), (60, 200))


def check_clock_by_clock(network: Network, design: Design, q: npt.NDArray[np.int32], folder: Path) -> None:
    """Golden's integers for the inputs q [frames, inputs], in the predicted clocks; and with stalls and resets."""
    built = build(network, design)
    simulation = compile_design(built, folder)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, y)
    assert counts["ends"][: len(built.clocks.frames)] == list(built.clocks.frames)
    for run, (input_pause, output_pause) in enumerate(_PAUSES):
        outputs, counts = simulation.run(q, seed=run, resets=3, input_pause=input_pause, output_pause=output_pause)
        np.testing.assert_array_equal(outputs, y)
        assert counts["resets"] > 0
