"""Simulators of the chips' makers give golden's integers on random legal networks."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import golden, simulate
from edgeml.network.spiking.time_stepped import run
from edgeml.profile import load_profile
from edgeml.targets.neuromorphic.akida import run_on_akida
from edgeml.targets.neuromorphic.loihi import run_on_loihi_model
from edgeml.targets.neuromorphic.rules import apply_rules
from edgeml.targets.neuromorphic.xylosim import run_on_xylosim

from .random_chips import akida_network, loihi_network, xylo_network


def broken(network, profile: str) -> list[str]:
    return [result.rule for result in apply_rules(network, load_profile(profile)) if not result.passed]


def assert_same_spikes(network, q, run_on_chip) -> int:
    """Every layer's spikes and the outputs equal golden's; how many spikes there were."""
    outputs, layers = run_on_chip(network, q)
    integers = golden.trace(network, q)
    for name, train in layers.items():
        assert np.array_equal(train, integers[name]), name
    assert np.array_equal(outputs, simulate(network, q))
    return sum(int(train.sum()) for train in layers.values())


def test_xylosim_computes_the_golden_spikes_of_every_layer_of_a_hundred_networks() -> None:
    pytest.importorskip("xylosim", reason="the package xylosim is not installed")
    spikes = 0
    for seed in range(100):
        network, q = xylo_network(np.random.default_rng(seed))
        assert broken(network, "xylo-audio2") == []
        spikes += assert_same_spikes(network, q, run_on_xylosim)
    assert spikes > 10_000


def test_akida_computes_the_golden_integers_of_a_hundred_networks() -> None:
    pytest.importorskip("akida", reason="the package akida is not installed")
    for seed in range(100):
        network, q = akida_network(np.random.default_rng(seed))
        assert broken(network, "akida1") == []
        outputs, _ = run_on_akida(network, q)
        assert np.array_equal(outputs, simulate(network, q)), seed
        assert np.array_equal(run(network, q).outputs, outputs)


def test_loihis_compartments_stepped_apart_from_golden_fire_the_same_spikes() -> None:
    spikes = 0
    for seed in range(40):
        network, q = loihi_network(np.random.default_rng(seed))
        assert broken(network, "loihi1") == []
        spikes += assert_same_spikes(network, q, run_on_loihi_model)
    assert spikes > 10_000
