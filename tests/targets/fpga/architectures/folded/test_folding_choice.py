"""The folds that are chosen: cheapest for an interval, fastest and quickest for a part."""

from __future__ import annotations

import pytest

from edgeml.errors import InputError
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.folded.folding_choice import (
    fastest_plan,
    foldings_for_interval,
    quickest_plan,
    smallest_plan,
)
from edgeml.targets.fpga.architectures.folded.plan import FoldedPlan
from edgeml.targets.fpga.architectures.folded.timing import solve
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.estimate.costs import total

from ...designs import small_network


def _multipliers(plan: FoldedPlan) -> int:
    return sum(fold.pe * fold.simd for fold in plan.foldings.values())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("interval", [3, 13, 100])
def test_no_layer_takes_more_clocks_than_the_interval(seed: int, interval: int) -> None:
    network = small_network(seed, widest=40, deepest=4)
    folds = foldings_for_interval(network, interval)
    if folds is not None:
        plan = fastest_plan(network, lambda plan: True, at_most=interval)
        assert max(chain.clocks_per_frame for chain in plan.chains) <= interval
        assert plan.foldings == folds


@pytest.mark.parametrize("seed", range(8))
def test_the_smallest_plan_is_what_is_left_where_none_fits(seed: int) -> None:
    network = small_network(seed, widest=40, deepest=4)
    assert smallest_plan(network).foldings == fastest_plan(network, lambda plan: False).foldings


@pytest.mark.parametrize("seed", range(8))
def test_the_quickest_plan_answers_no_later_than_the_fastest(seed: int) -> None:
    network = small_network(seed, widest=40, deepest=4)

    def fits(plan: FoldedPlan) -> bool:
        return _multipliers(plan) <= 300

    fastest, quickest = fastest_plan(network, fits), quickest_plan(network, fits)
    assert not fits(fastest) or fits(quickest)
    assert not fits(fastest) or solve(quickest, 1).latency <= solve(fastest, 1).latency


def test_the_quickest_plan_of_unequal_layers_answers_earlier_than_the_fastest() -> None:
    """Throughput wants layers of equal clocks; latency wants multipliers where they save the most clocks."""
    found = 0
    for seed in range(12):
        network = small_network(seed, widest=40, deepest=4)
        fastest = fastest_plan(network, lambda plan: _multipliers(plan) <= 120)
        quickest = quickest_plan(network, lambda plan: _multipliers(plan) <= 120)
        found += _multipliers(fastest) <= 120 and solve(quickest, 1).latency < solve(fastest, 1).latency
    assert found >= 3


def test_the_goal_decides_between_frames_a_second_clocks_to_an_answer_and_area() -> None:
    network = small_network(3, widest=40, deepest=4)
    budget = budget_of(load_profile("ecp5-25k"))
    many, _ = choose(network, budget, {"architecture": "folded"})
    soon, _ = choose(network, budget, {"architecture": "folded", "goal": "latency"})
    small, _ = choose(network, budget, {"architecture": "folded", "goal": "area"})
    assert many.interval <= soon.interval <= small.interval
    assert soon.latency <= many.latency < small.latency
    assert choose(network, budget, {"goal": "latency"})[0].latency <= soon.latency


@pytest.mark.parametrize("goal", ["throughput", "latency"])
def test_no_design_takes_more_lookup_tables_than_allowed(goal: str) -> None:
    network = small_network(3, widest=40, deepest=4)
    budget = budget_of(load_profile("ecp5-25k"))
    free = total(choose(network, budget, {"architecture": "folded", "goal": goal})[1]).luts
    allowed = 0.95 * free
    for given in (int(allowed), f"{100 * allowed / budget.luts:.3f}%"):
        bounded = total(choose(network, budget, {"architecture": "folded", "goal": goal, "max_luts": given})[1]).luts
        assert 0 < bounded <= allowed


@pytest.mark.parametrize("given", [1, "0.01%", "many", "101%", -3])
def test_a_bound_that_nothing_meets_or_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="max_luts"):
        choose(small_network(3, widest=40, deepest=4), budget_of(load_profile("ecp5-25k")), {"max_luts": given})
