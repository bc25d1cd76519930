"""Classic spiking models and exact encodings on every emulated core: golden's integers at every layer, counts that
repeat, and the same from QEMU's boards."""

from __future__ import annotations

import functools
import shutil

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import InputError
from edgeml.hil.device import Device
from edgeml.network import InputQuantizer, Network, Node, Output, simulate, trace
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models import NeuronModel, tinyodin
from edgeml.network.spiking.models.snntorch import snntorch_lapicque, snntorch_leaky, snntorch_synaptic
from edgeml.targets.mcu import boards
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.runner import NetworkRunner

from ...network.spiking.random_classic import random_classic
from ...network.spiking.random_networks import ENCODINGS
from ...network.spiking.random_networks import random_network as random_exact
from ..neuromorphic.random_chips import loihi_network, xylo_network
from .networks import random_network
from .test_forms import int8_network

DECAYS = ("none", "multiply", "multiply_toward_zero", "shift", "subtract")


def classic_network(decay: str, delays: bool) -> tuple[Network, np.ndarray]:
    """The first random network with C whose layers have this decay, and delays if asked for."""
    for seed in range(10_000):
        network, q = random_classic(np.random.default_rng(seed))
        layers = [node.layer for node in network.nodes if isinstance(node.layer, LeakyNeurons)]
        if layers[0].model.decay != decay or delays != any(layer.delays is not None for layer in layers):
            continue
        try:
            firmware_files(network, core("m4"), {})
        except InputError:
            continue
        if any(simulate(network, q).ravel()):
            return network, q
    raise AssertionError("no such network")


