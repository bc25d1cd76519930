"""Flipped bits of firmware's constants: the definition is what emulated cores and the portable C compute, for every
kernel, at rates at which sums leave their fields and thresholds no longer ascend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import InputError
from edgeml.faults.flips import drawn, flipped, masks
from edgeml.faults.stored_form import THRESHOLDS, WEIGHTS
from edgeml.network import Lookup, Network, Node, Threshold, simulate
from edgeml.targets.c.stored.meaning import signed
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.faults import FlippedFirmware
from edgeml.targets.mcu.firmware import firmware_files

from .networks import random_inputs, random_network
from .test_levels import network_of

RATES = (0.01, 0.5)


def form_of(network: Network, core: str, kernel: str = "") -> FlippedFirmware:
    names = [node.name for node in network.nodes if node.layer.kind == "dense"]
    chosen = {f"{network.name}_layer_{name}": kernel for name in names} if kernel else {}
    return FlippedFirmware(firmware_files(network, CORES[core], chosen), CORES[core], "-O2")


CASES = {
    "w2_dsp": ("m4", 2, 2),
    "w4_pairs": ("m4", 4, 4),
    "w4_dsp": ("m4", 4, 4),
    "w8_dsp": ("m4", 8, 8),
    "w2_levels": ("m4", 2, 2),
    "w2_words": ("m4", 2, 2),
    "w2_lanes2": ("m3", 2, 2),
    "w4_lanes2": ("m0", 4, 4),
    "w8_block": ("rv32", 8, 4),
    "rows": ("m4", 8, 8),
}


@pytest.mark.parametrize("kernel", CASES)
def test_golden_with_flipped_bytes_is_what_the_core_computes(kernel: str) -> None:
    core, bits, activations = CASES[kernel]
    if kernel in ("w2_levels", "w2_words"):
        network = network_of(3, (29, 21, 8, 5), 3, 4)
    else:
        network = random_network(bits, (29, 21, 9, 5), bits, activations, 2 if kernel == "w4_pairs" else 8)
    form = form_of(network, core, kernel)
    assert kernel in [stage.code.kernel for stage in form.layout.stages]
    assert ("native" in form.absent) == (kernel != "w8_dsp")
    q = random_inputs(network, 1, 6)
    np.testing.assert_array_equal(form.golden(form.content, q), simulate(network, q))
    bits_of_all = np.unique(np.concatenate([form.bits(WEIGHTS), form.bits(THRESHOLDS)]))
    assert len(bits_of_all) == 8 * len(form.content) - 32 * sum(
        len(array.values) for array in form.arrays if array.name.endswith("_exceptions")
    )
    changed = 0
    for rate in RATES:
        generator = np.random.default_rng(int(1000 * rate))
        content = flipped(form.content, drawn(bits_of_all, rate, generator))
        disturbed = {name: masks(len(q), size, rate / 4, generator) for name, size in form.tensors.items()}
        for tensors in (None, disturbed):
            expected = form.golden(content, q, tensors)
            changed += int((expected != form.golden(form.content, q)).sum())
            for device in form.devices:
                np.testing.assert_array_equal(form.device(device, content, q, tensors), expected, device)
    assert changed, "flips that change nothing prove nothing"


@pytest.mark.parametrize("kernel", CASES)
def test_sums_that_leave_their_fields_wrap_and_carry_as_the_register_does(kernel: str) -> None:
    """Small weights, so that segments are long; memory full of one byte and inputs at their ends then pass every field,
    and constants of thresholds the 32 bits that they are computed in."""
    core, bits, activations = CASES[kernel]
    network = random_network(bits, (320, 16, 5), bits, activations, 2 if kernel == "w4_pairs" else 8)
    generator = np.random.default_rng(9)
    thin = [
        replace(node, layer=replace(node.layer, weight=node.layer.weight * (generator.random((16, 320)) < 0.05)))
        if node.name == "dense0"
        else node
        for node in network.nodes
    ]
    if kernel in ("w2_levels", "w2_words"):
        thin = list(network_of(3, (320, 16, 5), 3, 3).nodes)
    network = replace(network, nodes=tuple(thin))
    form = form_of(network, core, kernel)
    q = random_inputs(network, 1, 4)
    first = form.arrays[0].bytes
    weights, thresholds = (np.unique(form.bits(where) // 8) for where in (WEIGHTS, THRESHOLDS))
    for byte in (0x00, 0x80, 0x7F, 0xFF, 0x88, 0x55, 0x33, 0xC0):
        for chosen in (weights[weights < first], weights, thresholds, np.concatenate([weights, thresholds])):
            content = form.content.copy()
            content[chosen] = byte
            for device in [name for name in form.devices if name != "native"]:
                np.testing.assert_array_equal(form.device(device, content, q), form.golden(content, q), f"{byte:#x}")


def test_what_a_bit_belongs_to_is_named() -> None:
    network = random_network(8, (8, 5, 3), 8, 2)
    form = form_of(network, "m4", "w8_dsp")
    dense = network.nodes[1].layer
    seen = set()
    for bit in form.bits(WEIGHTS).tolist():
        place = form.place(bit)
        if place.what != "weight" or place.layer != "dense0" or place.at[0] >= 5:
            continue
        assert place.before == dense.weight[place.at]
        assert place.after == int(signed(np.array(place.before ^ (1 << place.bit % 8)), 8)), place
        seen.add((*place.at, place.bit % 8))
    assert len(seen) == 5 * 8 * 8, "each bit of each weight"
    assert all(form.place(bit).where == THRESHOLDS for bit in form.bits(THRESHOLDS).tolist())


def test_the_fourth_code_of_a_ternary_weight_is_minus_two() -> None:
    network = random_network(5, (16, 8, 3), 2, 2)
    nodes = [
        replace(node, layer=replace(node.layer, weight=np.clip(node.layer.weight, -1, 1)))
        if node.layer.kind == "dense"
        else node
        for node in network.nodes
    ]
    form = form_of(replace(network, nodes=tuple(nodes)), "m4", "w2_dsp")
    after = {form.place(bit).after for bit in form.bits(WEIGHTS).tolist() if form.place(bit).what == "weight"}
    assert after == {-2, -1, 0, 1}


def test_a_layer_without_a_definition_is_named() -> None:
    network = random_network(1, (8, 4), 8)
    threshold = Threshold(np.arange(4 * 255).reshape(4, 255) * 8 - 4000, 0)
    nodes = (*network.nodes, Node("levels", threshold, ("dense0",)))
    looked = Node("table", Lookup(np.arange(256)[::-1].astype(np.int32), 0), ("levels",))
    with pytest.raises(InputError, match="layer table: is computed by lookup, for which it is not defined"):
        form_of(replace(network, nodes=(*nodes, looked)), "m4")
