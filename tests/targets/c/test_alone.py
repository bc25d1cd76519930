"""Each stage of generated C alone: at the corners of its own input range, which no input of the network may reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.add import Add
from edgeml.targets.c import generate
from edgeml.targets.c.alone import stage_cases
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.network.random_networks import random_network as random_dense_network
from tests.network.spiking.random_classic import random_classic
from tests.network.spiking.random_networks import random_network as random_spiking_network
from tests.sdk.test_vectors import wide_int8
from tests.targets.cpu.bodies import native_flags
from tests.targets.mcu.networks import random_network


def test_every_kind_of_step_is_right_alone() -> None:
    """Dense layers with and without thresholds in them, requantizing, adding, spiking in one pass and over time."""
    networks = [random_dense_network(seed, f"dense{seed}") for seed in (0, 3)]
    networks += [replace(wide_int8(), name="int8"), random_network(1, (30, 20, 5), 4, 6, name="levels")]
    networks += [replace(random_spiking_network(np.random.default_rng(1), "ttfs")[0], name="spikes")]
    networks += [replace(random_classic(np.random.default_rng(2))[0], name="leaky")]
    kinds = {node.layer.kind for network in networks for node in network.layers}
    assert {"dense", "threshold", "requantize", "add", "neurons", "leaky_neurons"} <= kinds
    for native in build_native(networks, flags=native_flags()):
        assert native.check_layers() >= 14 * (len(native.program.layout.stages) - 1)


def test_both_ends_of_a_dense_layer_are_reached_alone() -> None:
    network = random_dense_network(5, "ends")
    for case in stage_cases(generate(network, CPU_DIALECT).layout):
        nodes = case.stage.job.nodes
        if len(nodes) == 1 and isinstance(nodes[0].layer, Dense):
            ends = network.ranges[nodes[0].name]
            assert int(case.expected[:, 0].min()) == int(ends.low[0])
            assert int(case.expected[:, 0].max()) == int(ends.high[0])


def test_what_is_wrong_only_where_no_input_leads_is_found() -> None:
    """A difference of equal values is always 0, so that its negative weight never matters to the whole network."""
    nodes = (
        Node("input", InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 3, False)),
        Node("up", Dense(np.array([[1]]), 2, np.array([0])), ("input",)),
        Node("down", Dense(np.array([[-1]]), 2, np.array([0])), ("input",)),
        Node("both", Add(), ("up", "down")),
        Node("act", Threshold(np.array([[1, 2, 3]]), 0), ("both",)),
        Node("last", Dense(np.array([[1]]), 2, np.array([4])), ("act",)),
    )
    network = Network("hidden", nodes, Output(np.array([1.0])))
    native = NativeNetwork(network, flags=native_flags())
    assert native.check_layers() > 0
    text = native.program.files["hidden.c"]
    thresholds = text.index("hidden_layer_act_thresholds[")
    broken = text[:thresholds] + text[thresholds:].replace("3\n};", "5\n};", 1).replace(" 3}", " 5}", 1)
    assert broken != text
    wrong = NativeNetwork(network, flags=native_flags(), files={"hidden.c": broken})
    q = np.arange(8, dtype=np.int32)[:, None]
    np.testing.assert_array_equal(wrong.invoke(q), native.invoke(q))
    with pytest.raises(CheckFailed, match=r"layer act.*alone, at a corner"):
        wrong.check_layers()


def test_a_core_runs_each_step_alone() -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
    pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.layers_alone import layers_alone, traced_image

    chip = core("m0")
    firmware = firmware_files(wide_int8(), chip, {})
    assert layers_alone(Emulator(chip, traced_image(firmware, chip)), firmware.program) > 50
    narrow = firmware.files["src/edgeml/dense_lanes.h"].replace("SUM_RUN 512u", "SUM_RUN 1024u")
    broken = replace(firmware, files={**firmware.files, "src/edgeml/dense_lanes.h": narrow})
    with pytest.raises(CheckFailed, match=r"layer n2.*alone, at a corner"):
        layers_alone(Emulator(chip, traced_image(broken, chip)), broken.program)
