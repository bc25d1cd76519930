"""Networks and layers may be called anything: no file, target, macro or symbol of the generated code is hit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.c.identifiers import c_name
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.network.random_networks import random_inputs
from tests.targets.cpu.bodies import the_compiler

NAMES = (
    *("all", "test", "main", "int", "while", "NULL", "stdint", "string", "crc32", "memset", "native", "unix"),
    *("edgeml", "edgeml_hil", "edgeml_common", "EDGEML_LEVELS", "_x", "_stdint", "__LINE__", "x" * 200, "CON"),
    *("net_sensor", "net_HIL", "net_self_test", "x" * 55 + "_test"),
)


def test_a_name_that_is_free_stays_as_it_is() -> None:
    for name in ("digits", "net", "can_frames", "a", "Allocator", "testing", "n" * 60):
        assert c_name(name) == name


def test_names_are_identifiers_that_nothing_else_has() -> None:
    made = [c_name(name) for name in NAMES]
    assert len(set(made)) == len(NAMES)
    for name in made:
        assert name.isascii()
        assert name.isidentifier()
        assert len(name) <= 60
        assert not name.lower().startswith(("edgeml", "_"))
        assert c_name(name) == name


def test_a_name_that_ends_like_a_file_of_another_network_is_another() -> None:
    """Also by capitals: macros and guards have none."""
    for name in ("net_sensor", "net_HIL", "net_frame_ring", "net_Self_Test"):
        assert c_name(name) == f"{name}_model"


def test_long_names_stay_apart() -> None:
    assert c_name("x" * 200 + "a") != c_name("x" * 200 + "b")


def compiled(networks: Sequence[Network]) -> list[NativeNetwork]:
    the_compiler()
    return build_native(networks, flags=["-O0", "-DEDGEML_PORTABLE"])


def test_networks_of_any_name_are_exact_in_one_program(small_network: Network) -> None:
    q = random_inputs(small_network, 5, 1)
    expected = simulate(small_network, q)
    for native in compiled([dataclasses.replace(small_network, name=name) for name in NAMES]):
        np.testing.assert_array_equal(native.invoke(q), expected, native.network.name)


def test_layers_of_any_name_are_exact() -> None:
    """A layer may be called like a constant of another one, or like what kernels and parameters are called."""
    names = ["a_weight", "a_bias", "a_thresholds", "int", "t_a", "samples", "_", "edgeml_zero"]
    generator = np.random.default_rng(1)
    networks = []
    for index, second in enumerate(names):
        nodes = (
            Node("input", InputQuantizer(6, np.array([1.0]), np.array([0.0]), 0, 8, True)),
            Node("a", Dense(generator.integers(-2, 2, (5, 6)), 2, generator.integers(-9, 9, 5)), ("input",)),
            Node(second, Threshold(np.sort(generator.integers(-90, 90, (5, 3))), 0), ("a",)),
            Node("z", Dense(generator.integers(-2, 2, (3, 5)), 2, generator.integers(-9, 9, 3)), (second,)),
            Node("z_weight", Dense(generator.integers(-2, 2, (3, 3)), 2, generator.integers(-9, 9, 3)), ("z",)),
        )
        networks.append(Network(f"layers{index}", nodes, Output(np.array([1.0]))))
    for native in compiled(networks):
        q = random_inputs(native.network, 5, 1)
        np.testing.assert_array_equal(native.invoke(q), simulate(native.network, q))
