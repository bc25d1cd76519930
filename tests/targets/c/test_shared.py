"""C of layers that are shared by positions: windows in place and gathered, groups of them, on the host and on cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import Network, expanded, simulate, trace
from edgeml.targets.c import generate
from edgeml.targets.c.gather_loops import Loop, loops_of
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.targets.c.shared_networks import SHAPES, depthwise_network, shared_network
from tests.targets.cpu.bodies import BODIES, body_flags

CHOICES = ((2, 3, 8, False), (4, 7, 64, True), (8, 0, 5, False), (2, 3, 64, True), (8, 15, 16, True))
"""Bits of weights, thresholds, outputs of each position, whether the second chain requantizes and looks up."""


def _networks(choices: Sequence[tuple[int, int, int, bool]], shapes: Sequence[str] = SHAPES) -> list[Network]:
    found = [
        replace(shared_network(shape, *choice), name=f"{shape}_{number}")
        for shape in shapes
        for number, choice in enumerate(choices)
    ]
    return [*found, depthwise_network()]


def _inputs(network: Network, samples: int) -> np.ndarray:
    quantizer = network.quantizer
    q = np.random.default_rng(1).integers(quantizer.low, quantizer.high, (samples, network.input_size), endpoint=True)
    return q.astype(np.int32)


def _exact(networks: Sequence[Network], body: str, samples: int) -> int:
    """Batches, single samples, traces and each stage alone; how many vectors were compared."""
    compared = 0
    for network, native in zip(networks, build_native(networks, flags=body_flags(body)), strict=True):
        q = _inputs(network, samples)
        golden = trace(network, q)
        y = golden[network.nodes[-1].name]
        assert np.array_equal(native.invoke(q), y), network.name
        for row in range(3):
            assert np.array_equal(native.invoke(q[row : row + 1])[0], y[row]), network.name
        layers = native.trace(q[:5])
        assert layers
        for name, values in layers.items():
            assert np.array_equal(values, golden[name][:5]), (network.name, name)
        assert native.check_layers() > 0
        compared += samples
    return compared


def test_positions_are_exact_on_the_host() -> None:
    networks = _networks(CHOICES[:1], ("conv_2d_padded", "overlapping_vectors", "drawn", "prime"))
    assert _exact(networks, "portable", 61) == 5 * 61


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", list(BODIES))
def test_all_shapes_are_exact_in_each_body(body: str) -> None:
    for choice in CHOICES:
        _exact(_networks([choice]), body, 93)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("core_name", ["m0", "m3", "m4", "m7", "m33", "rv32"])
def test_all_shapes_are_exact_on_each_core(core_name: str) -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
    pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.layers_alone import layers_alone, traced_image
    from edgeml.targets.mcu.runner import NetworkRunner

    chip = core(core_name)
    for network in _networks(CHOICES[:1], SHAPES[:: 2 if core_name == "m4" else 5]):
        firmware = firmware_files(network, chip, {})
        emulator = Emulator(chip, traced_image(firmware, chip))
        q = _inputs(network, 20)
        golden = trace(network, q)
        outputs, layers = NetworkRunner(emulator, firmware.program).trace(q)
        assert np.array_equal(outputs, golden[network.nodes[-1].name]), network.name
        assert all(np.array_equal(values, golden[name]) for name, values in layers.items()), network.name
        assert layers_alone(emulator, firmware.program) > 0


def test_weights_and_thresholds_are_stored_once() -> None:
    network = shared_network("conv", 8, 15, 16)
    whole = sum(
        array.bytes
        for stage in generate(expanded(network), CPU_DIALECT).layout.stages[1:2]
        for array in stage.code.constants
    )
    (stage,) = (stage for stage in generate(network, CPU_DIALECT).layout.stages if stage.name == "convolution")
    assert sum(array.bytes for array in stage.code.constants) * 10 < whole


def test_windows_that_lie_whole_and_aligned_are_not_copied() -> None:
    for shape, copied in (("whole_vectors", False), ("conv", True)):
        text = generate(shared_network(shape, 2, 3, 64), CPU_DIALECT).files[f"{shape}.c"]
        stage = text[text.index("/* convolution:") : text.index("/* pointwise:")]
        assert ("windows" in stage) == copied, shape


def test_what_is_gathered_wrongly_is_found() -> None:
    """The generated C with one padding bit, one base and one result at a wrong place."""
    network = replace(shared_network("conv_padded"), name="padded")
    text = generate(network, CPU_DIALECT).files["padded.c"]
    q = _inputs(network, 40)
    for whole, broken in (
        (") & 1u ?", ") & 1u ? 0 :"),
        ("(int32_t)(position) * 4", "(int32_t)(position) * 3"),
        ("base + (int32_t)c0 * 1]", "base + (int32_t)(c0 ^ 1u)]"),
        ("+ r] = values0[row * 64u + r]", "+ r] = values0[row * 64u + (r ^ 1u)]"),
    ):
        assert whole in text
        broken = broken.replace("? 0 :", "? (uint8_t)1 : (bits[0] != 255) ?")
        wrong = NativeNetwork(network, flags=body_flags("portable"), files={"padded.c": text.replace(whole, broken, 1)})
        assert not np.array_equal(wrong.invoke(q), simulate(network, q)), whole
        with pytest.raises(CheckFailed, match="layer convolution"):
            wrong.check_layers()


def test_numbers_are_told_as_nested_loops_or_not_at_all() -> None:
    assert loops_of(np.array([7])) == ()
    assert loops_of(np.arange(5, 20, 3)) == (Loop(5, 3),)
    rows = (np.arange(3)[None] + 10 * np.arange(4)[:, None]).ravel()
    assert loops_of(rows) == (Loop(3, 1), Loop(4, 10))
    assert loops_of(np.array([0, 1, 3])) is None
    assert loops_of(np.array([0, 1, 5, 7])) is None
    assert loops_of(rows, 1) is None
