"""The four architectures by the one protocol that target, design and executors know them by."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgeml.errors import CheckFailed, InputError
from edgeml.network import Layer, Network, Node, ValueRange
from edgeml.network import layer as network_layer
from edgeml.options import Choice
from edgeml.plugins import RuleResult
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.architectures.architecture import (
    Candidate,
    applying,
    architectures,
    architectures_for,
)
from edgeml.targets.fpga.architectures.event_driven.plan import ENCODINGS
from edgeml.targets.fpga.architectures.folded.architecture import FoldedArchitecture
from edgeml.targets.fpga.architectures.stored_choices import StoredChoices
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import best_candidate, choose
from edgeml.targets.fpga.design import Design, build, written
from edgeml.targets.fpga.options import ANY, OPTIONS, read_options
from tests.network.random_networks import random_inputs
from tests.network.spiking.random_classic import random_classic

from ..designs import small_network
from ..forms import int8_network, mixed_network, spiking_network

ECP5 = load_profile("ecp5-25k")
NETWORKS = {
    "quantized": small_network(1),
    "int8": int8_network(0, "shift", widest=4),
    "unary": spiking_network(0, "unary"),
    "stbif": spiking_network(2, "stbif"),
}
GOALS: tuple[dict[str, Any], ...] = ({}, {"goal": "latency"}, {"goal": "area"}, {"max_luts": 3000})


def _offered(network: Network, **options: object) -> list[Candidate]:
    """All candidates of all architectures that apply, whether they depend on the input or not."""
    budget, asked = budget_of(ECP5), read_options(options)
    found = architectures_for(network)
    return [candidate for architecture in found for candidate in architecture.candidates(network, budget, asked)]


@pytest.mark.parametrize("form", NETWORKS)
def test_the_choices_of_every_candidate_are_stored_and_give_the_same_files_again(form: str) -> None:
    network, names = NETWORKS[form], []
    for architecture in architectures_for(network):
        asked = read_options({"architecture": architecture.name, "register_every": 2})
        for candidate in architecture.candidates(network, budget_of(ECP5), asked):
            stored = candidate.choices.as_json()
            again = architecture.read_choices(StoredChoices("design.json", stored))
            assert again.as_json() == stored
            files = written(network, candidate, argmax=False).files
            assert build(network, Design(architecture.name, again)).files == files
            names.append(architecture.name)
    assert names == ["unrolled", "folded"]


@pytest.mark.parametrize("form", NETWORKS)
def test_the_design_that_is_chosen_is_the_best_by_the_goal(form: str) -> None:
    network, budget = NETWORKS[form], budget_of(ECP5)
    for options in GOALS:
        chosen = best_candidate(network, budget, read_options(options))
        offered = _offered(network, **options)
        exact = [candidate for candidate in offered if candidate.architecture.exact_clocks] or offered
        assert type(chosen.architecture) in {type(candidate.architecture) for candidate in exact}
        if options.get("goal") == "latency":
            assert chosen.clocks.latency == min(candidate.clocks.latency for candidate in exact)
        elif options.get("goal") != "area":
            assert chosen.clocks.interval == min(candidate.clocks.interval for candidate in exact)


def test_architectures_of_one_name_are_for_different_networks() -> None:
    names = {architecture.name for architecture in architectures()}
    for network in NETWORKS.values():
        for name in names:
            assert len(applying(network, name)[0]) == 1
    (option,) = (option for option in OPTIONS if option.name == "architecture")
    assert isinstance(option.kind, Choice)
    assert set(option.kind.words) == {ANY, *names}


def test_of_refusals_at_one_layer_the_one_is_told_that_refuses_the_fewest(monkeypatch: pytest.MonkeyPatch) -> None:
    # The kind is gone again behind the test.
    monkeypatch.setattr(network_layer, "_KINDS", dict(network_layer._KINDS))

    class Nowhere(Layer):
        """y = x, in no architecture."""

        kind = "nowhere"

        def output_size(self, *input_sizes: int) -> int:
            return input_sizes[0]

        def output_range(self, *inputs: ValueRange) -> ValueRange:
            return inputs[0]

        def evaluate(self, *inputs: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
            return inputs[0].astype(np.int32)

    network = NETWORKS["unary"]
    first, spikes, *others = network.nodes
    nodes = (first, Node("odd", Nowhere(), (first.name,)), replace(spikes, inputs=("odd",)), *others)
    found, why = applying(Network("n", nodes, network.output))
    assert not found
    assert [result.layer for result in why] == ["odd"]


def test_a_network_without_spikes_imports_nothing_that_is_made_of_them() -> None:
    script = (
        "import sys; from tests.targets.fpga.designs import small_network; "
        "from edgeml.targets.fpga.architectures.architecture import applying; found, _ = applying(small_network(1)); "
        "print(len(found), [name for name in sys.modules if 'event_driven.' in name or 'step_per_clock.' in name])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "[]"]


@pytest.mark.parametrize("form", NETWORKS)
def test_clocks_depend_on_the_input_only_if_the_architecture_says_so(form: str) -> None:
    network = NETWORKS[form]
    q = random_inputs(network, 3, 1).astype(np.int32)
    for architecture in architectures_for(network):
        built = build(network, Design(architecture.name))
        assert built.clocks.exact == architecture.exact_clocks
        if built.clocks.exact:
            assert built.cycles(q) == built.clocks
            assert built.clocks.frames[0] + 1 == built.latency
        else:
            assert len(built.cycles(q).frames) == len(q)
            assert form == "stbif" or built.cycles(q).interval <= built.interval


@pytest.mark.parametrize("options", [{}, *({"architecture": name} for name in ("folded", "unrolled"))])
def test_a_network_that_no_architecture_applies_to_is_refused_by_rule(options: dict[str, str], tmp_path: Path) -> None:
    for seed in range(4):
        network, _ = random_classic(np.random.default_rng(seed))
        broken = [result for result in FpgaTarget().rules(network, ECP5, options) if not result.passed]
        assert broken
        assert {result.rule for result in broken} == {"layer-kind"}
        assert all(result.layer in network.ranges and result.remedy for result in broken)
        with pytest.raises(CheckFailed, match=f"layer-kind, layer {broken[0].layer}"):
            FpgaTarget().emit(network, ECP5, tmp_path, options)
        with pytest.raises(InputError, match=f"layer {broken[0].layer}"):
            choose(network, budget_of(ECP5), options)
    assert list(tmp_path.iterdir()) == []


def test_rules_name_the_layer_of_the_architecture_that_gets_furthest() -> None:
    """A threshold among spikes: the first layers are nothing to the folded architecture, the last to the other."""
    network = mixed_network("unary", "unary")
    threshold = small_network(0).layers[1]
    nodes = [*network.nodes[:-1], replace(threshold, name="late", inputs=("neurons1",))]
    assert threshold.layer.kind == "threshold"
    foreign = replace(network, nodes=tuple(replace(n, layer=_two(n.layer)) if n.name == "late" else n for n in nodes))
    broken = [result for result in FpgaTarget().rules(foreign, ECP5) if not result.passed]
    assert [result.layer for result in broken] == ["late"]


def _two(layer: Any) -> Any:
    """A threshold layer of two channels."""
    return replace(layer, thresholds=np.array([[1, 2], [0, 3]]))


@pytest.mark.parametrize("options", [{"architecture": "x"}, {"goal": 3}, {"max_luts": "101%"}, {"architecture": None}])
def test_rules_are_results_whatever_the_options(options: dict[str, Any]) -> None:
    results = FpgaTarget().rules(NETWORKS["quantized"], ECP5, options)
    broken = [result for result in results if not result.passed]
    given = next(iter(options.values()))
    assert [result.option for result in broken] == ([] if given is None else list(options))


def test_an_architecture_that_cannot_take_what_another_can_is_the_options_fault(tmp_path: Path) -> None:
    for network, layer in ((mixed_network("ttfs", "stbif"), "neurons1"), (int8_network(4, "ruy_half_up", 4), "scale0")):
        with pytest.raises(InputError, match=f"option architecture, layer {layer}"):
            FpgaTarget().emit(network, ECP5, tmp_path, {"architecture": "unrolled"})
        assert choose(network, budget_of(ECP5), {})[0].design.architecture == "folded"


def test_the_step_per_clock_applies_to_exactly_what_it_can_lay_out() -> None:
    """Its rule looks at encodings alone; to lay out takes adder graphs."""
    (step,) = (known for known in architectures() if type(known).__name__ == "StepPerClockArchitecture")
    verdicts = []
    for pair in product(ENCODINGS, ENCODINGS):
        network = mixed_network(*pair)
        applies = all(result.passed for result in step.applies(network))
        try:
            step.plan(network, step.read_choices(StoredChoices()))
        except InputError:
            assert not applies, pair
        else:
            assert applies, pair
        verdicts.append(applies)
    assert 5 < sum(verdicts) < len(verdicts)


def test_what_only_an_architecture_has_that_offers_nothing_by_itself_is_made_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For area, an unrolled design is offered only if asked for: or if nothing else applies."""
    network = NETWORKS["quantized"]
    assert choose(network, budget_of(ECP5), {"goal": "area"})[0].design.architecture == "folded"
    monkeypatch.setattr(
        FoldedArchitecture, "applies", lambda self, network: [RuleResult("layer-kind", False, "none", "fc0")]
    )
    assert choose(network, budget_of(ECP5), {"goal": "area"})[0].design.architecture == "unrolled"
    results = FpgaTarget().rules(network, ECP5)
    assert all(result.passed for result in results)
    assert {result.rule for result in results} >= {"layer-kind", "fits-luts"}
