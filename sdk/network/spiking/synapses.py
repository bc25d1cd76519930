"""What synapses bring to leaky neurons in each step: sums over all of them, or event by event; delays heeded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .leaky_layer import LeakyLayer

__all__ = ["arriving", "events", "recurrent_parts", "returning"]

Int64 = npt.NDArray[np.int64]


def _product(spikes: Int64, weight: npt.NDArray[np.integer]) -> Int64:
    """spikes [..., inputs] · weight[neurons, inputs]ᵀ; exact: float32 below 2^24, float64 below 2^53."""
    bound = int(np.abs(spikes).max(initial=0)) * int(np.abs(weight).sum(axis=1).max(initial=0))
    dtype = np.float32 if bound < 2**24 else np.float64
    flat = spikes.reshape(-1, spikes.shape[-1]).astype(dtype)
    product: Int64 = (flat @ weight.T.astype(dtype)).astype(np.int64)
    return product.reshape(*spikes.shape[:-1], weight.shape[0])


def arriving(layer: LeakyLayer, spikes: Int64) -> Int64:
    """((Σ weight · spike) >> dropped_bits) << weight_shift of each step, for spikes [steps, samples, inputs].

    int64 [steps, samples, neurons]; without what recurrent synapses bring.
    """
    late = layer.model.input_delay
    result = np.zeros((*spikes.shape[:2], layer.neurons), np.int64)
    if layer.delays is None:
        result[late:] = _product(spikes[: len(spikes) - late], layer.weight)
    else:
        for delay in np.unique(layer.delays):
            total = int(delay) + late
            if total < len(spikes):
                weight = np.where(layer.delays == delay, layer.weight, 0)
                result[total:] += _product(spikes[: len(spikes) - total], weight)
    result >>= layer.model.dropped_bits
    result <<= layer.model.weight_shift
    return result


def _recurrent_delays(recurrent: npt.NDArray[np.int32], delays: npt.NDArray[np.int32] | None) -> npt.NDArray[np.int32]:
    return np.ones_like(recurrent) if delays is None else delays


def recurrent_parts(layer: LeakyLayer) -> list[tuple[int, Int64]]:
    """The recurrent synapses by their delay: pairs (steps, weight int64 [neurons, neurons], 0 for other delays)."""
    if layer.recurrent is None:
        return []
    delays = _recurrent_delays(layer.recurrent, layer.recurrent_delays)
    return [(int(delay), np.where(delays == delay, layer.recurrent, 0).astype(np.int64)) for delay in np.unique(delays)]


def returning(layer: LeakyLayer, parts: list[tuple[int, Int64]], fired: Int64, step: int) -> list[Int64]:
    """What the recurrent synapses `parts` bring at `step`, for spikes `fired` [steps, samples, neurons] so far."""
    drop, shift = layer.model.dropped_bits, layer.model.weight_shift
    return [(_product(fired[step - delay], weight) >> drop) << shift for delay, weight in parts if step >= delay]


def _delayed(history: Int64, step: int, delays: npt.NDArray[np.int32] | None, late: int, source: int) -> Int64:
    """Spikes of one source that arrive at `step`: int64 [samples, 1 or neurons]."""
    if delays is None:
        at = step - late
        return history[at, :, source, None] if at >= 0 else np.zeros((history.shape[1], 1), np.int64)
    at_neuron = step - late - delays[:, source].astype(np.int64)
    taken = history[np.maximum(at_neuron, 0), :, source].T
    return np.where(at_neuron >= 0, taken, 0)


def events(layer: LeakyLayer, history: Int64, own: Int64, step: int) -> list[tuple[Int64, Int64]]:
    """Pairs (spikes [samples, 1 or neurons], what each brings [neurons]) that arrive at `step`, in the order of their
    index: inputs `history` [steps, samples, inputs] first, then the layer's `own` spikes [steps, samples, neurons]."""
    shift = layer.model.weight_shift
    found = []
    for source in range(layer.inputs):
        spikes = _delayed(history, step, layer.delays, layer.model.input_delay, source)
        if spikes.any():
            found.append((spikes, layer.weight[:, source].astype(np.int64) << shift))
    if layer.recurrent is not None:
        delays = _recurrent_delays(layer.recurrent, layer.recurrent_delays)
        for source in range(layer.neurons):
            spikes = _delayed(own, step, delays, 0, source)
            if spikes.any():
                found.append((spikes, layer.recurrent[:, source].astype(np.int64) << shift))
    return found
