"""The search space: every candidate can be said to Optuna and comes back the same."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.explore.candidate import Candidate
from edgeml.explore.settings import FORMS
from edgeml.explore.space import Space
from edgeml.profile import load_profile

PROFILES = {name: load_profile(name) for name in ("xczu7ev", "cortex-m4")}
FAMILY = Space(PROFILES, FORMS, 12, 4, None, (8, 16, 32, 256), 3, (1, 2, 4, 8), (2, 4, 8))
TRAINED = Space(PROFILES, FORMS, 12, 4, ((12, 8), (8, 4)), (8,), 3, (2, 4, 8), (4, 8))
LIMITED = Space(PROFILES, FORMS, 12, 4, ((12, 8), (8, 4)), (8,), 3, (2, 4, 8), (4, 8), ("",), (3, 6, 0))


def _sampled(space: Space, seed: int) -> Candidate:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed))
    return space.suggest(study.ask())


@pytest.mark.parametrize("space", [FAMILY, TRAINED, LIMITED])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_a_candidate_survives_its_parameters(space: Space, seed: int) -> None:
    candidate = _sampled(space, seed)
    again = space.suggest(optuna.trial.FixedTrial(space.parameters(candidate)))
    assert again == candidate


@pytest.mark.parametrize("space", [FAMILY, TRAINED, LIMITED])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_neighbours_stay_in_the_space_and_differ_by_little(space: Space, seed: int) -> None:
    candidate = _sampled(space, seed)
    near = space.neighbour(candidate, np.random.default_rng(seed))
    assert (near.target, near.form) == (candidate.target, candidate.form)
    assert len(near.weight_bits) == len(near.act_bits) + 1
    assert len(candidate.hidden) - 2 <= len(near.hidden) <= len(candidate.hidden)
    assert set(near.hidden) <= set(space.widths)
    if len(near.hidden) == len(candidate.hidden) and near.form != "tflite":
        pairs = zip((*candidate.hidden, *candidate.weight_bits), (*near.hidden, *near.weight_bits), strict=True)
        assert sum(a != b for a, b in pairs) <= 2


def test_a_design_by_hand_is_tried_on_every_part_in_every_form_and_arrangement() -> None:
    found = FAMILY.uniform((32, 16), 2)
    assert {(each.target, each.form) for each in found} == {(target, form) for target in PROFILES for form in FORMS}
    folded = [each.options.get("frames_per_second") for each in found if each.form == "quantized"]
    assert len(set(folded)) == 6, "five numbers of clocks, and None: unrolled, and the microcontroller"
    assert len(found) == len(set(map(repr, found)))


def test_large_networks_are_not_unrolled() -> None:
    options = [each.options for each in FAMILY.uniform((256, 256), 2) if each.target == "xczu7ev"]
    assert all(each["architecture"] == "folded" for each in options)


def test_limits_of_inputs_reach_the_form_by_layer() -> None:
    (first, *_) = LIMITED.allocated((), (2, 4), (2,), "folded-256", (6, 0))
    assert first.limits(["one", "two"]) == {"one": 6}
    assert {each.fan_in for each in LIMITED.uniform((), 2) if each.form == "tflite"} == {()}
    assert {each.fan_in for each in TRAINED.uniform((), 2)} == {()}
    moved = {LIMITED.neighbour(first, np.random.default_rng(seed)).fan_in for seed in range(60)}
    assert {(3, 0), (0, 0), (6, 6)} <= moved
