"""Two runs of one spiking network in floating point: where they may part, and where they must not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..snn import Snn

__all__ = ["first_unexplained"]

Floats = npt.NDArray[np.float64]
_TOLERANCE = 1e-9
"""Of membranes, relative to the largest number in a sample's run: both sides compute in float64."""
_ROUNDED_TOLERANCE = 1e-6
"""Where a threshold is not a float32: snnTorch multiplies it by a reset in float32, which rounds it."""


def first_unexplained(
    snn: Snn, ours: tuple[Sequence[Floats], Sequence[Floats]], theirs: Sequence[tuple[Floats, Floats]]
) -> str | None:
    """The first difference between two runs that rounding does not explain, in words; None where there is none.

    ours, theirs : spikes and membranes [steps, samples, neurons] of every layer.

    Membranes may differ by rounding, and spikes where a membrane lies within rounding of its threshold: from that
    step on the sample's runs are two different ones, and are compared no further.
    """
    tied = np.full(ours[0][0].shape[1], len(ours[0][0]))  # per sample, the first step that a tie decided
    for k, layer in enumerate(snn.layers):
        spikes, membranes = ours[0][k], ours[1][k]
        their_spikes, their_membranes = theirs[k]
        scale = np.maximum(1.0, np.abs(membranes).max(axis=(0, 2)) + float(layer.threshold.max()))
        rounded = np.any(layer.threshold != layer.threshold.astype(np.float32))
        allowed = ((_ROUNDED_TOLERANCE if rounded else _TOLERANCE) * scale)[None, :, None]
        near = np.minimum(np.abs(membranes - layer.threshold), np.abs(their_membranes - layer.threshold)) <= allowed
        differs = (spikes != their_spikes) | ~(np.abs(membranes - their_membranes) <= allowed)
        steps, samples, neurons = np.nonzero(differs)
        order = np.argsort(steps, kind="stable")
        for step, sample, neuron in zip(steps[order], samples[order], neurons[order], strict=True):
            if step >= tied[sample]:
                continue
            if spikes[step, sample, neuron] != their_spikes[step, sample, neuron] and near[step, sample, neuron]:
                tied[sample] = step
                continue
            return (
                f"layer {layer.name}, step {step}, neuron {neuron}: the model has a membrane of "
                f"{their_membranes[step, sample, neuron]:.9g} and gives {their_spikes[step, sample, neuron]:g}, "
                f"edgeml {membranes[step, sample, neuron]:.9g} and {spikes[step, sample, neuron]:g}"
            )
    return None
