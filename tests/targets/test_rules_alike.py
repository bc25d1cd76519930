"""A layer that a target has nothing for: every target answers in the same way, before and while it writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Layer, Network, Node, Output, Threshold, ValueRange
from edgeml.plugins import targets
from edgeml.profile import Profile, load_profile

ASKED = {
    "host": ({}, "C"),
    "cortex-m4": ({}, "C"),
    "xczu7ev folded": ({"architecture": "folded"}, "hardware in architecture folded"),
    "xczu7ev unrolled": ({"architecture": "unrolled"}, "hardware in architecture unrolled"),
    "loihi2": ({}, "place among spiking neurons"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Abacus(Layer):
    """y = a followed by b, of a package that has neither C nor hardware for it."""

    kind: ClassVar[str] = "abacus_concat"
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes: int) -> int:
        return sum(input_sizes)

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        return ValueRange(*(np.concatenate(ends) for ends in zip(*((r.low, r.high) for r in inputs), strict=True)))

    def evaluate(self, *inputs: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        return np.concatenate(inputs, axis=1)


def network() -> Network:
    generator = np.random.default_rng(0)

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(generator.integers(-1, 2, (outputs, inputs)), 2, generator.integers(-5, 5, outputs))

    def levels(channels: int) -> Threshold:
        return Threshold(np.sort(generator.integers(-30, 30, (channels, 3)), axis=1))

    nodes = (
        Node("input", InputQuantizer(6, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("d1", dense(5, 6), ("input",)),
        Node("t1", levels(5), ("d1",)),
        Node("d2", dense(4, 6), ("input",)),
        Node("t2", levels(4), ("d2",)),
        Node("c", Abacus(), ("t1", "t2")),
        Node("d3", dense(3, 9), ("c",)),
    )
    return Network("cat", nodes, Output(np.ones(1)))


@pytest.mark.parametrize("name", ASKED)
def test_a_foreign_kind_breaks_one_rule_that_names_the_layer_and_emit_says_the_same(name: str, tmp_path: Path) -> None:
    options, what = ASKED[name]
    profile = load_profile(name.partition(" ")[0])
    target = targets(profile.kind)
    found = {r.layer: r for r in target.rules(network(), profile, options) if not r.passed}["c"]
    assert (found.rule, found.detail) == ("layer-kind", f"kind abacus_concat has no {what}")
    assert "dense" in found.remedy
    with pytest.raises(CheckFailed) as refused:
        target.emit(network(), profile, tmp_path / "bundle", options)
    assert f"rule layer-kind, layer c: kind abacus_concat has no {what}" in str(refused.value)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("name", ASKED)
def test_rules_are_kept_by_a_network_that_a_target_has_everything_for(name: str, small_network: Network) -> None:
    options: dict[str, Any] = ASKED[name][0]
    profile = load_profile(name.partition(" ")[0])
    broken = [result for result in targets(profile.kind).rules(small_network, profile, options) if not result.passed]
    assert broken == [] or profile.kind == "neuromorphic"


@pytest.mark.parametrize("name", ["cortex-m4", "xczu7ev", "loihi2"])
def test_a_profile_that_lacks_what_is_needed_is_a_broken_rule_and_no_error(name: str, small_network: Network) -> None:
    sound = load_profile(name)
    for values in ({}, {**sound.values, "cores": "many", "luts": "many", "ram_bytes": "many", "neurons_per_core": 4}):
        profile = Profile("mine", sound.kind, "", values)
        results = targets(sound.kind).rules(small_network, profile)
        assert any(not result.passed for result in results)
