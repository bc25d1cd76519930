"""Verilog of an unrolled spiking network: a pipeline of adder graphs per layer, a module per neuron, and the core."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.network.layers.neurons import Neurons

from ...verilog.element import Element
from ...verilog.stream import result_fifo, shift_register, stream_ports
from ...verilog.writer import CLOCK, Expression, Layout, Verilog, same
from ..unrolled.rtl import pipeline
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
        _pipeline_name(plan, layer): pipeline(layer.logic, _pipeline_name(plan, layer), layer.stages, facts)
        for layer in plan.layers
    }


def _pipeline_name(plan: StepPerClockPlan, layer: StepPerClockLayer) -> str:
    return f"{plan.network.name}_{layer.name}_currents"


def _going(clock: int) -> str:
    """Whether a frame was taken so many clocks ago."""
    return "take" if clock == 0 else f"going[{clock - 1}]"


def _slot_bits(slots: int) -> int:
    return max((slots - 1).bit_length(), 1)


def step_per_clock_core(plan: StepPerClockPlan, name: str, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: in_* takes frames, out_* gives results; `facts` go into its header."""
    in_width = plan.network.input_size * plan.input_element.bits
    out_width = plan.network.output_size * plan.output_element.bits
    latency, interval = plan.latency, plan.interval
    verilog = Verilog()
    verilog.header(
        f"{name}: the spiking network {plan.network.name}, all of its neurons at once, made by edgeml.",
        "",
        "One slot per clock: the adder graphs of a layer give what the spikes of a slot bring, its neurons take",
        "that in and give spikes of their own. Nothing stalls: a frame is taken when its result has a place.",
        facts=facts,
    )
    with verilog.module(name, stream_ports(in_width, out_width)):
        verilog.wire("can_reserve")
        verilog.wire("rested")
        verilog.assign("in_ready", "can_reserve && rested")
        verilog.wire("take", value="in_valid && in_ready")
        shift_register(verilog, "going", "take", latency, "bit k: a frame was taken k + 1 clocks ago")
        _rest(verilog, interval, plan.rest_after_reset)
        _source(verilog, plan)
        for layer in plan.layers:
            _layer(verilog, plan, layer)
        verilog.blank()
        depth = (latency + 1) // interval + 1
        result_fifo(verilog, out_width, depth, can_reserve="can_reserve", push=_going(latency))
    return verilog.text()


def _rest(verilog: Verilog, interval: int, after_reset: int) -> None:
    """What keeps frames `interval` clocks apart, and the first of them some clocks behind a reset."""
    if interval == 1:
        verilog.assign("rested", "1'b1")
        return
    bits = (interval - 1).bit_length()
    verilog.reg("rest", width=bits, note="clocks until the next frame may come")
    verilog.assign("rested", f"rest == {bits}'d0")
    with verilog.clocked():
        verilog.line(f"if (rst) rest <= {bits}'d{after_reset};")
        verilog.line(f"else if (take) rest <= {bits}'d{interval - 1};")
        verilog.line(f"else if (!rested) rest <= rest - {bits}'d1;")


def _counter(verilog: Verilog, stem: str, slots: int, start: int) -> None:
    """A slot counter whose slot 0 is in the clock after `start`."""
    bits = _slot_bits(slots)
    verilog.wire(f"{stem}_running")
    verilog.wire(f"{stem}_slot", width=bits)
    ports = {**CLOCK, "start": _going(start), "running": f"{stem}_running", "slot": f"{stem}_slot"}
    verilog.instance("edgeml_slot_counter", f"{stem}_slots", ports, {"SLOTS": slots, "SLOT_BITS": bits})


def _source(verilog: Verilog, plan: StepPerClockPlan) -> None:
    """The unit that makes spikes of a frame's values."""
    inputs, source = plan.inputs, plan.source
    verilog.blank()
    verilog.comment(f"---- input population: {source.summary()}")
    if inputs.signal == "in_data":
        verilog.comment("Its integers go to the layers as they are, in one slot.")
        return
    _counter(verilog, "input", inputs.slots, 0)
    verilog.wire(inputs.signal, width=source.size)
    parameters = {
        "SIZE": source.size,
        "INPUT_BITS": plan.input_element.bits,
        "INPUT_SIGNED": int(plan.input_element.signed),
        "LOW": source.low,
        "LEVELS": source.levels,
        "ENCODING": _ENCODINGS[source.encoding],
        "SLOT_BITS": _slot_bits(inputs.slots),
    }
    counted = {"running": "input_running", "slot": "input_slot", "spikes": inputs.signal}
    ports = {**CLOCK, **same("take", "in_data"), **counted}
    verilog.instance("edgeml_slot_source", "input_unit", ports, parameters)


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


def _reached(verilog: Verilog, layer: StepPerClockLayer, reached: Reached) -> str:
    """Delay a population; the name of what reaches the layer.

    Values stand on their bus in every clock; if more slots than theirs count, the others get nothing of them.
    """
    population = reached.population
    width = population.channels * population.element.bits
    name, signal = f"{layer.name}_from_{population.name}", population.signal
    if reached.delay:
        verilog.wire(name, width=width)
        ports = {"clk": "clk", "in_data": signal, "out_data": name}
        verilog.instance("edgeml_delay", f"{name}_delay", ports, {"WIDTH": width, "CLOCKS": reached.delay})
        signal = name
    if population.encoding == VALUES and (layer.window > 1 or _traces(layer)):
        once = f"{name}_once"
        verilog.wire(once, width=width, value=f"{_going(layer.last - layer.latency)} ? {signal} : {width}'d0")
        signal = once
    return signal


