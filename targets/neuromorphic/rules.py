"""Design rules of neuromorphic chips: small named functions over a network's populations and a profile's numbers.

A rule applies if the profile has its number; so a chip is described by data alone, and a profile of a user's own
gets the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.ranges import state_ranges
from edgeml.plugins import RuleResult, foreign_kinds
from edgeml.profile import Profile

from .populations import KINDS, Population, populations

__all__ = ["RULES", "apply_rules", "structure_rules"]

Results = Iterator[RuleResult]


def _limit(profile: Profile, key: str) -> int | None:
    value = profile.values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"profile {profile.name}", f"{key} must be a whole number, found {value!r}")
    return value


def _most(rule: str, found: int, allowed: int, what: str, layer: str = "", remedy: str = "") -> RuleResult:
    over = f", {found - allowed} too many" if found > allowed else ""
    return RuleResult(rule, found <= allowed, f"{found} {what}, at most {allowed}{over}", layer, remedy)


def neuron_models(network: Network, layers: list[Population], profile: Profile) -> Results:
    """The chip computes these neuron models or encodings."""
    known = profile.values.get("models", ())
    for layer in layers:
        passed = layer.model in known or (layer.model == "membrane" and layer is layers[-1])
        passed = passed and (layer.model != "membrane" or bool(profile.values.get("membrane_output", False)))
        yield RuleResult(
            "neuron model",
            passed,
            f"{layer.model}; the chip computes {', '.join(known)}"
            + (" and gives membranes of its last layer" if profile.values.get("membrane_output") else ""),
            layer.node,
            "" if passed else "Convert with an encoding or preset of this list",
        )


def input_channels(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Input channels of the chip."""
    if (allowed := _limit(profile, "input_channels")) is not None and layers:
        yield _most("input channels", layers[0].weight.shape[1], allowed, "input channels", layers[0].node)


