"""Time steps of a classic layer: synapses with delays, recurrent ones, and the neuron model, many samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .models.decay import DECAYS
from .models.limits import limit

if TYPE_CHECKING:
    from ..layers.leaky_neurons import LeakyNeurons

__all__ = ["Record", "run_layer"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Record:
    """States of one layer after each step, int64 [steps, samples, neurons] each; `current` is what u was."""

    current: Int64
    membrane: Int64
    spikes: Int64


def _product(spikes: Int64, weight: npt.NDArray[np.integer]) -> Int64:
    """spikes [..., inputs] · weight[neurons, inputs]ᵀ; exact: float32 below 2^24, float64 below 2^53."""
    bound = int(np.abs(spikes).max(initial=0)) * int(np.abs(weight).sum(axis=1).max(initial=0))
    dtype = np.float32 if bound < 2**24 else np.float64
    flat = spikes.reshape(-1, spikes.shape[-1]).astype(dtype)
    product: Int64 = (flat @ weight.T.astype(dtype)).astype(np.int64)
    return product.reshape(*spikes.shape[:-1], weight.shape[0])


def _arriving(layer: LeakyNeurons, spikes: Int64) -> Int64:
    """(Σ weight · spike) << weight_shift per step, delays heeded: int64 [steps, samples, neurons]."""
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


def _delayed(history: Int64, step: int, delays: npt.NDArray[np.int32] | None, late: int, source: int) -> Int64:
    """Spikes of one source that arrive at `step`: int64 [samples, 1 or neurons]."""
    if delays is None:
        at = step - late
        return history[at, :, source, None] if at >= 0 else np.zeros((history.shape[1], 1), np.int64)
    at_neuron = step - late - delays[:, source].astype(np.int64)
    taken = history[np.maximum(at_neuron, 0), :, source].T
    return np.where(at_neuron >= 0, taken, 0)


def _recurrent_delays(layer: LeakyNeurons) -> npt.NDArray[np.int32]:
    assert layer.recurrent is not None
    return np.ones_like(layer.recurrent) if layer.recurrent_delays is None else layer.recurrent_delays


def _events(layer: LeakyNeurons, history: Int64, own: Int64, step: int) -> list[tuple[Int64, Int64]]:
    """Pairs (spikes [samples, 1 or neurons], weights [neurons]) that arrive at `step`, in the order of their index."""
    found = []
    for source in range(layer.inputs):
        spikes = _delayed(history, step, layer.delays, layer.model.input_delay, source)
        if spikes.any():
            found.append((spikes, layer.weight[:, source].astype(np.int64)))
    if layer.recurrent is not None:
        delays = _recurrent_delays(layer)
        for source in range(layer.neurons):
            spikes = _delayed(own, step, delays, 0, source)
            if spikes.any():
                found.append((spikes, layer.recurrent[:, source].astype(np.int64)))
    return found


def _repeated(v: Int64, threshold: Int64, compare: str, most: int) -> Int64:
    """How often the threshold fits into v before the comparison fails, at most so often."""
    times = v // threshold if compare == "at_least" else (v - 1) // threshold
    clipped: Int64 = np.clip(times, 0, most)
    return clipped


def run_layer(layer: LeakyNeurons, spikes: Int64) -> Record:
    """Run spikes [steps, samples, inputs] through one layer; its docstring and its model's say what is computed."""
    if layer.model.fire == "per_event":
        return _run_event_firing(layer, spikes)
    return _run_step_firing(layer, spikes)


