"""FINN's folding configuration of a network: which units FINN makes of our QONNX, how it names them, and their folds.

Names, divisors and clocks are those of FINN's own transformations (finn-plus 1.6.1); a test applies the file with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from edgeml.network import Dense, Network, Threshold, expanded
from edgeml.network.task import CLASSES
from edgeml.verification.stated_encoding import stated_encoding

__all__ = ["FinnUnit", "finn_units", "folding_config", "names_units"]

_WIDEST_STREAM = 8191
"""Bits of the widest integer that FINN has Vitis HLS make (`MAX_ALLOWED_AP_INT_W`)."""
_MOST_INPUTS_PER_LANE = 1024
"""An HLS matrix unit needs SIMD ≥ inputs / 1024."""
_RTL_BITS = 4
"""FINN takes its RTL matrix unit from so many bits of weights and activations on."""


@dataclass(frozen=True)
class FinnUnit:
    """A hardware layer of FINN: its name after `SpecializeLayers`, its folds, and the clocks per frame FINN expects."""

    name: str
    folds: dict[str, int]
    clocks: int


def _divisors(number: int) -> Iterator[int]:
    return (divisor for divisor in range(1, number + 1) if number % divisor == 0)


def _lanes(kind: str, channels: int, interval: int) -> tuple[str, dict[str, int], int]:
    """A unit with PE channels per clock."""
    pe = next(divisor for divisor in _divisors(channels) if channels // divisor <= interval)
    return kind, {"PE": pe}, channels // pe


def _matrix(kind: str, layer: Dense, input_bits: int, interval: int) -> tuple[str, dict[str, int], int]:
    """SIMD raised first, then PE, until the layer takes at most `interval` clocks or streams become too wide."""
    rows, columns = layer.outputs, layer.inputs
    widest = _WIDEST_STREAM // max(layer.weight_bits, input_bits)
    pe, simd = 1, 1
    for divisor in _divisors(columns):
        if divisor > widest:
            break
        simd = divisor
        if rows * (columns // simd) <= interval and columns <= simd * _MOST_INPUTS_PER_LANE:
            break
    for divisor in _divisors(rows):
        if divisor * simd * layer.weight_bits > _WIDEST_STREAM:
            break
        pe = divisor
        if (rows // pe) * (columns // simd) <= interval:
            break
    return kind, {"PE": pe, "SIMD": simd}, (rows // pe) * (columns // simd)


def _in_rtl(layer: Dense, input_bits: int, part: str) -> bool:
    """Whether FINN makes a matrix unit without thresholds in RTL rather than in HLS."""
    narrow = int(layer.weight.min()) > -(2 ** (layer.weight_bits - 1))
    series_7 = part[2:3] == "7"
    return min(layer.weight_bits, input_bits) >= _RTL_BITS and (narrow or not series_7)


def names_units(network: Network) -> bool:
    """Whether `finn_units` knows the units of a network: matrices, and thresholds behind them."""
    network = expanded(network)
    dense, thresholds = network.of_kind(Dense), network.of_kind(Threshold)
    layers = network.layers[0 if stated_encoding(network) is None else 1 :]
    return all(node.name in dense or (node.name in thresholds and node.inputs[0] in dense) for node in layers)


def finn_units(network: Network, interval: int, part: str, *, standalone_thresholds: bool = False) -> list[FinnUnit]:
    """The units that FINN makes of `to_qonnx(network)` on a part, in order, folded to at most `interval` clocks each.

    With `standalone_thresholds` FINN was told to make thresholds units of their own (its option of that name);
    without, each matrix unit has those behind it. Where no divisor reaches the interval, the unit takes more clocks.
    """
    network = expanded(network)
    quantizer, encode = network.quantizer, stated_encoding(network)
    input_bits = quantizer.bits + (0 if quantizer.signed else 1) if encode is None else 2
    input_size = network.input_size if encode is None else encode.outputs
    found = [_lanes("Thresholding_rtl", input_size, interval)]
    dense, thresholds = network.of_kind(Dense), network.of_kind(Threshold)
    names = [node.name for node in network.layers]
    for name, following in zip(names, [*names[1:], ""], strict=True):
        if name in dense:
            alone = standalone_thresholds or following not in thresholds
            kind = "MVAU_rtl" if alone and _in_rtl(dense[name], input_bits, part) else "MVAU_hls"
            found.append(_matrix(kind, dense[name], input_bits, interval))
        elif name in thresholds:
            input_bits = thresholds[name].levels.bit_length()
            if standalone_thresholds:
                found.append(_lanes("Thresholding_rtl", thresholds[name].channels, interval))
    if network.output.labels and network.task == CLASSES:
        found.append(_lanes("LabelSelect_hls", network.output_size, interval))
    counts: dict[str, int] = {}
    units = []
    for kind, folds, clocks in found:
        units.append(FinnUnit(f"{kind}_{counts.get(kind, 0)}", folds, clocks))
        counts[kind] = counts.get(kind, 0) + 1
    return units


def folding_config(units: list[FinnUnit]) -> str:
    """The JSON that FINN's `folding_config_file` takes."""
    return json.dumps({"Defaults": {}, **{unit.name: unit.folds for unit in units}}, indent=2) + "\n"
