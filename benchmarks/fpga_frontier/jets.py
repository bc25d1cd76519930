"""Trained jet networks of HGQ (da4ml's artifact, weights alone): our adder graph beside da4ml's, on the same weights.

The networks are read from a folder that the user names: `*.h5`, as the artifact's `jsc/openml` has them. Of each dense
layer the quantized kernel is taken as integers (a power of two apart), and made twice from the same inputs: by our
adder graph and by da4ml; both are synthesized by the same yosys script. Activations and their roundings are not part
of it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.rtl import pipeline
from edgeml.targets.fpga.architectures.unrolled.stages import stages_by_depth

from .circuits import Circuit, counted
from .runs import Workshop

__all__ = ["as_integers", "compare", "reduced"]

_INPUT_BITS = 4


def as_integers(kernel: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """A kernel of fixed-point numbers as the smallest integers that are a power of two apart from it."""
    scaled = np.asarray(kernel, np.float64)
    for shift in range(24):
        whole = scaled * 2.0**shift
        if np.array_equal(whole, np.rint(whole)):
            return whole.astype(np.int64)
    raise ValueError("the kernel holds numbers that are no fixed-point numbers of up to 24 bits behind the point")


def reduced(weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`weight` [outputs, inputs] without the powers of two that a whole input or a whole output has: they are wires."""
    for axis in (0, 1):
        common = np.bitwise_or.reduce(weight, axis=axis, keepdims=True)
        weight = weight // np.maximum(common & -common, 1)
    return weight


def _dense(weight: npt.NDArray[np.int64]) -> Dense:
    """A layer of whole weights of any size: files hold weights of up to 8 bits, circuits do not mind."""
    layer = Dense(np.zeros(weight.shape, np.int64), 8, np.zeros(len(weight), np.int64))
    object.__setattr__(layer, "weight", weight.astype(np.int32))
    return layer


def _circuits(weight: npt.NDArray[np.int64]) -> dict[str, Circuit]:
    """The layer in both ways, from unsigned inputs of 4 bits."""
    inputs = InputQuantizer(weight.shape[1], np.array([1.0]), np.array([0.0]), 0, _INPUT_BITS, False)
    nodes = (Node("input", inputs), Node("dense", _dense(weight), ("input",)))
    network = Network("jets", nodes, Output(np.array([1.0])))
    made = {}
    for graph in ("edgeml", "da4ml"):
        logic = network_logic(network, adder_graph=graph)
        element = logic.output_element
        made[graph] = Circuit(
            pipeline(logic, "m", stages_by_depth(logic.netlist, 0), {}), element.bits, element.signed, len(weight)
        )
    return made


def compare(folder: Path, shop: Workshop) -> int:
    """Print a row for each layer of each network in `folder`; returns 1 where they could not be read."""
    networks = sorted(folder.glob("*.h5"))
    if not networks:
        print(f"jets: skipped, no *.h5 in {folder}")
        return 0
    script = [str(shop.python), str(Path(__file__).parent / "rivals" / "jet_kernels.py"), *map(str, networks)]
    result = subprocess.run(script, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"jets: failed: {' '.join(result.stderr.strip().splitlines()[-1:])}")
        return 1
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    print(f"{'network':<26}{'layer':<10}{'weights':>8}{'zero':>7}{'LUT':>7}{'da4ml':>7}{'ratio':>7}", flush=True)
    for path, line in zip(networks, lines, strict=True):
        totals = np.zeros(2, np.int64)
        for name, kernel in json.loads(line).items():
            weight = reduced(as_integers(np.array(kernel)).T)
            cells = [counted(circuit, shop.build / "cells", short=True) for circuit in _circuits(weight).values()]
            luts = np.array([each["luts"] + each["carry"] for each in cells])
            totals += luts
            print(
                f"{path.stem:<26}{name:<10}{weight.size:>8}{(weight == 0).mean():>7.0%}"
                f"{luts[0]:>7}{luts[1]:>7}{luts[0] / luts[1]:>7.2f}",
                flush=True,
            )
        ratio = totals[0] / totals[1]
        print(f"{path.stem:<26}{'all':<10}{'':>15}{totals[0]:>7}{totals[1]:>7}{ratio:>7.2f}", flush=True)
    return 0