def _traces(layer: StepPerClockLayer) -> bool:
    """Whether the neurons look at what comes after their window too: nothing may come then."""
    return layer.neurons is not None and layer.neurons.encoding == "stbif"


def _layer(verilog: Verilog, plan: StepPerClockPlan, layer: StepPerClockLayer) -> None:
    """The adder graphs of a layer, and its neurons or what is read of it."""
    what = "outputs" if layer.neurons is None else f"neurons, {layer.neurons.encoding}, {layer.neurons.levels} levels"
    origin = plan.network.origins.get(layer.name, "")
    verilog.layer(f"---- {layer.name}: {layer.size} {what}; {layer.window} slots come in", origin)
    buses = [
        _channels(reached.population, _reached(verilog, layer, reached), layer.element) for reached in layer.sources
    ]
    spikes = ", ".join(reversed(buses))
    verilog.wire(f"{layer.name}_in", width=layer.logic.netlist.input_bits, value=f"{{{spikes}}}")
    graded = layer.gives is not None and layer.gives.encoding == VALUES
    currents = f"{layer.name}_spikes" if graded else f"{layer.name}_currents"
    verilog.wire(currents, width=layer.size * layer.logic.output_element.bits)
    ports = {"clk": "clk", "in_data": f"{layer.name}_in", "out_data": currents}
    verilog.instance(_pipeline_name(plan, layer), f"{layer.name}_synapses", ports)
    if graded:
        return
    verilog.wire(f"unused_{currents}", value=f"&{{1'b0, {currents}}}")
    if layer.neurons is None:
        _readout(verilog, plan, layer)
    else:
        _neurons(verilog, layer, layer.neurons)


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


def _packed(values: list[int], bits: int) -> Expression:
    """Numbers of `bits` bits as one, the first lowest."""
    return Expression("{" + ", ".join(f"{bits}'d{value}" for value in reversed(values)) + "}")


def _neurons(verilog: Verilog, layer: StepPerClockLayer, neurons: Neurons) -> None:
    """A module for each neuron."""
    assert layer.gives is not None
    given, stbif = layer.gives, _traces(layer)
    _counter(verilog, layer.name, given.slots, layer.first if stbif else layer.charged - 1)
    verilog.wire(given.signal, width=given.channels * given.element.bits)
    if stbif:
        verilog.wire(f"unused_{layer.name}", value=f"&{{1'b0, {layer.name}_slot}}")
    for neuron in range(layer.size):
        bits = int(layer.bits[neuron])
        entries = _entries(layer, neurons.encoding, neuron)
        start: dict[str, int | Expression] = {"BITS": bits, "START": Expression(f"{bits}'d{int(layer.starts[neuron])}")}
        thresholds = {"THRESHOLDS": _packed(entries, bits)}
        ports = {
            **CLOCK,
            "first": _going(layer.first),
            "current": _current(layer, neuron),
            "running": f"{layer.name}_running",
        }
        if stbif:
            module = "edgeml_tracer_neuron"
            parameters: dict[str, int | Expression] = {"LEVELS": given.levels, **start, **thresholds}
            ports |= {"spike": f"{given.signal}[{2 * neuron + 1}:{2 * neuron}]"}
        else:
            module = "edgeml_slot_neuron"
            window = {
                "ENCODING": _ENCODINGS[neurons.encoding],
                "SLOTS": given.slots,
                "SLOT_BITS": _slot_bits(given.slots),
                "RULE": layer.rule,
                "WINDOW": layer.window,
            }
            parameters = {**window, **start, "ENTRIES": len(entries), **thresholds}
            ports |= {"last": _going(layer.last), "slot": f"{layer.name}_slot", "spike": f"{given.signal}[{neuron}]"}
        verilog.instance(module, f"{layer.name}_{neuron}", ports, parameters, Layout.TWO_LINES)


def _entries(layer: StepPerClockLayer, encoding: str, neuron: int) -> list[int]:
    """A neuron's thresholds in the order in which its module looks at them."""
    assert layer.thresholds is not None
    values = [int(t) for t in layer.thresholds[neuron]]
    if encoding == "ttfs":
        values.reverse()
    elif encoding == "sar":
        # What would stand for more than the last level is never reached.
        never = 2 ** int(layer.bits[neuron]) - 1
        values += [never] * (2 ** len(values).bit_length() - 1 - len(values))
    return values


def _readout(verilog: Verilog, plan: StepPerClockPlan, layer: StepPerClockLayer) -> None:
    """Potentials as they are, each put back on its smallest value."""
    width = plan.output_element.bits
    verilog.wire("result", width=layer.size * width)
    for neuron in range(layer.size):
        bits = int(layer.bits[neuron])
        name = f"{layer.name}_potential_{neuron}"
        start = Expression(f"{bits}'d{int(layer.starts[neuron])}")
        shape: dict[str, int | Expression] = {"RULE": layer.rule, "SLOTS": layer.window, "BITS": bits, "START": start}
        window = {"first": _going(layer.first), "last": _going(layer.last)}
        ports = {"clk": "clk", **window, "current": _current(layer, neuron), "potential": name}
        verilog.wire(name, width=bits)
        verilog.instance("edgeml_slot_potential", f"{layer.name}_{neuron}", ports, shape, Layout.TWO_LINES)
        wide = name
        if bits < width:
            wide = f"{{{{{width - bits}{{1'b0}}}}, {name}}}"
        elif bits > width:
            wide = f"{name}[{width - 1}:0]"
        low = int(layer.lows[neuron]) % 2**width
        verilog.assign(f"result[{(neuron + 1) * width - 1}:{neuron * width}]", f"{wide} + {width}'d{low}")
        if bits > width:
            verilog.wire(f"unused_{name}", value=f"&{{1'b0, {name}}}")