def input_spikes(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Largest number that one input channel may bring in a step."""
    if (allowed := _limit(profile, "input_spikes")) is not None:
        leaky = network.of_kind(LeakyNeurons)
        first = next((node for node in network.layers if node.name in leaky), None)
        if first is not None:
            low, high = network.ranges[first.inputs[0]].bounds
            yield RuleResult(
                "input spikes per step",
                low >= 0 and high <= allowed,
                f"{low} … {high} per step, 0 … {allowed} allowed",
                first.name,
                "Use fewer input bits, unsigned",
            )


def hidden_neurons(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Hidden neurons in all, and output neurons."""
    if (allowed := _limit(profile, "hidden_neurons")) is not None:
        hidden = sum(layer.size for layer in layers[:-1])
        yield _most("hidden neurons", hidden, allowed, "hidden neurons", layers[-1].node if layers else "")
    if (allowed := _limit(profile, "output_neurons")) is not None and layers:
        yield _most("output neurons", layers[-1].size, allowed, "output neurons", layers[-1].node)


def cores(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Neurons in all, by cores of n neurons; a population starts on a core of its own."""
    per_core, available = _limit(profile, "neurons_per_core"), _limit(profile, "cores")
    if per_core and available is not None:
        needed = sum(-(-layer.size // per_core) for layer in layers)
        yield _most("cores", needed, available, f"cores of {per_core} neurons")
    if (allowed := _limit(profile, "neurons")) is not None:
        yield _most("neurons", sum(layer.size for layer in layers), allowed, "neurons")


def fan_in(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Synapses into one neuron, and input channels of one core or layer."""
    for layer in layers:
        if (allowed := _limit(profile, "fan_in")) is not None:
            yield _most("fan-in", layer.fan_in, allowed, "synapses into one neuron", layer.node)
        if (allowed := _limit(profile, "layer_inputs")) is not None:
            inputs = layer.weight.shape[1] + (layer.size if layer.recurrent is not None else 0)
            yield _most("layer inputs", inputs, allowed, "inputs of one layer", layer.node)


def fan_out(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Synapses out of one neuron or input channel."""
    if (allowed := _limit(profile, "fan_out")) is None:
        return
    for position, layer in enumerate(layers):
        source = layers[position - 1].node if position else network.nodes[0].name
        out = np.count_nonzero(layer.weight, axis=0)
        before = layers[position - 1].recurrent if position else None
        if before is not None:
            out = out + np.count_nonzero(before, axis=0)
        if position or profile.values.get("fan_out_of_inputs", True):
            yield _most("fan-out", int(out.max()), allowed, f"synapses out of one neuron of {source}", layer.node)


def weight_values(network: Network, layers: list[Population], profile: Profile) -> Results:
    """The values that a synapse can hold."""
    given = profile.values
    if "weight_low" not in given and "weight_high" not in given:
        return
    low, high = given.get("weight_low", -(2**31)), given.get("weight_high", 2**31 - 1)
    for layer in layers:
        arrays = [layer.weight] + ([layer.recurrent] if layer.recurrent is not None else [])
        found = min(int(a.min()) for a in arrays), max(int(a.max()) for a in arrays)
        yield RuleResult(
            "weight bits",
            low <= found[0] and found[1] <= high,
            f"weights {found[0]} … {found[1]}, {low} … {high} allowed",
            layer.node,
            "Use fewer weight bits",
        )


def thresholds(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Thresholds, by their width and, for exact encodings, one per neuron if the chip has no schedule."""
    bits = _limit(profile, "threshold_bits")
    for layer in layers:
        if layer.leaky is not None and bits is not None:
            threshold = layer.leaky.threshold.astype(np.int64)
            shift = _limit(profile, "threshold_shift") or 0
            whole = bool(np.all(threshold % (1 << shift) == 0))
            largest = int(threshold.max()) >> shift
            yield RuleResult(
                "threshold bits",
                whole and largest < 2**bits,
                f"thresholds up to {largest} (· 2^{shift}), {bits} bits allowed",
                layer.node,
            )
        if layer.counting is not None and profile.values.get("uniform_thresholds", False):
            uneven = int(np.count_nonzero(~layer.counting.schedule.uniform))
            yield RuleResult(
                "one threshold per neuron",
                uneven == 0,
                f"{uneven} of {layer.size} neurons have unequal steps between their thresholds",
                layer.node,
                "Convert with --option uniform_thresholds=true (it says what that costs), or use a chip with schedules",
            )


def states(network: Network, layers: list[Population], profile: Profile) -> Results:
    """States fit the chip's registers: by derived range, or because the model limits them as the chip does."""
    if (bits := _limit(profile, "state_bits")) is None:
        return
    by_name = {node.name: node for node in network.nodes}
    for layer in layers:
        if layer.leaky is not None:
            model = layer.leaky.model
            if "refuse" not in (model.membrane_limit, model.current_limit):
                yield _most("state bits", model.bits, bits, "bits, limited by the model", layer.node)
                continue
            ranges = state_ranges(layer.leaky, network.ranges[by_name[layer.node].inputs[0]])
            yield _most("state bits", max(r.bits for r in ranges), bits, "bits by derived range", layer.node)
        else:
            name = by_name[layer.node].inputs[0] if layer.counting is not None else layer.node
            yield _most("state bits", network.ranges[name].bits, bits, "bits by derived range", layer.node)


def delays(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Delays of single synapses."""
    if (allowed := _limit(profile, "synapse_delay")) is None:
        return
    for layer in layers:
        if layer.leaky is not None and layer.leaky.delays is not None:
            most = int(layer.leaky.delays.max())
            yield _most("synapse delay", most, allowed, "steps of delay", layer.node)


def model_parameters(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Decays, the common shift of weights, and the state that a neuron starts from."""
    for layer in layers:
        neurons = layer.leaky
        if neurons is None:
            continue
        if (bits := _limit(profile, "decay_bits")) is not None:
            largest = int(max(neurons.current_decay.max(), neurons.membrane_decay.max()))
            yield RuleResult(
                "decay bits",
                largest <= 1 << bits if neurons.model.decay.startswith("multiply") else largest < 1 << bits,
                f"decay parameters up to {largest}, {bits} bits allowed",
                layer.node,
            )
        if (allowed := _limit(profile, "weight_shift")) is not None:
            yield _most("weight shift", neurons.model.weight_shift, allowed, "bits of shift", layer.node)
        if not profile.values.get("initial_charge", True):
            yield RuleResult("initial state", not neurons.initial.any(), "neurons of this chip start at 0", layer.node)


def recurrence(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Recurrent synapses, if a chip has none."""
    if profile.values.get("recurrent", True):
        return
    for layer in layers:
        if layer.recurrent is not None:
            yield RuleResult("recurrent synapses", False, "the chip has none", layer.node)


def activations(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Bits of inputs and activations of exact encodings (Akida)."""
    allowed = profile.values.get("activation_bits")
    if not isinstance(allowed, (list, tuple)):
        return
    inputs = {name: (layer.low, layer.levels) for name, layer in network.of_kind(InputSpikes).items()}
    carried = inputs | {name: (layer.base, layer.levels) for name, layer in network.of_kind(Neurons).items()}
    for name, (silent, levels) in carried.items():
        full = name in inputs or levels + 1 in [2**bits for bits in allowed]
        fits = levels < 2 ** max(allowed)
        yield RuleResult(
            "activation bits",
            full and fits and silent == 0,
            f"integers {silent} … {silent + levels}; unsigned ones of {', '.join(map(str, allowed))} bits allowed",
            name,
            "Use unsigned inputs and activations of these widths",
        )


def memory(network: Network, layers: list[Population], profile: Profile) -> Results:
    """Bytes of synapses and states on cores with local memory."""
    per_core, available = _limit(profile, "core_memory_bytes"), _limit(profile, "cores")
    if not per_core or available is None:
        return
    total = 0
    for layer in layers:
        synapses = layer.weight.size + (layer.recurrent.size if layer.recurrent is not None else 0)
        total += synapses * layer.weight_bits // 8 + 16 * layer.size
    yield _most("memory", total, per_core * available, "bytes of synapses and states")


RULES: tuple[Callable[[Network, list[Population], Profile], Results], ...] = (
    neuron_models,
    input_channels,
    input_spikes,
    hidden_neurons,
    cores,
    fan_in,
    fan_out,
    weight_values,
    thresholds,
    states,
    delays,
    model_parameters,
    recurrence,
    activations,
    memory,
)


def structure_rules(network: Network) -> list[RuleResult]:
    """Whether a network can be seen as populations at all, whatever the chip."""
    layers, broken = populations(network)
    results = foreign_kinds(network, "place among spiking neurons", KINDS.__contains__, lambda: KINDS)
    if not layers:
        results.append(RuleResult("spiking network", False, "it holds no neurons", "", "Convert with --to spiking"))
    if not all(result.passed for result in results):
        return results
    chain = [RuleResult("chain of populations", False, what, node) for node, what in broken]
    return results + (chain or [RuleResult("chain of populations", True, f"{len(layers)} populations")])


def apply_rules(network: Network, profile: Profile) -> list[RuleResult]:
    """All rules that the profile has numbers for, on every population."""
    results = structure_rules(network)
    if any(not result.passed for result in results if result.rule != "chain of populations"):
        return results
    layers, _ = populations(network)
    for rule in RULES:
        results += rule(network, layers, profile)
    return results
