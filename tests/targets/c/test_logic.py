"""C of Boolean functions: golden's integers on every body of this machine, singly and in batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Logic, Network, Node, Output, Threshold, trace
from edgeml.targets.c import Dialect
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import core_kernels, dialect_for
from tests.sweeps import seeds
from tests.targets.cpu.bodies import BODIES, body_flags
from tests.targets.logic_networks import classifier, logic_inputs, random_logic, random_logic_network


def exact(native: NativeNetwork, count: int = 100) -> None:
    """Singly and in batches, at every layer that has a place in memory, and each stage alone at its corners."""
    network = native.network
    q = logic_inputs(network, 1, count)
    expected = trace(network, q)
    np.testing.assert_array_equal(native.invoke(q), expected[network.nodes[-1].name], err_msg=network.name)
    for name, values in native.trace(q[:500]).items():
        np.testing.assert_array_equal(values, expected[name][:500], err_msg=f"{network.name}, layer {name}")
    native.check_layers()


@pytest.mark.parametrize("body", BODIES)
def test_any_network_gives_the_integers_of_golden(body: str) -> None:
    networks = [random_logic_network(seed, f"net{seed}", widest=80) for seed in range(8)]
    for native in build_native(networks, flags=body_flags(body)):
        exact(native)


def test_one_sample_at_a_time_gives_the_integers_of_golden() -> None:
    """The C that microcontrollers get, of each number of inputs."""
    networks = [classifier(fan_in, fan_in=fan_in, name=f"net{fan_in}") for fan_in in range(1, 7)]
    for network in networks:
        exact(NativeNetwork(network, _with_batches(), flags=body_flags("portable")))


def _with_batches() -> Dialect:
    return replace(dialect_for(core_kernels(core("m4"))), tile=4)


@pytest.mark.slow(scaled=True)
def test_twenty_thousand_vectors_of_random_networks_are_exact_on_every_body() -> None:
    for body in BODIES:
        try:
            flags = body_flags(body)
        except pytest.skip.Exception:
            continue
        networks = [random_logic_network(seed, f"net{seed}") for seed in seeds(400, 20)]
        for native in build_native(networks, flags=flags):
            exact(native, 20_000)


def test_logic_behind_sums_and_thresholds_and_with_constant_inputs_is_exact() -> None:
    """Sums of 0 and 1 (32 bits), one of them always 1, thresholds that are all reached, functions that are constant."""
    generator = np.random.default_rng(3)
    weight = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, -1]])
    nodes = [
        Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("sums", Dense(weight, 2, np.array([0, 0, 1, 1])), ("input",)),
        Node("first", random_logic(generator, 4, 40, 6), ("sums",)),
        Node("more", Dense(generator.integers(-2, 2, (5, 40)), 2, np.zeros(5, int)), ("first",)),
        Node("act", Threshold(np.array([[0], [1], [-1], [-(2**31)], [2**31 - 1]])), ("more",)),
        Node("second", random_logic(generator, 5, 30, 3), ("act",)),
    ]
    q = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3).astype(np.int32)
    ones = [
        Node("ones", Threshold(np.full((3, 1), -5)), ("input",)),
        Node("of", random_logic(generator, 3, 9, 2), ("ones",)),
    ]
    true = Logic(np.zeros((4, 1), int), np.ones((4, 2), int), 3)
    always = [Node("true", true, ("input",)), Node("of", random_logic(generator, 4, 9, 2), ("true",))]
    chosen = Node("chosen", random_logic(generator, 3, 4, 2), ("input",))
    unread = [chosen, Node("of", Logic(np.zeros((2, 1), int), np.ones((2, 2), int), 4), ("chosen",))]
    made_of = {"behind": nodes, "ones": [nodes[0], *ones], "always": [nodes[0], *always], "unread": [nodes[0], *unread]}
    for name, made in made_of.items():
        network = Network(name, tuple(made), Output(np.ones(1)))
        native = NativeNetwork(network, flags=body_flags("portable"))
        expected = trace(network, q)
        np.testing.assert_array_equal(native.invoke(q), expected[network.nodes[-1].name])
        for layer, values in native.trace(q).items():
            np.testing.assert_array_equal(values, expected[layer], err_msg=f"{name}, {layer}")
        native.check_layers()
