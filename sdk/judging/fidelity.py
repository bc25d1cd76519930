"""Integers against the float model: how far they are off, by which layer, why, and the rule that says what is too far.

The rule holds for the largest error of any output over the samples, as a share of how far the outputs spread (of values
each output for itself, of classes the one that spreads most), and for the share of samples that are answered as the
float model does. `LARGEST_ERROR` and `FEWEST_AGREEING` hold for 5 bits and more; fewer bits explain more (`ALLOWED`).

A layer is found to be at fault by running the float model on from it: on what the integers of all layers up to it stand
for. The layer behind which the answer gets worse by most is the one whose integers lose it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..network import Network, decisions, simulate, trace
from ..network.task import VALUES

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..frontends.mlp import Mlp

__all__ = ["ALLOWED", "FEWEST_AGREEING", "LARGEST_ERROR", "Fidelity", "FloatReference", "Reading", "measure", "samples"]

Floats = npt.NDArray[np.float64]

LARGEST_ERROR = 0.2
"""Of the outputs' spread. Beyond it, or below `FEWEST_AGREEING`, the user is told, whatever the bits."""
FEWEST_AGREEING = 0.9
ALLOWED: Mapping[int, tuple[float, float]] = {1: (1.0, 0.6), 2: (0.8, 0.7), 3: (0.5, 0.8), 4: (0.3, 0.85)}
"""(Largest error, least agreement) that so few bits of weights or activations explain; beyond it something is wrong."""
_MOST_SAMPLES = 4096
_MOST_NUMBERS = 2**22
_FAR = 30.0
_RESOLUTION = 1e-6
"""Values that differ by less than this share of their size are the same: float32, which models compute in, has 6e-8."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What the integers of a node stand for: (q − zero_point) · scale, scale float64 [1] or [channels].

    `layer` is what messages call it.
    """

    layer: str
    scale: Floats
    zero_point: float = 0.0


@dataclass(frozen=True, eq=False)
class FloatReference:
    """The float model of an integer network, node by node.

    Parameters
    ----------
    mlp : the user's model; its outputs are what the network's integers stand for.
    network : whose nodes are read; its outputs are those of the conversion.
    evaluate : (x, known) → the float values [samples, channels] of nodes of `network` by name, the last node's among
        them, for x [samples, inputs]; a node in `known` has the values there, and what follows is computed from them.
    readings : by node of `network`, in computing order, those that `evaluate` gives; not the last one.
    """

    mlp: Mlp
    network: Network
    evaluate: Callable[[Floats, Mapping[str, Floats]], Mapping[str, Floats]]
    readings: Mapping[str, Reading]


@dataclass(frozen=True)
class Fidelity:
    """How near an integer network is to its float model.

    Parameters
    ----------
    error : largest difference of an output, as a share of the spread of the outputs.
    agreement : share of samples answered as the float model does; None of values.
    bits : the fewest bits of any weights or activations.
    layer : the layer at fault; empty where nothing is.
    note : what to tell the user; empty where nothing is to be told.
    within : whether the rule is kept, bits considered.
    """

    error: float
    agreement: float | None
    bits: int
    layer: str
    note: str
    within: bool

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        found = {
            "error": round(self.error, 6),
            "bits": self.bits,
            "within": self.within,
            "layer": self.layer,
            "note": self.note,
        }
        return found if self.agreement is None else {**found, "agreement": self.agreement}


@dataclass(frozen=True)
class _Distance:
    error: float
    agreement: float | None

    def excess(self, allowed: tuple[float, float]) -> float:
        """Above 1 where it passes (largest error, least agreement)."""
        disagreement = 0.0 if self.agreement is None else (1 - self.agreement) / (1 - allowed[1])
        return max(self.error / allowed[0], disagreement)