def preset_network(model: NeuronModel, steps: int = 12) -> tuple[Network, np.ndarray]:
    """One layer of a preset and a readout, driven until it fires."""
    rng = np.random.default_rng(5)
    scale = 1 << model.weight_shift
    top = 1 << model.decay_bits
    recurrent = rng.integers(-8, 8, (7, 7)) if model.name in ("tinyodin", "snntorch_rleaky") else None
    layer = LeakyNeurons(
        model, steps, rng.integers(-7, 8, (7, 10)), 4, rng.integers(4, 16, 7) * scale, rng.integers(0, top, 7),
        rng.integers(0, top, 7), np.zeros(7, int), np.zeros(7, int), recurrent,
    )  # fmt: skip
    nodes = (
        Node("input", InputQuantizer(10 * steps, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("neurons", layer, ("input",)),
        Node("counts", SpikeReadout(steps, 7, "sum"), ("neurons",)),
    )
    q = (rng.random((4, 10 * steps)) < 0.4).astype(np.int32)
    network = Network("preset", nodes, Output(np.ones(1)))
    assert simulate(network, q).sum() > 10
    return network, q


CASES = {
    **{f"decay {decay}": functools.partial(classic_network, decay, False) for decay in DECAYS},
    **{f"decay {decay}, delays": functools.partial(classic_network, decay, True) for decay in DECAYS},
    "snntorch_leaky": lambda: preset_network(snntorch_leaky(decay_bits=8, fraction_bits=10)),
    "snntorch_synaptic": lambda: preset_network(snntorch_synaptic(decay_bits=8, fraction_bits=8)),
    "snntorch_lapicque": lambda: preset_network(snntorch_lapicque(decay_bits=8, fraction_bits=10)),
    "tinyodin": lambda: preset_network(tinyodin()),
    "xylo": lambda: xylo_network(np.random.default_rng(0)),
    "loihi": lambda: loihi_network(np.random.default_rng(0)),
    **{name: functools.partial(lambda e: random_exact(np.random.default_rng(2), e), name) for name in ENCODINGS},
}
QUICK = ("decay shift, delays", "snntorch_synaptic", "tinyodin", "loihi")


def inputs_of(network: Network, q: np.ndarray, count: int) -> np.ndarray:
    """q, then inputs that are its rows mixed, as sparse as they are."""
    rng = np.random.default_rng(9)
    rows = rng.integers(0, len(q), (count, q.shape[1]))
    return np.concatenate([q, q[rows, np.arange(q.shape[1])]])[:count].astype(np.int32)


def assert_exact_and_counts_repeat(network: Network, q: np.ndarray, name: str) -> None:
    chip = core(name)
    firmware = firmware_files(network, chip, {})
    image = library_image(firmware, chip, trace=True)
    outputs, layers = NetworkRunner(Emulator(chip, image), firmware.program).trace(q)
    expected = trace(network, q)
    np.testing.assert_array_equal(outputs, expected[network.nodes[-1].name])
    for layer, values in layers.items():
        np.testing.assert_array_equal(values, expected[layer], layer)
    counts = set()
    for _ in range(2):
        _, call = NetworkRunner(Emulator(chip, image), firmware.program).counted(q[0])
        counts.add((call.instructions, call.stack, tuple(sorted(call.by_layer.items()))))
    assert len(counts) == 1


@pytest.mark.parametrize("case", QUICK)
def test_classic_models_are_exact_on_a_cortex_m4(case: str) -> None:
    network, q = CASES[case]()
    assert_exact_and_counts_repeat(network, inputs_of(network, q, 8), "m4")


@pytest.mark.slow
@pytest.mark.parametrize("name", UNICORN_CORES)
@pytest.mark.parametrize("case", CASES)
def test_spiking_networks_are_exact_on_every_core(case: str, name: str) -> None:
    network, q = CASES[case]()
    assert_exact_and_counts_repeat(network, inputs_of(network, q, 60), name)


QEMU_BOARDS = {
    board.core_name: board for board in (boards.qemu_an385, boards.qemu_an386, boards.qemu_an500, boards.qemu_an505)
}
FORMS = {
    "quantized": lambda: (random_network(3, (12, 9, 4), 2), None),
    "double_rounding": lambda: (int8_network("double_rounding", 3), None),
    "float64_away": lambda: (int8_network("float64_away", 3), None),
    "stbif": CASES["stbif"],
    "ttfs": CASES["ttfs"],
    "snntorch_leaky": CASES["snntorch_leaky"],
    "decay shift, delays": CASES["decay shift, delays"],
}


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
@pytest.mark.parametrize(
    ("form", "name"),
    [
        pytest.param(form, name, marks=() if (form, name) == ("stbif", "m4") else pytest.mark.slow)
        for form in FORMS
        for name in QEMU_BOARDS
    ],
)
def test_qemu_computes_the_same_as_unicorn(form: str, name: str) -> None:
    """Integers of 20 samples over the board's UART, and the instructions of one."""
    network, q = FORMS[form]()
    quantizer = network.quantizer
    if q is None:
        q = np.random.default_rng(4).integers(quantizer.low, quantizer.high + 1, (20, network.input_size))
    q = inputs_of(network, q, 20)
    board, chip = QEMU_BOARDS[name], core(name)
    firmware = firmware_files(network, chip, {})
    link = board.link(firmware)
    try:
        device = Device(link, network, timeout=60.0, attempts=2)
        np.testing.assert_array_equal(device.run(q), simulate(network, q))
        ticks = [device.infer(q[:1]).count for _ in range(2)]
    finally:
        link.close()
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip)), firmware.program)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
    counted = runner.counted(q[0])[1].instructions
    told = [round(value * 1e9 / board.board.clock_hz / boards.ICOUNT_NANOSECONDS) for value in ticks]
    assert all(0 <= value - counted < 60 for value in told), (told, counted)


def test_a_model_without_c_is_refused_by_its_layer() -> None:
    rng = np.random.default_rng(0)
    layer = LeakyNeurons(
        NeuronModel(accumulation="per_event"), 3, np.ones((1, 2), int), 2, np.ones(1, int), *[np.zeros(1, int)] * 4,
        None, rng.integers(0, 2, (1, 2)),
    )  # fmt: skip
    nodes = (Node("input", InputQuantizer(6, np.ones(1), np.zeros(1), 0, 1, False)), Node("late", layer, ("input",)))
    with pytest.raises(InputError, match=r"late.*delays.*no C"):
        firmware_files(Network("n", nodes, Output(np.ones(1))), core("m0"), {})
