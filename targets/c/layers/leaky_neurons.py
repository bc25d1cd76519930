"""C of leaky neurons over time: events through synapses, then one update of every neuron per step."""

from __future__ import annotations

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models.operations import PARAMETERS, live
from edgeml.network.spiking.ranges import arriving_range, state_ranges

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..neuron_text import NeuronText
from ..tensor import Tensor

__all__ = ["EMITTER", "LeakyNeuronsEmitter"]

_SUFFIX = {"uint8_t": "u8", "int16_t": "s16", "int32_t": "s32"}


class LeakyNeuronsEmitter(LayerEmitter):
    """One loop over time. The neuron's choices are constants, so that each model gets its own short update.

    Events of a step add rows of weights to what will arrive (a ring of steps if synapses have delays); models that
    limit after each event, or fire on each, take their events one by one in the order of their index.
    """

    kind = "leaky_neurons"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        layer, values = nodes[-1].layer, network.ranges[nodes[-1].name]
        assert isinstance(layer, LeakyNeurons)
        if layer.model.emission == "membrane":
            return Tensor.make(nodes[-1].name, values, dialect.padding, ctype="int32_t")
        return Tensor.make(nodes[-1].name, values, dialect.padding, ctype="uint8_t", low=0)

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, LeakyNeurons)
        _check(job, layer)
        writer = _Writer(job, layer)
        if not layer.program.step:
            writer.event_firing()
        else:
            writer.step_firing()
        extras = "".join(f", {name}" for name in ("recurrent", "delays") if getattr(layer, name) is not None)
        return LayerCode(
            statements=tuple(writer.lines),
            comment=f"{layer.inputs} -> {layer.neurons} neurons over {layer.steps} steps, {layer.model.name}{extras}",
            includes=("events.h", "neurons.h"),
            constants=tuple(writer.constants.values()),
            scratch_bytes=4 * writer.words,
        )


def _check(job: LayerJob, layer: LeakyNeurons) -> None:
    """Refuse what 32 bits could not hold on the way, and the few combinations that have no C."""
    model, where = layer.model, f"layer {job.nodes[-1].name}"
    if model.accumulation == "per_event" and (layer.delays is not None or layer.recurrent_delays is not None):
        raise InputError(where, "delays together with accumulation per_event have no C", "Use one of the two")
    if model.dropped_bits and layer.recurrent is not None:
        raise InputError(where, "dropped_bits together with recurrent synapses have no C", "Use one of the two")
    values = job.network.ranges[job.nodes[-1].inputs[0]]
    least, most = arriving_range(layer, values)
    states = state_ranges(layer, values)
    reach = max(int(np.abs(least).max()), int(np.abs(most).max())) + int(np.abs(layer.bias.astype(np.int64)).max())
    widest = max(abs(end) for state in states for end in state.bounds) + int(layer.threshold.max())
    if model.accumulation == "per_event":
        reach = 255 * (128 << model.weight_shift)
    if reach + 2 * widest >= 2**31:
        raise InputError(
            where,
            f"what arrives in a step ({reach}) and twice the state ({widest}) pass 32 bits together: no C for it",
            "Use fewer fraction bits or fewer inputs",
        )


