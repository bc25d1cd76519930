"""Verilog of an unrolled spiking network: a pipeline of adder graphs per layer, a module per neuron, and the core."""

from __future__ import annotations

from collections.abc import Mapping

from ...verilog.text import (
    Element,
    bus,
    instance,
    stream_ports,
)
from ..unrolled.emit import pipeline
from .plan import StepPerClockLayer, StepPerClockPlan
from .population import VALUES, Population, Reached

__all__ = ["LIBRARY_MODULES", "pipelines", "step_per_clock_core"]

LIBRARY_MODULES = (
    "edgeml_fifo.v",
    "edgeml_delay.v",
    "edgeml_slot_counter.v",
    "edgeml_slot_source.v",
    "edgeml_slot_potential.v",
    "edgeml_slot_neuron.v",
    "edgeml_tracer_neuron.v",
)
_ENCODINGS = {"unary": 0, "stbif": 0, "ttfs": 1, "sar": 2}


def pipelines(plan: StepPerClockPlan, facts: Mapping[str, object]) -> dict[str, str]:
    """The adder graphs by module name: out_data follows in_data, the spikes of a slot."""
    return {
        _pipeline_name(plan, layer): pipeline(layer.logic, _pipeline_name(plan, layer), plan.register_every, facts)
        for layer in plan.layers
    }


def _pipeline_name(plan: StepPerClockPlan, layer: StepPerClockLayer) -> str:
    return f"{plan.network.name}_{layer.name}_currents"


def _going(clock: int) -> str:
    """Whether a frame was taken so many clocks ago."""
    return "take" if clock == 0 else f"going[{clock - 1}]"


def _slot_bits(slots: int) -> int:
    return max((slots - 1).bit_length(), 1)


def _wire(width: int, name: str, value: str = "") -> str:
    return f"    wire {bus(width)}{name}{f' = {value}' if value else ''};"


