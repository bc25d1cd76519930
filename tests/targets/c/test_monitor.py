"""The C of a monitor says what golden does: on this machine by every form, and on emulated cores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Monitored, Network, Node, Output, Threshold, monitored, simulate
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.mcu.cores import core
from tests.network.monitors import inputs_for, with_random_monitor
from tests.network.random_networks import random_network as any_network
from tests.sweeps import cases
from tests.targets.cpu.bodies import the_compiler
from tests.targets.logic_networks import classifier
from tests.targets.mcu.networks import random_network


def extremes() -> Network:
    """Outputs at the ends of int32, so that a margin takes 32 bits, and thresholds that begin above their base."""
    always = np.array([[-(2**31), -(2**31), 3], [-(2**31), -(2**31), 40]])
    return Network(
        "extremes",
        (
            Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 4, True)),
            Node("dense1", Dense(np.array([[1, 1, 1], [7, -5, 2]]), 4, np.zeros(2, np.int32)), ("input",)),
            Node("act1", Threshold(always, -2), ("dense1",)),
            Node(
                "dense2",
                Dense(np.array([[7, 7], [-8, 7], [0, 1]]), 4, np.array([2**31 - 99, 99 - 2**31, 0])),
                ("act1",),
            ),
        ),
        Output(np.ones(1)),
    )


def named(network: Network, name: str) -> Network:
    return replace(network, name=name)


def networks() -> dict[str, Network]:
    binary = replace(random_network(4, (6, 5, 1), 2), output=Output(np.ones(1), 0, (), "binary", -30))
    made = {
        "two_bits": random_network(1, (13, 9, 5), 2, input_bits=4),
        "eight_bits": random_network(2, (17, 12, 6), 8, activation_bits=8, signed=True),
        "binary": binary,
        "one_layer": random_network(3, (6, 4), 2),
        "extremes": extremes(),
        "functions": classifier(np.random.default_rng(3)),
    }
    watched = {name: with_random_monitor(network) for name, network in made.items()}
    # A hidden layer far from the output stays in the arena until the network has run, whatever comes behind it.
    deep = random_network(8, (16, 16, 16, 16, 3), 2)
    first = replace(deep, nodes=(*deep.nodes[:3], replace(deep.nodes[-1], inputs=(deep.nodes[2].name,))))
    watched["deep"] = replace(deep, monitor=with_random_monitor(first).monitor)
    return {name: named(network, name) for name, network in watched.items()}


def assert_same(found: Monitored, expected: Monitored) -> None:
    for (name, want), have in zip(expected.columns.items(), found.columns.values(), strict=True):
        np.testing.assert_array_equal(have, want, err_msg=name)


def test_c_says_what_golden_does() -> None:
    the_compiler()
    for native in build_native(list(networks().values())):
        q = inputs_for(native.network, 1500)
        outputs, said = native.monitored(q)
        np.testing.assert_array_equal(outputs, simulate(native.network, q))
        expected = monitored(native.network, q)
        assert_same(said, expected)
        assert set(expected.known.tolist()) == {True, False}
        np.testing.assert_array_equal(native.invoke(q), outputs)


@pytest.mark.slow(scaled=True)
def test_c_says_what_golden_does_on_many_vectors() -> None:
    the_compiler()
    for native in build_native(list(networks().values())):
        q = inputs_for(native.network, cases(20_000), seed=9)
        assert_same(native.monitored(q)[1], monitored(native.network, q))


@pytest.mark.slow(scaled=True)
def test_c_says_what_golden_does_of_any_network() -> None:
    the_compiler()
    made = []
    for seed in range(cases(20)):
        network = any_network(seed)
        if network.task != "values":
            made.append(named(with_random_monitor(network), f"net{seed}"))
    for native in build_native(made):
        q = inputs_for(native.network, 100)
        assert_same(native.monitored(q)[1], monitored(native.network, q))


@pytest.mark.parametrize(
    "name", ["m4", *(pytest.param(each, marks=pytest.mark.slow) for each in ("m0", "m3", "m7", "m33", "rv32"))]
)
def test_a_core_says_what_golden_does(name: str) -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.image_build import library_image
    from edgeml.targets.mcu.runner import NetworkRunner

    chip = core(name)
    network = networks()["two_bits"]
    firmware = firmware_files(network, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, monitor=True)), firmware.program)
    q = inputs_for(network, 200)
    outputs, said, instructions = runner.monitored(q)
    np.testing.assert_array_equal(outputs, simulate(network, q))
    expected = monitored(network, q)
    assert_same(said, expected)
    assert set(expected.known.tolist()) == {True, False}
    assert instructions > 0


def test_networks_without_a_monitor_have_no_such_file_and_keep_their_text() -> None:
    network = networks()["two_bits"]
    plain = generate(replace(network, monitor=None), CPU_DIALECT)
    watched = generate(network, CPU_DIALECT)
    new = set(watched.files) - set(plain.files)
    assert new == {"two_bits_monitor.c", "two_bits_monitor.h", "edgeml/distance.h"}
    assert not [name for name, text in plain.files.items() if "monitor" in text]


def test_values_that_are_no_bytes_are_refused() -> None:
    """A threshold layer whose lowest level is far above its base: in C it begins at the base, which is too low."""
    steps = np.sort(np.concatenate([np.full((2, 9), -(2**31)), np.arange(15)[None, :] * np.ones((2, 1))], 1), 1)
    nodes = list(extremes().nodes)
    nodes[2] = replace(nodes[2], layer=Threshold(steps.astype(np.int64), 0))
    nodes[3] = replace(nodes[3], layer=Dense(np.array([[7, 7], [-8, 7]]), 4, np.zeros(2, np.int32)))
    network = with_random_monitor(replace(extremes(), nodes=tuple(nodes)))
    with pytest.raises(InputError, match="layer act1: the monitor looks at it"):
        generate(network, CPU_DIALECT)