class _Writer:
    """Collects statements, constants and scratch words of one layer."""

    def __init__(self, job: LayerJob, layer: LeakyNeurons) -> None:
        self.job, self.layer, self.model = job, layer, layer.model
        self.lines: list[str] = []
        self.constants: dict[str, ConstantArray] = {}
        self.words = 0
        (self.x,) = job.inputs
        self.size = layer.neurons

    def constant(self, field: str, ctype: str, values: np.ndarray, comment: str) -> str:
        name = f"{self.job.prefix}_{field}"
        self.constants[name] = ConstantArray(name, ctype, np.ascontiguousarray(values), comment)
        return name

    def per_neuron(self, field: str) -> str:
        return self.constant(field, "int32_t", getattr(self.layer, field), f"{field.replace('_', ' ')} [{self.size}]")

    def scratch(self, name: str, words: int) -> None:
        self.lines.append(f"int32_t *const {name} = (int32_t *)(void *)scratch + {self.words};")
        self.words += words

    def weights(self, field: str) -> str:
        matrix = getattr(self.layer, field)
        sources = matrix.shape[1]
        return self.constant(
            f"{field}_by_source", "int8_t", matrix.T, f"{field} [{sources} sources][{self.size} neurons]"
        )

    def per_neuron_loop(self, body: list[str]) -> list[str]:
        """The statements `body` for every neuron `n`."""
        return [f"for (size_t n = 0; n < {self.size}u; n++) {{", *_indented(body), "}"]

    def start(self, states: list[str]) -> None:
        """Initial states."""
        initial = self.per_neuron("initial") if self.layer.initial.any() else ""
        values = [f"{initial}[n]" if state == "v" and initial else "0" for state in states]
        self.lines += self.per_neuron_loop(
            [f"{state}[n] = {value};" for state, value in zip(states, values, strict=True)]
        )

    def step_firing(self) -> None:
        """Events of a step are summed, or limited one by one; then every neuron does its step."""
        model, layer, size = self.model, self.layer, self.size
        per_event = bool(layer.program.event)
        self.scratch("v", size)
        states = ["v"]
        if model.current:
            self.scratch("u", size)
            states.append("u")
        turns = 1 if per_event else self._turns()
        self.scratch("ring", turns * size)
        self.start(states)
        self.lines += [
            f"for (size_t n = 0; n < {turns * size}u; n++) {{",
            "    ring[n] = 0;",
            "}",
            f"for (size_t t = 0; t < {layer.steps}u; t++) {{",
        ]
        body = self._take_one_by_one() if per_event else self._take(turns)
        body += self._update(per_event)
        if layer.recurrent is not None and not per_event:
            body += self._send_back(turns)
        self.lines += [*_indented(body), "}"]

    def _turns(self) -> int:
        """Steps that the ring holds: the present one, and as many as what is sent now may be late."""
        layer, own = self.layer, 0
        deepest = int(layer.delays.max()) if layer.delays is not None else 0
        if layer.recurrent is not None:
            own = int(layer.recurrent_delays.max()) if layer.recurrent_delays is not None else 1
        return max(deepest + self.model.input_delay, own) + 1

    def _take(self, turns: int) -> list[str]:
        """Events of this step into the ring; `arriving` is what arrives now."""
        layer, suffix, size = self.layer, _SUFFIX[self.x.ctype], self.size
        weight = self.weights("weight")
        late = self.model.input_delay
        now = "t" if not late else f"t + {late}"
        source = f"x + t * {layer.inputs}u, {self.x.low}, {layer.inputs}, {weight}"
        if layer.delays is not None:
            delay = self.constant("delay", "uint16_t", layer.delays.T, "delay [sources][neurons], steps")
            take = f"edgeml_events_delayed_{suffix}({source}, {delay}, {size}, ring, {turns}, {now});"
        else:
            row = f"ring + ({now}) % {turns}u * {size}u" if turns > 1 else "ring"
            take = f"edgeml_events_{suffix}({source}, {size}, {row});"
        arriving = f"ring + t % {turns}u * {size}u" if turns > 1 else "ring"
        return [take, f"int32_t *const arriving = {arriving};"]

    def _take_one_by_one(self) -> list[str]:
        """Events in the order of their index, each limited: their sum per neuron in `ring`, with the current."""
        layer, size, late = self.layer, self.size, self.model.input_delay
        weight = self.weights("weight")
        event = f"count * (row[n] * {1 << self.model.weight_shift})"
        text = NeuronText(self.per_neuron, {"arriving": "ring[n]", "event": event})
        lines = self.per_neuron_loop(text.text(layer.program.before))
        if self.model.current and self.model.order == "decay_then_add":
            self.per_neuron("current_decay")

        def events(count: str, sources: int, row: str, condition: str) -> list[str]:
            inner = [
                f"for (size_t i = 0; i < {sources}u; i++) {{",
                f"    const int32_t count = {count};",
                "    if (count != 0) {",
                f"        const int8_t *const row = {row} + i * {size}u;",
                *_indented(self.per_neuron_loop(text.text(layer.program.event)), 2),
                "    }",
                "}",
            ]
            return [f"if (t > 0) {{  /* {condition} */", *_indented(inner), "}"] if condition else inner

        sent = f"(int32_t)x[{f'(t - {late})' if late else 't'} * {layer.inputs}u + i] + ({self.x.low})"
        lines += events(sent, layer.inputs, weight, "what was sent one step before" if late else "")
        if layer.recurrent is not None:
            lines += events(f"y[(t - 1) * {size}u + i]", size, self.weights("recurrent"), "spikes of the step before")
        return lines

    def _update(self, per_event: bool) -> list[str]:
        """Every neuron's step: `in` is what it gets, `v[n]` its membrane; writes y."""
        program = self.layer.program
        # Membranes that are never reset meet no threshold, and C compilers object to a constant that nothing reads.
        step = live(program.step, (program.emitted,))
        read = {name for operation in step for name in operation.reads}
        if self.model.current:
            # Currents have their table in any case: one that does not decay is the only one that does not read it.
            read.add("current_decay")
        for name in PARAMETERS:
            if name in read:
                self.per_neuron(name)
        arriving = "ring[n]" if per_event else "arriving[n]"
        if self.model.dropped_bits:
            arriving = f"edgeml_floor_shift({arriving}, {self.model.dropped_bits})"
        if self.model.weight_shift and not per_event:
            arriving = f"{arriving} * {1 << self.model.weight_shift}"
        text = NeuronText(self.per_neuron, {"arriving": arriving}, () if per_event else ("arriving[n] = 0;",))
        sent = "next" if program.emitted == "next" else "(uint8_t)fired"
        return self.per_neuron_loop([*text.text(step), f"y[t * {self.size}u + n] = {sent};"])

    def _send_back(self, turns: int) -> list[str]:
        """Recurrent events of this step into the ring."""
        layer, size = self.layer, self.size
        weight = self.weights("recurrent")
        source = f"y + t * {size}u, 0, {size}, {weight}"
        if layer.recurrent_delays is not None:
            delay = self.constant("recurrent_delay", "uint16_t", layer.recurrent_delays.T, "delay [sources][neurons]")
            return [f"edgeml_events_delayed_u8({source}, {delay}, {size}, ring, {turns}, t);"]
        return [f"edgeml_events_u8({source}, {size}, ring + (t + 1) % {turns}u * {size}u);"]

    def event_firing(self) -> None:
        """Compare and reset after every single event; an event with a number is that many events."""
        layer, size = self.layer, self.size
        self.per_neuron("threshold")
        self.scratch("v", size)
        self.start(["v"])
        fired = f"y[t * {size}u + n]"
        text = NeuronText(self.per_neuron, {"event": f"row[n] * {1 << self.model.weight_shift}"}, given=fired)
        body = self.per_neuron_loop([*text.text(layer.program.before), f"{fired} = 0;"])
        late = "(t - 1)" if self.model.input_delay else "t"
        inputs = f"x[{late} * {layer.inputs}u + i]"
        sources = [(inputs, layer.inputs, self.weights("weight"), self.x.low, bool(self.model.input_delay))]
        if layer.recurrent is not None:
            sources.append((f"y[(t - 1) * {size}u + i]", size, self.weights("recurrent"), 0, True))
        for value, count, weight, low, is_late in sources:
            body += [
                f"for (size_t i = 0; {'t > 0 && ' if is_late else ''}i < {count}u; i++) {{",
                f"    const int8_t *const row = {weight} + i * {size}u;",
                f"    for (int32_t left = (int32_t){value} + ({low}); left > 0; left--) {{",
                *_indented(self.per_neuron_loop(text.text(layer.program.event)), 2),
                "    }",
                "}",
            ]
        self.lines += [f"for (size_t t = 0; t < {layer.steps}u; t++) {{", *_indented(body), "}"]


def _indented(lines: list[str], levels: int = 1) -> list[str]:
    return [f"{'    ' * levels}{line}" for line in lines]


EMITTER = LeakyNeuronsEmitter()