def step_per_clock_core(plan: StepPerClockPlan, name: str, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: in_* takes frames, out_* gives results; `facts` go into its header."""
    in_width = plan.network.input_size * plan.input_element.bits
    out_width = plan.network.output_size * plan.output_element.bits
    latency, interval = plan.latency, plan.interval
    lines = [
        f"// {name}: the spiking network {plan.network.name}, all of its neurons at once, made by edgeml.",
        "//",
        "// One slot per clock: the adder graphs of a layer give what the spikes of a slot bring, its neurons take",
        "// that in and give spikes of their own. Nothing stalls: a frame is taken when its result has a place.",
        *(f"// {key}: {value}" for key, value in facts.items()),
        "`default_nettype none",
        f"module {name} (",
        *stream_ports(in_width, out_width),
        "    wire can_reserve;",
        "    wire rested;",
        "    assign in_ready = can_reserve && rested;",
        "    wire take = in_valid && in_ready;",
        f"    reg {bus(latency)}going;  // bit k: a frame was taken k + 1 clocks ago",
        "    always @(posedge clk) begin",
        f"        if (rst) going <= {latency}'d0;",
        f"        else going <= {f'{{going[{latency - 2}:0], take}}' if latency > 1 else 'take'};",
        "    end",
        *_rest(interval),
        *_source(plan),
    ]
    for layer in plan.layers:
        lines += _layer(plan, layer)
    fifo = instance(
        "edgeml_fifo",
        "results",
        {"WIDTH": out_width, "DEPTH": (latency + 1) // interval + 1},
        {
            "clk": "clk", "rst": "rst", "can_reserve": "can_reserve", "reserve": "take", "push": _going(latency),
            "push_data": "result", "valid": "out_valid", "ready": "out_ready", "data": "out_data",
        },
    )  # fmt: skip
    return "\n".join([*lines, "", fifo, "endmodule", "`default_nettype wire", ""])


def _rest(interval: int) -> list[str]:
    """What keeps frames `interval` clocks apart."""
    if interval == 1:
        return ["    assign rested = 1'b1;"]
    bits = (interval - 1).bit_length()
    return [
        f"    reg {bus(bits)}rest;  // clocks until the next frame may come",
        f"    assign rested = rest == {bits}'d0;",
        "    always @(posedge clk) begin",
        f"        if (rst) rest <= {bits}'d0;",
        f"        else if (take) rest <= {bits}'d{interval - 1};",
        f"        else if (!rested) rest <= rest - {bits}'d1;",
        "    end",
    ]


def _counter(stem: str, slots: int, start: int) -> list[str]:
    """A slot counter whose slot 0 is in the clock after `start`."""
    bits = _slot_bits(slots)
    ports = {"clk": "clk", "rst": "rst", "start": _going(start), "running": f"{stem}_running", "slot": f"{stem}_slot"}
    return [
        f"    wire {stem}_running;",
        _wire(bits, f"{stem}_slot"),
        instance("edgeml_slot_counter", f"{stem}_slots", {"SLOTS": slots, "SLOT_BITS": bits}, ports),
    ]


def _source(plan: StepPerClockPlan) -> list[str]:
    inputs, source = plan.inputs, plan.source
    lines = ["", f"    // ---- input population: {source.summary()}"]
    if inputs.signal == "in_data":
        return [*lines, "    // Its integers go to the layers as they are, in one slot."]
    parameters = {
        "SIZE": source.size,
        "INPUT_BITS": plan.input_element.bits,
        "INPUT_SIGNED": int(plan.input_element.signed),
        "LOW": source.low,
        "LEVELS": source.levels,
        "ENCODING": _ENCODINGS[source.encoding],
        "SLOT_BITS": _slot_bits(inputs.slots),
    }
    names = ("clk", "rst", "take", "in_data")
    ports = {name: name for name in names} | {"running": "input_running", "slot": "input_slot", "spikes": inputs.signal}
    return [
        *lines,
        *_counter("input", inputs.slots, 0),
        _wire(source.size, inputs.signal),
        instance("edgeml_slot_source", "input_unit", parameters, ports),
    ]


def _channels(population: Population, signal: str, wanted: Element) -> str:
    """A population's bus with every channel widened to `wanted`."""
    have = population.element
    if have == wanted:
        return signal
    pieces = []
    for channel in reversed(range(population.channels)):
        low = channel * have.bits
        high = low + have.bits - 1
        fill = f"{signal}[{high}]" if have.signed else "1'b0"
        pieces.append(f"{{{wanted.bits - have.bits}{{{fill}}}}}, {signal}[{high}:{low}]")
    return "{" + ", ".join(pieces) + "}"


def _reached(layer: StepPerClockLayer, reached: Reached) -> tuple[list[str], str]:
    """Lines that delay a population, and the name of what reaches the layer.

    Values stand on their bus in every clock; where more slots than theirs count, the others get nothing of them.
    """
    population = reached.population
    width = population.channels * population.element.bits
    name, signal = f"{layer.name}_from_{population.name}", population.signal
    lines = []
    if reached.delay:
        ports = {"clk": "clk", "in_data": signal, "out_data": name}
        parameters = {"WIDTH": width, "CLOCKS": reached.delay}
        lines += [_wire(width, name), instance("edgeml_delay", f"{name}_delay", parameters, ports)]
        signal = name
    if population.encoding == VALUES and (layer.window > 1 or _traces(layer)):
        once = f"{name}_once"
        lines.append(_wire(width, once, f"{_going(layer.last - layer.latency)} ? {signal} : {width}'d0"))
        signal = once
    return lines, signal


def _traces(layer: StepPerClockLayer) -> bool:
    """Whether the neurons look at what comes after their window too: nothing may come then."""
    return layer.neurons is not None and layer.neurons.encoding == "stbif"


def _layer(plan: StepPerClockPlan, layer: StepPerClockLayer) -> list[str]:
    what = "outputs" if layer.neurons is None else f"neurons, {layer.neurons.encoding}, {layer.neurons.levels} levels"
    lines = ["", f"    // ---- {layer.name}: {layer.size} {what}; {layer.window} slots come in"]
    buses = []
    for reached in layer.sources:
        more, signal = _reached(layer, reached)
        lines += more
        buses.append(_channels(reached.population, signal, layer.element))
    spikes = ", ".join(reversed(buses))
    lines.append(_wire(layer.logic.netlist.input_bits, f"{layer.name}_in", f"{{{spikes}}}"))
    graded = layer.gives is not None and layer.gives.encoding == VALUES
    currents = f"{layer.name}_spikes" if graded else f"{layer.name}_currents"
    lines.append(_wire(layer.size * layer.logic.output_element.bits, currents))
    ports = {"clk": "clk", "in_data": f"{layer.name}_in", "out_data": currents}
    lines.append(instance(_pipeline_name(plan, layer), f"{layer.name}_synapses", {}, ports))
    if graded:
        return lines
    lines.append(f"    wire unused_{currents} = &{{1'b0, {currents}}};")
    if layer.neurons is None:
        return lines + _readout(plan, layer)
    return lines + _neurons(layer)


def _current(layer: StepPerClockLayer, neuron: int) -> str:
    """What the slot brings to a neuron, as wide as its potential."""
    have, bits = layer.logic.output_element, int(layer.bits[neuron])
    low = neuron * have.bits
    taken = min(have.bits, bits)
    part = f"{layer.name}_currents[{low + taken - 1}:{low}]"
    if bits == taken:
        return part
    fill = f"{layer.name}_currents[{low + taken - 1}]" if have.signed else "1'b0"
    return f"{{{{{bits - taken}{{{fill}}}}}, {part}}}"


def _packed(values: list[int], bits: int) -> str:
    return "{" + ", ".join(f"{bits}'d{value}" for value in reversed(values)) + "}"


def _instance(module: str, name: str, parameters: Mapping[str, int | str], ports: Mapping[str, str]) -> str:
    """As `instance`, but text in `parameters` is Verilog."""
    values = ", ".join(f".{key}({value})" for key, value in parameters.items())
    wires = ", ".join(f".{key}({value})" for key, value in ports.items())
    return f"    {module} #({values})\n        {name} ({wires});"


def _neurons(layer: StepPerClockLayer) -> list[str]:
    assert layer.neurons is not None
    assert layer.gives is not None
    assert layer.thresholds is not None
    given, stbif = layer.gives, _traces(layer)
    start = layer.first if stbif else layer.charged - 1
    lines = [*_counter(layer.name, given.slots, start), _wire(given.channels * given.element.bits, given.signal)]
    if stbif:
        lines.append(f"    wire unused_{layer.name} = &{{1'b0, {layer.name}_slot}};")
    for neuron in range(layer.size):
        bits = int(layer.bits[neuron])
        parameters: dict[str, int | str] = {"BITS": bits, "START": f"{bits}'d{int(layer.starts[neuron])}"}
        entries = _entries(layer, neuron)
        ports = {
            "clk": "clk",
            "rst": "rst",
            "first": _going(layer.first),
            "current": _current(layer, neuron),
            "running": f"{layer.name}_running",
        }
        if stbif:
            parameters = {"LEVELS": given.levels, **parameters, "THRESHOLDS": _packed(entries, bits)}
            ports["spike"] = f"{given.signal}[{2 * neuron + 1}:{2 * neuron}]"
            lines.append(_instance("edgeml_tracer_neuron", f"{layer.name}_{neuron}", parameters, ports))
            continue
        parameters = {
            "ENCODING": _ENCODINGS[layer.neurons.encoding],
            "SLOTS": given.slots,
            "SLOT_BITS": _slot_bits(given.slots),
            "RULE": layer.rule,
            "WINDOW": layer.window,
            **parameters,
            "ENTRIES": len(entries),
            "THRESHOLDS": _packed(entries, bits),
        }
        ports |= {"last": _going(layer.last), "slot": f"{layer.name}_slot", "spike": f"{given.signal}[{neuron}]"}
        lines.append(_instance("edgeml_slot_neuron", f"{layer.name}_{neuron}", parameters, ports))
    return lines


def _entries(layer: StepPerClockLayer, neuron: int) -> list[int]:
    """A neuron's thresholds in the order in which its module looks at them."""
    assert layer.neurons is not None
    assert layer.thresholds is not None
    values = [int(t) for t in layer.thresholds[neuron]]
    if layer.neurons.encoding == "ttfs":
        values.reverse()
    elif layer.neurons.encoding == "sar":
        # What would stand for more than the last level is never reached.
        never = 2 ** int(layer.bits[neuron]) - 1
        values += [never] * (2 ** len(values).bit_length() - 1 - len(values))
    return values


def _readout(plan: StepPerClockPlan, layer: StepPerClockLayer) -> list[str]:
    """Potentials as they are, each put back on its smallest value."""
    width = plan.output_element.bits
    lines = [_wire(layer.size * width, "result")]
    for neuron in range(layer.size):
        bits = int(layer.bits[neuron])
        name = f"{layer.name}_potential_{neuron}"
        parameters: dict[str, int | str] = {
            "RULE": layer.rule,
            "SLOTS": layer.window,
            "BITS": bits,
            "START": f"{bits}'d{int(layer.starts[neuron])}",
        }
        ports = {
            "clk": "clk",
            "first": _going(layer.first),
            "last": _going(layer.last),
            "current": _current(layer, neuron),
            "potential": name,
        }
        lines += [_wire(bits, name), _instance("edgeml_slot_potential", f"{layer.name}_{neuron}", parameters, ports)]
        wide = name if bits >= width else f"{{{{{width - bits}{{1'b0}}}}, {name}}}"
        lines.append(
            f"    assign result[{(neuron + 1) * width - 1}:{neuron * width}] = "
            f"{wide if bits <= width else f'{name}[{width - 1}:0]'}"
            f" + {width}'d{int(layer.lows[neuron]) % 2**width};"
        )
        if bits > width:
            lines.append(f"    wire unused_{name} = &{{1'b0, {name}}};")
    return lines
