"""Trained spiking networks (snnTorch, NIR) → integer networks, with their agreement with the float network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.snn import Snn
from edgeml.judging.scores import answers_of, scores
from edgeml.network import Network, decisions, golden
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.spiking.measures import measure
from edgeml.network.task import VALUES
from edgeml.options import read_values
from edgeml.plugins import Conversion, Progress

from .options import SPIKING_MODEL, refuse_others
from .quantize_snn import Bits, encoder_input, quantize_snn

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["agreement", "convert_snn", "float_events"]

Floats = npt.NDArray[np.float64]

_MOST_STEPS = 4096
_MEASURED = 256
_CHECKED = 16


def convert_snn(snn: Snn, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
    """Convert `snn`; needs data.

    options : those of `options.SPIKING_MODEL`. Samples of `input_encoder` events hold steps · channels numbers.
    metrics : agreement {argmax, spikes: share of equal (step, neuron) pairs, per layer and in all}, accuracy float
        (of the user's own model, if there is one to run) and integer if there are labels, and measures.
    """
    refuse_others(options, SPIKING_MODEL, "a spiking model")
    values = read_values(SPIKING_MODEL, options)
    if data is None:
        raise InputError(
            "spiking model", "needs data, for the range of its input and to report agreement", "Pass --data"
        )
    own_steps = None if snn.source is None else snn.source.steps
    name, input_bits, steps = _time(snn, data, values)
    bits = Bits(values["weight_bits"], values["decay_bits"], values["threshold_bits"])
    seed, change, readout = values["seed"], values["change"], values["readout"] or snn.readout
    x = np.asarray(data.x, np.float64)
    quantizer, encoder, unit = encoder_input(snn, x, name, steps, input_bits, seed, change)
    trained, model = snn, values["model"]
    if values["epochs"]:
        from .fine_tune import fine_tune

        trained = fine_tune(snn, data, quantizer, encoder, unit, steps, bits, values, progress)
    network = quantize_snn(trained, quantizer, encoder, unit, steps, bits, readout, model)
    x_test = np.asarray(data.x_test[:_MEASURED], np.float64)
    if snn.source is not None:
        snn.source.check(_source_events(snn, network, x_test[:_CHECKED]))
    metrics = agreement(snn, network, x_test, readout)
    notes = []
    if data.y_test is not None:
        metrics |= _scores(snn, network, data, data.y_test, readout)
    q = network.quantizer.quantize(x_test[:64])
    metrics["spiking"] = {"encoding": name, "steps": steps, "readout": readout, "measures": measure(network, q)}
    share = metrics["spike_agreement"]["all"]
    if model != "snntorch":
        notes.append(
            f"{share:.3%} of all spikes and silences equal those of the float network, in {model}'s own arithmetic."
        )
    else:
        notes.append(
            f"{share:.3%} of all spikes and silences equal those of the float network, {bits.weight}-bit weights."
        )
    if own_steps is not None and steps != own_steps:
        notes.append(f"The model's own forward runs {own_steps} steps; it was converted for {steps}.")
    if readout != snn.readout:
        notes.append(f"The model's own forward gives its {snn.readout}; it and the integers are read by {readout}.")
    return Conversion(network, metrics, {}, tuple(notes))


def _time(snn: Snn, data: Dataset, values: Mapping[str, Any]) -> tuple[str, int, int]:
    """How samples become spikes over time: the encoder's name, the bits of the input, and the time steps."""
    over_time = data.features != snn.input_size
    own_steps = None if snn.source is None else snn.source.steps
    if over_time and own_steps is not None:
        raise InputError(
            "data",
            f"has {data.features} features per sample; the model's forward repeats one sample of {snn.input_size} over "
            f"{own_steps} steps",
            "Pass samples of one step, or let forward take events over time",
        )
    name = values["input_encoder"] or ("events" if over_time else "direct")
    counts_up = name in ("unary", "ttfs")
    input_bits = values["input_bits"] or (4 if counts_up else 8)
    held = data.features // snn.input_size
    needs_time = name in ("events", "delta")
    if over_time and not needs_time:
        raise InputError("option input_encoder", f"samples hold {held} steps each; {name} encodes static samples")
    least = 2**input_bits - 1 if counts_up else 1
    steps = values["steps"] or (held if needs_time else max(own_steps or 32, least))
    if not least <= steps <= _MOST_STEPS:
        raise InputError("option steps", f"must be a whole number in {least} … {_MOST_STEPS}, found {steps}")
    if needs_time and steps != held:
        raise InputError("option steps", f"samples hold {held} steps of {snn.input_size} channels", f"Use {held}")
    return name, input_bits, steps


def float_events(network: Network, x: Floats) -> Floats:
    """What reaches the first layer for real x, as the float network would be given it: [steps, samples, channels].

    Static and `events` inputs stay real numbers; encoders that make spikes make the same ones as in integers.
    """
    first = next(iter(network.of_kind(LeakyNeurons).values()))
    encoder = next(iter(network.of_kind(SpikeEncoder).values()), None)
    events: npt.NDArray[Any]
    if encoder is None:
        events = x.reshape(len(x), first.steps, first.inputs)
    elif encoder.encoder == "direct":
        events = np.repeat(x[:, None, :], first.steps, axis=1)
    else:
        spikes = encoder.evaluate(network.quantizer.quantize(x)).reshape(len(x), first.steps, first.inputs)
        events = spikes * (float(network.quantizer.scale[0]) if encoder.encoder == "delta" else 1.0)
    return np.ascontiguousarray(events.transpose(1, 0, 2), dtype=np.float64)


def _float_outputs(snn: Snn, network: Network, x: Floats, readout: str) -> Floats:
    ran = snn.run(float_events(network, x))
    return _read(ran.spikes[-1], ran.membranes[-1], readout)


def _read(spikes: Floats, membranes: Floats, readout: str) -> Floats:
    """Outputs [samples, neurons] of spikes and membranes [steps, samples, neurons]."""
    if readout == "count":
        return np.asarray(spikes.sum(axis=0))
    return np.asarray(membranes.max(axis=0) if readout == "largest-membrane" else membranes[-1])


def agreement(snn: Snn, network: Network, x: Floats, readout: str) -> dict[str, Any]:
    """Share of samples with the float network's answer, and of (step, neuron) pairs with its spike or silence."""
    ran = snn.run(float_events(network, x))
    values = golden.trace(network, network.quantizer.quantize(x))
    shares, equal, compared = {}, 0, 0
    for spikes, (name, layer) in zip(ran.spikes, network.of_kind(LeakyNeurons).items(), strict=True):
        if layer.model.emission == "membrane":
            continue
        ours = values[name].reshape(len(x), layer.steps, layer.neurons).transpose(1, 0, 2)
        shares[name] = float(np.mean(ours == spikes))
        equal, compared = equal + int(np.count_nonzero(ours == spikes)), compared + ours.size
    found: dict[str, Any] = {"spike_agreement": {**shares, "all": equal / max(compared, 1)}}
    if network.task != VALUES:
        wanted = snn.decisions(_float_outputs(snn, network, x, readout))
        found["agreement"] = float(np.mean(decisions(network, values["output"]) == wanted))
    return found


def _scores(
    snn: Snn, network: Network, data: Dataset, y: npt.NDArray[Any], readout: str
) -> dict[str, dict[str, float]]:
    """Of the integers, and of the float model: the user's own, run as it is, if there is one."""
    x = np.asarray(data.x_test, np.float64)
    theirs = np.concatenate([_users_outputs(snn, network, x[at : at + 256], readout) for at in range(0, len(x), 256)])
    wanted = theirs if network.task == VALUES else snn.decisions(theirs)
    return scores(network.task, y, {"float": wanted, "integer": answers_of(network, x)})


def _users_outputs(snn: Snn, network: Network, x: Floats, readout: str) -> Floats:
    """What the user's model gives for x [samples, features], by its spikes or membranes; the reading's, without one."""
    if snn.source is None:
        return _float_outputs(snn, network, x, readout)
    return _read(*snn.source.run(_source_events(snn, network, x)), readout)


def _source_events(snn: Snn, network: Network, x: Floats) -> Floats:
    """Samples as the user's model takes them: events over time, or one step if it repeats them itself."""
    return float_events(network, x) if snn.source is None or snn.source.steps is None else x[None]