def _run_step_firing(layer: LeakyNeurons, spikes: Int64) -> Record:
    model = layer.model
    steps, samples = spikes.shape[:2]
    shape = (samples, layer.neurons)
    threshold = layer.threshold.astype(np.int64)
    bias = layer.bias.astype(np.int64)
    current_bias = bias if model.bias_into == "current" else np.zeros_like(bias)
    membrane_bias = bias if model.bias_into == "membrane" else np.zeros_like(bias)
    any_membrane_bias = bool(membrane_bias.any())
    decay, decay_bits = DECAYS[model.decay], model.decay_bits
    beta, alpha = layer.membrane_decay.astype(np.int64), layer.current_decay.astype(np.int64)
    per_event = model.accumulation == "per_event"
    arriving = np.zeros((steps, *shape), np.int64) if per_event else _arriving(layer, spikes)
    if current_bias.any():
        arriving += current_bias
    record = Record(arriving, np.empty((steps, *shape), np.int64), np.zeros((steps, *shape), np.int64))
    above = np.greater if model.compare == "greater" else np.greater_equal
    recurrent = layer.recurrent is not None and not per_event
    delays = np.unique(_recurrent_delays(layer)) if recurrent else ()
    parts = [
        (int(d), np.where(_recurrent_delays(layer) == d, layer.recurrent, 0).astype(np.int64))  # type: ignore[arg-type]
        for d in delays
    ]
    v = np.repeat(layer.initial.astype(np.int64)[None], samples, axis=0)
    u = np.zeros(shape, np.int64)
    fired = above(v, threshold).astype(np.int64)
    for t in range(steps):
        a = arriving[t]
        for delay, weight in parts:
            if t >= delay:
                a = a + ((_product(record.spikes[t - delay], weight) >> model.dropped_bits) << model.weight_shift)
        if per_event:
            total = u if model.order == "add_then_decay" else decay(u, alpha, decay_bits)
            total = total if model.current else np.zeros(shape, np.int64)
            for events, weight in _events(layer, spikes, record.spikes, t):
                total = limit(model.current_limit, total + events * (weight << model.weight_shift), model.bits)
            total = limit(model.current_limit, total + a, model.bits)
            u = decay(total, alpha, decay_bits) if model.current and model.order == "add_then_decay" else total
        elif model.current:
            total = (
                decay(u + a, alpha, decay_bits) if model.order == "add_then_decay" else decay(u, alpha, decay_bits) + a
            )
            u = limit(model.current_limit, total, model.bits)
        else:
            u = limit(model.current_limit, a, model.bits)
        record.current[t] = u
        past: Int64 | None = None
        if model.reset_delay:
            past = fired  # the same comparison of the same membrane
        elif model.reset == "subtract_guarded":
            past = above(v, threshold).astype(np.int64)
        if past is not None and model.reset == "zero":
            v = v * (1 - past)
        if model.addition == "saturating":
            change = limit(model.membrane_limit, decay(v, beta, decay_bits) - v + u, model.bits)
            v = v + limit(model.membrane_limit, change + membrane_bias, model.bits)
        else:
            v = decay(v, beta, decay_bits) + u
            if any_membrane_bias:
                v = v + membrane_bias
        if past is not None and model.reset == "subtract":
            v = v - past * threshold
        elif past is not None and model.reset == "zero_with_input":
            v = v * (1 - past)
        v = limit(model.membrane_limit, v, model.bits)
        compared = v - past * threshold if past is not None and model.reset == "subtract_guarded" else v
        if model.reset == "subtract_repeatedly":
            fired = _repeated(v, threshold, model.compare, model.max_spikes)
            v = v - fired * threshold
        else:
            fired = above(compared, threshold).astype(np.int64)
            if not model.reset_delay:
                if model.reset in ("zero", "zero_with_input"):
                    v = v * (1 - fired)
                elif model.reset in ("subtract", "subtract_guarded"):
                    v = v - fired * threshold
        record.membrane[t], record.spikes[t] = v, fired
    return record


def _run_event_firing(layer: LeakyNeurons, spikes: Int64) -> Record:
    """Compare and reset after every single event; an event with a count n is n events."""
    model = layer.model
    steps, samples = spikes.shape[:2]
    threshold, bias = layer.threshold.astype(np.int64), layer.bias.astype(np.int64)
    above = np.greater if model.compare == "greater" else np.greater_equal
    shape = (steps, samples, layer.neurons)
    record = Record(np.zeros(shape, np.int64), np.empty(shape, np.int64), np.zeros(shape, np.int64))
    v = np.repeat(layer.initial.astype(np.int64)[None], samples, axis=0)
    for t in range(steps):
        v = DECAYS[model.decay](v, layer.membrane_decay.astype(np.int64), model.decay_bits)
        v = limit(model.membrane_limit, v + bias, model.bits)
        given = np.zeros_like(v)
        for events, weight in _events(layer, spikes, record.spikes, t):
            for repeat in range(int(events.max())):
                here = events > repeat
                v = limit(model.membrane_limit, v + here * (weight << model.weight_shift), model.bits)
                fired = here & above(v, threshold) & (given < model.max_spikes)
                v = np.where(fired, 0, v)
                given = given + fired
        record.membrane[t], record.spikes[t] = v, given
    return record