def samples(network: Network, data: Dataset | None) -> Floats:
    """Samples to measure on: the data, evenly thinned; without data 1,024 seeded ones from the input's range."""
    most = max(min(_MOST_SAMPLES, _MOST_NUMBERS // max(network.sizes.values())), 64)
    if data is None:
        quantizer = network.quantizer
        shape = (min(most, 1024), network.input_size)
        q = np.random.default_rng(0).integers(quantizer.low, quantizer.high, shape, np.int32, endpoint=True)
        return quantizer.dequantize(q)
    parts = [part[:: -(-len(part) // most)] for part in (data.x, data.x_test) if len(part)]
    return np.concatenate(parts).astype(np.float64)


def measure(reference: FloatReference, x: Floats) -> Fidelity:
    """Hold the integer network against its float model on x [samples, inputs]."""
    return _Measurement(reference, x).fidelity()


def _bits(network: Network) -> int:
    """The fewest bits of any weights or levels."""
    widths = [8]
    for layer in (node.layer for node in network.layers):
        widths += [layer.value_bits] if layer.value_bits else []
        widths += [layer.weight_memory // layer.multiplications] if layer.multiplications else []
    return min(widths)


def _constant(values: Floats) -> bool:
    return bool(np.ptp(values, axis=0).max() <= _RESOLUTION * np.abs(values).max())


class _Measurement:
    def __init__(self, reference: FloatReference, x: Floats) -> None:
        self._reference, self._network, self._x = reference, reference.network, x
        self._wanted = np.asarray(reference.mlp.evaluate(x))
        self._values = self._network.task == VALUES
        spread, size = np.ptp(self._wanted, axis=0), np.abs(self._wanted).max(axis=0)
        varies = spread > _RESOLUTION * size
        # Outputs that are constant, but for float32's last bits, have only their own size to be measured by.
        if self._values:
            spread = np.where(varies, spread, size)
        else:
            spread = np.full(len(spread), (spread[varies] if varies.any() else size).max())
        self._spread = np.where(spread > 0, spread, 1.0)

    def fidelity(self) -> Fidelity:
        network = self._network
        q = network.quantizer.quantize(self._x)
        y = simulate(network, q)
        answers = None if self._values else decisions(network, y)
        distance = self._distance(network.output.real(y), answers)
        bits = _bits(network)
        allowed = ALLOWED.get(bits, (LARGEST_ERROR, FEWEST_AGREEING))
        within = distance.excess(allowed) <= 1
        layer = note = ""
        if _constant(self._wanted):
            layer, note = self._constant_layer()
        elif distance.excess((LARGEST_ERROR, FEWEST_AGREEING)) > 1:
            layer, why = self._at_fault(q, distance)
            note = _sentence(distance, bits, allowed, within) + why
        return Fidelity(distance.error, distance.agreement, bits, layer, note, within)

    def _distance(self, outputs: Floats, answers: npt.NDArray[np.int64] | None = None) -> _Distance:
        error = float((np.abs(outputs - self._wanted).max(axis=0) / self._spread).max())
        if self._values:
            return _Distance(error, None)
        if answers is None:  # of real numbers
            answers = self._reference.mlp.decisions(outputs)
        return _Distance(error, float(np.mean(answers == self._reference.mlp.decisions(self._wanted))))

    def _at_fault(self, q: npt.NDArray[np.int32], final: _Distance) -> tuple[str, str]:
        """The layer behind which the answer gets worse by most, and sentences on why and what to do."""
        reference, allowed = self._reference, (LARGEST_ERROR, FEWEST_AGREEING)
        last = self._network.nodes[-1].name
        integers = trace(self._network, q)
        x = self._network.quantizer.dequantize(q)
        known: dict[str, Floats] = {}
        worse = {"": self._distance(reference.evaluate(x, known)[last]).excess(allowed)}
        for name, reading in reference.readings.items():
            known[name] = (integers[name].astype(np.float64) - reading.zero_point) * reading.scale
            worse[name] = self._distance(reference.evaluate(x, known)[last]).excess(allowed)
        worse[last] = final.excess(allowed)
        increase = dict(zip(worse, np.diff([0.0, *worse.values()]).tolist(), strict=True))
        name = max(increase, key=lambda each: increase[each])
        if name == "":
            return "input", self._input_fault()
        wanted = reference.evaluate(self._x, {})
        if name == last:
            scale = self._network.output.scale
            return last, self._fault(last, self._wanted, scale, True)
        reading = reference.readings[name]
        return reading.layer, self._fault(reading.layer, wanted[name], reading.scale, False)

    def _input_fault(self) -> str:
        sizes = np.abs(self._x).max(axis=1)
        farthest = int(np.argmax(sizes))
        if sizes[farthest] > _FAR * np.median(sizes):
            return (
                f" The input causes it: a sample reaches {sizes[farthest]:.3g}, where half of all samples stay below "
                f"{np.median(sizes):.3g}. Remove samples that lie far from all others, or clip them."
            )
        step = np.broadcast_to(self._network.quantizer.scale, (self._x.shape[1],))
        deviation = self._x.std(axis=0)
        lost = int(np.sum((deviation < step) & (deviation > 0)))
        if not lost:
            layer, channel, share = self._most_moved()
            return (
                f" The input causes it: rounding it to its integers moves channel {channel} of layer {layer} by up to "
                f"{share:.0%} of its range. Make that channel's weights smaller, so that the layer turns less of the "
                "input's noise into answers, or give the features that it depends on a smaller range."
            )
        return (
            f" The input causes it: {lost} of {len(step)} features vary by less than a step of their integers. "
            "Give all features like units: divide each by its deviation, in the model or before it."
        )

    def _most_moved(self) -> tuple[str, int, float]:
        """The layer and channel that the input's rounding moves most, and by which share of the channel's range."""
        rounded = self._network.quantizer.dequantize(self._network.quantizer.quantize(self._x))
        exact, moved = (self._reference.evaluate(each, {}) for each in (self._x, rounded))
        found = ("", 0, -1.0)
        for name, values in exact.items():
            shares = np.abs(moved[name] - values).max(axis=0) / np.maximum(np.ptp(values, axis=0), 1e-300)
            channel = int(np.argmax(shares))
            if shares[channel] > found[2]:
                reading = self._reference.readings.get(name)
                found = reading.layer if reading else name, channel, float(shares[channel])
        return found

    def _fault(self, layer: str, values: Floats, scale: Floats, last: bool) -> str:
        """Why integers of this scale lose the float values [samples, channels] of a layer."""
        step = np.broadcast_to(scale, (values.shape[1],))
        deviation, size = values.std(axis=0), np.abs(values).max(axis=0)
        varies = deviation > _RESOLUTION * size
        lost = varies & (deviation < step)
        text = f" Layer {layer} causes it: "
        if not lost.any():
            return text + "its weights or activations need more bits than they have. Use more, or train (--epochs)."
        text += (
            f"{int(lost.sum())} of {len(lost)} channels vary by less than a step of its integers ({step.max():.3g}), "
        )
        if float(np.median(np.abs(values.mean(axis=0))[lost] / deviation[lost])) > _FAR:
            return text + (
                f"far from zero (up to {size[lost].max():.3g}). Take the constant part off in the model: its "
                "biases are too large for what varies."
            )
        if last:
            return text + (
                f"because the largest reaches {size.max():.3g} and all outputs share one scale. Give the outputs like "
                "units, in the model's last layer."
            )
        return text + (
            f"because the largest reaches {size.max():.3g}, and nothing can even them out between here and the next "
            "layer. Scale its channels alike (batch norm before the activation does), or use ReLU behind it."
        )

    def _constant_layer(self) -> tuple[str, str]:
        said = "The float model gives one answer for all samples"
        if _constant(self._x):
            return "input", f"{said}: they are all the same."
        for name, values in self._reference.evaluate(self._x, {}).items():
            if _constant(values):
                reading = self._reference.readings.get(name)
                layer = reading.layer if reading else name
                return layer, f"{said}: from layer {layer} on nothing changes with the input. Look at its weights."
        return "", f"{said}."


def _sentence(distance: _Distance, bits: int, allowed: tuple[float, float], within: bool) -> str:
    found = f"off by up to {distance.error:.0%} of the outputs' spread"
    rule = f"{allowed[0]:.0%}"
    if distance.agreement is not None:
        found += f", and {distance.agreement:.1%} of the answers agree"
        rule += f" and {allowed[1]:.0%}"
    if within:
        return f"The integers are {found}, as {bits} bits explain (up to {rule})."
    return f"The integers are far from the float model: {found}; {bits} bits explain up to {rule}."
