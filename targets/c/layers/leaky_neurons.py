"""C of leaky neurons over time: events through synapses, then one update of every neuron per step."""

from __future__ import annotations

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models.limits import bounds
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.ranges import arriving_range, state_ranges

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerCode, LayerEmitter, LayerJob
from ..tensor import Tensor

__all__ = ["EMITTER", "LeakyNeuronsEmitter"]

_SUFFIX = {"uint8_t": "u8", "int16_t": "s16", "int32_t": "s32"}


class LeakyNeuronsEmitter(LayerEmitter):
    """One loop over time. The neuron's choices are constants, so that each model gets its own short update.

    Events of a step add rows of weights to what will arrive (a ring of steps where synapses have delays); models that
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
        if layer.model.fire == "per_event":
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


def _decay(model: NeuronModel, state: str, factors: str) -> str:
    """The state one step later, as an expression."""
    if model.decay == "none":
        return state
    function = {
        "multiply": "edgeml_decay_multiply",
        "multiply_toward_zero": "edgeml_decay_toward_zero",
        "shift": "edgeml_decay_shift",
        "subtract": "edgeml_decay_subtract",
    }[model.decay]
    if model.decay == "shift":
        return f"{function}({state}, (unsigned){factors}[n])"
    bits = f", {model.decay_bits}" if model.decay.startswith("multiply") else ""
    return f"{function}({state}, {factors}[n]{bits})"


def _limited(rule: str, bits: int, value: str) -> str:
    """The value within its width, as an expression."""
    if rule == "refuse":
        return value
    if rule == "wrap":
        return f"edgeml_wrap({value}, {1 << (bits - 1)})"
    low, high = bounds(rule, bits)
    return f"edgeml_saturate({value}, {low}, {high})"


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

    def start(self, states: list[str]) -> None:
        """Initial states."""
        initial = self.per_neuron("initial") if self.layer.initial.any() else ""
        self.lines += [f"for (size_t n = 0; n < {self.size}u; n++) {{"]
        for state in states:
            self.lines.append(f"    {state}[n] = {f'{initial}[n]' if state == 'v' and initial else '0'};")
        self.lines.append("}")

    def step_firing(self) -> None:
        model, layer, size = self.model, self.layer, self.size
        per_event = model.accumulation == "per_event"
        self.scratch("v", size)
        states = ["v"]
        if model.current:
            self.scratch("u", size)
            states.append("u")
        deepest = int(layer.delays.max()) if layer.delays is not None else 0
        own = 1
        if layer.recurrent is not None and layer.recurrent_delays is not None:
            own = int(layer.recurrent_delays.max())
        turns = 1 if per_event else max(deepest + model.input_delay, own if layer.recurrent is not None else 0) + 1
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
        self.lines += [f"    {line}" for line in body] + ["}"]

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
        layer, model, size = self.layer, self.model, self.size
        weight = self.weights("weight")
        limited = _limited(
            model.current_limit, model.bits, f"ring[n] + count * ({{row}}[n] * {1 << model.weight_shift})"
        )
        before = "0"
        if model.current:
            before = (
                "u[n]" if model.order == "add_then_decay" else _decay(model, "u[n]", self.per_neuron("current_decay"))
            )
        lines = [f"for (size_t n = 0; n < {size}u; n++) {{", f"    ring[n] = {before};", "}"]

        def events(count: str, sources: int, row: str, condition: str) -> list[str]:
            inner = [
                f"for (size_t i = 0; i < {sources}u; i++) {{",
                f"    const int32_t count = {count};",
                "    if (count != 0) {",
                f"        const int8_t *const row = {row} + i * {size}u;",
                f"        for (size_t n = 0; n < {size}u; n++) {{",
                f"            ring[n] = {limited.format(row='row')};",
                "        }",
                "    }",
                "}",
            ]
            return (
                [f"if (t > 0) {{  /* {condition} */", *(f"    {line}" for line in inner), "}"] if condition else inner
            )

        late = model.input_delay
        lines += events(
            f"(int32_t)x[(t - {late}) * {layer.inputs}u + i] + ({self.x.low})" if late
            else f"(int32_t)x[t * {layer.inputs}u + i] + ({self.x.low})",
            layer.inputs, weight, "what was sent one step before" if late else "",
        )  # fmt: skip
        if layer.recurrent is not None:
            lines += events(f"y[(t - 1) * {size}u + i]", size, self.weights("recurrent"), "spikes of the step before")
        return lines

    def _update(self, per_event: bool) -> list[str]:
        """Every neuron's step: `in` is what it gets, `v[n]` its membrane; writes y."""
        model, layer = self.model, self.layer
        bias = self.per_neuron("bias") if layer.bias.any() else ""
        into_current = f" + {bias}[n]" if bias and model.bias_into == "current" else ""
        into_membrane = f" + {bias}[n]" if bias and model.bias_into == "membrane" else ""
        # Membranes that are never reset meet no threshold, and C compilers object to a constant that nothing reads.
        meets_threshold = model.emission != "membrane" or model.reset != "none"
        threshold = self.per_neuron("threshold") if meets_threshold else ""
        above = ">" if model.compare == "greater" else ">="
        lines: list[str] = []
        if per_event:
            total = _limited(model.current_limit, model.bits, f"ring[n]{into_current}") if into_current else "ring[n]"
            if model.current and model.order == "add_then_decay":
                lines += [f"const int32_t total = {total};"]
                lines += [f"const int32_t in = {_decay(model, 'total', self.per_neuron('current_decay'))};"]
            else:
                lines += [f"const int32_t in = {total};"]
        else:
            arriving = "arriving[n]"
            if model.dropped_bits:
                arriving = f"edgeml_floor_shift({arriving}, {model.dropped_bits})"
            if model.weight_shift:
                arriving = f"{arriving} * {1 << model.weight_shift}"
            arriving += into_current
            if not model.current:
                total = arriving
            elif model.order == "add_then_decay":
                lines += [f"const int32_t total = u[n] + {arriving};"]
                total = _decay(model, "total", self.per_neuron("current_decay"))
            else:
                total = f"{_decay(model, 'u[n]', self.per_neuron('current_decay'))} + {arriving}"
            lines += [f"const int32_t in = {_limited(model.current_limit, model.bits, total)};", "arriving[n] = 0;"]
        if model.current:
            lines += ["u[n] = in;"]
        beta = self.per_neuron("membrane_decay") if model.decay != "none" else ""
        guarded = model.reset == "subtract_guarded"
        if (model.reset_delay and model.reset != "none") or guarded:
            lines += [f"const int32_t past = v[n] {above} {threshold}[n];"]
        state = "v[n]"
        if model.reset == "zero" and model.reset_delay:
            lines += ["const int32_t kept = past ? 0 : v[n];"]
            state = "kept"
        decayed = _decay(model, state, beta)
        if model.addition == "saturating":
            change = _limited(model.membrane_limit, model.bits, f"{decayed} - {state} + in")
            with_bias = _limited(model.membrane_limit, model.bits, f"change{into_membrane}")
            lines += [
                f"const int32_t change = {change};",
                f"int32_t next = {state} + {with_bias if into_membrane else 'change'};",
            ]
        else:
            lines += [f"int32_t next = {decayed} + in{into_membrane};"]
        if model.reset == "subtract" and model.reset_delay:
            lines += [f"next -= past * {threshold}[n];"]
        elif model.reset == "zero_with_input" and model.reset_delay:
            lines += ["next = past ? 0 : next;"]
        if model.membrane_limit != "refuse":
            lines += [f"next = {_limited(model.membrane_limit, model.bits, 'next')};"]
        lines += self._compare(threshold, above)
        lines += ["v[n] = next;"]
        sent = "next" if model.emission == "membrane" else "(uint8_t)fired"
        lines += [f"y[t * {self.size}u + n] = {sent};"]
        return [f"for (size_t n = 0; n < {self.size}u; n++) {{", *(f"    {line}" for line in lines), "}"]

    def _compare(self, threshold: str, above: str) -> list[str]:
        """`fired`, and the resets that are done at once."""
        model = self.model
        silent = model.emission == "membrane"
        if model.reset == "subtract_repeatedly":
            numerator = "next" if model.compare == "at_least" else "(next - 1)"
            return [
                f"int32_t fired = next {above} {threshold}[n] ? {numerator} / {threshold}[n] : 0;",
                f"fired = fired > {model.max_spikes} ? {model.max_spikes} : fired;",
                f"next -= fired * {threshold}[n];",
            ]
        compared = f"next - past * {threshold}[n]" if model.reset == "subtract_guarded" else "next"
        lines = [f"const int32_t fired = {compared} {above} {threshold}[n];"]
        at_once = not model.reset_delay and model.reset != "none"
        if at_once and model.reset in ("zero", "zero_with_input"):
            lines += ["next = fired ? 0 : next;"]
        elif at_once:
            lines += [f"next -= fired * {threshold}[n];"]
        return lines if at_once or not silent else []

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
        model, layer, size = self.model, self.layer, self.size
        threshold = self.per_neuron("threshold")
        above = ">" if model.compare == "greater" else ">="
        self.scratch("v", size)
        self.start(["v"])
        decayed = _decay(model, "v[n]", self.per_neuron("membrane_decay") if model.decay != "none" else "")
        leaked = f"{decayed} + {self.per_neuron('bias')}[n]" if layer.bias.any() else decayed
        event = _limited(model.membrane_limit, model.bits, f"v[n] + row[n] * {1 << model.weight_shift}")
        sources = [(f"x[t * {layer.inputs}u + i]", layer.inputs, self.weights("weight"), self.x.low, "")]
        if model.input_delay:
            sources = [(f"x[(t - 1) * {layer.inputs}u + i]", layer.inputs, self.weights("weight"), self.x.low, "t > 0")]
        if layer.recurrent is not None:
            sources.append((f"y[(t - 1) * {size}u + i]", size, self.weights("recurrent"), 0, "t > 0"))
        self.lines += [
            f"for (size_t t = 0; t < {layer.steps}u; t++) {{",
            f"    for (size_t n = 0; n < {size}u; n++) {{",
            f"        v[n] = {_limited(model.membrane_limit, model.bits, leaked)};",
            f"        y[t * {size}u + n] = 0;",
            "    }",
        ]
        for value, count, weight, low, condition in sources:
            self.lines += [
                f"    for (size_t i = 0; {f'{condition} && ' if condition else ''}i < {count}u; i++) {{",
                f"        const int8_t *const row = {weight} + i * {size}u;",
                f"        for (int32_t left = (int32_t){value} + ({low}); left > 0; left--) {{",
                f"            for (size_t n = 0; n < {size}u; n++) {{",
                f"                v[n] = {event};",
                f"                if (v[n] {above} {threshold}[n] && y[t * {size}u + n] < {model.max_spikes}) {{",
                "                    v[n] = 0;",
                f"                    y[t * {size}u + n]++;",
                "                }",
                "            }",
                "        }",
                "    }",
            ]
        self.lines.append("}")


EMITTER = LeakyNeuronsEmitter()
