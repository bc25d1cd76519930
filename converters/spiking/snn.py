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
from edgeml.network.spiking.input_encoders import ENCODERS
from edgeml.network.spiking.measures import measure
from edgeml.network.task import VALUES
from edgeml.plugins import Conversion, Progress

from .quantize_snn import Bits, encoder_input, quantize_snn

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["SNN_OPTIONS", "agreement", "convert_snn", "float_events"]

Floats = npt.NDArray[np.float64]

SNN_OPTIONS = (
    "steps",
    "input_encoder",
    "input_bits",
    "weight_bits",
    "decay_bits",
    "threshold_bits",
    "readout",
    "model",
    "change",
    "seed",
    "epochs",
    "learning_rate",
    "batch_size",
)
_MEASURED = 256
_CHECKED = 16


def _whole(options: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"option {name}", f"must be a whole number in {low} … {high}, found {value!r}")
    return value


def convert_snn(snn: Snn, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
    """Convert `snn`; needs data.

    options : input_encoder `events` (samples hold steps · channels numbers; the default where they do) or direct
        (the default else), unary, ttfs, rate, delta; steps (those of the model's own forward, or 32, or what the
        samples hold); input_bits (8; 4 for unary and ttfs); weight_bits (8), decay_bits (12), threshold_bits (31);
        readout count, last-membrane or largest-membrane (default: what the model's forward gives); model snntorch (the
        default), loihi or xylo: a chip's arithmetic; change (1) for delta;
        seed (1); epochs (0) of fine-tuning with surrogate gradients,
        learning_rate (1e-3), batch_size (64).
    metrics : agreement {argmax, spikes: share of equal (step, neuron) pairs, per layer and in all}, accuracy float
        (of the user's own model, where there is one to run) and integer where there are labels, and measures.
    """
    if unknown := sorted(set(options) - {*SNN_OPTIONS, "encoding"}):
        raise InputError(f"option {unknown[0]!r}", "has no meaning for a spiking model", f"It takes {SNN_OPTIONS}")
    if data is None:
        raise InputError(
            "spiking model", "needs data, for the range of its input and to report agreement", "Pass --data"
        )
    over_time = data.features != snn.input_size
    own_steps = None if snn.source is None else snn.source.steps
    if over_time and own_steps is not None:
        raise InputError(
            "data",
            f"has {data.features} features per sample; the model's forward repeats one sample of {snn.input_size} over "
            f"{own_steps} steps",
            "Pass samples of one step, or let forward take events over time",
        )
    name = options.get("input_encoder", "events" if over_time else "direct")
    if name not in ("events", *ENCODERS):
        raise InputError("option input_encoder", f"{name!r} is not one of events, {', '.join(ENCODERS)}")
    bits_default = 4 if name in ("unary", "ttfs") else 8
    input_bits = _whole(options, "input_bits", bits_default, 1, 8)
    held = data.features // snn.input_size
    needs_time = name in ("events", "delta")
    if over_time and not needs_time:
        raise InputError("option input_encoder", f"samples hold {held} steps each; {name} encodes static samples")
    least = 2**input_bits - 1 if name in ("unary", "ttfs") else 1
    steps = _whole(options, "steps", held if needs_time else max(own_steps or 32, least), least, 4096)
    if needs_time and steps != held:
        raise InputError("option steps", f"samples hold {held} steps of {snn.input_size} channels", f"Use {held}")
    bits = Bits(
        _whole(options, "weight_bits", 8, 2, 8),
        _whole(options, "decay_bits", 12, 1, 16),
        _whole(options, "threshold_bits", 31, 2, 31),
    )
    seed, change = _whole(options, "seed", 1, 1, 2**31 - 1), _whole(options, "change", 1, 1, 255)
    readout = options.get("readout", snn.readout)
    x = np.asarray(data.x, np.float64)
    quantizer, encoder, unit = encoder_input(snn, x, name, steps, input_bits, seed, change)
    epochs = _whole(options, "epochs", 0, 0, 10_000)
    trained = snn
    if epochs:
        from .fine_tune import fine_tune

        trained = fine_tune(snn, data, quantizer, encoder, unit, steps, bits, epochs, options, seed, progress)
    model = options.get("model", "snntorch")
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


def float_events(network: Network, x: Floats) -> Floats:
    """What reaches the first layer for real x, as the float network would be given it: [steps, samples, channels].

    Static and `events` inputs stay real numbers; encoders that make spikes make the same ones as in integers.
    """
    first = next(node for node in network.layers if isinstance(node.layer, LeakyNeurons)).layer
    assert isinstance(first, LeakyNeurons)
    encoder = network.nodes[1].layer
    events: npt.NDArray[Any]
    if not isinstance(encoder, SpikeEncoder):
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
    for k, spikes in enumerate(ran.spikes):
        layer = network.nodes[[node.name for node in network.nodes].index(f"neurons{k}")].layer
        assert isinstance(layer, LeakyNeurons)
        if layer.model.emission == "membrane":
            continue
        ours = values[f"neurons{k}"].reshape(len(x), layer.steps, layer.neurons).transpose(1, 0, 2)
        shares[f"neurons{k}"] = float(np.mean(ours == spikes))
        equal, compared = equal + int(np.count_nonzero(ours == spikes)), compared + ours.size
    found: dict[str, Any] = {"spike_agreement": {**shares, "all": equal / max(compared, 1)}}
    if network.task != VALUES:
        wanted = snn.decisions(_float_outputs(snn, network, x, readout))
        found["agreement"] = float(np.mean(decisions(network, values["output"]) == wanted))
    return found


def _scores(
    snn: Snn, network: Network, data: Dataset, y: npt.NDArray[Any], readout: str
) -> dict[str, dict[str, float]]:
    """Of the integers, and of the float model: the user's own, run as it is, where there is one."""
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
    """Samples as the user's model takes them: events over time, or one step where it repeats them itself."""
    return float_events(network, x) if snn.source is None or snn.source.steps is None else x[None]
