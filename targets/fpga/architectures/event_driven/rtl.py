"""Verilog of a spiking plan: a core module with the event-driven units one behind the other."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from ...verilog.memory import memory_image, pack_words
from ...verilog.stream import Stream, stream_ports
from ...verilog.writer import CLOCK, Verilog, same
from .plan import ENCODINGS, EventDrivenLayer, EventDrivenPlan

__all__ = ["LIBRARY_MODULES", "event_driven_core", "memory_files"]

LIBRARY_MODULES = (
    "edgeml_membranes.v",
    "edgeml_spike_encoder.v",
    "edgeml_spiking.v",
    "edgeml_spiking_readout.v",
)
_SOURCE_KINDS = {"direct": 0, "graded": 0, "unary": 1, "stbif": 1, "ttfs": 2, "sar": 3}


def _image(values: np.ndarray, bits: int) -> str:
    return memory_image(pack_words(values, bits), values.shape[1] * bits)


def memory_files(plan: EventDrivenPlan) -> dict[str, str]:
    """Memory images by file name. Places beyond the last neuron start below zero and never fire."""
    files = {}
    for layer in plan.layers:
        words, pe = layer.words, layer.pe
        weight = np.zeros((layer.channels, words * pe), np.int64)
        weight[:, : layer.neurons] = layer.weight.T
        files[f"{layer.name}_weights.mem"] = _image(weight.reshape(layer.channels * words, pe), layer.weight_bits)
        start = np.full(words * pe, -1, np.int64)
        start[: layer.neurons] = layer.start
        files[f"{layer.name}_start.mem"] = _image(start.reshape(words, pe), layer.membrane_bits)
        if layer.increments is None:
            continue
        count = 1 if layer.equal else layer.levels
        increments = np.zeros((words * pe, count), np.int64)
        amounts = layer.increments if layer.encoding != "sar" else layer.increments.cumsum(axis=1)
        increments[: layer.neurons] = amounts[:, :count]
        by_word = increments.reshape(words, pe, count).transpose(0, 2, 1).reshape(words * count, pe)
        files[f"{layer.name}_steps.mem"] = _image(by_word, layer.membrane_bits)
        if layer.encoding == "ttfs":
            ceilings = np.zeros(words * pe, np.int64)
            ceilings[: layer.neurons] = layer.increments.sum(axis=1)
            files[f"{layer.name}_ceilings.mem"] = _image(ceilings.reshape(words, pe), layer.membrane_bits)
    return files


def event_driven_core(plan: EventDrivenPlan, name: str, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: in_* takes input values, out_* gives results; `facts` go into its header."""
    last = plan.layers[-1]
    verilog = Verilog()
    verilog.header(
        f"{name}: the spiking network {plan.network.name} as event-driven units, made by edgeml.",
        "",
        f"A frame is {plan.network.input_size} input values of one element and {last.words} output values of",
        f"{last.pe} elements, lowest index first, in the lowest bits; what stands beyond the last element has no",
        "meaning. Between the units go events {end, channel, amount}; `end` alone closes a frame.",
        facts=facts,
    )
    with verilog.module(name, stream_ports(plan.input_element.bits, last.pe * last.membrane_bits)):
        for layer in plan.layers:
            _events(layer).declare(verilog)
        _encoder(verilog, plan)
        for layer, following in pairwise(plan.layers):
            _neurons(verilog, layer, following, plan.network.origins)
        _readout(verilog, last, plan.network.origins)
    return verilog.text()


def _events(layer: EventDrivenLayer) -> Stream:
    """The stream of events into a layer."""
    return Stream(f"{layer.name}_event", 1 + layer.channel_bits + layer.amount_bits)


def _encoder(verilog: Verilog, plan: EventDrivenPlan) -> None:
    """The unit that makes events of input values."""
    source, element, first = plan.source, plan.input_element, plan.layers[0]
    parameters = {
        "SIZE": source.size,
        "INPUT_BITS": element.bits,
        "INPUT_SIGNED": int(element.signed),
        "LOW": 0 if source.encoding == "direct" else source.low,
        "LEVELS": source.levels,
        "ENCODING": _SOURCE_KINDS[source.encoding],
        "CHANNEL_BITS": first.channel_bits,
        "AMOUNT_BITS": first.amount_bits,
    }
    ports = {**CLOCK, **same("in_valid", "in_ready", "in_data"), **_events(first).ports("out")}
    verilog.blank()
    verilog.comment(f"input population: {source.summary()}")
    verilog.instance("edgeml_spike_encoder", "input_unit", ports, parameters)


def _membranes(layer: EventDrivenLayer) -> dict[str, int | str]:
    """The parameters that units with and without neurons share."""
    return {
        "PE": layer.pe,
        "WORDS": layer.words,
        "CHANNELS": layer.channels,
        "WEIGHT_BITS": layer.weight_bits,
        "IN_CHANNEL_BITS": layer.channel_bits,
        "IN_AMOUNT_BITS": layer.amount_bits,
        "MEMBRANE_BITS": layer.membrane_bits,
        "WEIGHT_FILE": f"{layer.name}_weights.mem",
        "START_FILE": f"{layer.name}_start.mem",
    }


def _neurons(
    verilog: Verilog, layer: EventDrivenLayer, following: EventDrivenLayer, origins: Mapping[str, str]
) -> None:
    """A unit of neurons, whose events go to the layer that follows."""
    parameters: dict[str, int | str] = {"ENCODING": ENCODINGS[layer.encoding], **_membranes(layer)}
    parameters |= {
        "NEURONS": layer.neurons,
        "RELAY_FROM": layer.relay[0],
        "RELAY_TO": layer.relay[1],
        "LEVELS": layer.levels,
        "EQUAL": int(layer.equal),
        "OUT_CHANNEL_BITS": following.channel_bits,
        "OUT_AMOUNT_BITS": following.amount_bits,
        "STEP_FILE": f"{layer.name}_steps.mem",
    }
    if layer.encoding == "ttfs":
        parameters["CEILING_FILE"] = f"{layer.name}_ceilings.mem"
    ports = {**CLOCK, **_events(layer).ports("in"), **_events(following).ports("out")}
    verilog.layer(f"{layer.neurons} neurons, {layer.encoding}, {layer.levels} levels", origins.get(layer.name, ""))
    verilog.instance("edgeml_spiking", f"{layer.name}_unit", ports, parameters)


def _readout(verilog: Verilog, layer: EventDrivenLayer, origins: Mapping[str, str]) -> None:
    """The membranes whose potentials are the results."""
    ports = {**CLOCK, **_events(layer).ports("in"), **same("out_valid", "out_ready", "out_data")}
    verilog.layer(f"membranes of {layer.neurons} outputs", origins.get(layer.name, ""))
    verilog.instance("edgeml_spiking_readout", f"{layer.name}_unit", ports, _membranes(layer))
